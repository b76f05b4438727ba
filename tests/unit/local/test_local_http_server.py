"""How the server before the front ends: at once, but for what is under way."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sagedock.local.http_server import serve
from sagedock.local.sockets import listen


class Slow:
    """An application that answers when it may; what it is asked for says whether it must wait."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self.cut_off = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            self.asked.set()
            await self._may_answer()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"answered"})

    async def _may_answer(self) -> None:
        try:
            while not self.may_answer.is_set():
                await asyncio.sleep(0.005)
        except asyncio.CancelledError:
            self.cut_off.set()
            raise


class Asking(threading.Thread):
    """A client that asks for what is slow; ``status`` is what it is answered, if anything."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self._client = client
        self.status: int | None = None

    def run(self) -> None:
        try:
            self.status = self._client.get("/slow").status_code
        except httpx.HTTPError:
            self.status = None


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with listen("127.0.0.1", 0, last=None) as opened:
        yield opened


@pytest.fixture
def client(listening: socket.socket) -> Iterator[httpx.Client]:
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with httpx.Client(base_url=url, verify=False, timeout=60) as made:
        yield made


def refuses(client: httpx.Client) -> bool:
    try:
        client.get("/")
    except httpx.TransportError:
        return True
    return False


def test_it_ends_though_a_client_keeps_its_connection(listening, client) -> None:
    end = serve(Slow(), [listening], grace_s=3600)
    assert client.get("/").headers["date"]
    end()  # returns: nothing is under way
    assert refuses(client)


def test_what_is_under_way_is_answered(listening, client) -> None:
    application, asking = Slow(), Asking(client)
    end = serve(application, [listening], grace_s=3600)
    asking.start()
    assert application.asked.wait(60)
    ending = threading.Thread(target=end)
    ending.start()
    application.may_answer.set()
    for thread in (asking, ending):
        thread.join(60)
    assert asking.status == 200
    assert not ending.is_alive()


def test_what_takes_longer_than_the_grace_is_cut_off(listening, client) -> None:
    application, asking = Slow(), Asking(client)
    end = serve(application, [listening], grace_s=0.05)
    asking.start()
    assert application.asked.wait(60)
    end()
    asking.join(60)
    assert application.cut_off.is_set()
    assert asking.status != 200


def test_ending_twice_is_no_error(listening) -> None:
    end = serve(Slow(), [listening])
    end()
    end()
