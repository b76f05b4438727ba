"""The components that live now."""

import shutil

from sagedock.local.hosting.components.component import Component
from sagedock.local.hosting.components.site import (
    COMPONENT_LABEL,
    component_folder,
    component_labels,
    components_folder,
)
from sagedock.local.hosting.components.usage import UsageWatch
from sagedock.local.hosting.containers import REGION_LABEL
from sagedock.local.hosting.living import Lives, remove_networks
from sagedock.local.hosting.names import COMPONENT
from sagedock.local.hosting.routes import Routes
from sagedock.local.platform import Platform
from sagedock.local.resources import Key

__all__ = ["Components"]


class Components:
    """Creates, changes and takes up components. ``routes`` has the copies of each, by its name."""

    def __init__(self, platform: Platform) -> None:
        self.routes = Routes()
        self._platform = platform
        self._lives = Lives(lambda key, gone: Component(platform, self.routes, key, gone))
        self._usage = UsageWatch(platform)

    def of(self, key: Key) -> Component | None:
        """Return what carries a component's changes out; None if the server is ending."""
        return self._lives.of(key)

    def resume(self) -> None:
        """Take up the components of the last server, and remove what it left of others."""
        kept = {each.key for each in self._platform.resources.unfinished(COMPONENT.name, ())}
        self._remove_all_but(kept)
        self._lives.resume(kept)
        self._usage.start()

    def shut_down(self, grace_s: float) -> None:
        """Stop every copy, and return when there is none. They serve again with the next server."""
        self._usage.end()
        self._lives.shut_down(grace_s)

    def _remove_all_but(self, alive: set[Key]) -> None:
        """Remove the containers, networks and folders of components that are no more."""
        platform, engine = self._platform, self._platform.engine
        for each in engine.containers({**platform.labels, COMPONENT_LABEL: ""}):
            region, name = each.labels.get(REGION_LABEL, ""), each.labels[COMPONENT_LABEL]
            if Key(region=region, kind=COMPONENT.name, name=name) not in alive:
                engine.remove(each.id)
        needed = {n for key in alive for n in engine.networks(component_labels(platform, key))}
        remove_networks(platform, COMPONENT_LABEL, needed)
        folders = {component_folder(platform, key) for key in alive}
        for folder in set(components_folder(platform).glob("*/*")) - folders:
            shutil.rmtree(folder, ignore_errors=True)
