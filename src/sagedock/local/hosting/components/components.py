"""The components that live now."""

import logging
import shutil
import threading

from sagedock.errors import EngineError
from sagedock.local.hosting.components.component import Component
from sagedock.local.hosting.components.site import (
    COMPONENT_LABEL,
    component_folder,
    component_labels,
    components_folder,
)
from sagedock.local.hosting.components.usage import UsageWatch
from sagedock.local.hosting.containers import REGION_LABEL
from sagedock.local.hosting.names import COMPONENT
from sagedock.local.hosting.routes import Routes
from sagedock.local.platform import Platform
from sagedock.local.resources import Key

__all__ = ["Components"]

_log = logging.getLogger(__name__)


class Components:
    """Creates, changes and takes up components. ``routes`` has the copies of each, by its name."""

    def __init__(self, platform: Platform) -> None:
        self.routes = Routes()
        self._platform = platform
        self._living: dict[Key, Component] = {}
        self._lock = threading.Lock()
        self._ending = False
        self._usage = UsageWatch(platform)

    def of(self, key: Key) -> Component | None:
        """Return what carries a component's changes out; None if the server is ending."""
        with self._lock:
            if self._ending:
                return None
            if key not in self._living:
                self._living[key] = Component(self._platform, self.routes, key, self._forget)
            return self._living[key]

    def resume(self) -> None:
        """Take up the components of the last server, and remove what it left of others."""
        kept = {each.key for each in self._platform.resources.unfinished(COMPONENT.name, ())}
        self._remove_all_but(kept)
        for key in kept:
            if (component := self.of(key)) is not None:
                component.resume()
        self._usage.start()

    def shut_down(self, grace_s: float) -> None:
        """Stop every copy, and return when there is none. They serve again with the next server."""
        with self._lock:
            self._ending = True
            living = list(self._living.values())
        self._usage.end()
        for each in living:
            each.cancel()
        threads = [threading.Thread(target=each.shut_down, args=(grace_s,)) for each in living]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _forget(self, component: Component) -> None:
        with self._lock:
            self._living = {k: each for k, each in self._living.items() if each is not component}

    def _remove_all_but(self, alive: set[Key]) -> None:
        """Remove the containers, networks and folders of components that are no more."""
        platform, engine = self._platform, self._platform.engine
        every = {**platform.labels, COMPONENT_LABEL: ""}
        for each in engine.containers(every):
            region, name = each.labels.get(REGION_LABEL, ""), each.labels[COMPONENT_LABEL]
            if Key(region=region, kind=COMPONENT.name, name=name) not in alive:
                engine.remove(each.id)
        needed = {n for key in alive for n in engine.networks(component_labels(platform, key))}
        for network in set(engine.networks(every)) - needed:
            try:
                engine.remove_network(network)
            except EngineError as error:  # somebody's own container is on it
                _log.warning("%s", error)
        folders = {component_folder(platform, key) for key in alive}
        for folder in set(components_folder(platform).glob("*/*")) - folders:
            shutil.rmtree(folder, ignore_errors=True)
