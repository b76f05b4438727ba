#!/usr/bin/env bash
# Remove the images that carry our label, the containers made from them that have ended, and the
# gathered wheels. A running container keeps its image: end it first. LABEL names another label.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
label=${LABEL:-sagedock.image}

[[ ! -d wheels ]] || find wheels -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +
if ! docker info >/dev/null 2>&1; then
    echo "clean: no engine answers: no images to remove"
    exit 0
fi
mapfile -t images < <(docker image ls --quiet --no-trunc --filter "label=$label" | sort -u)
for image in "${images[@]}"; do
    mapfile -t ended < <(docker container ls --all --quiet --filter "ancestor=$image" \
        --filter status=exited --filter status=created --filter status=dead)
    ((${#ended[@]} == 0)) || docker container rm --volumes "${ended[@]}" >/dev/null
done
((${#images[@]} == 0)) || docker image rm --force "${images[@]}" >/dev/null
echo "clean: removed ${#images[@]} images (the engine's build cache is shared by all projects:" \
    "'docker builder prune' empties it)"
