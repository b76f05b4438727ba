"""What the copies of components use, once a minute, as the service publishes it."""

import logging
import threading
import time
from collections.abc import Iterator

from sagedock.api import component_metrics as names
from sagedock.contract.instances import INSTANCES
from sagedock.engine import Usage
from sagedock.errors import EngineError, StorageError
from sagedock.local.hosting.components import document as life
from sagedock.local.hosting.components.deployment import Deployment
from sagedock.local.hosting.components.site import COMPONENT_LABEL
from sagedock.local.hosting.containers import REGION_LABEL
from sagedock.local.hosting.names import COMPONENT
from sagedock.local.metrics import Point, Series
from sagedock.local.platform import Platform
from sagedock.local.resources import Key

__all__ = ["UsageWatch"]

_log = logging.getLogger(__name__)

_WHOLE = 100.0
_MB = 1024 * 1024


class UsageWatch:
    """Stores processor and memory of every copy, each period, in percent of what is reserved for
    it. What cannot be measured is left out, never made up: a copy has no processor's value before
    its second reading.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        #: The last reading of each container.
        self._last: dict[str, Usage] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="usage of copies", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Return once nothing is stored any more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._platform.settings.metrics_period_s):
            try:
                self._platform.metrics.add(list(self._measured()))
            except (EngineError, StorageError) as error:
                _log.warning("usage of inference components: %s", error)

    def _measured(self) -> Iterator[tuple[Series, list[Point]]]:
        readings: dict[str, Usage] = {}
        labels = {**self._platform.labels, COMPONENT_LABEL: ""}
        for each in self._platform.engine.containers(labels):
            region, name = each.labels[REGION_LABEL], each.labels[COMPONENT_LABEL]
            key = Key(region=region, kind=COMPONENT.name, name=name)
            found = self._platform.resources.get(key)
            usage = self._usage(each.id) if each.state == "running" else None
            if found is None or usage is None:
                continue
            readings[each.id] = usage
            deployment = life.deployment_in(found.document)
            for metric, value in _values(deployment, usage, self._last.get(each.id)):
                yield _series(key, metric), [Point(time_ms=round(time.time() * 1000), value=value)]
        self._last = readings

    def _usage(self, container: str) -> Usage | None:
        try:
            return self._platform.engine.usage(container)
        except EngineError as error:  # it ended between two questions
            _log.debug("%s", error)
            return None


def _values(
    deployment: Deployment, usage: Usage, before: Usage | None
) -> Iterator[tuple[str, float]]:
    """Yield the values of one copy. That memory may exceed what is reserved is unverified."""
    needs, known = deployment.needs, INSTANCES.get(deployment.variant.instance_type)
    yield names.MEMORY, _WHOLE * usage.memory_bytes / (needs.memory_mb * _MB)
    if before is not None and usage.at_s > before.at_s:
        cpus = needs.cpus or min(known.cpus if known else usage.cpus, usage.cpus)
        share = (usage.cpu_s - before.cpu_s) / (usage.at_s - before.at_s) / cpus
        yield names.CPU, _WHOLE * min(max(0.0, share), 1.0)


def _series(key: Key, metric: str) -> Series:
    return Series(
        region=key.region,
        namespace=names.COPIES,
        name=metric,
        dimensions=names.component_dimension(key.name),
        unit=names.UNIT_OF_COPIES,
    )
