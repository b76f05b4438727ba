#!/usr/bin/env bash
# Make the base image that every Dockerfile here starts from: Debian, Python, and nothing else.
#
#   build.sh IMAGE [CODENAME]
#
# BASE=IMAGE names the public image to start from; it is pulled where a registry answers. Elsewhere
# the base is made by debootstrap from this machine's own package mirror (Linux, root).
# BASE=debootstrap does not ask a registry. DOCKER names the client.
set -euo pipefail

image=${1:?usage: build.sh IMAGE [CODENAME]}
codename=${2:-bookworm}
public=${BASE:-python:3.11-slim-$codename}
docker=${DOCKER:-docker}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
answer_s=15 # a registry that has not named the image by then counts as out of reach
label="sagedock.image=base"
packages=ca-certificates,python3,python3-pip,python3-venv,python-is-python3

say() { echo "base: $*"; }
die() { say "$*" >&2; exit 1; }

pull() { # as long as it takes, once the registry has named the image
    local log=$1 waited=0 pid
    "$docker" pull --platform linux/amd64 "$public" >"$log" 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        if ((waited++ >= answer_s)) && ! grep -q 'Pulling from' "$log"; then
            kill "$pid" 2>/dev/null || true
        fi
        sleep 1
    done
    wait "$pid"
}

from_public() {
    container=$("$docker" create "$public")
    "$docker" commit --change "LABEL $label" --change 'CMD ["python3"]' "$container" "$image" \
        >/dev/null
}

strip_rootfs() { # what a build leaves behind, and what names this machine or its mirror
    local root=$1
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* \
        "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old \
        "$root"/usr/share/{man,info,locale} "$root"/etc/apt/sources.list \
        "$root"/etc/hostname "$root"/etc/resolv.conf
    find "$root"/usr/share/doc -type f ! -name copyright -delete
    find "$root"/usr/share/doc -mindepth 1 -empty -delete
}

install_debootstrap() {
    command -v apt-get >/dev/null ||
        die "no registry serves $public, and debootstrap is missing: install it"
    say "installing debootstrap"
    { apt-get update -qq && apt-get install -qq --yes --no-install-recommends debootstrap; } \
        >"$1" 2>&1 || { tail -n 20 "$1" >&2; die "apt-get could not install debootstrap"; }
}

from_debootstrap() {
    local log=$1 mirror
    [[ $(uname -s) == Linux && $(id -u) == 0 ]] ||
        die "no registry serves $public, and debootstrap needs root on Linux: set BASE to an" \
            "image that your registry serves"
    command -v debootstrap >/dev/null || install_debootstrap "$log"
    mirror=$("$here/mirror.sh" "$codename")
    rootfs=$(mktemp -d)
    say "making Debian $codename with debootstrap, about a minute"
    debootstrap --variant=minbase --include="$packages" "$codename" "$rootfs" "$mirror" \
        >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "debootstrap failed"; }
    strip_rootfs "$rootfs"
    say "importing it into the engine"
    tar -C "$rootfs" -c . | "$docker" import --change "LABEL $label" --change 'CMD ["python3"]' \
        --change 'ENV LANG=C.UTF-8' - "$image" >/dev/null
}

clean_up() { # also when it is interrupted
    [[ -z $container ]] || "$docker" rm "$container" >/dev/null
    rm -rf -- "$log" ${rootfs:+"$rootfs"}
}

main() {
    container='' rootfs=''
    log=$(mktemp)
    trap clean_up EXIT
    if "$docker" image inspect "$image" >/dev/null 2>&1; then
        say "$image is there"
        return
    fi
    if [[ $public != debootstrap ]] && { say "asking the registry for $public"; pull "$log"; }; then
        from_public
    else
        [[ -z ${BASE:-} || $BASE == debootstrap ]] ||
            { tail -n 3 "$log" >&2; die "no registry serves BASE=$BASE"; }
        from_debootstrap "$log"
    fi
    say "$image is ready"
}

main
