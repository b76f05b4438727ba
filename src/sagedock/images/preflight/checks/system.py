"""What holds on any instance: glibc, versions of CUDA that belong together, doubles, size."""

import re
from collections.abc import Iterator

from sagedock.contract.accelerators import NVIDIA_DRIVER_GLIBC
from sagedock.contract.limits import IMAGE_DOWNLOAD_S
from sagedock.images.preflight import sources
from sagedock.images.preflight.facts import ImageFacts, Library
from sagedock.images.preflight.row import Row, Verdict
from sagedock.images.start_up import added_seconds, amount

__all__ = ["system_rows"]

_GB = 1_000_000_000
_MB = 1_000_000
_SHOWN = 3
_CUDA_LIBRARIES = (
    *("libcuda", "libcudart", "libcublas", "libcublasLt", "libcudnn", "libcufft", "libcurand"),
    *("libcusolver", "libcusparse", "libcusparseLt", "libnccl", "libnvrtc", "libnvJitLink"),
    *("libcupti", "libcufile", "libnvToolsExt", "libnppc", "libnvjpeg", "libnvshmem_host"),
)
#: Folders that no loader looks into unless it is told to.
_APART = re.compile(r"(?:^|/)(?:compat|stubs)/")
_DRIVERS = ("libcuda", "libnvidia-ml", "libnvidia-ptxjitcompiler")


def system_rows(facts: ImageFacts) -> Iterator[Row]:
    """Yield the rows that need no instance type."""
    yield _glibc(facts)
    yield from _torch_and_toolkit(facts)
    yield from _doubles(facts)
    yield from _driver_inside(facts)
    yield _size(facts)
    yield from _archive(facts)


def _glibc(facts: ImageFacts) -> Row:
    wanted = {name: each for name, each in facts.wheels_glibc.items() if each}
    if facts.device_code:
        wanted["NVIDIA's driver"] = NVIDIA_DRIVER_GLIBC
    most = max(wanted.values(), default=None)
    who = sorted(name for name, each in wanted.items() if each == most)
    needed = f"glibc {_dotted(most)} or newer, for {', '.join(who[:_SHOWN])}" if most else "glibc"
    if facts.glibc is None:
        musl = any(facts.named(r"ld-musl-.*\.so\.1"))
        verdict = Verdict.FAILS if wanted else Verdict.CANNOT_SAY
        return Row(
            check="glibc",
            verdict=verdict,
            found="musl, and no glibc" if musl else "no GNU C library",
            needed=needed,
            source=sources.PEP_600,
            remedy="start from an image with glibc, such as Debian's or Ubuntu's" if wanted else "",
        )
    old = most is not None and facts.glibc < most
    return Row(
        check="glibc",
        verdict=Verdict.FAILS if old else Verdict.OK,
        found=f"glibc {_dotted(facts.glibc)}",
        needed=needed,
        source=sources.PEP_600,
        remedy="start from a newer distribution, or install older wheels" if old else "",
    )


def _torch_and_toolkit(facts: ImageFacts) -> Iterator[Row]:
    """Yield torch's CUDA against the toolkit's: extensions are built with the one for the other."""
    compilers = {
        name: version
        for name, version in facts.toolkits.items()
        if f"{name}/bin/nvcc" in facts.files.entries
    }
    torch = facts.torch_cuda
    if torch is None or not facts.toolkits:
        return
    compared = compilers or facts.toolkits
    other = {name: version for name, version in compared.items() if version[0] != torch[0]}
    minor = any(version != torch for version in compared.values())
    verdict = Verdict.WARNS if other or (minor and compilers) else Verdict.OK
    if other and compilers:
        verdict = Verdict.FAILS
    yield Row(
        check="torch and toolkit",
        verdict=verdict,
        found=f"torch for CUDA {_dotted(torch)}; "
        + ", ".join(
            f"/{name} {_dotted(version)}{' with nvcc' if name in compilers else ''}"
            for name, version in facts.toolkits.items()
        ),
        needed="the same major version, to build extensions the same minor one",
        source=sources.TORCH_EXTENSIONS,
        remedy=""
        if verdict == Verdict.OK
        else "install torch for the toolkit's CUDA, or leave the "
        "toolkit out: torch's wheels bring what it needs to run",
    )


def _doubles(facts: ImageFacts) -> Iterator[Row]:
    by_name: dict[str, list[Library]] = {}
    for each in facts.libraries:
        if each.soname.partition(".")[0] in _CUDA_LIBRARIES and not _APART.search(each.path):
            by_name.setdefault(each.soname, []).append(each)
    twice = {name: each for name, each in by_name.items() if len(each) > 1}
    if not by_name:
        return
    wasted = sum(
        sum(each.size for each in found) - max(each.size for each in found)
        for found in twice.values()
    )
    differ = [name for name, found in twice.items() if len({each.version for each in found}) > 1]
    yield Row(
        check="CUDA libraries",
        verdict=Verdict.WARNS if twice else Verdict.OK,
        found="; ".join(_places(name, found) for name, found in sorted(twice.items())[:_SHOWN])
        + (f"; {len(twice) - _SHOWN} more" if len(twice) > _SHOWN else "")
        if twice
        else f"{len(by_name)}, each once",
        needed="each once: which of two is loaded depends on who loads first",
        source=sources.TORCH_EXTENSIONS,
        remedy=f"leave one out: {wasted / _MB:,.0f} MB"
        + (f", and versions differ of {', '.join(sorted(differ)[:_SHOWN])}" if differ else "")
        if twice
        else "",
    )


def _places(name: str, found: list[Library]) -> str:
    return f"{name} in {' and '.join(sorted(f'/{each.path}' for each in found)[:_SHOWN])}"


def _driver_inside(facts: ImageFacts) -> Iterator[Row]:
    """Yield libraries of NVIDIA's driver that the image brings, other than as cuda-compat."""
    inside = [
        each.path
        for each in facts.libraries
        if each.soname.partition(".")[0] in _DRIVERS and each.size and not _APART.search(each.path)
    ]
    if inside:
        yield Row(
            check="driver in the image",
            verdict=Verdict.WARNS,
            found=", ".join(inside[:_SHOWN]),
            needed="none: the instance's own is mounted",
            source=sources.TRAINING_DOCKERFILE,
            remedy="do not install NVIDIA's driver in the image: it may hide the instance's",
        )


def _size(facts: ImageFacts) -> Row:
    layers = facts.saved.layers
    sizes = [layer.packed_size for layer in layers]
    largest = f", the largest is layer {sizes.index(max(sizes)) + 1}" if len(layers) > 1 else ""
    count = f"{len(layers)} layer{'s' if len(layers) != 1 else ''}"
    seconds = added_seconds(facts.files.packed_size)
    return Row(
        check="size",
        verdict=Verdict.OK,
        found=f"about {amount(facts.files.packed_size)} compressed "
        f"({amount(facts.files.size)} in {count}{largest}"
        + (f": {amount(max(sizes))})" if largest else ")"),
        needed=f"about {seconds} s of each start that has to download it",
        source=IMAGE_DOWNLOAD_S.source,
    )


def _archive(facts: ImageFacts) -> Iterator[Row]:
    if facts.files.outside:
        yield Row(
            check="archive",
            verdict=Verdict.FAILS,
            found=f"{facts.files.outside} files whose names lead out of the image",
            needed="none: no program that is meant well writes such layers",
            source=sources.DOCKER_SAVE,
            remedy="do not use this image; build it from a base that you know",
        )


def _dotted(version: tuple[int, int] | None) -> str:
    return ".".join(map(str, version or ()))
