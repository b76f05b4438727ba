"""What Multi Model Server is told, and how batches and lifelines go to and fro."""

import asyncio
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagedock.runtime.memory import limit_bytes
from sagedock.runtime.serving.mms import configuration
from sagedock.runtime.serving.mms.carrier import Carrier, envelopes
from sagedock.runtime.serving.mms.configuration import Places
from sagedock.runtime.serving.mms.greeting import Greeting, introduce
from sagedock.runtime.serving.mms.java import JavaMachine
from sagedock.runtime.serving.mms.lifelines import Lifelines
from sagedock.runtime.serving.mms.unix_http import BadAnswer, Connection, ask_once
from sagedock.runtime.serving.options import Options
from tests.unit.runtime.serving.fake_workers import until

MB = 1 << 20
PLACES = Places(folder=Path("/private"), package=Path("/site/mms"))


def options(**variables: str) -> Options:
    return Options.read({"SAGEMAKER_MODEL_SERVER_WORKERS": "1", **variables})


# --- configuration --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("memory_mb", "workers", "heap_mb"),
    [
        (100, 1, 48),  # the least with which it starts
        (400, 1, 100),  # a quarter
        (4_000, 1, 64 + 6 * 25),  # what full bodies need
        (4_000, 2, 64 + 2 * 6 * 25),
        (64_000, 64, 1024),  # the most
    ],
)
def test_the_heap(memory_mb: int, workers: int, heap_mb: int) -> None:
    given = options(SAGEMAKER_MODEL_SERVER_WORKERS=str(workers))
    assert configuration.heap_mb(given, memory_mb * MB) == heap_mb


def test_the_users_java_options_win() -> None:
    command = configuration.java_command(
        PLACES, options(), {"SAGEMAKER_MODEL_SERVER_VMARGS": "-Xmx7m '-Da=b c'"}, 400 * MB
    )
    assert command.index("-Xmx7m") > command.index("-Xmx100m")
    assert "-Da=b c" in command
    assert command[command.index("-cp") + 1] == "/site/mms/frontend/*"


def test_sockets_are_private_and_bodies_fit() -> None:
    rows = dict(
        line.split("=", 1) for line in configuration.properties(PLACES, options()).splitlines()
    )
    assert rows["inference_address"] == "unix:/private/inference.sock"
    assert rows["management_address"] == "unix:/private/management.sock"
    assert int(rows["max_request_size"]) > 25 * MB
    assert int(rows["max_response_size"]) > 25 * MB


def test_variables_that_would_configure_it_again_are_left_out() -> None:
    given = {"MMS_CONFIG_FILE": "x", "LOG_LOCATION": "y", "HOME": "/root"}
    assert configuration.java_variables(given) == {"HOME": "/root"}


@pytest.mark.parametrize(("text", "limit"), [("1048576\n", MB), ("max\n", None), (None, None)])
def test_the_memory_limit(tmp_path: Path, text: str | None, limit: int | None) -> None:
    file = tmp_path / "memory.max"
    if text is not None:
        file.write_text(text)
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert limit_bytes((file,)) == (limit or whole)


def test_version_ones_word_for_no_limit_is_the_whole_memory(tmp_path: Path) -> None:
    (tmp_path / "v1").write_text("9223372036854771712\n")
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert limit_bytes((tmp_path / "absent", tmp_path / "v1")) == whole


# --- batches --------------------------------------------------------------------------------------


def frame(size: int) -> list[bytes]:
    return [b"h" * 16, b"", b"x" * size]


def test_a_batch_is_cut_between_frames_where_it_is_too_large() -> None:
    pieces = [piece for size in (10, 10, 500, 10) for piece in frame(size)]
    cut = [[len(piece) for piece in each[2::3]] for each in envelopes(pieces, 60)]
    assert cut == [[10, 10], [500], [10]]
    assert [len(each) for each in envelopes(frame(1), 60)] == [3]
    assert list(envelopes([], 60)) == []


def answering(*answers: bytes) -> Callable[..., Any]:
    """Return a server's side that answers so, one answer for each request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
            writer.write(answer)
        await writer.drain()
        writer.close()

    return serve


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(
        body
    ) + (body)


@pytest.mark.parametrize(
    ("answers", "heard", "lost"),
    [
        ([ok(b".one")], [b"one"], ""),
        ([ok(b"+one"), ok(b".two")], [b"one", b"two"], ""),
        ([ok(b"?")], [], "the Multi Model Server answered 200"),
        ([b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"], [], "answered 413"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n."], [], "no whole answer came"),
        ([], [], "no whole answer came|reset by peer|Broken pipe"),
    ],
)
def test_a_batch_goes_there_and_back(
    tmp_path: Path, answers: list[bytes], heard: list[bytes], lost: str
) -> None:
    async def go() -> None:
        place = tmp_path / "s"
        said: list[str] = []
        found: list[bytes] = []
        async with await asyncio.start_unix_server(answering(*answers), place):
            carrier = Carrier(
                connection=Connection(place),
                target="/predictions/w0",
                largest=MB,
                hear=found.append,
                lost=said.append,
            )
            carrier.writelines(frame(10))
            await until(lambda: said or found == heard != [])
            carrier.close()
        assert found == heard
        assert bool(said) == bool(lost)
        assert all(re.search(lost, each) for each in said)

    asyncio.run(go())


def test_a_server_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        asyncio.run(ask_once(tmp_path / "absent", "DELETE", "/models/w0"))
    assert issubclass(BadAnswer, OSError)


# --- lifelines ------------------------------------------------------------------------------------

GREETING = Greeting(
    folder="/opt/ml/model", variables={"A": "b" * 300_000}, directory="/", answer_bytes=7
)


def test_a_worker_is_greeted_once_and_strangers_are_hung_up_on(tmp_path: Path) -> None:
    async def go() -> None:
        place = tmp_path / "s"
        lines = Lifelines(place)
        taking = asyncio.create_task(lines.take())
        awaited = lines.expect("w0", GREETING)
        with pytest.raises(OSError, match="nobody awaits the worker w1"):
            await asyncio.to_thread(introduce, place, "w1")
        theirs, greeting, outputs = await asyncio.to_thread(introduce, place, "w0")
        line = await asyncio.wait_for(awaited, 20)
        assert (greeting, line.pid) == (GREETING, os.getpid())
        assert [os.fstat(each).st_ino for each in outputs] == [os.fstat(n).st_ino for n in (1, 2)]
        with pytest.raises(OSError, match="nobody awaits the worker w0"):
            await asyncio.to_thread(introduce, place, "w0")
        for each in outputs:
            os.close(each)
        theirs.close()
        line.socket.close()
        taking.cancel()
        lines.close()

    asyncio.run(go())


def test_a_worker_that_is_awaited_no_more_is_hung_up_on(tmp_path: Path) -> None:
    async def go() -> None:
        lines = Lifelines(tmp_path / "s")
        taking = asyncio.create_task(lines.take())
        lines.expect("w0", GREETING).cancel()
        with pytest.raises(OSError, match="nobody awaits"):
            await asyncio.to_thread(introduce, tmp_path / "s", "w0")
        taking.cancel()
        lines.close()

    asyncio.run(go())


def test_a_line_of_any_length_is_taken_from_the_java_machine() -> None:
    """It would stand still, with every worker, where its output is not read."""
    says = "print('x' * 1_000_000); print('x' * 70_000); print('Model server started.')"

    async def run() -> None:
        java = await JavaMachine.start([sys.executable, "-c", says], os.environ)
        assert await java.up()
        assert await java.ended() == "ended with 0"

    asyncio.run(asyncio.wait_for(run(), 60))
