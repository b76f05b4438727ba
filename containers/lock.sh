#!/usr/bin/env bash
# Pin every Python package by version and hash: run it on Linux x86_64, with the images' Python.
#
#   lock.sh [PIP_COMPILE]
#
# A pin that a lock has, and that its source still allows, stays. UPGRADE=1 takes the newest ones.
# A lock names no index, mirror or folder: where packages come from is the reader's own pip's affair.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
compile=$(realpath --no-symlinks "${1:-.venv/bin/pip-compile}")

upgrade=()
[[ -z ${UPGRADE:-} ]] || upgrade=(--upgrade)

lock() { # lock OUTPUT SOURCE [OPTION...]; SOURCE may be `-`
    local output=$1 source=$2 said
    shift 2
    echo "lock: $output"
    said=$("$compile" --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
        --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
        --no-emit-options "${upgrade[@]}" "$@" --output-file "$output" "$source" 2>&1) ||
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

neuron_requirements() { # pip's part of neuron.toml
    "$(dirname "$compile")/python" - containers/training/neuron.toml <<'END'
import sys, tomllib
for name, version in tomllib.load(open(sys.argv[1], "rb"))["pip"].items():
    print(f"{name}=={version}")
END
}

neuron_index_answers() { # PyPI has empty packages of the same names, of another version
    local pin
    pin=$(neuron_requirements | awk '/neuron/ && !seen++')
    "$(dirname "$compile")/python" -m pip index versions "${pin%%==*}" 2>/dev/null |
        grep -qF "${pin##*==}"
}

lock_neuron() { # a lock that is there stays where the index does not answer
    local output=$1 requirements
    shift
    if ! neuron_index_answers; then
        echo "lock: $output is NOT renewed: no index of pip's has the packages of neuron.toml:" \
            "give pip AWS's as extra-index-url: docs/how-to/train-on-trainium.md"
        return
    fi
    requirements=$(mktemp --suffix=.in)
    neuron_requirements >"$requirements"
    lock "$output" "$requirements" "$@"
    rm "$requirements"
    sed -i '1s/from .*/from neuron.toml./' "$output"
}

training=containers/training
lock $training/build.lock $training/build.in
lock $training/requirements.lock $training/requirements.in -c $training/build.lock
for device in cpu cuda xla; do
    lock $training/torch-$device.lock $training/torch-$device.in \
        -c $training/build.lock -c $training/requirements.lock
done
lock_neuron $training/neuron.lock -c $training/build.lock -c $training/requirements.lock
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
