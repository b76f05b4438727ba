"""What instances need to talk to each other: NCCL, EFA's libraries, and the plugin between."""

from collections.abc import Iterator
from posixpath import dirname

from sagedock.contract import accelerators
from sagedock.contract.fabric import fabric_of
from sagedock.images.preflight import sources
from sagedock.images.preflight.facts import ImageFacts
from sagedock.images.preflight.row import Row, Verdict
from sagedock.images.preflight.target import Target

__all__ = ["network_rows"]

_PLUGIN = r"libnccl-(?:net|net-aws-ofi|net-ofi)\.so(?:\..*)?|libnccl-ofi-tuner\.so"
_LIBFABRIC = r"libfabric\.so(?:\..*)?"
_LIBEFA = r"libefa(?:-rdmav\d+)?\.so(?:\..*)?"


def network_rows(facts: ImageFacts, target: Target) -> Iterator[Row]:
    """Yield NCCL where several GPUs work together, EFA where several instances with it do."""
    gpu = accelerators.gpu_of(target.instance_type)
    if target.use != "training" or target.count < 2:
        return
    if gpu is not None:
        yield _nccl(facts)
    if fabric_of(target.instance_type) is None:
        yield Row(
            check="EFA",
            verdict=Verdict.OK,
            found="not needed",
            needed=f"nothing: {target.instance_type} has no EFA, its instances talk by TCP",
            source=sources.TRAINING_EFA,
        )
        return
    yield _libfabric(facts)
    if gpu is not None:
        yield _plugin(facts)


def _nccl(facts: ImageFacts) -> Row:
    wheels = [f"{name} {version}" for name, version in _wheels(facts)]
    libraries = [each.path for each in facts.libraries if each.soname == "libnccl.so.2"]
    return Row(
        check="NCCL",
        verdict=Verdict.OK if wheels or libraries else Verdict.FAILS,
        found=", ".join(wheels or libraries[:2]) or "no libnccl.so.2",
        needed="NCCL 2, for GPUs of several instances",
        source=sources.TRAINING_EFA,
        remedy="" if wheels or libraries else "install torch with CUDA, whose wheels bring it",
    )


def _wheels(facts: ImageFacts) -> Iterator[tuple[str, str]]:
    for name, version in facts.packages.items():
        if name.startswith("nvidia-nccl"):
            yield name, version


def _libfabric(facts: ImageFacts) -> Row:
    fabric, efa = sorted(facts.named(_LIBFABRIC)), sorted(facts.named(_LIBEFA))
    there = bool(fabric and efa)
    found_by_loader = any(map(facts.is_found_by_the_loader, fabric))
    remedy = ""
    if not there:
        remedy = (
            "run Amazon's EFA installer in the build with --skip-kmod --skip-limit-conf "
            "--no-verify; without it the instances talk by TCP, at a fraction of the speed"
        )
    elif not found_by_loader:
        remedy = f"add /{dirname(fabric[0])} to LD_LIBRARY_PATH or to /etc/ld.so.conf.d"
    return Row(
        check="EFA",
        verdict=Verdict.WARNS if remedy else Verdict.OK,
        found=", ".join(each[0] if each else f"no {name}" for name, each in _pairs(fabric, efa)),
        needed="libfabric and libefa, where the loader finds them",
        source=sources.EFA_CONTAINERS,
        remedy=remedy,
    )


def _pairs(fabric: list[str], efa: list[str]) -> Iterator[tuple[str, list[str]]]:
    yield "libfabric", fabric
    yield "libefa", efa


def _plugin(facts: ImageFacts) -> Row:
    found = sorted(facts.named(_PLUGIN))
    remedy = ""
    if not found:
        remedy = (
            "install aws-ofi-nccl, which Amazon's EFA installer brings: without it NCCL uses TCP, "
            "although EFA is there"
        )
    elif not any(map(facts.is_found_by_the_loader, found)):
        remedy = f"add /{dirname(found[0])} to LD_LIBRARY_PATH or to /etc/ld.so.conf.d"
    return Row(
        check="aws-ofi-nccl",
        verdict=Verdict.WARNS if remedy else Verdict.OK,
        found=found[0] if found else "no libnccl-net.so",
        needed="NCCL's plugin for EFA, where the loader finds it",
        source=sources.OFI_NCCL,
        remedy=remedy,
    )
