#!/usr/bin/env bash
# Pin every Python package by version and hash: run it on Linux x86_64, with the images' Python.
#
#   lock.sh [PIP_COMPILE]
#
# A lock names no index, mirror or folder: where packages come from is the reader's own pip's affair.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
compile=$(realpath --no-symlinks "${1:-.venv/bin/pip-compile}")

lock() { # lock OUTPUT INPUT... [-- OPTIONS]
    local output=$1 inputs=() log
    shift
    while (($#)) && [[ $1 != -- ]]; do inputs+=("$1"); shift; done
    echo "lock: $output"
    log=$("$compile" --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
        --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
        --no-emit-options "${@:2}" --output-file "$output" "${inputs[@]}" 2>&1) ||
        { echo "$log" >&2; exit 1; }
    sed -i "1i # Made by \`make lock\` from ${inputs[*]##*/}." "$output"
    if grep -nE '://|^ *-[-a-gi-z]' "$output" | grep -v -- '--hash=' >&2; then
        echo "lock: $output names a place: remove it" >&2
        exit 1
    fi
}

training=containers/training
lock $training/build.lock $training/build.in
lock $training/requirements.lock $training/requirements.in -- -c $training/build.lock
for device in cpu cuda; do
    lock $training/torch-$device.lock $training/torch-$device.in -- \
        -c $training/build.lock -c $training/requirements.lock
done
