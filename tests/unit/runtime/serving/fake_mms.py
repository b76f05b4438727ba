"""Multi Model Server as `serve` needs it, in Python: started as `java`, without Java.

It registers and forgets models over one socket, starts a process for each, which calls the handler
as the real worker does, and carries bodies to it and back over the other socket. Like the real
one, it starts a process that has ended again.
"""

import http.server
import os
import shutil
import signal
import socket
import socketserver
import sys
import threading
import time
import types
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: What a program in the place of `java` and a package in the place of Multi Model Server's hold.
JAVA = "#!{python}\nfrom tests.unit.runtime.serving.fake_mms import main\nmain()\n"


def install(folder: Path) -> dict[str, str]:
    """Put both into ``folder``; return the variables by which they are found."""
    (folder / "bin").mkdir(parents=True)
    (folder / "site" / "mms").mkdir(parents=True)
    (folder / "site" / "mms" / "__init__.py").touch()
    java = folder / "bin" / "java"
    java.write_text(JAVA.format(python=sys.executable))
    java.chmod(0o755)
    root = Path(__file__).parents[4]
    return {
        "SAGEDOCK_SERVER": "mms",
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": f"{folder / 'site'}:{root / 'src'}:{root}",
    }


def main() -> None:
    file = Path(sys.argv[sys.argv.index("--mms-config") + 1])
    rows = dict(line.split("=", 1) for line in file.read_text().splitlines())
    server = Server(Path(rows["model_store"]))
    for name in ("inference", "management"):
        place = rows[f"{name}_address"].removeprefix("unix:")
        listening = Sockets(place, server.handler(name))
        threading.Thread(target=listening.serve_forever, daemon=True).start()
    print("Model server started.", flush=True)
    while os.getppid() == server.parent:
        time.sleep(0.1)
    shutil.rmtree(server.folder, ignore_errors=True)  # a test has killed `serve`
    os.killpg(0, signal.SIGKILL)


class Sockets(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class Worker:
    """One process that calls the handler, and the socket by which it is called."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._lock = threading.Lock()
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            ours.close()
            try:
                work(theirs, self._folder, self._name)
            finally:
                os._exit(1)
        theirs.close()
        self._socket, self._file = ours, ours.makefile("rb")

    def ask(self, body: bytes) -> bytes | None:
        """Return the answer; None where the process ends instead."""
        with self._lock:
            try:
                self._socket.sendall(len(body).to_bytes(8, "big") + body)
                length = self._file.read(8)
                return self._file.read(int.from_bytes(length, "big")) if length else None
            except OSError:
                return None

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def work(channel: socket.socket, folder: Path, name: str) -> None:
    """Be a worker."""
    from sagedock.runtime.serving.mms.handler import handle

    context = types.SimpleNamespace(
        model_name=name, system_properties={"model_dir": str(folder / "worker")}, metrics=object()
    )
    assert handle(None, context) is None
    file = channel.makefile("rb")
    while length := file.read(8):
        body = bytearray(file.read(int.from_bytes(length, "big")))
        (answer,) = handle([{"body": body}], context) or [b""]
        channel.sendall(len(answer).to_bytes(8, "big") + answer)


class Server:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parent = os.getppid()
        self.workers: dict[str, Worker] = {}

    def handler(self, kind: str) -> type[http.server.BaseHTTPRequestHandler]:
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

            def address_string(self) -> str:
                return "unix"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self._answer(*server.post(kind, self.path, body))

            def do_DELETE(self) -> None:
                worker = server.workers.pop(self.path.rsplit("/", 1)[1], None)
                if worker:
                    worker.end()
                self._answer(200 if worker else 404, b"")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def post(self, kind: str, path: str, body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(path)
        if kind == "management":
            (name,) = parse_qs(parts.query)["model_name"]
            self.workers[name] = Worker(self.folder, name)
            return 202, b"{}"
        answer = self.workers[parts.path.rsplit("/", 1)[1]].ask(body)
        return (500, b"Worker died.") if answer is None else (200, answer)
