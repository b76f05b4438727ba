#!/bin/bash
# Install the locked packages into /opt/venv, without what no job needs. Runs in the builder stage.
#
#   install.sh TORCH_LOCK
#
# Where the host gathered the packages, /wheels holds them and packages.lock, which names them: then
# no network is needed. Elsewhere they come from pip's index.
set -euo pipefail

site=$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
if [[ -e /wheels/packages.lock ]]; then
    source=(--no-index --find-links /wheels)
    packages=(-r /wheels/packages.lock)
else
    source=()
    packages=(-r /locks/requirements.lock -r "/locks/$1")
fi

install() { # bytecode is compiled once, after the trimming
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt /opt/venv/bin/python -m pip install \
        --no-cache-dir --no-compile --no-deps --require-hashes --disable-pip-version-check \
        --quiet "${source[@]}" "$@"
}

trim() { # tests, headers, and the symbols that only a linker reads
    rm -rf "$site"/torch/{test,include,share} "$site"/torch/lib/*.a \
        "$site"/torch/bin/{*Test,test_*,protoc*,*.ptl,upgrader_models}
    find "$site"/{numpy,scipy,gevent,greenlet,psutil,zope,networkx,sympy} \
        -type d -name tests -prune -exec rm -rf {} +
    strip --strip-unneeded "$site"/torch/lib/libtorch_*.so
}

install -r /locks/build.lock
install --no-build-isolation "${packages[@]}"
trim
echo /opt/sagedock/lib >"$site/sagedock.pth"
/opt/venv/bin/python -m pip check
/opt/venv/bin/python -m compileall -q -j 0 -x py312_ /opt/venv/lib # newer syntax
