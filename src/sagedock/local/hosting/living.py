"""What lives in containers, an endpoint or an inference component: one change after the other."""

import logging
import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from sagedock.engine import Found
from sagedock.errors import EngineError, SagedockError
from sagedock.local.hosting import reasons
from sagedock.local.hosting.containers import FLEET_LABEL
from sagedock.local.hosting.fleet import Fleet, retire
from sagedock.local.hosting.hosted_container import Cancelled, NotServing
from sagedock.local.hosting.instance import Instance
from sagedock.local.hosting.model_data import DataUnusable
from sagedock.local.hosting.names import Document, with_document
from sagedock.local.hosting.routes import Route, Routes
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource

__all__ = ["BROKEN", "Lives", "Living", "reason_of", "remove_networks"]

_log = logging.getLogger(__name__)

#: What a change of what serves may raise, beside Cancelled.
BROKEN = (NotServing, DataUnusable, SagedockError, OSError)


def reason_of(error: Exception) -> str:
    """Return FailureReason: the service's words, and for what it does not word so, ours."""
    match error:
        case NotServing():
            return error.reason
        case DataUnusable():
            return f"{error.reason} ({error})"
        case _:
            return f"{reasons.INTERNAL_ERROR} ({error})"


class Living(ABC):
    """One of them, with what serves it; its changes are carried out in a thread each, in order.

    ``words`` is what the log calls it. ``gone`` is called, once, when nothing of it is left.
    """

    words: str

    def __init__(
        self, platform: Platform, routes: Routes, key: Key, gone: Callable[[Any], None]
    ) -> None:
        self.key = key
        self._platform = platform
        self._routes = routes
        self._gone = gone
        self._lock = threading.Lock()
        #: What serves, and what is to serve once it does.
        self._serving: Fleet | None = None
        self._coming: Fleet | None = None
        #: What served, and has requests still.
        self._leaving: Sequence[Fleet | Instance] = ()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    # --- what each kind does its own way ---------------------------------------------------------

    @abstractmethod
    def _create(self) -> None:
        """Bring it to service."""

    @abstractmethod
    def _update(self) -> None:
        """Follow what is pending."""

    @abstractmethod
    def _delete(self) -> None:
        """Remove it."""

    @abstractmethod
    def _resume(self) -> None:
        """Take it up where a killed server left it."""

    @abstractmethod
    def _route(self, fleet: Fleet) -> Route:
        """Return how requests reach ``fleet``."""

    @property
    @abstractmethod
    def _labels(self) -> Mapping[str, str]:
        """The labels of everything that it has in the engine."""

    @property
    @abstractmethod
    def _folder(self) -> Path:
        """Where its models are laid out."""

    def _reason_of(self, error: Exception) -> str:
        return reason_of(error)

    # --- what others ask for ---------------------------------------------------------------------

    def create(self) -> None:
        """Bring it to service, as its document says; returns at once."""
        self._begin(self._create)

    def update(self) -> None:
        """Follow what is pending; returns at once."""
        self._begin(self._update)

    def delete(self) -> None:
        """Remove it; returns at once. What is in flight is not awaited."""
        self._hurry()
        self._begin(self._delete)

    def resume(self) -> None:
        """Take it up where a killed server left it; returns at once."""
        self._begin(self._resume)

    def cancel(self) -> None:
        """Let no change go on, because the server ends; returns at once."""
        self._ending.set()
        self._routes.remove(self.key.region, self.key.name)
        for fleet in (self._coming, self._serving):
            if fleet is not None:
                fleet.cancel()

    def shut_down(self, grace_s: float) -> None:
        """Stop its containers, and return when there are none. The next server starts others."""
        self.cancel()
        self._hurry()
        if self._thread is not None:
            self._thread.join()
        for fleet in (self._coming, self._serving):
            if fleet is not None:
                fleet.retire(grace_s)
        self._remove_leftovers()

    # --- the store -------------------------------------------------------------------------------

    @property
    def _resource(self) -> Resource:
        found = self._platform.resources.get(self.key)
        if found is None:
            raise LookupError(f"{self.words} {self.key.name} vanished from the store")
        return found

    @property
    def _document(self) -> Document:
        return self._resource.document

    def _change(self, change: Callable[[Document], Document]) -> None:
        self._platform.resources.change(
            self.key, lambda found: with_document(found, change(found.document))
        )

    # --- what serves -----------------------------------------------------------------------------

    def _begin(self, work: Callable[[], None]) -> None:
        before = self._thread

        def run() -> None:
            if before is not None:
                before.join()
            if self._ending.is_set():
                return
            try:
                work()
            except Exception:  # noqa: BLE001 - nobody waits for this thread; the log says what broke
                _log.exception("%s %s broke", self.words, self.key.name)

        name = f"{self.words} {self.key.name}"
        self._thread = threading.Thread(target=run, name=name, daemon=True)
        self._thread.start()

    def _launched(self, fleet: Fleet, found: Sequence[Found] = ()) -> str | None:
        """Launch a fleet, and return None once it serves, or else why it does not."""
        try:
            fleet.launch(found)
        except Cancelled:
            return "cancelled"
        except BROKEN as error:
            _log.warning("%s %s: %s", self.words, self.key.name, error)
            return self._reason_of(error)
        return "cancelled" if self._ending.is_set() else None

    def _found(self, fleet: str) -> list[Found]:
        """Return the containers of a deployment that a killed server left; others are removed."""
        found = self._platform.engine.containers(self._labels)
        own = [each for each in found if each.labels[FLEET_LABEL] == fleet]
        for each in found:
            if each not in own:
                self._platform.engine.remove(each.id)
        return own

    def _serve(self, fleet: Fleet) -> None:
        """Let requests go to ``fleet``."""
        with self._lock:
            self._serving, self._coming = fleet, None
        self._tell()

    def _abandon(self, fleet: Fleet) -> None:
        fleet.retire(self._grace_s)
        self._coming = None

    def _let_go(self, surplus: Sequence[Instance]) -> None:
        """Stop instances, once what they have is answered."""
        self._leaving = surplus
        if self._ending.is_set():  # whoever set it may not have found them
            self._hurry()
        retire(surplus, self._grace_s)
        self._leaving = ()

    def _hurry(self) -> None:
        serving = self._serving  # first: what it is replaced by finds it among those that leave
        for each in (*self._leaving, *(() if serving is None else (serving,))):
            each.hurry()

    def _tell(self) -> None:
        """Tell the routes what serves now."""
        with self._lock:
            if self._serving is not None and not self._ending.is_set():
                self._routes.put(self._route(self._serving))

    @property
    def _grace_s(self) -> float:
        return self._platform.settings.endpoint_stop_grace_s

    def _remove_leftovers(self) -> None:
        """Remove what is in the engine and on disk of no fleet any more."""
        engine = self._platform.engine
        try:
            for each in engine.containers(self._labels):
                engine.remove(each.id)
            for network in engine.networks(self._labels):
                engine.remove_network(network)
        except EngineError as error:  # said, and retried when the server starts next
            _log.warning("%s %s: cleaning up: %s", self.words, self.key.name, error)
        shutil.rmtree(self._folder, ignore_errors=True)


L = TypeVar("L", bound=Living)


class Lives(Generic[L]):
    """Those of one kind that live now. ``make`` makes one, given what to call when it is gone."""

    def __init__(self, make: Callable[[Key, Callable[[L], None]], L]) -> None:
        self._make = make
        self._living: dict[Key, L] = {}
        self._lock = threading.Lock()
        self._ending = False

    def of(self, key: Key) -> L | None:
        """Return what carries the changes of ``key`` out; None if the server is ending."""
        with self._lock:
            if self._ending:
                return None
            if key not in self._living:
                self._living[key] = self._make(key, self._forget)
            return self._living[key]

    def resume(self, keys: Iterable[Key]) -> None:
        """Take them up where a killed server left them."""
        for key in keys:
            if (one := self.of(key)) is not None:
                one.resume()

    def shut_down(self, grace_s: float) -> None:
        """Stop the containers of all, and return when there are none. None begins any more."""
        with self._lock:
            self._ending = True
            living = list(self._living.values())
        for each in living:
            each.cancel()
        threads = [threading.Thread(target=each.shut_down, args=(grace_s,)) for each in living]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _forget(self, one: L) -> None:
        with self._lock:
            self._living = {key: each for key, each in self._living.items() if each is not one}


def remove_networks(platform: Platform, label: str, needed: set[str]) -> None:
    """Remove the networks that carry ``label`` but those that are needed."""
    for network in set(platform.engine.networks({**platform.labels, label: ""})) - needed:
        try:
            platform.engine.remove_network(network)
        except EngineError as error:  # somebody's own container is on it
            _log.warning("%s", error)
