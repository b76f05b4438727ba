"""Which files have GPU code for a GPU, and that in words."""

from collections.abc import Mapping

from sagedock.contract.accelerators import BRANCH_CUDA, Gpu, cuda_of_ptx
from sagedock.images.preflight.device_code import Code, DeviceCode

__all__ = ["Found", "dotted", "listed", "runs", "too_new", "wanted"]

#: GPU code by the file that has it.
Found = Mapping[str, DeviceCode]

_SHOWN = 3


def runs(found: DeviceCode, gpu: Gpu, kind: str = "") -> bool:
    """Say whether a file has code that a GPU takes, of any kind or of one."""
    return any(
        code.runs_on(gpu.capability) for code in found.codes if not kind or code.kind == kind
    )


def too_new(compiled: Found, gpu: Gpu, branch: int | None) -> str:
    """Return what the driver would have to know where it cannot compile the PTX, else nothing."""
    if branch is None:
        return ""
    has = max((cuda for each, cuda in BRANCH_CUDA.items() if each <= branch), default=(0, 0))
    for each in compiled.values():
        usable = [
            code for code in each.codes if code.kind == "ptx" and code.runs_on(gpu.capability)
        ]
        needed = min(cuda_of_ptx(code.ptx_version) for code in usable)
        if needed > has:
            return (
                f"a driver that knows CUDA {needed[0]}.{needed[1]}, to compile this PTX; "
                f"{branch} knows {has[0]}.{has[1]}"
            )
    return ""


def listed(found: Found) -> str:
    """Return the first files with their architectures; those with the same ones together."""
    groups: dict[frozenset[Code], list[str]] = {}
    for path, each in sorted(found.items()):
        groups.setdefault(each.codes, []).append(path)
    shown = [
        f"{paths[0]}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''}"
        f" ({' '.join(map(str, sorted(codes))) or 'nothing'})"
        for codes, paths in list(groups.items())[:_SHOWN]
    ]
    more = len(groups) - len(shown)
    return "; ".join(shown) + (f"; {more} more kinds" if more else "")


def dotted(gpu: Gpu) -> str:
    """Return a GPU's architecture as TORCH_CUDA_ARCH_LIST has it: ``8.0``."""
    return f"{gpu.capability[0]}.{gpu.capability[1]}"


def wanted(gpu: Gpu) -> str:
    """Return a GPU's architecture as compilers have it, and its name."""
    return f"sm_{gpu.capability[0]}{gpu.capability[1]} ({gpu.name})"
