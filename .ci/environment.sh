#!/usr/bin/env bash
# Make a virtual environment of what a lock pins, by hash, and nothing else.
#
#   environment.sh PYTHON FOLDER LOCK [UV]
#
# uv installs in seconds what takes pip minutes. It reads no pip.conf: where the machine's pip is
# told of an index of its own, or where uv fails, pip installs. Without UV, an installed uv, the lock
# pins it, and it is installed first.
set -euo pipefail
python=$1 folder=$2 lock=$3 uv=${4:-}
pip() { "$folder/bin/pip" --quiet --disable-pip-version-check "$@"; }

own_index() { # whether the machine's pip has an index of its own, or none
    pip config list | grep -qE "\.(index-url|no-index)="
}

with_uv() {
    local pinned
    if [[ -z $uv ]]; then
        pinned=$(mktemp)
        sed -n '/^uv==/,/[^\\]$/p' "$lock" >"$pinned"
        pip install --require-hashes --requirement "$pinned" || { rm -f "$pinned"; return 1; }
        rm -f "$pinned"
        uv=$folder/bin/uv
    fi
    "$uv" pip install --quiet --system-certs --python "$folder/bin/python" --require-hashes \
        --requirement "$lock"
}

echo "making the Python environment in $folder"
"$python" -m venv "$folder"
own_index || with_uv || echo "uv could not install $lock: pip tries" >&2
# Where all is installed, this changes nothing; it also says that all is there, whoever installed.
pip install --no-compile --require-hashes --requirement "$lock"
