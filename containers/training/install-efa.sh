#!/bin/bash
# Install Amazon's EFA software with aws-ofi-nccl, for programs alone: no kernel module, no limits.
# Runs in the stage fabric-efa; https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-installer-containers.html
set -euo pipefail

# shellcheck source=containers/training/vendor.sh
source /run/training/vendor.sh
archive=/run/vendor/$(file_of efa)
check efa "$archive"

work=$(mktemp -d)
trap 'rm -rf -- "$work" /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log' EXIT
if [[ -s /run/secrets/apt_sources ]]; then # the installer calls apt itself: told by a variable
    printf '%s\n' 'Dir::Etc::SourceList "/run/secrets/apt_sources";' \
        'Dir::Etc::SourceParts "/dev/null";' >"$work/apt.conf"
    export APT_CONFIG=$work/apt.conf
fi
apt-get --quiet update
tar -xzf "$archive" -C "$work" --no-same-owner
cd "$work/aws-efa-installer"
./efa_installer.sh -y --skip-kmod --skip-limit-conf --no-verify
# Where older and newer installers put libraries; the loader is to find them without a variable.
for folder in /opt/amazon/efa/lib /opt/amazon/ofi-nccl/lib /opt/amazon/ofi-nccl/lib/x86_64-linux-gnu \
    /opt/aws-ofi-nccl/lib; do
    [[ ! -d $folder ]] || echo "$folder"
done >/etc/ld.so.conf.d/efa.conf
ldconfig
ln -s /opt/amazon/efa/bin/fi_info /usr/local/bin/fi_info # what one asks whether EFA is there
