"""What every part of the local SageMaker works with, handed over as one datum."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sagedock.engine import Engine, Machine
from sagedock.local.async_requests import AsyncRequests
from sagedock.local.ecr import Ecr, Images
from sagedock.local.faults import Faults
from sagedock.local.logs import LogStore
from sagedock.local.metrics import MetricStore
from sagedock.local.resources import Resources
from sagedock.local.s3 import ObjectStore
from sagedock.local.settings import Settings
from sagedock.local.tags import Tags
from sagedock.local.trials import Trials
from sagedock.local.trust import Trust

__all__ = ["ENDPOINT_LABEL", "HOME_LABEL", "JOB_LABEL", "Platform", "home_id"]

HOME_LABEL = "sagedock.home"
JOB_LABEL = "sagedock.job"
ENDPOINT_LABEL = "sagedock.endpoint"


def home_id(home: Path) -> str:
    """Return the short name that tells one home's containers and networks from another's.

    It is the folder's own, by whatever path or link it is named.
    """
    return hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:8]


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The collaborators. ``url`` is this server's address; ``container_url`` as containers see it;
    ``container_hosts`` the host names they need for it. ``machine`` is what containers share.
    """

    settings: Settings
    engine: Engine
    resources: Resources
    tags: Tags
    logs: LogStore
    metrics: MetricStore
    async_requests: AsyncRequests
    trials: Trials
    objects: ObjectStore
    network: str
    url: str
    container_url: str
    container_hosts: Mapping[str, str]
    machine: Machine
    ecr: Ecr
    faults: Faults
    trust: Trust = field(default_factory=Trust)

    @property
    def images(self) -> Images:
        """The images that jobs and models may name."""
        return self.ecr.images

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of everything this home's server makes in the engine."""
        return {HOME_LABEL: home_id(self.settings.home)}

    @property
    def jobs_folder(self) -> Path:
        """Where running jobs keep their staged channels."""
        return self.settings.home / "jobs"

    @property
    def transforms_folder(self) -> Path:
        """Where transform jobs keep what they have in work."""
        return self.settings.home / "transforms"

    @property
    def processing_folder(self) -> Path:
        """Where processing jobs keep their staged inputs."""
        return self.settings.home / "processing"

    @property
    def endpoints_folder(self) -> Path:
        """Where endpoints keep what their models are made of."""
        return self.settings.home / "endpoints"

    @property
    def scratch_folder(self) -> Path:
        """Where archives are packed before they become objects."""
        return self.settings.home / "scratch"
