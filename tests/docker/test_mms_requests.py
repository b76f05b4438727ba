"""What AWS's toolkit gets wrong of requests with Multi Model Server, and `serve` mends."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from tests.docker.serving_container import MMS, ModelFolder, Serving, model
from tests.docker.test_serving_requests import MB, RAW, Bomb, npy, until

__all__ = ["model"]

ECHO = "def model_fn(d): return 1\ndef predict_fn(data, model): return data\n"
#: As many bytes as asked for, or the process that answers.
GROWING = """
import os
def model_fn(d): return 1
def transform_fn(model, data, content_type, accept):
    return b"x" * int(data) if int(data) else str(os.getpid()).encode()
"""
DONE = "def model_fn(d): return 1\ndef transform_fn(m, data, kind, accept): return 'done', 'a/b'\n"
OCTETS = "application/octet-stream"


def both(model: ModelFolder, code: str, **options: Any) -> tuple[Serving, Serving]:
    """Return AWS's toolkit as it comes, and `serve`, on the same code."""
    return model.stock(code, **options), model.serve(**options)


@MMS
def test_large_requests(model: ModelFolder) -> None:
    stock, ours = both(model, RAW)
    body = np.random.default_rng(0).bytes(25 * MB)
    assert stock.invoke(body[: 7 * MB], content_type=OCTETS).status == 413
    assert ours.invoke(body, content_type=OCTETS).body == body
    assert ours.invoke(body + b"x", content_type=OCTETS).status == 413
    assert ours.ping() == 200


@MMS
def test_large_answers(model: ModelFolder) -> None:
    stock, ours = both(model, GROWING)
    died = stock.invoke(str(7 * MB).encode(), content_type=OCTETS)
    assert (died.status, b"Worker died" in died.body) == (500, True)
    pid = ours.invoke(b"0", content_type=OCTETS).body
    assert len(ours.invoke(str(25 * MB).encode(), content_type=OCTETS).body) == 25 * MB
    refused = ours.invoke(str(25 * MB + 1).encode(), content_type=OCTETS)
    assert (refused.status, refused.json) == (500, {"error": "the answer is larger than 25 MB"})
    assert ours.invoke(b"0", content_type=OCTETS).body == pid  # the worker lives
    assert ours.ping() == 200


@MMS
def test_pickles(model: ModelFolder) -> None:
    stock, ours = both(model, ECHO)
    bomb = npy(np.array([Bomb()], dtype=object))
    stock.invoke(bomb, content_type="application/x-npy")
    assert stock.shell("ls /tmp/bomb") == "/tmp/bomb\n"  # the caller's code has run
    assert ours.invoke(bomb, content_type="application/x-npy").status == 415
    assert ours.shell("ls /tmp/bomb").startswith("ls: cannot access")


@MMS
def test_errors_show_nothing_of_the_inside(model: ModelFolder) -> None:
    stock, ours = both(model, ECHO.replace("return data", "return open('/opt/ml/x')"))
    assert b"Traceback (most recent call last)" in stock.invoke().body
    found = ours.invoke()
    assert (found.status, set(found.json)) == (500, {"error"})
    assert b"Traceback" not in found.body
    assert b"/opt/ml" not in found.body
    until(lambda: "FileNotFoundError: [Errno 2]" in ours.log)  # the answer may be there first


@MMS
def test_bodies_that_cannot_be_read(model: ModelFolder) -> None:
    stock, ours = both(model, ECHO)
    for body, kind, status in [
        (b"{", "application/json", 400),
        (b"x", "image/png", 415),
        (b"[1]", "application/json; charset=utf-8", 200),
    ]:
        assert stock.invoke(body, content_type=kind).status == 500, kind
        assert ours.invoke(body, content_type=kind).status == status, kind


@MMS
def test_methods_and_paths_that_are_not_the_contracts(model: ModelFolder) -> None:
    stock, ours = both(model, DONE)
    assert stock.ask("GET", "/invocations").body == b"done"
    assert ours.ask("GET", "/invocations").status == 405
    assert stock.ask("GET", "/execution-parameters").status == 404
    assert ours.ask("GET", "/execution-parameters").json["MaxPayloadInMB"] == 25


@MMS
def test_the_management_of_models_is_closed_to_clients(model: ModelFolder) -> None:
    """Whoever may register a model may run code."""
    stock, ours = both(model, ECHO)
    assert stock.ask("GET", "/models").status == 200
    assert stock.ask("POST", "/models?url=/opt/ml/model&model_name=other").status == 200
    assert ours.ask("GET", "/models").status == 404
    assert ours.ask("POST", "/models?url=/opt/ml/model&model_name=other").status == 404
    listening = ours.shell("cat /proc/net/tcp /proc/net/tcp6").splitlines()
    assert [line.split()[1][-4:] for line in listening if line.split()[3] == "0A"] == ["1F90"]


@MMS
def test_a_stream_comes_in_one_piece(model: ModelFolder) -> None:
    """Multi Model Server cannot do better: the answer is the same, the pieces are not."""
    ours = model.serve("""
def model_fn(d): return 1
def predict_fn(data, model):
    yield "first "
    if data[0]: raise OSError("a disk is gone")
    yield "last"
""")
    found = ours.invoke(b"[0]")
    assert (found.body, found.headers["content-length"]) == (b"first last", "10")
    broken = ours.invoke(b"[1]")
    assert (broken.status, broken.json) == (
        500,
        {"error": "the answer broke off; the log says why (request 2)"},
    )
    until(lambda: "OSError: a disk is gone" in ours.log)


@MMS
def test_large_answers_of_a_batch_come_one_after_the_other(model: ModelFolder) -> None:
    """Together they are larger than what Multi Model Server takes at once."""
    ours = model.serve(
        "import time\n"
        "def model_fn(d): return 1\n"
        "def batch_predict_fn(inputs, model):\n"
        "    time.sleep(0.3)\n"
        "    return [bytes([int(x[0])]) * (20 << 20) for x in inputs]\n"
    )
    with ThreadPoolExecutor(4) as clients:
        found = list(clients.map(lambda n: ours.invoke(b"[%d]" % n).body, range(4)))
    assert [(len(body), body[:1]) for body in found] == [(20 * MB, bytes([n])) for n in range(4)]
