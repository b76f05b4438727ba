"""GPU code in libraries that nobody builds for himself: NVIDIA's, torch's and Triton's.

What one of them lacks, another version has, or none: it is not built again.
"""

import re
from collections.abc import Iterator
from posixpath import dirname

from sagedock.contract.accelerators import Gpu
from sagedock.images.preflight import sources
from sagedock.images.preflight.checks.fitting import Found, dotted, listed, runs, too_new, wanted
from sagedock.images.preflight.row import Row, Verdict

__all__ = ["is_shipped", "shipped_row"]

Version = tuple[int, int]

#: By the folders of NVIDIA's wheels, toolkits and TensorRT, else by the libraries' own names.
_NVIDIAS = re.compile(
    r"(?:.*/)?(?:nvidia|cuda(?:-[\d.]+)?|tensorrt[^/]*)/.*"
    r"|(?:.*/)?lib(?:cu(?:blas|dart|dnn|fft|file|pti|rand|solver|sparse|tensor)|nccl|npp"
    r"|nv(?:infer|jpeg|rtc|shmem))[\w-]*\.so.*"
)
_TORCHS = re.compile(r"(?:.*/)?(?:torch|triton)/.*")


def is_shipped(path: str) -> bool:
    """Say whether a library is torch's, Triton's, or NVIDIA's."""
    return bool(_TORCHS.fullmatch(path) or _NVIDIAS.fullmatch(path))


def shipped_row(found: Found, gpu: Gpu, branch: int | None, cuda: Version | None) -> Row:
    """Return the row of such libraries. ``cuda`` is the image's, ``branch`` its driver's there.

    Where others beside it have code for the GPU, one of NVIDIA's lacks it by design: it calls none
    of its own there. One of torch's leaves functions that do not run.
    """
    nvidias = {path: each for path, each in found.items() if _NVIDIAS.fullmatch(path)}
    torchs = {path: each for path, each in found.items() if path not in nvidias}
    by_design, others = _lacking(nvidias, gpu)
    in_part, fatal = _lacking(torchs, gpu)
    is_known = cuda is None or cuda >= gpu.first_cuda
    if not is_known:
        by_design, others = {}, {**by_design, **others}
    if without := {**fatal, **in_part, **others}:
        return Row(
            check="GPU code of torch, CUDA",
            verdict=Verdict.FAILS if fatal else Verdict.WARNS,
            found=f"nothing for it in {listed(without)}",
            needed=f"{wanted(gpu)}, or PTX of no newer architecture",
            source=sources.NVIDIA_CAPABILITY if is_known else sources.NVIDIA_MATRIX,
            remedy="; ".join(_remedies(gpu, is_known, bool(fatal or in_part), bool(others))),
        )
    return _compiled(found, gpu, branch, is_known) or Row(
        check="GPU code of torch, CUDA",
        verdict=Verdict.OK,
        found=_fits(found, by_design),
        needed=wanted(gpu),
        source=sources.NVIDIA_CAPABILITY,
    )


def _lacking(found: Found, gpu: Gpu) -> tuple[Found, Found]:
    """Return the files without code for a GPU: those beside others that have it, and the rest."""
    served = {dirname(path) for path, each in found.items() if runs(each, gpu)}
    lacking = {path: each for path, each in found.items() if not runs(each, gpu)}
    beside = {path: each for path, each in lacking.items() if dirname(path) in served}
    return beside, {path: each for path, each in lacking.items() if path not in beside}


def _fits(found: Found, by_design: Found) -> str:
    fitting = {path: each for path, each in found.items() if path not in by_design}
    but = f", {len(by_design)} of NVIDIA's without by design" if by_design else ""
    return f"{len(fitting)} with code for it{but}: {listed(fitting)}"


def _remedies(gpu: Gpu, is_known: bool, of_torch: bool, of_nvidia: bool) -> Iterator[str]:
    if not is_known:
        yield _newer_cuda(gpu)
        return
    if of_torch:
        wheel = "another CUDA, which may have code for it"
        if gpu.torch_cuda:
            wheel = f"CUDA {gpu.torch_cuda[0]}.{gpu.torch_cuda[1]}, which has code for it"
        yield (
            f"take torch's wheel for {wheel}, or build torch with TORCH_CUDA_ARCH_LIST containing "
            f"{dotted(gpu)}"
        )
    if of_nvidia:
        yield "take another version of NVIDIA's packages: some have code for other GPUs only"


def _newer_cuda(gpu: Gpu) -> str:
    major, minor = gpu.first_cuda
    return (
        f"take CUDA {major}.{minor} or newer, the first that knows the {gpu.name}, with the wheels "
        "of torch and NVIDIA for it"
    )


def _compiled(found: Found, gpu: Gpu, branch: int | None, is_known: bool) -> Row | None:
    """Return the row of what is PTX only for the GPU. NVIDIA's own is as it should be, unless the
    driver cannot compile it.
    """
    ptx = {
        path: each
        for path, each in found.items()
        if runs(each, gpu) and not runs(each, gpu, "cubin")
    }
    torchs = {path: each for path, each in ptx.items() if not _NVIDIAS.fullmatch(path)}
    newer = too_new(ptx, gpu, branch)
    if not torchs and not newer:
        return None
    if newer:
        remedy = "take a newer driver or cuda-compat, see `driver`, or an older CUDA"
    elif is_known:
        remedy = (
            "take torch's wheel for another CUDA, or live with it: PTX is compiled at the first "
            "use, in each container anew, which takes up to minutes"
        )
    else:
        remedy = _newer_cuda(gpu)
    return Row(
        check="GPU code of torch, CUDA",
        verdict=Verdict.FAILS if newer and torchs else Verdict.WARNS,
        found=f"only PTX in {listed(torchs or ptx)}",
        needed=newer or wanted(gpu),
        source=sources.NVIDIA_CAPABILITY,
        remedy=remedy,
    )
