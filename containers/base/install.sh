#!/bin/bash
# Install the gathered packages into /opt/venv, without what no job needs. Runs in a builder stage.
#
# /wheels holds the packages and packages.lock, which names them: no network is needed. /locks holds
# build.lock: what makes wheels of source distributions.
set -euo pipefail

site=$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

install() { # bytecode is compiled once, after the trimming
    /opt/venv/bin/python -m pip install --quiet --no-index --find-links /wheels --no-deps \
        --require-hashes --no-cache-dir --no-compile --disable-pip-version-check "$@"
}

trim() { # tests, headers, and the symbols that only a linker reads
    rm -rf "$site"/torch/{test,share} "$site"/torch/lib/*.a \
        "$site"/torch/bin/{*Test,test_*,protoc*,*.ptl,upgrader_models}
    local package
    for package in numpy scipy gevent greenlet psutil zope networkx sympy; do
        [[ ! -d $site/$package ]] ||
            find "$site/$package" -type d -name tests -prune -exec rm -rf {} +
    done
    strip --strip-unneeded "$site"/torch/lib/libtorch_cpu.so
    if [[ -d $site/nvidia ]]; then trim_cuda; else rm -rf "$site"/torch/include; fi
}

trim_cuda() { # torch's headers stay: torch.compile makes C++ that includes them
    strip --strip-unneeded "$site"/torch/lib/libtorch_{cuda,cuda_linalg,python}.so \
        "$site"/triton/_C/*.so
    # Static libraries; those of the CUDA runtime stay, 2 MB, for nvcc links with them.
    find "$site"/triton "$site"/nvidia/nvshmem -name '*.a' -delete
    # A wheel holds no links, so this library is in it three times.
    local cupti=$site/triton/backends/nvidia/lib/cupti real
    real=$(cd "$cupti" && compgen -G 'libcupti.so.*.*')
    ln -sf "$real" "$cupti/libcupti.so.12"
    ln -sf "$real" "$cupti/libcupti.so"
}

install -r /locks/build.lock
install --no-build-isolation -r /wheels/packages.lock
trim
echo /opt/sagedock/lib >"$site/sagedock.pth"
/opt/venv/bin/python -m pip check
/opt/venv/bin/python -m compileall -q -j 0 -x py312_ /opt/venv/lib # py312_: newer syntax
