"""The models of a container that serves many: downloaded, loaded and unloaded as they are needed.

Source: the contract's MULTI_MODEL and INVOKE_MULTI_MODEL pages. All of it is the event loop's; what
blocks is done in threads.
"""

import asyncio
import json
import logging
import secrets
import shutil
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from sagedock.api import metrics
from sagedock.api.container_names import PRIMARY
from sagedock.contract import limits, paths, routes
from sagedock.local.hosting.calls import TimedOut, Unreachable, call
from sagedock.local.hosting.connection import Broken
from sagedock.local.hosting.loaded import Leases, Loaded
from sagedock.local.hosting.measures import Measures
from sagedock.local.hosting.routes import Backend
from sagedock.local.hosting.target_model import model_name

__all__ = ["Host", "LoadedModels", "NotLoaded", "NotReady"]

_log = logging.getLogger(__name__)

_OK, _MISSING, _LOADED_ALREADY, _NO_ROOM = 200, 404, 409, 507
_LARGEST_ANSWER = 1024 * 1024
_SALT_BYTES = 8
_MODEL = Path(paths.MODEL.path).name


class NotReady(Exception):
    """The model did not come in time; it goes on coming."""


class NotLoaded(Exception):
    """The container refused to load a model: with ``status``, and ``body`` as its words.
    ``container`` is which of several it was.
    """

    container: str = PRIMARY

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body = status, body
        super().__init__(f"{status}: {body.decode('utf-8', 'replace')}")


@dataclass(frozen=True, kw_only=True)
class Host:
    """What a container of many models runs in.

    ``fetch`` makes a folder hold the model that a target names, or raises DataUnusable;
    ``is_short`` says whether the container's memory is nearly used up; both block. ``folder`` is
    what the container sees as the folder of all models.
    """

    backend: Backend
    folder: Path
    fetch: Callable[[str, Path], None]
    is_short: Callable[[], bool]


class LoadedModels:
    """The models of one container, by target. Without ``caches`` none stays that nobody uses.

    ``awake`` is called with the measures whenever they have something new.
    """

    def __init__(self, host: Host, measures: Measures, *, caches: bool) -> None:
        self.awake: Callable[[Measures], None] = lambda _: None
        self._measures = measures
        self._host = host
        self._caches = caches
        self._salt = secrets.token_hex(_SALT_BYTES)
        self._leases: Leases | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def borrow(self, target: str, patience_s: float) -> Loaded:
        """Return a model that is loaded, and stays until it is given back.

        It is loaded once, however many ask. Raises NotReady after ``patience_s`` seconds;
        DataUnusable, NotLoaded, or as ``calls.call`` does.
        """
        begun = perf_counter()
        known = self._models.find(target)
        hit = known is not None and known.is_ready
        self._measure(metrics.CACHE_HIT, float(hit))
        try:
            async with asyncio.timeout(patience_s):
                return await self._taken(target)
        except TimeoutError as error:
            raise NotReady(target) from error
        finally:
            if not hit:
                self._measure(metrics.LOADING_WAIT, perf_counter() - begun)
            self._measure(metrics.LOADED_MODELS, self._models.ready)

    def give_back(self, model: Loaded) -> None:
        """Let a model be unloaded again, once nobody else has it."""
        self._models.give_back(model)
        if not self._caches and model.users == 0 and model.is_ready:
            self._leave(model)

    async def is_missing(self, model: Loaded) -> bool:
        """Say whether the container does not have a model that was loaded."""
        status, _ = await self._order("GET", _path(model))
        return status == _MISSING

    async def load_again(self, model: Loaded) -> None:
        """Have a model loaded that the container lost; once, however many ask. Raises as
        ``borrow`` does.
        """
        if model.is_ready:
            model.is_ready = False
            model.coming = self._task(self._come(model, self._loaded))
        await asyncio.shield(model.coming)

    async def make_room(self, model: Loaded) -> bool:
        """Unload the model that was not used for longest, another one than ``model``; say whether
        there was one. One that is in use is awaited.
        """
        oldest = await self._models.next_to_go(model)
        if oldest is None:
            return False
        await asyncio.shield(self._leave(oldest))
        return True

    @property
    def _models(self) -> Leases:
        if self._leases is None:  # it belongs to the event loop, which is another thread's at first
            self._leases = Leases()
        return self._leases

    async def _taken(self, target: str) -> Loaded:
        while (model := self._models.find(target)) is not None and model.leaving is not None:
            await asyncio.shield(model.leaving)
        if model is None:
            model = self._models.add(target, self._host.folder / model_name(target, self._salt))
            model.coming = self._task(self._come(model, self._fetched))
        model.users += 1
        with ExitStack() as undo:
            undo.callback(self._models.give_back, model)
            await asyncio.shield(model.coming)
            undo.pop_all()
        return model

    async def _come(
        self, model: Loaded, work: Callable[[Loaded], Coroutine[Any, Any, None]]
    ) -> None:
        """Have ``work`` make a model ready, or leave nothing of it."""
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._forget, model)
            await work(model)
            undo.pop_all()
        self._models.arrived(model)
        self._measure(metrics.LOADED_MODELS, self._models.ready)

    async def _fetched(self, model: Loaded) -> None:
        while self._models.idle(model) is not None and await asyncio.to_thread(self._host.is_short):
            if oldest := self._models.idle(model):  # another one may have been taken meanwhile
                await asyncio.shield(self._leave(oldest))
        begun = perf_counter()
        await asyncio.to_thread(self._host.fetch, model.target, model.folder / _MODEL)
        self._measure(metrics.DOWNLOADING_TIME, perf_counter() - begun)
        await self._loaded(model)

    async def _loaded(self, model: Loaded) -> None:
        begun = perf_counter()
        url = f"{paths.MODELS.path}/{model.folder.name}/{_MODEL}"
        order = json.dumps({"model_name": model.folder.name, "url": url}).encode()
        while True:
            status, body = await self._order("POST", routes.MODELS.path, order, model.target)
            if status in (_OK, _LOADED_ALREADY):
                break
            if status != _NO_ROOM or not await self.make_room(model):
                raise NotLoaded(status, body)
        self._measure(metrics.LOADING_TIME, perf_counter() - begun)

    def _leave(self, model: Loaded) -> "asyncio.Future[None]":
        """Begin to unload a model; who asks for it meanwhile waits, and has it loaded anew."""
        if model.leaving is None:
            model.is_ready = False
            model.leaving = self._task(self._unloaded(model))
        return model.leaving

    async def _unloaded(self, model: Loaded) -> None:
        begun = perf_counter()
        async with AsyncExitStack() as last:
            last.push_async_callback(self._forget, model)
            try:
                status, body = await self._order("DELETE", _path(model))
            except (Broken, TimedOut, Unreachable) as error:  # another container takes its place
                _log.warning("model %s was not unloaded: %r", model.target, error)
                return
            if status not in (_OK, _MISSING):
                _log.warning("model %s was not unloaded: %d %r", model.target, status, body)
        self._measure(metrics.UNLOADING_TIME, perf_counter() - begun)
        self._measure(metrics.LOADED_MODELS, self._models.ready)

    async def _forget(self, model: Loaded) -> None:
        await asyncio.to_thread(shutil.rmtree, model.folder, ignore_errors=True)
        self._models.remove(model)

    async def _order(
        self, method: str, path: str, body: bytes = b"", target: str = ""
    ) -> tuple[int, bytes]:
        """Tell the container something, and return its status and answer."""
        lines = [f"{method} {path} HTTP/1.1", "Host: model", f"Content-Length: {len(body)}"]
        if body:
            lines += ["Content-Type: application/json", f"X-Amzn-SageMaker-Target-Model: {target}"]
        head = "\r\n".join([*lines, "Accept: application/json", "", ""]).encode("latin-1")
        connection, answer = await call(
            self._host.backend,
            head + body,
            timeout_s=float(limits.MODEL_LOAD_S.value),
            most_bytes=_LARGEST_ANSWER,
        )
        connection.release()
        return answer.status, answer.body

    def _measure(self, metric: metrics.Metric, value: float) -> None:
        self._measures.add(metric, value)
        self.awake(self._measures)

    def _task(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_retrieve)
        return task


def _path(model: Loaded) -> str:
    return f"{routes.MODELS.path}/{model.folder.name}"


def _retrieve(task: "asyncio.Task[None]") -> None:
    """Take a failure that may have nobody who awaits it any more."""
    if not task.cancelled():
        task.exception()
