"""A package index on the loopback that asks for a user and a password, and wheels to serve."""

import base64
import hashlib
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["PrivateIndex", "private_index", "wheel"]

_METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel(folder: Path, name: str, text: str) -> str:
    """Put a wheel into a folder whose one module says ``text``; return its line of a lock."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(f"{name}.py", f"SAYS = {text!r}\n")
        packed.writestr(f"{info}/METADATA", _METADATA.format(name=name))
        packed.writestr(f"{info}/WHEEL", _WHEEL)
        packed.writestr(f"{info}/RECORD", "")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class PrivateIndex:
    """Where it is, with and without who asks, and what was served to whom."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self.host = f"127.0.0.1:{port}"
        self.url = f"http://{user}:{password}@{self.host}/simple"
        self.served: list[str] = []


@contextmanager
def private_index(folder: Path, user: str, password: str) -> Iterator[PrivateIndex]:
    """Serve the wheels of a folder to ``user`` alone."""
    wanted = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic realm=packages")
                self.end_headers()
                return
            name = self.path.strip("/").rpartition("/")[2]
            file = folder / name
            if name.endswith(".whl"):
                index.served.append(name)
                self._answer("application/octet-stream", file.read_bytes())
            else:
                links = (f'<a href="/files/{each.name}">{each.name}</a>' for each in _of(name))
                self._answer("text/html", "".join(links).encode())

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    def _of(name: str) -> list[Path]:
        return sorted(folder.glob(f"{name}-*.whl"))

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        index = PrivateIndex(server.server_port, user, password)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield index
        finally:
            server.shutdown()
            thread.join()
