"""GPUs, drivers and CUDA as SageMaker's instance types have them, on the day ``AS_OF``.

The one file to renew. What no page states is None, or a row with ``verified=False``: AWS publishes
the drivers of endpoints and of transform jobs, and none of training or processing jobs.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

__all__ = [
    "AMIS",
    "AS_OF",
    "BRANCH_CUDA",
    "CUDA_DRIVERS",
    "NEURON",
    "NVIDIA_DRIVER_GLIBC",
    "Ami",
    "CudaDriver",
    "Driver",
    "Gpu",
    "NeuronChip",
    "Use",
    "cuda_of_ptx",
    "driver_of",
    "family_of",
    "gpu_of",
    "is_arm",
    "of_data_centres",
]

Use = Literal["training", "processing", "serving", "transform"]
Version = tuple[int, int]

#: When the pages below were read.
AS_OF = "2026-11-30"

_CAPABILITY = "https://developer.nvidia.com/cuda-gpus"
_LEGACY = "https://developer.nvidia.com/cuda-legacy-gpus"
_INFERENCE_DRIVERS = "https://docs.aws.amazon.com/sagemaker/latest/dg/inference-gpu-drivers.html"
_MATRIX = (
    "https://docs.nvidia.com/datacenter/tesla/drivers/cuda-toolkit-driver-and-architecture-matrix"
    ".html"
)
_MINOR = "https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html"
_AMI = (
    "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html"
    "#sagemaker-Type-ProductionVariant-InferenceAmiVersion"
)
_TRANSFORM_AMI = (
    "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformResources.html"
)
_TORCH = "https://github.com/pytorch/pytorch/issues/172352"
_TYPES = "https://aws.amazon.com/ec2/instance-types/"


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """The GPU of instance families: ``capability`` is that of CUDA, ``memory_gb`` of each one.

    ``first_cuda`` is the first toolkit that knows its architecture, hence a bound of its drivers;
    ``last_cuda`` the last major version that does, None where that is the newest one. Of torch's
    wheels those for ``torch_cuda`` have code for it where not all do (source: _TORCH).
    """

    families: tuple[str, ...]
    name: str
    capability: Version
    memory_gb: int
    first_cuda: Version
    last_cuda: int | None = None
    torch_cuda: Version | None = None
    source: str = _CAPABILITY
    verified: bool = True


_MAKER = "NVIDIA "


def _gpu(families: str, name: str, capability: Version, memory_gb: int, **more: Any) -> Gpu:
    return Gpu(
        families=tuple(families.split()),
        name=f"{_MAKER}{name}",
        capability=capability,
        memory_gb=memory_gb,
        first_cuda=_FIRST_CUDA[capability],
        **more,
    )


#: Source: _MATRIX. It does not list 10.3: that is the compiler's own list (unverified).
_FIRST_CUDA: Mapping[Version, Version] = MappingProxyType(
    {
        (3, 7): (6, 0),
        (7, 0): (9, 0),
        (7, 5): (10, 0),
        (8, 0): (11, 0),
        (8, 6): (11, 0),
        (8, 9): (11, 8),
        (9, 0): (11, 8),
        (10, 0): (12, 8),
        (10, 3): (12, 9),
        (12, 0): (12, 8),
    }
)
#: Capability from ``source``, memory from _TYPES. The page lists the A10; the A10G is AWS's variant
#: of it (unverified). That of RTX PRO 4500 is that of its server edition.
GPUS = (
    _gpu("p2", "K80", (3, 7), 12, last_cuda=11, source=_LEGACY),
    _gpu("p3", "V100", (7, 0), 16, last_cuda=12, torch_cuda=(12, 6), source=_LEGACY),
    _gpu("p3dn", "V100", (7, 0), 32, last_cuda=12, torch_cuda=(12, 6), source=_LEGACY),
    _gpu("g4dn", "T4", (7, 5), 16),
    _gpu("p4d", "A100", (8, 0), 40),
    _gpu("p4de", "A100", (8, 0), 80),
    _gpu("g5", "A10G", (8, 6), 24, verified=False),
    _gpu("g6", "L4", (8, 9), 24),
    _gpu("g6e", "L40S", (8, 9), 48),
    _gpu("p5", "H100", (9, 0), 80),
    _gpu("p5e p5en", "H200", (9, 0), 141),
    _gpu("p6-b200", "B200", (10, 0), 180),
    _gpu("p6e-gb200", "GB200", (10, 0), 185),
    _gpu("p6-b300", "B300", (10, 3), 268, verified=False),
    _gpu("g7", "RTX PRO 4500 Blackwell Server Edition", (12, 0), 32),
    _gpu("g7e", "RTX PRO 6000 Blackwell Server Edition", (12, 0), 96),
)


@dataclass(frozen=True, kw_only=True)
class Driver:
    """The driver's branch that an instance has unless the request asks for another one."""

    use: Use
    families: tuple[str, ...]
    branch: int
    source: str = _INFERENCE_DRIVERS


DRIVERS = (
    Driver(use="serving", families=("p2", "p3", "p4d", "p4de", "g4dn", "g5"), branch=470),
    Driver(use="serving", families=("p5", "g6"), branch=535),
    Driver(use="serving", families=("p5e", "p5en"), branch=550),
    Driver(use="transform", families=("p2", "p3", "p4d", "p4de", "g4dn", "g5"), branch=470),
)


@dataclass(frozen=True, kw_only=True)
class Ami:
    """An operating system that a request may ask for in ``member``: the branch of its driver."""

    use: Use
    member: str
    name: str
    branch: int
    source: str = _AMI


AMIS = (
    Ami(
        use="serving",
        member="InferenceAmiVersion",
        name="al2-ami-sagemaker-inference-gpu-2",
        branch=535,
    ),
    Ami(
        use="serving",
        member="InferenceAmiVersion",
        name="al2-ami-sagemaker-inference-gpu-2-1",
        branch=535,
    ),
    Ami(
        use="serving",
        member="InferenceAmiVersion",
        name="al2-ami-sagemaker-inference-gpu-3-1",
        branch=550,
    ),
    Ami(
        use="serving",
        member="InferenceAmiVersion",
        name="al2023-ami-sagemaker-inference-gpu-4-1",
        branch=580,
    ),
    Ami(
        use="transform",
        member="TransformAmiVersion",
        name="al2-ami-sagemaker-batch-gpu-535",
        branch=535,
        source=_TRANSFORM_AMI,
    ),
)


@dataclass(frozen=True, kw_only=True)
class CudaDriver:
    """The oldest driver with which programs of a CUDA major version run, whatever its minor one."""

    major: int
    minimum_branch: int
    source: str = _MINOR


CUDA_DRIVERS = (
    CudaDriver(major=11, minimum_branch=450),
    CudaDriver(major=12, minimum_branch=525),
    CudaDriver(major=13, minimum_branch=580),
)

#: The newest CUDA whose PTX a driver's branch compiles, and which it names itself (nvidia-smi).
#: Source: https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/index.html
BRANCH_CUDA: Mapping[int, Version] = MappingProxyType(
    {
        450: (11, 0),
        460: (11, 2),
        470: (11, 4),
        510: (11, 6),
        515: (11, 7),
        520: (11, 8),
        525: (12, 0),
        530: (12, 1),
        535: (12, 2),
        545: (12, 3),
        550: (12, 4),
        555: (12, 5),
        560: (12, 6),
        565: (12, 7),
        570: (12, 8),
        575: (12, 9),
        580: (13, 0),
        590: (13, 1),
    }
)

#: NVIDIA's driver libraries, which the platform mounts into the container, need this glibc.
#: Unverified: the requirements in the README of the driver's installer, from memory.
NVIDIA_DRIVER_GLIBC: Version = (2, 11)

#: PTX versions whose CUDA version is not simply four majors further on.
#: Source: https://docs.nvidia.com/cuda/parallel-thread-execution/#release-notes-ptx-release-history
_PTX_CUDA: Mapping[Version, Version] = MappingProxyType(
    {(8, 6): (12, 7), (8, 7): (12, 8), (8, 8): (12, 9)}
)
_PTX_AHEAD = 4


@dataclass(frozen=True, kw_only=True)
class NeuronChip:
    """What programs on AWS's own chips need of an image.

    ``any_of`` are Python packages of which one compiles or loads models; ``compiler`` is that
    package's name for the compiler, and ``first_compiler`` the first version that knows the chip.
    """

    families: tuple[str, ...]
    name: str
    any_of: tuple[str, ...]
    compiler: str
    first_compiler: Version
    source: str
    verified: bool = True


_NEURON_DOCS = "https://awsdocs-neuron.readthedocs-hosted.com/en/latest/"
_NEURONX = ("torch-neuronx", "libneuronxla", "jax-neuronx", "tensorflow-neuronx", "vllm-neuron")
NEURON = (
    NeuronChip(
        families=("inf1",),
        name="Inferentia",
        any_of=("torch-neuron", "tensorflow-neuron", "mxnet-neuron"),
        compiler="neuron-cc",
        first_compiler=(1, 1),
        source=f"{_NEURON_DOCS}about-neuron/models/inference-inf1-samples.html",
        verified=False,
    ),
    NeuronChip(
        families=("inf2", "trn1", "trn1n"),
        name="NeuronCore-v2 (Inferentia2, Trainium)",
        any_of=_NEURONX,
        compiler="neuronx-cc",
        first_compiler=(2, 1),
        source=f"{_NEURON_DOCS}setup/torch-neuronx.html",
    ),
    # That the compiler knows Trainium2 from 2.16 on (Neuron SDK 2.21) is from memory.
    NeuronChip(
        families=("trn2",),
        name="NeuronCore-v3 (Trainium2)",
        any_of=_NEURONX,
        compiler="neuronx-cc",
        first_compiler=(2, 16),
        source=f"{_NEURON_DOCS}release-notes/index.html",
        verified=False,
    ),
)

#: Families whose processors are AWS's Graviton, or NVIDIA's Grace. Source: _TYPES.
_ARM_FAMILIES = frozenset(
    {
        *("c6g", "c6gd", "c6gn", "c7g", "c8g", "m6g", "m6gd", "m8g", "r6g", "r6gd", "r7gd", "r8g"),
        "p6e-gb200",
    }
)


def family_of(instance_type: str) -> str:
    """Return the family of a type: ``p4d`` of ``ml.p4d.24xlarge``."""
    return instance_type.removeprefix("ml.").partition(".")[0]


def is_arm(instance_type: str) -> bool:
    """Say whether its processors are 64-bit Arm: such an instance runs no x86-64 image."""
    return family_of(instance_type) in _ARM_FAMILIES


def gpu_of(instance_type: str) -> Gpu | None:
    """Return the GPU of a type, None where it has none."""
    return next((row for row in GPUS if family_of(instance_type) in row.families), None)


def of_data_centres(models: Iterable[str]) -> bool:
    """Say whether all GPUs are such as SageMaker's instances have, by the driver's names for them.

    ``Tesla T4``, ``NVIDIA H100 80GB HBM3``; not ``NVIDIA GeForce RTX 4090``.
    """
    found = list(models)
    names = [re.escape(row.name.removeprefix(_MAKER)) for row in GPUS]
    known = re.compile(rf"(?<!\w)(?:{'|'.join(names)})(?!\w)")
    return bool(found) and all(map(known.search, found))


def driver_of(instance_type: str, use: Use) -> Driver | None:
    """Return the driver that AWS's pages state for a type, None where they state none."""
    family = family_of(instance_type)
    return next((row for row in DRIVERS if row.use == use and family in row.families), None)


def cuda_of_ptx(version: Version) -> Version:
    """Return the CUDA release that brought a PTX version: its drivers are the first to take it.

    From PTX 9.2 on the pattern is assumed to go on (unverified but for 9.5, of CUDA 13.5).
    """
    major, minor = version
    return _PTX_CUDA.get(version, (major + _PTX_AHEAD, minor))
