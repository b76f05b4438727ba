"""Bidirectional streams of the serving image: frames, limits, waiting, ends."""

import signal
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from tests.docker.serving_container import NATIVE, ModelFolder, Serving, model
from tests.docker.websocket_client import (
    BINARY,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Refused,
    WebSocket,
)

__all__ = ["model"]

ECHO = """
import threading, time
from pathlib import Path
from sagedock.runtime.serving import InvalidInput

def model_fn(model_dir):
    return "model"

def predict_fn(data, model):
    return data

def stream_fn(messages, model, context):
    for message in messages:
        if message == "fail":
            raise RuntimeError("secret of the inside")
        elif message == "refuse":
            raise InvalidInput("no such voice")
        elif message == "end":
            return
        elif message == "headers":
            yield {name: context.get_request_header(0, name) for name in ("x-a", QUERY)}
        elif message == "die":
            import os
            os._exit(3)
        elif message == "sleep":
            while not Path("/tmp/go").exists():
                time.sleep(0.05)
        elif message == "flood":
            for number in range(200):
                yield b"x" * 1_000_000
                Path("/tmp/flooded").write_text(str(number + 1))
        elif message == "large":
            yield b"x" * (1024 * 1024 + 1)
        else:
            yield message
    yield "goodbye"

QUERY = "x-amzn-sagemaker-model-query-string"
"""
MB = 1024 * 1024


def until(true: Any, timeout_s: float = 60) -> None:
    ends = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < ends, "it did not come true"
        time.sleep(0.02)


def connect(serving: Serving, path: str | None = None, **headers: str) -> WebSocket:
    """Open a stream, waiting until the place of the one before is free."""
    ends = time.monotonic() + 60
    while True:
        try:
            return WebSocket(serving.port, *([path] if path else []), **headers)
        except Refused as error:
            if error.status != 503 or time.monotonic() > ends:
                raise
            time.sleep(0.02)


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One container for the tests that leave nothing to the next one."""
    native = SimpleNamespace(param="native")
    generator = model.__wrapped__(native, tmp_path_factory.mktemp("echo"))  # type: ignore[attr-defined]
    yield next(generator).serve(ECHO)
    next(generator, None)


def test_text_and_binary_come_back_as_they_were(echo: Serving) -> None:
    client = connect(echo)
    for message in ("text \u20ac", b"\0\xff binary", "", b"", "x" * 70_000, b"y" * MB):
        client.say(message)
        assert client.hear() == message
    client.close()


def test_fragments_are_one_message(echo: Serving) -> None:
    client = connect(echo)
    euro = "\u20ac".encode()
    client.send(TEXT, b"one " + euro[:1], is_last=False)
    client.send(PING, b"in between")
    client.send(CONTINUATION, euro[1:], is_last=False)
    client.send(CONTINUATION, b" message")
    assert client.frame() == (PONG, True, b"in between")
    assert client.hear() == "one \u20ac message"
    for piece in range(20):
        client.send(BINARY if not piece else CONTINUATION, b"z" * 1000, is_last=piece == 19)
    assert client.hear() == b"z" * 20_000
    client.close()


def test_headers_and_the_query_string_reach_the_handler(echo: Serving) -> None:
    client = connect(echo, "/invocations-bidirectional-stream?voice=low", X_A="b")
    client.say("headers")
    wanted = '{"x-a": "b", "x-amzn-sagemaker-model-query-string": "voice=low"}'
    assert client.hear() == wanted
    client.close()


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_message_over_a_megabyte_is_refused_with_1009(echo: Serving, in_pieces: bool) -> None:
    client = connect(echo)
    if in_pieces:
        client.send(BINARY, b"x" * MB, is_last=False)
        client.send(CONTINUATION, b"x")
    else:
        client.send(BINARY, b"x" * (MB + 1))
    assert client.frame().payload[:2] == (1009).to_bytes(2, "big")
    client.hang_up()
    connect(echo).close()  # the place is free


@pytest.mark.parametrize(
    ("word", "closed"),
    [
        ("end", (1000, "")),
        ("refuse", (1008, "no such voice")),
        ("fail", (1011, "stream_fn failed; the log says why")),
        ("large", (1011, "stream_fn failed; the log says why")),
        ("die", (1011, "the model's process ended")),
    ],
)
def test_how_a_handler_ends(echo: Serving, word: str, closed: tuple[int, str]) -> None:
    client = connect(echo)
    client.say(word)
    code, reason = client.closed()
    assert code == closed[0]
    assert reason.partition(" (request")[0] == closed[1]
    if word == "fail":
        until(lambda: "RuntimeError: secret of the inside" in echo.log)
    echo.until(200)
    connect(echo).close()


@pytest.mark.parametrize("path", ["/invocations", "/nowhere"])
def test_other_paths_are_refused(echo: Serving, path: str) -> None:
    with pytest.raises(Refused) as refused:
        WebSocket(echo.port, path)
    assert refused.value.status == 404
    assert b"use /invocations-bidirectional-stream" in refused.value.body


def test_text_that_is_no_utf_8_is_refused_with_1007(echo: Serving) -> None:
    client = connect(echo)
    client.send(TEXT, b"\xff\xfe")
    assert client.frame().payload[:2] == (1007).to_bytes(2, "big")
    client.hang_up()
    connect(echo).close()


@pytest.mark.parametrize("politely", [True, False])
def test_a_client_that_leaves_frees_the_place(echo: Serving, politely: bool) -> None:
    client = connect(echo)
    client.say("here")
    assert client.hear() == "here"
    with pytest.raises(Refused) as refused:
        WebSocket(echo.port)  # the only worker is taken
    assert refused.value.status == 503
    if politely:
        client.close()
    else:
        client.hang_up()
    connect(echo).close()
    assert echo.invoke(b"[1]").json == [1]


def test_a_client_that_leaves_a_flood_frees_the_place(echo: Serving) -> None:
    client = connect(echo)
    client.say("flood")
    assert len(client.hear()) == 1_000_000
    client.hang_up()
    connect(echo).close()
    assert echo.invoke(b"[1]").json == [1]


def test_who_does_not_hear_makes_the_other_wait(echo: Serving) -> None:
    """A slow client holds the handler back; nothing is lost."""
    echo.shell("rm -f /tmp/flooded")
    client = connect(echo)
    client.say("flood")
    until(lambda: echo.shell("cat /tmp/flooded").strip().isdigit())
    time.sleep(1)  # long enough for all 200 MB, were they taken
    said = int(echo.shell("cat /tmp/flooded"))
    assert said < 100
    assert [len(client.hear()) for _ in range(200)] == [1_000_000] * 200
    client.say("after the flood")
    assert client.hear() == "after the flood"
    client.close()


def test_a_handler_that_does_not_hear_makes_its_client_wait(echo: Serving) -> None:
    echo.shell("rm -f /tmp/go")
    client = connect(echo)
    client.say("sleep")
    sent = []

    def send() -> None:
        for number in range(100):
            client.say(b"x" * MB)
            sent.append(number)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    until(lambda: sent)
    time.sleep(1)
    assert len(sent) < 50
    assert echo.ping() == 200  # the front is not held up
    echo.shell("touch /tmp/go")
    assert [len(client.hear()) for _ in range(100)] == [MB] * 100
    sender.join(60)
    client.close()


def test_garbage_and_endless_frames_do_not_hurt(echo: Serving) -> None:
    client = connect(echo)
    client.send_head(BINARY, 1 << 62)
    client.hang_up()
    client = connect(echo)
    client._socket.sendall(b"\xff" * 100)
    assert client.frame().payload[:2] == (1002).to_bytes(2, "big")
    client.hang_up()
    connect(echo).close()


@NATIVE
def test_ordinary_requests_go_beside_streams(model: ModelFolder) -> None:
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": "2", "SAGEDOCK_STREAMS": "1"}
    serving = model.serve(ECHO, environment=variables)
    client = connect(serving)
    with pytest.raises(Refused) as refused:
        WebSocket(serving.port)
    assert refused.value.status == 503
    assert serving.invoke(b"[2]").json == [2]
    client.say("still")
    assert client.hear() == "still"
    client.close()


@NATIVE
def test_a_model_without_stream_fn_refuses(model: ModelFolder) -> None:
    serving = model.serve("def model_fn(d): return 1\ndef predict_fn(d, m): return d")
    with pytest.raises(Refused) as refused:
        WebSocket(serving.port)
    assert refused.value.status == 404
    assert b"it has no stream_fn" in refused.value.body
    assert serving.invoke(b"[1]").json == [1]


@NATIVE
def test_sigterm_lets_the_handler_say_goodbye_and_closes_with_1001(model: ModelFolder) -> None:
    serving = model.serve(ECHO)
    client = connect(serving)
    client.say("here")
    assert client.hear() == "here"
    serving.container.kill(signal.SIGTERM)
    assert client.hear() == "goodbye"
    assert client.closed() == (1001, "the server stops")
    assert serving.container.wait(timeout=60)["StatusCode"] == 0
    assert '"path": "/invocations-bidirectional-stream", "status": 101' in serving.log
    assert "Traceback" not in serving.log
