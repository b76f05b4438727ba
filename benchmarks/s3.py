"""The local S3: 200 MB in and out against bare loops over the same bytes, and a long listing."""

import hashlib
import http.client
import multiprocessing
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from benchmarks.table import Row, interleaved, timed
from sagedock.local.s3 import ObjectStore, s3_app

ROUNDS = 7
CHUNK = os.urandom(1_000_000)
CHUNKS = 200
KEYS = 20_000
BUCKET = "bench"


def rows() -> list[Row]:
    """Measure PUT, GET and the listing of 20,000 keys that were dropped in by hand."""
    with tempfile.TemporaryDirectory() as scratch, _served(Path(scratch) / "s3") as (port, pid):
        file = Path(scratch) / "bare"
        put = _in_turns(lambda: _put(port), lambda: _write(file))
        get = _in_turns(lambda: _get(port), lambda: _send(file))
        peak = _peak_mib(pid)
        names = Path(scratch) / "s3" / "buckets" / BUCKET / "set"
        names.mkdir()
        for number in range(KEYS):
            (names / f"{number:06d}.png").write_bytes(b"x" * 100)
        first = timed(lambda: _list(port))
        listing, scan, ratio = _in_turns(lambda: _list(port), lambda: _scan(names))
    return [
        _speed("PUT of 200 MB", put, "write and MD5 of the same bytes", goal=2),
        _speed("GET of 200 MB", get, "the same file through a bare socket", goal=2),
        Row(
            what="memory of the server after both",
            ours=f"{peak:.0f} MiB",
            against="200 MB",
            ratio="-",
            goal="under 100 MiB",
            met=peak < 100,
        ),
        Row(
            what=f"listing {KEYS:,} dropped files, 20 pages (the first time: {first:.1f} s)",
            ours=f"{listing:.2f} s",
            against=f"a scan with a stat each: {scan:.2f} s",
            ratio=f"{ratio:.1f}x",
            goal="-",
            met=None,
        ),
    ]


def _in_turns(ours: Callable[[], None], theirs: Callable[[], None]) -> tuple[float, float, float]:
    return interleaved(ROUNDS, lambda: timed(ours), lambda: timed(theirs))


def _speed(what: str, seconds: tuple[float, float, float], against: str, *, goal: float) -> Row:
    ours, bare, ratio = seconds
    megabytes = len(CHUNK) * CHUNKS / 1e6
    return Row(
        what=what,
        ours=f"{megabytes / ours:.0f} MB/s",
        against=f"{against}: {megabytes / bare:.0f} MB/s",
        ratio=f"{ratio:.2f}x",
        goal=f"at most {goal}x",
        met=ratio <= goal,
    )


@contextmanager
def _served(root: Path) -> Iterator[tuple[int, int]]:
    """Serve a store from a process of its own; yield the port and the process id."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    # Spawned, not forked: its memory is to be its own.
    server = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(root, port), daemon=True
    )
    server.start()
    while not _answers(port):
        time.sleep(0.05)
    yield port, server.pid or 0
    server.terminate()
    server.join()


def _serve(root: Path, port: int) -> None:
    store = ObjectStore(root)
    store.create_bucket(BUCKET, "us-east-1")
    uvicorn.run(s3_app(store), host="127.0.0.1", port=port, log_level="error")


def _answers(port: int) -> bool:
    try:
        return _ask(port, "HEAD", f"/{BUCKET}").status == 200
    except ConnectionRefusedError:
        return False


def _ask(port: int, method: str, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path)
    return connection.getresponse()


def _put(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.putrequest("PUT", f"/{BUCKET}/large")
    connection.putheader("Content-Length", str(len(CHUNK) * CHUNKS))
    connection.endheaders()
    for _ in range(CHUNKS):
        connection.send(CHUNK)
    assert connection.getresponse().status == 200


def _write(file: Path) -> None:
    digest = hashlib.md5()
    with file.open("wb", buffering=0) as target:
        for _ in range(CHUNKS):
            target.write(CHUNK)
            digest.update(CHUNK)


def _get(port: int) -> None:
    answer = _ask(port, "GET", f"/{BUCKET}/large")
    assert _drain(answer.readinto) == len(CHUNK) * CHUNKS


def _send(file: Path) -> None:
    """Read the file and send it through a socket on the loopback, as plainly as can be."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_send_one, args=(listening, file))
        thread.start()
        with socket.create_connection(listening.getsockname()) as client:
            assert _drain(client.recv_into) == len(CHUNK) * CHUNKS
        thread.join()


def _send_one(listening: socket.socket, file: Path) -> None:
    connection, _ = listening.accept()
    with connection, file.open("rb", buffering=0) as source:
        while data := source.read(len(CHUNK)):
            connection.sendall(data)


def _drain(read_into: Callable[[bytearray], int]) -> int:
    buffer = bytearray(len(CHUNK))
    total = 0
    while read := read_into(buffer):
        total += read
    return total


def _list(port: int) -> None:
    after, pages = "", 0
    while pages < KEYS // 1000:
        page = _ask(port, "GET", f"/{BUCKET}?list-type=2&prefix=set/&start-after={after}").read()
        after = page.rpartition(b"<Key>")[2].partition(b"<")[0].decode()
        pages += 1
    assert after == f"set/{KEYS - 1:06d}.png"


def _scan(folder: Path) -> None:
    for entry in os.scandir(folder):
        entry.stat()


def _peak_mib(pid: int) -> float:
    """Return the most memory that the server has used, where /proc tells it."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
