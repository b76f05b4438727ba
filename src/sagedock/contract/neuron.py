"""AWS Neuron inside a training container: its cores, its compiler's cache.

The cache is a folder of folders: ``neuronxcc-VERSION/MODULE_HASH+FLAGS/`` holds one compiled graph.
``model.neff`` and ``model.done`` are there once it is compiled, ``model.log`` alone where it could
not be, a ``.lock`` while it is. Source: that of variables.NEURON_COMPILE_CACHE_URL; the names of
the files are those of such folders that others published (unverified).
"""

from collections.abc import Mapping
from types import MappingProxyType

from sagedock.contract.instances import INSTANCES

__all__ = [
    "CACHE_CHANNEL",
    "CACHE_FOLDER",
    "COMPILED",
    "DEFAULT_CACHE",
    "FAILED",
    "LOCK",
    "PARALLEL_COMPILE",
    "SHIPPED_CACHE",
    "cores_of",
    "cores_per_device",
]

#: Cores that programs see of one device: of Trainium2's eight, each two are one (LNC=2, its
#: default). Source: the pages on
#: trn1, trn2, inf1 and inf2 of the Neuron documentation, and on its logical NeuronCores.
_CORES_PER_DEVICE: Mapping[str, int] = MappingProxyType(
    {"inf1": 4, "inf2": 2, "trn1": 2, "trn1n": 2, "trn2": 4}
)

#: Where the compiler keeps graphs unless it is told. Source: as above.
DEFAULT_CACHE = "/var/tmp/neuron-compile-cache"  # noqa: S108 - the compiler's own place
#: Ours: the folder below the checkpoints and, after a compile job, below the model.
CACHE_FOLDER = "neuron-compile-cache"
#: Ours: a channel of graphs compiled before, as a folder or as the model.tar.gz of a compile job.
CACHE_CHANNEL = "neuron_cache"
#: Ours: graphs that came with the image.
SHIPPED_CACHE = "/opt/sagedock/neuron-compile-cache"

COMPILED = ("model.neff", "model.done")
FAILED = "model.log"
LOCK = ".lock"

#: The program that runs a script without computing, and compiles the graphs which it asked for.
#: Source: "PyTorch NeuronX neuron_parallel_compile CLI" of the Neuron documentation.
PARALLEL_COMPILE = "neuron_parallel_compile"


def cores_per_device(instance_type: str) -> int:
    """Return the cores of each Neuron device of ``ml.trn1.32xlarge``; 0 where it has no device."""
    return _CORES_PER_DEVICE.get(instance_type.removeprefix("ml.").partition(".")[0], 0)


def cores_of(instance_type: str) -> int:
    """Return all cores of a type: 32 of ``ml.trn1.32xlarge``; 0 where it has none or is unknown."""
    known = INSTANCES.get(instance_type)
    return known.neuron_devices * cores_per_device(instance_type) if known else 0
