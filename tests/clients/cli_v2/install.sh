#!/usr/bin/env bash
# Make sure that there is an AWS CLI v2, where this machine's packages have one. It is on no Python
# index: where it cannot be installed this says why, and the tests that need it are skipped.
set -euo pipefail

say() { echo "clients: $*"; }
skip() { say "no AWS CLI v2: $*; its tests are skipped"; exit 0; }

find_v2() { # print the first `aws` on PATH that is of version 2
    local candidate
    while read -r candidate; do
        case $("$candidate" --version 2>/dev/null) in
            aws-cli/2.*) echo "$candidate"; return ;;
        esac
    done < <(type -ap aws)
    return 1
}

if found=$(find_v2); then
    say "the AWS CLI v2 is $found"
    exit 0
fi
command -v apt-get >/dev/null || skip "install it as AWS describes"
[[ $(id -u) == 0 ]] || skip "run 'sudo apt-get install awscli'"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes \
    --no-install-recommends awscli; } >"$log" 2>&1 ||
    { tail -n 5 "$log"; skip "apt-get could not install awscli"; }
find_v2 >/dev/null || skip "this system's package awscli is of version 1"
say "installed $(find_v2)"
