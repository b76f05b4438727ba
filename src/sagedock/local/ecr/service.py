"""ECR, put together: its API, its registry, and the images that jobs find in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from sagedock.engine import Engine
from sagedock.local.ecr.data_plane import DataPlane
from sagedock.local.ecr.image_operations import ImageOperations
from sagedock.local.ecr.images import Images
from sagedock.local.ecr.process import RegistryProcess
from sagedock.local.ecr.pushed import PushedImages
from sagedock.local.ecr.repository_operations import RepositoryOperations
from sagedock.local.ecr.scan_operations import ScanOperations
from sagedock.local.ecr.shelf import Shelf
from sagedock.local.ecr.tokens import Tokens
from sagedock.local.home import Home
from sagedock.local.json_service import JsonService
from sagedock.local.resources import Resources
from sagedock.local.settings import Settings
from sagedock.local.tags import Tags

__all__ = ["ECR", "OF_THE_WHOLE_REGISTRY", "Ecr"]

#: The service's name in its model.
ECR = "ecr"
#: Operations that are about no repository: moto answers them.
OF_THE_WHOLE_REGISTRY = frozenset(
    {
        *("DeleteRegistryPolicy", "DescribeRegistry", "GetRegistryPolicy"),
        *("GetRegistryScanningConfiguration", "PutRegistryPolicy"),
        *("PutRegistryScanningConfiguration", "PutReplicationConfiguration"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Ecr:
    """The local ECR. ``api`` answers its API, ``registry`` is what docker clients speak to."""

    api: JsonService
    registry: DataPlane
    images: Images
    process: RegistryProcess

    @classmethod
    def of(
        cls, *, settings: Settings, engine: Engine, resources: Resources, tags: Tags, url: str
    ) -> Self:
        """Return it, with nothing started. ``url`` is this server's address."""
        folder: Path = settings.home / "ecr"
        tokens = Tokens.of(folder)
        process = RegistryProcess(folder, tokens.key.hex())
        pushed = PushedImages(resources)
        shelf = Shelf(resources=resources, tags=tags, images=pushed, process=process)
        groups: tuple[Any, ...] = (
            RepositoryOperations(shelf=shelf, tokens=tokens, url=url),
            ImageOperations(shelf=shelf),
            ScanOperations(shelf=shelf, file=settings.scan_findings),
        )
        operations = {name: each for group in groups for name, each in group.table().items()}
        return cls(
            api=JsonService(
                service=ECR, operations=operations, check_answers=settings.check_answers
            ),
            registry=DataPlane(process, tokens, pushed, settings.account),
            images=Images(
                engine=engine,
                pushed=pushed,
                tokens=tokens,
                registry=urlsplit(url).netloc,
                account=settings.account,
                names=Home(settings.home).given_names,
            ),
            process=process,
        )
