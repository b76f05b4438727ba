#!/bin/bash
# Install the locked packages into /opt/venv, without what no job needs. Runs in the builder stage.
#
#   install.sh TORCH_LOCK
#
# /wheels holds the packages where the host gathered them; then no network is needed.
set -euo pipefail

site=$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
wheels=(/wheels/*.whl)
source=()
[[ ! -e ${wheels[0]} ]] || source=(--no-index --find-links /wheels)

install() { # bytecode is compiled once, after the trimming
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt /opt/venv/bin/python -m pip install \
        --no-cache-dir --no-compile --no-deps --require-hashes --disable-pip-version-check \
        --quiet "${source[@]}" "$@"
}

trim() {
    rm -rf "$site"/torch/{test,include,share} "$site"/torch/bin/test_* "$site"/torch/lib/*.a
    find "$site"/{numpy,scipy,gevent,greenlet,psutil,zope,networkx,sympy} \
        -type d -name tests -prune -exec rm -rf {} +
}

install -r /locks/build.lock
install --no-build-isolation -r /locks/requirements.lock -r "/locks/$1"
trim
echo /opt/sagedock/lib >"$site/sagedock.pth"
/opt/venv/bin/python -m pip check
/opt/venv/bin/python -m compileall -q -j 0 /opt/venv/lib || true
