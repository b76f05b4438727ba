"""GPU code in the image's libraries against the GPU of the instance."""

from collections.abc import Iterator

from sagedock.contract import accelerators
from sagedock.contract.accelerators import Gpu
from sagedock.images.preflight import sources
from sagedock.images.preflight.checks.cuda import compiling_branch, cuda_of, outlives
from sagedock.images.preflight.checks.fitting import Found, dotted, listed, runs, too_new, wanted
from sagedock.images.preflight.checks.shipped_code import is_shipped, shipped_row
from sagedock.images.preflight.facts import ImageFacts
from sagedock.images.preflight.row import Row, Verdict
from sagedock.images.preflight.target import Target

__all__ = ["gpu_code_rows"]

_SHOWN = 3


def gpu_code_rows(facts: ImageFacts, target: Target) -> Iterator[Row]:
    """Yield a row for torch's and NVIDIA's libraries, and one for all others.

    For a GPU that the image's CUDA no longer knows there is none: `GPU's age` says it once.
    """
    gpu = accelerators.gpu_of(target.instance_type)
    if gpu is None or not facts.device_code:
        return
    cuda, branch = cuda_of(facts), compiling_branch(facts, target)
    if cuda is None or not outlives(cuda[0], gpu):
        shipped = {path: code for path, code in facts.device_code.items() if is_shipped(path)}
        own = {path: code for path, code in facts.device_code.items() if path not in shipped}
        if shipped:
            yield shipped_row(shipped, gpu, branch, cuda and cuda[0])
        if own:
            yield _own(own, gpu, branch, cuda and cuda[0])
            yield from _partly(own, gpu)
    yield from _damaged(facts.device_code)


def _own(found: Found, gpu: Gpu, branch: int | None, cuda: tuple[int, int] | None) -> Row:
    """Return the row of libraries that were built for the image."""
    arch = f"TORCH_CUDA_ARCH_LIST containing {dotted(gpu)}"
    if cuda is not None and cuda < gpu.first_cuda:
        arch += f", and CUDA {gpu.first_cuda[0]}.{gpu.first_cuda[1]} or newer"
    without = {path: each for path, each in found.items() if not runs(each, gpu)}
    compiled = {
        path: each
        for path, each in found.items()
        if path not in without and not runs(each, gpu, "cubin")
    }
    if without:
        return Row(
            check="GPU code of extensions",
            verdict=Verdict.FAILS,
            found=listed(without),
            needed=f"{wanted(gpu)}, or PTX of no newer architecture",
            source=sources.NVIDIA_CAPABILITY,
            remedy=f"build it again with {arch}",
        )
    if compiled:
        newer = too_new(compiled, gpu, branch)
        return Row(
            check="GPU code of extensions",
            verdict=Verdict.FAILS if newer else Verdict.WARNS,
            found=f"only PTX in {listed(compiled)}",
            needed=newer or wanted(gpu),
            source=sources.NVIDIA_CAPABILITY,
            remedy=f"build with {arch}: PTX is compiled at the first use, in each container anew, "
            "which takes up to minutes",
        )
    return Row(
        check="GPU code of extensions",
        verdict=Verdict.OK,
        found=f"{len(found)} files, all with code for it: {listed(found)}",
        needed=wanted(gpu),
        source=sources.NVIDIA_CAPABILITY,
    )


def _partly(own: Found, gpu: Gpu) -> Iterator[Row]:
    partly = {
        path: each.without(gpu.capability)
        for path, each in own.items()
        if runs(each, gpu) and each.without(gpu.capability)
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
            remedy=f"build all of it with TORCH_CUDA_ARCH_LIST containing {dotted(gpu)}",
        )


def _damaged(found: Found) -> Iterator[Row]:
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
