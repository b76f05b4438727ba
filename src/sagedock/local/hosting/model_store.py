"""Where the models of a container of many lie, and how they come there."""

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

from sagedock.api import metrics
from sagedock.contract import limits
from sagedock.errors import EngineError
from sagedock.local.hosting.containers import Site
from sagedock.local.hosting.health import unload_all
from sagedock.local.hosting.loaded_models import Host, LoadedModels
from sagedock.local.hosting.measures import Measures
from sagedock.local.hosting.model_data import DataAbsent, Source, lay_out_source
from sagedock.local.hosting.plan import ContainerPlan, VariantPlan
from sagedock.local.hosting.routes import Backend
from sagedock.local.hosting.target_model import object_of
from sagedock.local.uris import S3Uri

__all__ = ["ModelStore"]

#: With this share of its memory in use, a container has models unloaded before another comes
#: (unverified: AWS's is not told).
_SHORT = 0.9


@dataclass(frozen=True, kw_only=True)
class ModelStore:
    """The models of one container, below ``folder``, of those below ``prefix``. None comes any more
    once it has ``ended``.
    """

    site: Site
    prefix: S3Uri
    folder: Path
    measures: Measures
    container: str
    caches: bool
    ended: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of(
        cls, site: Site, variant: VariantPlan, container: ContainerPlan, instance: str
    ) -> "ModelStore | None":
        """Return the store of an instance's container, None for one that has one model."""
        if not container.many_models or container.data is None:
            return None
        return cls(
            site=site,
            prefix=S3Uri.parse(container.data["S3Uri"]),
            folder=site.models_folder(instance, container),
            measures=Measures(
                region=site.key.region,
                dimensions=metrics.variant_dimensions(site.key.name, variant.name),
            ),
            container=container.name,
            caches=container.caches,
        )

    def empty(self) -> None:
        """Have an empty folder, for a container that is yet to start."""
        shutil.rmtree(self.folder, ignore_errors=True)  # a model may come yet for the one before
        self.folder.mkdir(parents=True, exist_ok=True)

    def clear(self, address: tuple[str, int]) -> None:
        """Have a container that runs already unload its models, and remove them: who asked for them
        is not known any more.
        """
        unload_all(address)
        self.folder.mkdir(parents=True, exist_ok=True)
        for each in self.folder.iterdir():  # the container sees this folder: it stays
            shutil.rmtree(each, ignore_errors=True)

    def models(self, container: str, backend: Backend) -> LoadedModels:
        """Return the models of a container that began to serve: it has none."""
        host = Host(
            backend=backend,
            folder=self.folder,
            fetch=self._fetch,
            is_short=lambda: self._is_short(container),
        )
        return LoadedModels(host, self.measures, caches=self.caches)

    def _fetch(self, target: str, folder: Path) -> None:
        uri = object_of(self.prefix, target)
        if uri is None:
            raise DataAbsent("", f"{target} is no path below {self.prefix}")
        source = Source(
            data={"S3Uri": str(uri), "S3DataType": "S3Object", "CompressionType": "Gzip"},
            container=self.container,
            most_s=float(limits.MODEL_LOAD_S.value),
        )
        self._check()
        lay_out_source(self.site.platform.objects, source, folder, self._check)

    def _check(self) -> None:
        if self.ended.is_set():
            raise DataAbsent("", "the container ends")

    def _is_short(self, container: str) -> bool:
        try:
            usage = self.site.platform.engine.usage(container)
        except EngineError:  # it ends: the next order tells
            return False
        return usage is not None and usage.memory_bytes > _SHORT * usage.memory_limit_bytes
