"""Instance types: what a container on each has. Types that AWS does not describe are not here.

Source: https://aws.amazon.com/ec2/instance-types/ and https://aws.amazon.com/sagemaker/ai/pricing/
(an ``ml.`` type is the EC2 type of the same name).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["INSTANCES", "Instance"]


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One type: processors, memory in GiB, and NVIDIA GPUs or Neuron devices where it has any."""

    cpus: int
    memory_gib: float
    gpus: int = 0
    neuron_devices: int = 0


#: Virtual processors of a size, where a family has no other ones.
_CPUS: Mapping[str, int] = MappingProxyType(
    {
        "medium": 2,  # of t3, the only family with it
        "large": 2,
        "xlarge": 4,
        **{f"{times}xlarge": 4 * times for times in (2, 3, 4, 6, 8, 9, 10, 12, 16, 18)},
        **{f"{times}xlarge": 4 * times for times in (24, 32, 36, 48, 96)},
    }
)
#: Families in which memory follows the processors: GiB for each of them.
_GIB_PER_CPU: Mapping[str, tuple[float, str]] = MappingProxyType(
    {
        "m4": (4, "xlarge 2xlarge 4xlarge 10xlarge 16xlarge"),
        "m5": (4, "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge"),
        "m6i": (4, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
        "m7i": (4, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
        "m8i": (
            4,
            "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge "
            "96xlarge",
        ),
        "m7i-flex": (4, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
        "m8i-flex": (4, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
        "m5d": (4, "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge"),
        "c5": (2, "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge"),
        "c5d": (2, "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge"),
        "c6i": (2, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
        "c7i": (2, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
        "c8i": (
            2,
            "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge",
        ),
        "c7i-flex": (2, "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
        "c8i-flex": (2, "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
        "r5": (8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
        "r5d": (8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
        "r6i": (8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
        "r7i": (8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
        "r8i": (
            8,
            "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge "
            "96xlarge",
        ),
        "r8i-flex": (8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    }
)
#: Everything else: (processors, GiB, GPUs) by size.
_OTHERS: Mapping[str, Mapping[str, tuple[int, float, int]]] = MappingProxyType(
    {
        "t2": {
            "medium": (2, 4, 0),
            "large": (2, 8, 0),
            "xlarge": (4, 16, 0),
            "2xlarge": (8, 32, 0),
        },
        "t3": {
            "medium": (2, 4, 0),
            "large": (2, 8, 0),
            "xlarge": (4, 16, 0),
            "2xlarge": (8, 32, 0),
        },
        "c4": {
            "xlarge": (4, 7.5, 0),
            "2xlarge": (8, 15, 0),
            "4xlarge": (16, 30, 0),
            "8xlarge": (36, 60, 0),
        },
        "c5n": {
            "xlarge": (4, 10.5, 0),
            "2xlarge": (8, 21, 0),
            "4xlarge": (16, 42, 0),
            "9xlarge": (36, 96, 0),
            "18xlarge": (72, 192, 0),
        },
        "p2": {"xlarge": (4, 61, 1), "8xlarge": (32, 488, 8), "16xlarge": (64, 732, 16)},
        "p3": {"2xlarge": (8, 61, 1), "8xlarge": (32, 244, 4), "16xlarge": (64, 488, 8)},
        "p3dn": {"24xlarge": (96, 768, 8)},
        "p4d": {"24xlarge": (96, 1152, 8)},
        "p4de": {"24xlarge": (96, 1152, 8)},
        "p5": {"4xlarge": (16, 256, 1), "48xlarge": (192, 2048, 8)},
        "p5e": {"48xlarge": (192, 2048, 8)},
        "p5en": {"48xlarge": (192, 2048, 8)},
        "p6-b200": {"48xlarge": (192, 2048, 8)},
        "p6-b300": {"48xlarge": (192, 4096, 8)},
        "p6e-gb200": {"36xlarge": (144, 960, 4)},
        "g4dn": {
            **{size: (cpus, 4 * cpus, 1) for size, cpus in (("xlarge", 4), ("2xlarge", 8))},
            **{size: (cpus, 4 * cpus, 1) for size, cpus in (("4xlarge", 16), ("8xlarge", 32))},
            "12xlarge": (48, 192, 4),
            "16xlarge": (64, 256, 1),
        },
        **{
            family: {
                **{size: (cpus, gib * cpus, 1) for size, cpus in (("xlarge", 4), ("2xlarge", 8))},
                **{
                    size: (cpus, gib * cpus, 1) for size, cpus in (("4xlarge", 16), ("8xlarge", 32))
                },
                "16xlarge": (64, gib * 64, 1),
                "12xlarge": (48, gib * 48, 4),
                "24xlarge": (96, gib * 96, 4),
                "48xlarge": (192, gib * 192, 8),
            }
            for family, gib in (("g5", 4), ("g6", 4), ("g6e", 8))
        },
        "g7e": {
            "2xlarge": (8, 64, 1),
            "4xlarge": (16, 128, 1),
            "8xlarge": (32, 256, 1),
            "12xlarge": (48, 512, 2),
            "24xlarge": (96, 1024, 4),
            "48xlarge": (192, 2048, 8),
        },
    }
)
_NEURON: Mapping[str, Instance] = MappingProxyType(
    {
        "ml.inf1.xlarge": Instance(cpus=4, memory_gib=8, neuron_devices=1),
        "ml.inf1.2xlarge": Instance(cpus=8, memory_gib=16, neuron_devices=1),
        "ml.inf1.6xlarge": Instance(cpus=24, memory_gib=48, neuron_devices=4),
        "ml.inf1.24xlarge": Instance(cpus=96, memory_gib=192, neuron_devices=16),
        "ml.inf2.xlarge": Instance(cpus=4, memory_gib=16, neuron_devices=1),
        "ml.inf2.8xlarge": Instance(cpus=32, memory_gib=128, neuron_devices=1),
        "ml.inf2.24xlarge": Instance(cpus=96, memory_gib=384, neuron_devices=6),
        "ml.inf2.48xlarge": Instance(cpus=192, memory_gib=768, neuron_devices=12),
        "ml.trn1.2xlarge": Instance(cpus=8, memory_gib=32, neuron_devices=1),
        "ml.trn1.32xlarge": Instance(cpus=128, memory_gib=512, neuron_devices=16),
        "ml.trn1n.32xlarge": Instance(cpus=128, memory_gib=512, neuron_devices=16),
        "ml.trn2.48xlarge": Instance(cpus=192, memory_gib=2048, neuron_devices=16),
    }
)


def _regular() -> Iterator[tuple[str, Instance]]:
    for family, (gib, sizes) in _GIB_PER_CPU.items():
        for size in sizes.split():
            cpus = _CPUS[size]
            yield f"ml.{family}.{size}", Instance(cpus=cpus, memory_gib=gib * cpus)


def _listed() -> Iterator[tuple[str, Instance]]:
    for family, sizes in _OTHERS.items():
        for size, (cpus, gib, gpus) in sizes.items():
            yield f"ml.{family}.{size}", Instance(cpus=cpus, memory_gib=gib, gpus=gpus)


#: Every type that is known, by the name that SageMaker gives it.
INSTANCES: Mapping[str, Instance] = MappingProxyType(
    {**dict(_regular()), **dict(_listed()), **_NEURON}
)
