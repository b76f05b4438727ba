#!/usr/bin/env bash
# Put a file that optional stages of the training image install into containers/vendor.
#
#   vendor.sh efa|compat FILE-OR-URL
#
# Its SHA-256 must be the one in containers/training/vendor.versions; without one there, the file's
# is printed, to be compared with its maker's signature and written down. The build checks it again.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
die() { echo "vendor: $*" >&2; exit 1; }

[[ $# == 2 ]] || die "usage: vendor.sh efa|compat FILE-OR-URL"
# shellcheck source=containers/training/vendor.sh
source "$here/training/vendor.sh"
name=$(file_of "$1") || die "$1 is neither efa nor compat"

new=$(mktemp -d "$here/vendor/.new-XXXXXX")
trap 'rm -rf -- "$new"' EXIT
case $2 in
    https://*) curl --fail --silent --show-error --location --output "$new/$name" "$2" ;;
    http://*) die "$2 is not encrypted: use https, or a file" ;;
    *) [[ -f $2 ]] || die "$2 is no file"
       cp -- "$2" "$new/$name" ;;
esac
check "$1" "$new/$name" || exit 1
mv -- "$new/$name" "$here/vendor/$name"
echo "vendor: containers/vendor/$name is the file of vendor.versions"
