#!/bin/bash
# Remove from /opt/venv what torch's CUDA wheels load on a GPU alone: for images that never have one.
#
# What torch links against stays, or it could not be imported. A torch without CUDA is left as it is.
set -euo pipefail

site=$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
[[ -d $site/nvidia ]] || exit 0
loaded_on_a_gpu=(
    "$site"/nvidia/cuda_nvrtc/lib/lib*.so*
    "$site"/nvidia/cusolver/lib/lib*.so*
    "$site"/nvidia/cudnn/lib/libcudnn_*.so*
    "$site"/nvidia/cuda_cupti/lib/lib{nvperf,pcsamplingutil,checkpoint}*.so*
    "$site"/torch/lib/libtorch_cuda_linalg.so
    "$site"/triton
    "$site"/nvidia/*/include
    "$site"/nvidia/*/lib/*.a
)
before=$(du -sm "$site" | cut -f1)
rm -rf "${loaded_on_a_gpu[@]}"
/opt/venv/bin/python -c 'import torch' # what is linked is all there
echo "trim-gpu: $((before - $(du -sm "$site" | cut -f1))) MB removed"
