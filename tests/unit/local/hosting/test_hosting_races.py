"""Two things at the same time, one of which must not undo the other; and what must not be left."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sagedock.errors import StorageError
from sagedock.local.async_requests import AsyncRequest, AsyncRequests, Backlog
from sagedock.local.database import Database
from sagedock.local.hosting.asynchronous import AsyncInference, Courier
from sagedock.local.hosting.calls import TimedOut
from sagedock.local.hosting.instance import Instance
from sagedock.local.hosting.loaded import Loaded
from sagedock.local.hosting.loaded_models import Host, LoadedModels
from sagedock.local.hosting.measures import Measures
from sagedock.local.hosting.passing import Asked
from sagedock.local.hosting.routes import Backend, Route, Serving
from sagedock.local.hosting.serverless import Pool
from sagedock.local.hosting.several import Errand, Member
from sagedock.local.hosting.tally import Tally
from sagedock.local.logs import LogStore
from sagedock.local.metrics import MetricStore
from sagedock.local.platform import Platform
from sagedock.local.s3 import ObjectStore
from sagedock.local.uris import S3Uri
from tests.unit.local.hosting.hosting_local import awaited

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
REQUEST = AsyncRequest(
    region="r",
    endpoint="e",
    inference_id="",
    received=0,
    expires=1,
    timeout_s=60,
    input_location=None,
    output_location="s3://b/o",
    failure_location="s3://b/f",
)
MEASURES = Measures(region="us-west-2", dimensions={})


async def at(serve: Serve, work: Callable[[Backend], Awaitable[None]]) -> None:
    """Do ``work`` with a backend that ``serve`` answers."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    backend = Backend("127.0.0.1", server.sockets[0].getsockname()[1])
    async with server:
        await work(backend)
        for connection in backend.idle:
            connection.close()


def test_a_model_taken_while_memory_is_looked_at_is_not_unloaded(tmp_path: Path) -> None:
    orders: list[str] = []
    looking, gate, short = threading.Event(), threading.Event(), iter([True, False])

    def is_short() -> bool:
        looking.set()
        gate.wait(60)
        return next(short)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(10_000):
            orders.append(head.split(b" ")[0].decode())
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def work(backend: Backend) -> None:
        host = Host(backend=backend, folder=tmp_path, fetch=lambda *_: None, is_short=is_short)
        models = LoadedModels(host, MEASURES, caches=True)
        models.give_back(await models.borrow("a", 60))
        coming = asyncio.ensure_future(models.borrow("b", 60))
        await asyncio.to_thread(looking.wait, 60)
        taken = await models.borrow("a", 60)
        gate.set()
        await coming
        assert taken.is_ready
        assert "DELETE" not in orders

    asyncio.run(at(serve, work))


class Crowded:
    """Models that never have room for another."""

    def __init__(self) -> None:
        self.awake: Any = None

    async def borrow(self, target: str, _: float) -> Loaded:
        return Loaded(target=target, folder=Path("x"))

    def give_back(self, _: Loaded) -> None:
        return

    async def make_room(self, _: Loaded) -> bool:
        await asyncio.Event().wait()
        return True


def test_a_request_that_waits_for_room_in_vain_leaves_no_connection() -> None:
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 507 No Room\r\nContent-Length: 0\r\n\r\n")
        assert await reader.read(1) == b""
        closed.set()

    async def work(backend: Backend) -> None:
        member = Member(
            name="primary",
            backend=backend,
            measures=MEASURES,
            models=cast(LoadedModels, Crowded()),
            prefix=S3Uri.parse("s3://b/p/"),
        )
        target = (b"x-amzn-sagemaker-target-model", b"a.tar.gz")
        asked = Asked.of(
            [target], operation="InvokeEndpoint", endpoint="e", region="r", request_id="1"
        )
        errand = Errand(asked=asked, body=b"", timeout_s=0.3, most_bytes=100, awake=lambda _: None)
        with pytest.raises(TimedOut):
            await member.ask(errand)
        await asyncio.wait_for(closed.wait(), 30)

    asyncio.run(at(serve, work))


def route_to(*backends: Backend) -> Route:
    """Return the route of an asynchronous endpoint."""
    serving = Serving(
        name="v",
        weight=1,
        strategy="RANDOM",
        backends=backends,
        instances=1,
        tally=Tally(region="r", dimensions={}),
    )
    config = {"OutputConfig": {}}
    return Route(region="r", account="1", endpoint="e", variants=(serving,), asynchronous=config)


class Unreadable:
    """A backlog on a disk that cannot be written."""

    def __init__(self) -> None:
        self.claims = 0

    def take_up(self) -> list[Any]:
        return []

    def backlog(self, *_: str) -> Backlog:
        return Backlog(size=1, waiting=1, oldest=time.time())

    def claim(self, *_: str, expired_at: float | None = None) -> None:
        if expired_at is None:
            self.claims += 1
            raise StorageError("the disk is full")


def test_a_backlog_that_cannot_be_read_takes_no_place_of_a_container() -> None:
    requests = Unreadable()
    platform = SimpleNamespace(
        async_requests=requests,
        settings=SimpleNamespace(time_scale=1.0, account="1"),
        metrics=SimpleNamespace(add=lambda _: None),
    )
    asynchronous = AsyncInference(cast(Platform, platform), Courier(lambda *_: True, ()))
    backend = Backend("127.0.0.1", 1)
    asynchronous.start()
    for _ in range(2):
        asynchronous.routed("r", "e", route_to(backend))
        before = requests.claims
        awaited(lambda before=before: requests.claims > before)
    asynchronous.close()
    assert backend.in_flight == 0


def test_a_backlog_that_expires_at_once_takes_few_threads(tmp_path: Path) -> None:
    home, threads, gate = tmp_path / "home", set(), threading.Event()

    def told() -> int:
        """Count the threads that tell of what expired, while none of them goes on."""
        names = [each.name for each in threading.enumerate()]
        return names.count("asynchronous invocation")

    class Slow(ObjectStore):
        def put_file(self, *given: Any, **more: Any) -> Any:
            gate.wait(60)
            return super().put_file(*given, **more)

    database = Database(tmp_path / "state.sqlite")
    requests = AsyncRequests(database)
    for number in range(200):
        requests.add(replace(REQUEST, inference_id=str(number)))
    platform = SimpleNamespace(
        async_requests=requests,
        settings=SimpleNamespace(time_scale=1.0, account="1"),
        metrics=SimpleNamespace(add=lambda _: None),
        logs=LogStore(database),
        objects=Slow(home),
    )
    asynchronous = AsyncInference(cast(Platform, platform), Courier(lambda *_: True, ()))
    asynchronous.start()
    backend = Backend("127.0.0.1", 1)  # what expired reaches no container, though one is free
    asynchronous.routed("r", "e", route_to(backend))
    awaited(lambda: told() > 0)
    for _ in range(20):
        threads.add(told())
        time.sleep(0.02)
    gate.set()
    awaited(lambda: requests.backlog("r", "e").size == 0, 60)
    asynchronous.close()
    platform.objects.close()
    database.close()
    assert max(threads) <= 8 + 4  # as many as a container has at a time
    assert backend.broke_s < 0


class EndsAtOnce:
    """An instance that serves when it is looked at, and not any more when it is again."""

    def __init__(self, backend: Backend) -> None:
        self._left = [backend]

    @property
    def backend(self) -> Backend | None:
        return self._left.pop() if self._left else None

    def launch(self) -> None:
        return

    def cancel(self) -> None:
        return

    def retire(self, _: float) -> None:
        return


def test_a_cold_start_that_ends_at_once_still_is_somewhere_to_go(tmp_path: Path) -> None:
    backend = Backend("127.0.0.1", 1)
    database = Database(tmp_path / "state.sqlite")
    pool = Pool(
        {"MaxConcurrency": 1},
        lambda _: cast(Instance, EndsAtOnce(backend)),
        idle_s=60,
        tally=Tally(region="r", dimensions={}),
        metrics=MetricStore(database),
    )
    assert asyncio.run(pool.claim()) is backend
    pool.cancel()
    pool.retire(0)
    database.close()
