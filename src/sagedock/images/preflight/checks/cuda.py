"""The image's CUDA against the driver of the instance."""

from collections.abc import Iterator
from dataclasses import dataclass

from sagedock.contract import accelerators
from sagedock.contract.accelerators import AMIS, BRANCH_CUDA, CUDA_DRIVERS, Gpu
from sagedock.images.preflight import sources
from sagedock.images.preflight.checks.compat import compat_on_path, usable_compat
from sagedock.images.preflight.checks.constraints import unmet
from sagedock.images.preflight.facts import ImageFacts, two
from sagedock.images.preflight.row import Row, Verdict
from sagedock.images.preflight.target import Target

__all__ = ["KnownDriver", "compiling_branch", "cuda_of", "cuda_rows", "driver_of", "outlives"]

Version = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class KnownDriver:
    """The driver's branch that is reckoned with: at least ``branch``, or exactly it.

    ``said_by`` is a page, or words; None as ``branch`` means that nothing tells it.
    """

    branch: int | None
    exact: bool
    said_by: str


def driver_of(target: Target) -> KnownDriver:
    """Return the driver that a target has: the user's word, AWS's page, or the GPU's first one."""
    if target.driver is not None:
        return KnownDriver(branch=target.driver, exact=True, said_by="--driver")
    stated = accelerators.driver_of(target.instance_type, target.use)
    if stated is not None:
        return KnownDriver(branch=stated.branch, exact=True, said_by=stated.source)
    gpu = accelerators.gpu_of(target.instance_type)
    first = min(
        (branch for branch, cuda in BRANCH_CUDA.items() if gpu and cuda >= gpu.first_cuda),
        default=None,
    )
    return KnownDriver(branch=first, exact=False, said_by=sources.NVIDIA_MATRIX)


def cuda_of(facts: ImageFacts) -> tuple[Version, str] | None:
    """Return the newest CUDA of the image, and what tells it; None where it has none."""
    found: list[tuple[Version, str]] = []
    if facts.torch_cuda:
        found.append((facts.torch_cuda, "torch"))
    found += [(version, folder) for folder, version in facts.toolkits.items()]
    found += [(version, name) for name, version in facts.runtime_wheels.items()]
    for name in ("CUDA_VERSION", "com.nvidia.cuda.version"):
        told = facts.environment.get(name) or facts.labels.get(name) or ""
        if version := two(told):
            found.append((version, name))
    return max(found, default=None)


def cuda_rows(facts: ImageFacts, target: Target) -> Iterator[Row]:
    """Yield CUDA against the driver, on instances with NVIDIA GPUs; else that it is not needed."""
    cuda, gpu = cuda_of(facts), accelerators.gpu_of(target.instance_type)
    if gpu is None:
        if cuda is not None:
            yield _of_no_use(cuda)
        return
    if cuda is None:
        yield _without(facts)
        return
    if outlives(cuda[0], gpu):  # whatever else is wrong comes right with another CUDA
        yield _too_new_for(gpu, cuda)
        return
    yield _against_driver(facts, target, cuda)
    yield from _runtime(facts)
    yield from _compat(facts, target)
    yield from _required(facts, target)


def outlives(cuda: Version, gpu: Gpu) -> bool:
    """Say whether a CUDA is too new for a GPU: it makes no code for it any more."""
    return gpu.last_cuda is not None and cuda[0] > gpu.last_cuda


def _too_new_for(gpu: Gpu, cuda: tuple[Version, str]) -> Row:
    wheels = ""
    if gpu.torch_cuda:
        wheels = f" (torch's wheels for {_words(gpu.torch_cuda)} have code for it)"
    return Row(
        check="GPU's age",
        verdict=Verdict.FAILS,
        found=f"CUDA {_words(cuda[0])} ({cuda[1]})",
        needed=f"CUDA {gpu.last_cuda}.x or older: the last that knows the {gpu.name}",
        source=sources.NVIDIA_MATRIX,
        remedy=f"build the image on CUDA {gpu.last_cuda}{wheels}, or take a newer instance type",
    )


def _of_no_use(cuda: tuple[Version, str]) -> Row:
    return Row(
        check="CUDA",
        verdict=Verdict.WARNS,
        found=f"CUDA {_words(cuda[0])} ({cuda[1]})",
        needed="none: this instance has no NVIDIA GPU",
        source=sources.GPU_DRIVERS,
        remedy="build without CUDA: it is gigabytes that each start downloads",
    )


def _without(facts: ImageFacts) -> Row:
    torch = facts.packages.get("torch")
    return Row(
        check="CUDA",
        verdict=Verdict.FAILS if torch else Verdict.WARNS,
        found=f"no CUDA; torch {torch}, built for CPUs" if torch else "no CUDA",
        needed="CUDA's runtime, for the instance's GPUs",
        source=sources.TRAINING_DOCKERFILE,
        remedy="install a torch with CUDA, or take an instance type without GPUs",
    )


def _against_driver(facts: ImageFacts, target: Target, cuda: tuple[Version, str]) -> Row:
    (major, _), told_by = cuda
    driver = driver_of(target)
    minimum = next((row.minimum_branch for row in CUDA_DRIVERS if row.major == major), None)
    compat = usable_compat(facts, target.use)
    found = f"CUDA {_words(cuda[0])} ({told_by})"
    if compat is not None:
        found += f", cuda-compat of driver {compat}"
    verdict, remedy = _judged(target, driver, minimum, compat, cuda[0])
    if (
        verdict == Verdict.FAILS
        and minimum
        and facts.compat
        and _branch(facts.compat[1]) >= minimum
    ):
        verdict, found = (
            Verdict.WARNS,
            f"{found}, cuda-compat of driver {facts.compat[1]} beside it",
        )
        remedy = "see `cuda-compat`: it helps where the container puts it on the library path"
    return Row(
        check="driver",
        verdict=verdict,
        found=found,
        needed=_need(minimum, driver),
        source=driver.said_by if driver.exact and target.driver is None else sources.NVIDIA_MINOR,
        remedy=remedy,
    )


def _runtime(facts: ImageFacts) -> Iterator[Row]:
    """Yield whether the runtime that torch was built for is there: without it torch does not load.

    Wheels of torch bring it as further wheels, which installing with --no-deps leaves out.
    """
    if facts.torch_cuda is None:
        return
    wanted = f"libcudart.so.{facts.torch_cuda[0]}"
    found = [each.path for each in facts.libraries if each.soname == wanted]
    yield Row(
        check="CUDA runtime",
        verdict=Verdict.OK if found else Verdict.FAILS,
        found=f"/{found[0]}" if found else f"no {wanted}",
        needed=f"{wanted}, for torch",
        source=sources.TRAINING_DOCKERFILE,
        remedy="" if found else "install torch with its dependencies, or that CUDA's runtime",
    )


def _need(minimum: int | None, driver: KnownDriver) -> str:
    wanted = f"driver {minimum} or newer" if minimum else "a driver that no page states"
    if driver.branch is None or not driver.exact:
        least = f", at least {driver.branch} as the GPU needs it" if driver.branch else ""
        return f"{wanted}; AWS states none for this use{least}"
    return f"{wanted}; the instance has {driver.branch} ({_cuda_of_branch(driver.branch)})"


def _judged(
    target: Target, driver: KnownDriver, minimum: int | None, compat: str | None, cuda: Version
) -> tuple[Verdict, str]:
    if minimum is None:
        return Verdict.CANNOT_SAY, f"NVIDIA's page lists no CUDA {cuda[0]} of that age or newness"
    if driver.branch is not None and driver.branch >= minimum:
        return Verdict.OK, ""
    if compat is not None and _branch(compat) >= minimum:
        return Verdict.OK, ""
    if driver.exact:
        return Verdict.FAILS, _newer_driver(target, minimum)
    return Verdict.CANNOT_SAY, (
        "let a job of a minute print nvidia-smi there, and say the driver's branch with --driver; "
        f"or put cuda-compat-{cuda[0]}-{cuda[1]} into the image"
    )


def _newer_driver(target: Target, minimum: int) -> str:
    fitting = [row for row in AMIS if row.use == target.use and row.branch >= minimum]
    ask = (
        f"ask for {fitting[0].member} {fitting[0].name} (driver {fitting[0].branch}; then give "
        f"--driver {fitting[0].branch}), or "
        if fitting
        else ""
    )
    return (
        f"{ask}put cuda-compat of driver {minimum} or newer on the image's LD_LIBRARY_PATH, or "
        "build with an older CUDA"
    )


def compiling_branch(facts: ImageFacts, target: Target) -> int | None:
    """Return the branch of the driver that compiles PTX there, None where nothing tells it."""
    driver, compat = driver_of(target), usable_compat(facts, target.use)
    if not driver.exact or driver.branch is None:
        return None
    return driver.branch if compat is None else max(driver.branch, _branch(compat))


def _branch(version: str) -> int:
    return int(version.partition(".")[0])


def _compat(facts: ImageFacts, target: Target) -> Iterator[Row]:
    if facts.compat is None:
        return
    folder, version = facts.compat
    used, always = usable_compat(facts, target.use) is not None, compat_on_path(facts)
    driver = driver_of(target)
    older = always and driver.exact and _branch(version) < (driver.branch or 0)
    where = "on the library path" if always else "not on the library path"
    if used and not always:
        where = "which the launcher puts on the library path where the driver is older"
    remedy = ""
    if not used:
        remedy = (
            f"add /{folder} to LD_LIBRARY_PATH where the driver is older than {version}: the "
            "platform's container toolkit does not do it from version 1.17.4 on"
        )
    elif older:
        remedy = "set LD_LIBRARY_PATH to it when the container starts, and only if it is newer"
    yield Row(
        check="cuda-compat",
        verdict=Verdict.WARNS if remedy else Verdict.OK,
        found=f"driver {version} in /{folder}, {where}",
        needed="on the library path, and no older than the instance's driver",
        source=sources.CUDA_COMPAT if not used else sources.NVIDIA_FORWARD,
        remedy=remedy,
    )


def _required(facts: ImageFacts, target: Target) -> Iterator[Row]:
    """Yield what NVIDIA_REQUIRE_CUDA says: NVIDIA's container runtime refuses to start else.

    Unverified: that SageMaker's runtime holds images to it.
    """
    wanted, driver = facts.environment.get("NVIDIA_REQUIRE_CUDA", ""), driver_of(target)
    if not wanted:
        return
    switched_off = facts.environment.get("NVIDIA_DISABLE_REQUIRE", "") not in ("", "0", "false")
    verdict, remedy = Verdict.OK, ""
    if driver.branch is None or not driver.exact:
        verdict, remedy = Verdict.CANNOT_SAY, "say the driver's branch with --driver"
    elif not switched_off and unmet(wanted, driver.branch):
        verdict = Verdict.WARNS
        remedy = (
            "set NVIDIA_DISABLE_REQUIRE=1 in the image if cuda-compat is in it, or see `driver`"
        )
    yield Row(
        check="NVIDIA_REQUIRE_CUDA",
        verdict=verdict,
        found=f"{wanted[:80]}{' (switched off)' if switched_off else ''}",
        needed=f"met by driver {driver.branch}" if driver.exact else "met by the instance's driver",
        source=sources.NVIDIA_REQUIRE,
        remedy=remedy,
    )


def _cuda_of_branch(branch: int) -> str:
    known = [each for each in BRANCH_CUDA if each <= branch]
    return f"CUDA {_words(BRANCH_CUDA[max(known)])}" if known else "older than any CUDA 11"


def _words(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
