"""For which GPUs CUDA code of one's own is compiled: the words of TORCH_CUDA_ARCH_LIST.

A GPU runs machine code of its capability, and of an older one with the same major number; PTX of
any older one, which the driver compiles when the program starts (minutes, for large libraries).
"""

from collections.abc import Iterator, Sequence

from sagedock.contract.accelerators import Gpu, gpu_of

__all__ = ["VARIABLE", "arch_list", "arch_problems"]

Version = tuple[int, int]

#: What torch.utils.cpp_extension reads.
#: Source: https://docs.pytorch.org/docs/stable/cpp_extension.html
VARIABLE = "TORCH_CUDA_ARCH_LIST"


def arch_list(instance_types: Sequence[str]) -> str:
    """Return the capabilities of the types' GPUs, PTX with the newest: ``8.0;9.0+PTX``.

    The PTX is for GPUs that are newer than all of them. Types without a GPU are left out.
    """
    found = sorted({gpu.capability for gpu in map(gpu_of, instance_types) if gpu is not None})
    return ";".join(map(_words, found)) + "+PTX" if found else ""


def arch_problems(instance_types: Sequence[str], cuda: Version) -> Iterator[str]:
    """Yield why a CUDA version makes no code for a type's GPU, with what to do instead."""
    for name in instance_types:
        gpu = gpu_of(name)
        if gpu is None:
            yield f"{name} has no NVIDIA GPU: leave it out, or name a type that has one"
        elif gpu.last_cuda is not None and cuda[0] > gpu.last_cuda:
            yield (
                f"{name}: CUDA {_words(cuda)} makes no code for its {_named(gpu)} any more: build "
                f"with CUDA {gpu.last_cuda}.x, or leave the type out"
            )
        elif cuda < gpu.first_cuda:
            yield (
                f"{name}: CUDA {_words(cuda)} does not know its {_named(gpu)} yet: build with CUDA "
                f"{_words(gpu.first_cuda)} or newer, or leave the type out"
            )


def _named(gpu: Gpu) -> str:
    return f"{gpu.name} (sm_{gpu.capability[0]}{gpu.capability[1]})"


def _words(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
