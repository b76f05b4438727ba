"""The instance itself: whether SageMaker has it for this use, its processors, its GPUs."""

from collections.abc import Iterator

from sagedock.contract import accelerators
from sagedock.contract.instances import INSTANCES
from sagedock.images.preflight import sources
from sagedock.images.preflight.facts import ImageFacts
from sagedock.images.preflight.row import Row, Verdict
from sagedock.images.preflight.target import Target

__all__ = ["machine_rows"]

_AMD64, _ARM64 = "amd64", "arm64"


def machine_rows(facts: ImageFacts, target: Target) -> Iterator[Row]:
    """Yield the type, and whether its processors run the image."""
    yield Row(
        check="instance",
        verdict=Verdict.OK if target.is_offered else Verdict.FAILS,
        found=_described(target),
        needed=f"a type that SageMaker offers for {target.use}",
        source=sources.INSTANCE_TYPES,
        remedy="" if target.is_offered else _other_type(target),
    )
    wanted = _ARM64 if accelerators.is_arm(target.instance_type) else _AMD64
    fits = facts.architecture == wanted
    yield Row(
        check="architecture",
        verdict=Verdict.OK if fits else Verdict.FAILS,
        found=facts.architecture,
        needed=wanted,
        source=sources.GRAVITON if wanted == _ARM64 else sources.TRAINING_DOCKERFILE,
        remedy="" if fits else f"build with --platform linux/{wanted}",
    )


def _other_type(target: Target) -> str:
    if target.use == "training" and accelerators.is_arm(target.instance_type):
        return "SageMaker trains on no Graviton: take an x86-64 type, such as ml.c7i or ml.m7i"
    return f"take a type of another family, or say what it is for (--for), not {target.use}"


def _described(target: Target) -> str:
    number = f"{target.count} x " if target.count > 1 else ""
    return f"{number}{target.instance_type}: {', '.join(_parts(target.instance_type))}"


def _parts(instance_type: str) -> Iterator[str]:
    has = INSTANCES.get(instance_type)
    if has is not None:
        yield f"{has.cpus} processors"
        yield f"{has.memory_gib:g} GiB"
    gpu = accelerators.gpu_of(instance_type)
    if gpu is not None:
        major, minor = gpu.capability
        count = f"{has.gpus} x " if has is not None else ""
        doubt = "" if gpu.verified else ", unverified"
        yield f"{count}{gpu.name} (sm_{major}{minor}, {gpu.memory_gb} GB{doubt})"
    if has is not None and has.neuron_devices:
        yield f"{has.neuron_devices} Neuron device{'s' if has.neuron_devices > 1 else ''}"
    if has is None and gpu is None:
        yield "its size is not in this version's data"
