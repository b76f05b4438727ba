#!/bin/bash
# Unpack NVIDIA's cuda-compat into /usr/local/cuda/compat. No loader's path is set: the launcher does
# that where the host's driver is older. Runs in the stage compat-with.
set -euo pipefail

# shellcheck source=containers/training/vendor.sh
source /run/training/vendor.sh
package=/run/vendor/$(file_of compat)
check compat "$package"

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
dpkg-deb --extract "$package" "$work" # no script of the package is run
found=$(find "$work" -path '*/compat/libcuda.so.1')
if [[ $(wc -l <<<"$found") != 1 || ! -e $found ]]; then
    echo "vendor: ${package##*/} holds no compat/libcuda.so.1" >&2
    exit 1
fi
mkdir -p /usr/local/cuda/compat
cp -a "${found%/*}"/. /usr/local/cuda/compat/
