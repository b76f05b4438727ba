#!/usr/bin/env bash
# Make sure that there is docker-registry, with which the local ECR keeps images: use the one on
# PATH, else take the program out of Debian's package, with no need to be root and no service started.
#
#   registry.sh FOLDER   the folder for the program, such as .venv/bin
set -euo pipefail

into=${1:?the folder for the program}

say() { echo "registry: $*"; }
die() { say "$*" >&2; exit 1; }

is_debian() {
    # shellcheck source=/dev/null
    [[ -r /etc/os-release ]] && (. /etc/os-release && [[ " ${ID:-} ${ID_LIKE:-} " == *" debian "* ]])
}

for program in docker-registry registry; do
    if found=$(PATH=$PATH:$into command -v "$program"); then
        say "$("$found" --version)"
        exit
    fi
done
is_debian || die "no docker-registry on PATH, and this is neither Debian nor Ubuntu: install the" \
    "program 'registry' of https://github.com/distribution/distribution, version 2.8"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
fetched() { apt-get download -qq docker-registry >log 2>&1; }
# A fresh machine has no list of packages yet; only root may fetch one.
if ! fetched && ! { [[ $(id -u) == 0 ]] && apt-get update -qq >>log 2>&1 && fetched; }; then
    cat log >&2
    die "apt-get could not fetch docker-registry: run 'apt-get update' as root, then this again"
fi
dpkg-deb --extract docker-registry_*.deb .
cd "$OLDPWD"
install -m 0755 "$folder/usr/bin/docker-registry" "$into/docker-registry"
say "$("$into/docker-registry" --version), in $into"
