"""GPU code in the image's libraries against the GPU, and against the toolkit's and torch's CUDA."""

import re
from collections.abc import Iterator, Mapping

from sagedock.contract import accelerators
from sagedock.contract.accelerators import BRANCH_CUDA, Gpu, cuda_of_ptx
from sagedock.images.preflight import sources
from sagedock.images.preflight.checks.cuda import compiling_branch
from sagedock.images.preflight.device_code import Code, DeviceCode
from sagedock.images.preflight.facts import ImageFacts
from sagedock.images.preflight.row import Row, Verdict
from sagedock.images.preflight.target import Target

__all__ = ["gpu_code_rows"]

#: Libraries that choose among their code by the GPU: some of it may be for other ones.
_CHOOSING = re.compile(
    r"(?:.*/)?(?:torch|nvidia|triton|cuda[^/]*|tensorrt[^/]*)/.*|.*/libcu\w+\.so.*"
)
#: Of those, NVIDIA's own, some of which are for newer GPUs only and never called on others.
_NVIDIAS = re.compile(r"(?:.*/)?(?:nvidia|cuda[^/]*|tensorrt[^/]*)/.*|.*/libcu\w+\.so.*")
_SHOWN = 3


def gpu_code_rows(facts: ImageFacts, target: Target) -> Iterator[Row]:
    """Yield a row for torch's and NVIDIA's libraries, one for all others, and of the versions."""
    gpu = accelerators.gpu_of(target.instance_type)
    if gpu is None or not facts.device_code:
        return
    big = {path: code for path, code in facts.device_code.items() if _CHOOSING.fullmatch(path)}
    own = {path: code for path, code in facts.device_code.items() if path not in big}
    branch = compiling_branch(facts, target)
    if big:
        yield _row("GPU code of torch, CUDA", big, gpu, branch)
    if own:
        yield _row("GPU code of extensions", own, gpu, branch)
        yield from _partly(own, gpu)
    yield from _damaged(facts.device_code)


def _row(check: str, found: Mapping[str, DeviceCode], gpu: Gpu, branch: int | None) -> Row:
    without = {path: each for path, each in found.items() if not _runs(each, gpu)}
    compiled = {
        path: each
        for path, each in found.items()
        if path not in without and not _runs(each, gpu, "cubin")
    }
    wanted = f"sm_{gpu.capability[0]}{gpu.capability[1]}"
    if without:
        return Row(
            check=check,
            verdict=Verdict.WARNS if all(map(_NVIDIAS.fullmatch, without)) else Verdict.FAILS,
            found=_listed(without),
            needed=f"{wanted} ({gpu.name}), or PTX of no newer architecture",
            source=sources.NVIDIA_CAPABILITY,
            remedy=f"build it again with TORCH_CUDA_ARCH_LIST containing {_dotted(gpu)}",
        )
    if compiled:
        too_new = _too_new(compiled, gpu, branch)
        return Row(
            check=check,
            verdict=Verdict.FAILS if too_new else Verdict.WARNS,
            found=f"only PTX in {_listed(compiled)}",
            needed=too_new or f"{wanted} ({gpu.name})",
            source=sources.NVIDIA_CAPABILITY,
            remedy=f"build with TORCH_CUDA_ARCH_LIST containing {_dotted(gpu)}: PTX is compiled at "
            "the first use, in each container anew, which takes up to minutes",
        )
    return Row(
        check=check,
        verdict=Verdict.OK,
        found=f"{len(found)} files, all with code for it: {_listed(found)}",
        needed=f"{wanted} ({gpu.name})",
        source=sources.NVIDIA_CAPABILITY,
    )


def _too_new(compiled: Mapping[str, DeviceCode], gpu: Gpu, branch: int | None) -> str:
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


def _partly(own: Mapping[str, DeviceCode], gpu: Gpu) -> Iterator[Row]:
    partly = {
        path: each.without(gpu.capability)
        for path, each in own.items()
        if _runs(each, gpu) and each.without(gpu.capability)
    }
    if partly:
        told = ", ".join(
            f"{path}: {count} of {own[path].fatbins.total()} kernels' files"
            for path, count in sorted(partly.items())[:_SHOWN]
        )
        yield Row(
            check="GPU code, in part",
            verdict=Verdict.WARNS,
            found=f"nothing for the {gpu.name} in {told}",
            needed="code for it in each, unless the library never calls them there",
            source=sources.NVIDIA_CAPABILITY,
            remedy=f"build all of it with TORCH_CUDA_ARCH_LIST containing {_dotted(gpu)}",
        )


def _damaged(found: Mapping[str, DeviceCode]) -> Iterator[Row]:
    damaged = [path for path, each in sorted(found.items()) if each.damaged]
    if damaged:
        yield Row(
            check="GPU code, damaged",
            verdict=Verdict.CANNOT_SAY,
            found=", ".join(damaged[:_SHOWN]),
            needed="entries that lie within their fatbin",
            source=sources.NVIDIA_CAPABILITY,
            remedy="see what `cuobjdump --list-elf` tells of the file",
        )


def _runs(found: DeviceCode, gpu: Gpu, kind: str = "") -> bool:
    return any(
        code.runs_on(gpu.capability) for code in found.codes if not kind or code.kind == kind
    )


def _listed(found: Mapping[str, DeviceCode]) -> str:
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


def _dotted(gpu: Gpu) -> str:
    return f"{gpu.capability[0]}.{gpu.capability[1]}"
