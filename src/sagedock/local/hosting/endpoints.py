"""The endpoints that live now."""

import shutil
import threading
from collections.abc import Mapping

from sagedock.local.hosting.asynchronous import AsyncInference, Courier
from sagedock.local.hosting.capture import Capturer
from sagedock.local.hosting.components.components import Components
from sagedock.local.hosting.containers import REGION_LABEL, endpoint_folder, endpoint_labels
from sagedock.local.hosting.endpoint import Endpoint
from sagedock.local.hosting.living import Lives, remove_networks
from sagedock.local.hosting.names import ENDPOINT
from sagedock.local.hosting.publishing import Publisher
from sagedock.local.hosting.routes import Routes
from sagedock.local.others import publish_to_topic
from sagedock.local.platform import ENDPOINT_LABEL, Platform
from sagedock.local.resources import Key

__all__ = ["Endpoints"]


class Endpoints:
    """Creates, changes and takes up endpoints. ``routes``, ``publisher``, ``capturer`` and
    ``asynchronous`` serve them all; ``components`` are on some.
    """

    def __init__(self, platform: Platform) -> None:
        courier = Courier(publish_to_topic, platform.settings.notification_hook)
        self.asynchronous = AsyncInference(platform, courier)
        self.routes = Routes(self.asynchronous.routed)
        self.publisher = Publisher(platform.metrics, platform.settings.time_scale)
        self.capturer = Capturer(platform.objects)
        self.components = Components(platform)
        self._platform = platform
        self._lives = Lives(lambda key, gone: Endpoint(platform, self.routes, key, gone))

    def of(self, key: Key) -> Endpoint | None:
        """Return what carries an endpoint's changes out; None if the server is ending."""
        return self._lives.of(key)

    def resume(self) -> None:
        """Take up the endpoints of the last server, and remove what it left of others."""
        kept = {each.key for each in self._platform.resources.unfinished(ENDPOINT.name, ())}
        self._remove_all_but(kept)
        self.asynchronous.start()
        self._lives.resume(kept)
        self.components.resume()

    def shut_down(self, grace_s: float) -> None:
        """Stop every endpoint's containers, and return when there are none. They stay in service
        for the next server.
        """
        ends = (self._lives.shut_down, self.components.shut_down)
        threads = [threading.Thread(target=end, args=(grace_s,)) for end in ends]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def close(self) -> None:
        """Store the last metrics and captured data. Nobody invokes any more."""
        self.asynchronous.close()
        self.publisher.close()
        self.capturer.close()

    def _remove_all_but(self, alive: set[Key]) -> None:
        """Remove the containers, networks and folders of endpoints that are no more."""
        platform, engine = self._platform, self._platform.engine
        for each in engine.containers({**platform.labels, ENDPOINT_LABEL: ""}):
            if _endpoint_of(each.labels) not in alive:
                engine.remove(each.id)
        for folder in set(platform.endpoints_folder.glob("*/*")) - {
            endpoint_folder(platform, key) for key in alive
        }:
            shutil.rmtree(folder, ignore_errors=True)
        needed = {n for key in alive for n in engine.networks(endpoint_labels(platform, key))}
        remove_networks(platform, ENDPOINT_LABEL, needed)


def _endpoint_of(labels: Mapping[str, str]) -> Key:
    return Key(region=labels.get(REGION_LABEL, ""), kind=ENDPOINT.name, name=labels[ENDPOINT_LABEL])
