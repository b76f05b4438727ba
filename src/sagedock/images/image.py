"""One image, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["ARCHITECTURE", "Device", "Image", "Kind"]

Kind = Literal["training", "serving", "processing"]
Device = Literal["cpu", "cuda", "neuron"]

#: What SageMaker's instances are, but for Graviton's, which endpoints may have. Source:
#: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-dockerfile.html
ARCHITECTURE = "amd64"
#: Any account: the local SageMaker looks for the repository and tag among the local images.
_ACCOUNT = "123456789012"
_DEFAULT_REGION = "us-west-2"


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image of images.toml. ``dockerfile`` and ``locks`` are paths below ``containers/``.

    ``python`` is the version inside it, ``cuda`` that of the CUDA runtime, ``neuron`` that of the
    Neuron SDK. ``instance_types`` are SageMaker's that the image is for: code for GPUs is compiled
    for theirs. ``budget_mb`` is what it may take at most, unpacked, in MB of 10^6 bytes.
    ``instead`` names, for a lock whose packages this machine's pip cannot find, the lock to use in
    its place.
    """

    name: str
    kind: Kind
    device: Device
    dockerfile: str
    target: str
    repository: str
    tag: str
    base: str
    python: str = "3.11"
    cuda: str | None = None
    neuron: str | None = None
    instance_types: tuple[str, ...] = ()
    budget_mb: int | None = None
    on_request: bool = False
    locks: tuple[str, ...] = ()
    instead: Mapping[str, str] = field(default_factory=dict)
    args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The name in the local engine: ``sagedock-training:cpu``."""
        return f"{self.repository}:{self.tag}"

    def uri(self, region: str = _DEFAULT_REGION, account: str = _ACCOUNT) -> str:
        """Return the name in ECR's form, the only one that SageMaker's API takes."""
        return f"{account}.dkr.ecr.{region}.amazonaws.com/{self.reference}"
