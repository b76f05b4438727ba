"""What comes in and goes out: sizes, queues, hang-ups, wrong bodies, streams, batches."""

import ast
import io
import pickle
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.docker.serving_container import IMAGE, LABEL, NATIVE, ModelFolder, Serving, model

__all__ = ["model"]

MB = 1024 * 1024
ECHO = "def model_fn(d): return 1\ndef predict_fn(data, model): return data\n"
RAW = (
    "def model_fn(d): return 1\ndef transform_fn(model, data, ctype, accept): return data, ctype\n"
)
#: Each request holds its worker until the file /signs/open is there; it is counted as it begins.
HELD = """
import pathlib, time
def model_fn(d): return 1
def transform_fn(model, data, content_type, accept):
    with open("/signs/begun", "ab") as begun: begun.write(data + b"\\n")
    while not pathlib.Path("/signs/open").exists(): time.sleep(0.01)
    return data
"""


@pytest.fixture
def signs(tmp_path: Path) -> Path:
    folder = tmp_path / "signs"
    folder.mkdir()
    return folder


def metric(serving: Serving, name: str) -> float:
    """Return one number of /metrics, 0 where it is not there yet."""
    lines = serving.ask("GET", "/metrics").body.decode().splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")), 0.0)


def until(true: Any, timeout_s: float = 60) -> None:
    ends = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < ends, "it did not come true"
        time.sleep(0.02)


def waiting(serving: Serving) -> float:
    return metric(serving, "sagedock_requests_waiting")


# --- sizes ---------------------------------------------------------------------------------------


def test_25_megabytes_go_both_ways_and_more_is_refused(model: ModelFolder) -> None:
    serving = model.serve(RAW)
    body = np.random.default_rng(0).bytes(25 * MB)
    assert serving.invoke(body, content_type="application/octet-stream").body == body
    refused = serving.invoke(body + b"x", content_type="application/octet-stream")
    assert (refused.status, refused.json) == (413, {"error": "the body is larger than 25 MB"})
    assert serving.invoke(b"next", content_type="text/plain").body == b"next"
    assert serving.ping() == 200


def test_the_limit_can_be_set(model: ModelFolder) -> None:
    serving = model.serve(RAW, environment={"SAGEMAKER_MAX_PAYLOAD_IN_MB": "1"})
    assert serving.invoke(b"x" * MB, content_type="text/plain").status == 200
    assert serving.invoke(b"x" * (MB + 1), content_type="text/plain").status == 413


# --- queue ---------------------------------------------------------------------------------------


def test_a_full_queue_is_told_and_clients_that_hang_up_leave_it(
    model: ModelFolder, signs: Path
) -> None:
    serving = model.serve(
        HELD, volumes=(f"{signs}:/signs",), environment={"SAGEDOCK_QUEUE_SIZE": "2"}
    )
    with ThreadPoolExecutor(3) as clients:
        running = clients.submit(serving.invoke, b"running", content_type="x/y")
        until((signs / "begun").exists)
        gone = [hung_up_later(serving, b"gone") for _ in range(2)]
        until(lambda: waiting(serving) == 2)
        full = serving.invoke(b"too many", content_type="x/y")
        assert (full.status, full.headers["retry-after"]) == (503, "1")
        for client in gone:
            client.close()
        until(lambda: waiting(serving) == 0)
        stays = clients.submit(serving.invoke, b"stays", content_type="x/y")
        until(lambda: waiting(serving) == 1)
        (signs / "open").touch()
        assert [each.result().body for each in (running, stays)] == [b"running", b"stays"]
    assert (signs / "begun").read_bytes().split() == [b"running", b"stays"]


def hung_up_later(serving: Serving, body: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", serving.port))
    head = f"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    client.sendall(head.encode() + body)
    return client


# --- bodies that are wrong -----------------------------------------------------------------------


class Bomb:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("/tmp/bomb"),)


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def test_pickles_are_refused_and_not_run(model: ModelFolder) -> None:
    serving = model.serve(ECHO)
    for kind, body in {
        "application/x-npy": npy(np.array([Bomb()], dtype=object)),
        "application/x-npz": pickle.dumps(Bomb()),
    }.items():
        assert serving.invoke(body, content_type=kind).status == 415
    assert serving.shell("ls /tmp/bomb").startswith("ls: cannot access")
    kept = serving.invoke(npy(np.arange(3)), content_type="application/x-npy", accept="text/csv")
    assert kept.body == b"0\n1\n2\n"


def test_a_wrong_request_gets_a_word_and_nothing_of_the_inside(model: ModelFolder) -> None:
    serving = model.serve(ECHO.replace("return data", "return data / open('/opt/ml/x').read()"))
    for body, kind, status in [
        (b"{", "application/json", 400),
        (b"a,b", "text/csv", 400),
        (b"x", "image/png", 415),
        (b"[1]", "application/json; charset=klingon", 415),
        (b"[1]", "application/json; charset=utf-8", 500),
    ]:
        found = serving.invoke(body, content_type=kind)
        assert found.status == status, found.body
        assert set(found.json) == {"error"}
        assert b"Traceback" not in found.body
        assert b"/opt/ml" not in found.body
    told = "FileNotFoundError: [Errno 2] No such file or directory: '/opt/ml/x'"
    until(lambda: told in serving.log)  # the answer may be there first
    refused = serving.ask("GET", "/invocations")
    assert (refused.status, refused.headers["allow"]) == (405, "POST")


def test_headers_go_in_and_out(model: ModelFolder) -> None:
    serving = model.serve("""
def model_fn(d): return 1
def predict_fn(data, model): return data
def output_fn(prediction, accept, context):
    context.set_custom_attributes(context.custom_attributes + ";seen")
    return "ok", accept
""")
    found = serving.invoke(
        X_Amzn_SageMaker_Custom_Attributes="trace=7",
        X_Amzn_SageMaker_Inference_Id="abc",
        X_Amzn_SageMaker_From_2030="new",
        accept="text/plain",
    )
    assert found.headers["x-amzn-sagemaker-custom-attributes"] == "trace=7;seen"
    assert (found.headers["content-type"], found.body) == ("text/plain", b"ok")


# --- streams and batches -------------------------------------------------------------------------


@NATIVE
def test_a_stream_comes_while_it_is_made(model: ModelFolder, signs: Path) -> None:
    serving = model.serve(
        """
import pathlib, time
def model_fn(d): return 1
def predict_fn(data, model):
    yield "first "
    while not pathlib.Path("/signs/go").exists(): time.sleep(0.01)
    yield "last"
""",
        volumes=(f"{signs}:/signs",),
    )
    connection = serving.connect()
    connection.request("POST", "/invocations", b"[1]", {"content-type": "application/json"})
    answer = connection.getresponse()
    assert answer.getheader("transfer-encoding") == "chunked"
    assert answer.read1() == b"first "
    (signs / "go").touch()
    assert answer.read() == b"last"


@NATIVE
def test_a_client_that_leaves_a_stream_frees_the_worker(model: ModelFolder) -> None:
    serving = model.serve("""
import itertools
def model_fn(d): return 1
def predict_fn(data, model):
    return iter(["done"]) if data[0] else (b"x" * 10000 for _ in itertools.count())
""")
    connection = serving.connect()
    connection.request("POST", "/invocations", b"[0]", {"content-type": "application/json"})
    assert len(connection.getresponse().read(100_000)) == 100_000
    connection.close()
    assert serving.invoke(b"[1]").body == b"done"


def test_requests_that_wait_are_predicted_together(model: ModelFolder, signs: Path) -> None:
    serving = model.serve(
        """
import pathlib, time
def model_fn(d): return 1
def batch_predict_fn(inputs, model):
    with open("/signs/begun", "ab") as begun: begun.write(b"." * len(inputs))
    while not pathlib.Path("/signs/open").exists(): time.sleep(0.01)
    return [{"size": len(inputs), "mine": x.tolist()} for x in inputs]
""",
        volumes=(f"{signs}:/signs",),
    )
    begun = signs / "begun"
    with ThreadPoolExecutor(16) as clients:
        asked = [clients.submit(serving.invoke, b"[%d]" % n) for n in range(16)]
        until(lambda: begun.exists() and begun.stat().st_size + waiting(serving) == 16)
        (signs / "open").touch()
        found = [each.result().json for each in asked]
    assert [each["mine"] for each in found] == [[n] for n in range(16)]
    assert max(each["size"] for each in found) >= 8


# --- the end -------------------------------------------------------------------------------------


def test_sigterm_loses_none_of_24_requests(model: ModelFolder, signs: Path) -> None:
    serving = model.serve(
        HELD,
        volumes=(f"{signs}:/signs",),
        environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "2"},
    )
    with ThreadPoolExecutor(25) as clients:
        asked = [clients.submit(serving.invoke, b"[%d]" % n, content_type="x/y") for n in range(24)]
        until(lambda: waiting(serving) == 22)  # and two are predicted
        stop = clients.submit(serving.container.stop, timeout=60)
        until(lambda: any("stopping: " in line for line in serving.own_lines))
        (signs / "open").touch()
        stop.result()
        replies = [each.result() for each in asked]
    assert [(r.status, r.body) for r in replies] == [(200, b"[%d]" % n) for n in range(24)]
    assert serving.container.wait()["StatusCode"] == 0


#: Asks over one new connection after the other, until none is taken any more.
CLIENTS = """
import collections, http.client, threading
counts = collections.Counter()
def ask():
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=60)
        try:
            connection.connect()
        except ConnectionRefusedError:
            return
        try:
            connection.request("POST", "/invocations", b"[1]", {"content-type": "application/json"})
            counts[connection.getresponse().status] += 1
        except (OSError, http.client.HTTPException) as error:
            counts[repr(error)] += 1
        connection.close()
threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(dict(counts))
"""


def test_sigterm_under_load_loses_no_accepted_request(model: ModelFolder) -> None:
    """The clients are in the container's network: Docker's proxy would accept in its place."""
    serving = model.serve(ECHO)
    clients = model.client.containers.run(
        IMAGE,
        ["python", "-c", CLIENTS],
        detach=True,
        labels=[LABEL],
        network_mode=f"container:{serving.container.id}",
    )
    model.containers.append(clients)
    until(lambda: metric(serving, 'sagedock_invocations_total{status="200"}') > 100, 60)
    serving.container.stop(timeout=30)
    assert serving.container.wait()["StatusCode"] == 0
    assert clients.wait(timeout=60)["StatusCode"] == 0
    counts = ast.literal_eval(clients.logs(stderr=False).decode())
    assert set(counts) == {200}, counts
    assert counts[200] > 100
