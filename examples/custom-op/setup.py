"""Compile the extension: C++ always, CUDA where nvcc and a torch for CUDA are."""

import torch
from setuptools import setup
from torch.utils.cpp_extension import CUDA_HOME, BuildExtension, CppExtension, CUDAExtension

if CUDA_HOME and torch.version.cuda:
    extension = CUDAExtension(
        "fused._ops",
        ["csrc/rms_norm_cpu.cpp", "csrc/rms_norm_cuda.cu"],
        extra_compile_args={"cxx": ["-O3"], "nvcc": ["-O3"]},
    )
else:
    extension = CppExtension("fused._ops", ["csrc/rms_norm_cpu.cpp"], extra_compile_args=["-O3"])

setup(ext_modules=[extension], cmdclass={"build_ext": BuildExtension})
