#!/usr/bin/env bash
# Pin every Python package by version and hash: run it on Linux x86_64, with the images' Python.
#
#   lock.sh [PIP_COMPILE]
#
# A lock names no index, mirror or folder: where packages come from is the reader's own pip's affair.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
compile=$(realpath --no-symlinks "${1:-.venv/bin/pip-compile}")

lock() { # lock OUTPUT SOURCE [OPTION...]; SOURCE may be `-`
    local output=$1 source=$2 said
    shift 2
    echo "lock: $output"
    said=$("$compile" --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
        --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
        --no-emit-options "$@" --output-file "$output" "$source" 2>&1) ||
        { echo "$said" >&2; exit 1; }
    [[ $source != - ]] || source=pyproject.toml
    sed -i "1i # Made by \`make lock\` from ${source##*/}." "$output"
    if grep -nE '://|^ *-' "$output" | grep -v -- '--hash=' >&2; then
        echo "lock: $output names a place: remove it" >&2
        exit 1
    fi
}

project_requirements() { # what the project needs to run, to be developed and to be built
    "$(dirname "$compile")/python" - <<'END'
import tomllib
project = tomllib.load(open("pyproject.toml", "rb"))
print(*project["project"]["dependencies"], sep="\n")
print(*project["dependency-groups"]["dev"], sep="\n")
print(*project["build-system"]["requires"], "editables", sep="\n")
END
}

training=containers/training
lock $training/build.lock $training/build.in
lock $training/requirements.lock $training/requirements.in -c $training/build.lock
for device in cpu cuda; do
    lock $training/torch-$device.lock $training/torch-$device.in \
        -c $training/build.lock -c $training/requirements.lock
done
lock $training/ninja.lock $training/ninja.in
lock $training/cuda-toolkit.lock $training/cuda-toolkit.in \
    -c $training/torch-cuda.lock -c $training/ninja.lock
serving=containers/serving
lock $serving/requirements.lock $serving/requirements.in \
    -c $training/build.lock -c $training/torch-cpu.lock
project_requirements | lock requirements-dev.lock -
for client in tests/clients/*/requirements.in; do
    lock "${client%.in}.lock" "$client"
done
