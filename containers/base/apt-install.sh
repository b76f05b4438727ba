#!/bin/bash
# Install Debian packages in a Dockerfile's RUN, and leave neither lists nor the mirror's name.
#
#   RUN --mount=type=bind,source=containers/base/apt-install.sh,target=/run/apt-install.sh \
#       --mount=type=secret,id=apt_sources \
#       --mount=type=secret,id=ca_bundle,target=/etc/ssl/certs/ca-certificates.crt \
#       /run/apt-install.sh PACKAGE...
#
# The secret apt_sources names the builder's own mirror; without it the base image's sources serve.
set -euo pipefail

sources=()
if [[ -s /run/secrets/apt_sources ]]; then
    sources=(-o Dir::Etc::SourceList=/run/secrets/apt_sources -o Dir::Etc::SourceParts=/dev/null)
fi
apt=(env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes "${sources[@]}")

"${apt[@]}" update
"${apt[@]}" install --no-install-recommends "$@"
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
