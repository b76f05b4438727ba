"""A fake container that answers HTTP on the loopback, as a serving container does."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sagedock.testing.fake import Container

__all__ = ["Call", "Reply", "serving"]

_POLL_S = 0.02


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request that a fake container gets. Header names are lower-case."""

    container: Container
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a fake container answers. ``pieces`` are sent one by one, in HTTP's chunked form; one
    that is None breaks the connection.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Callable[[], object] | None = None


Answer = Callable[[Call], Reply]


def serving(answer: Answer) -> Callable[[Container], int]:
    """Return a program for ``FakeEngine`` that answers HTTP until it is terminated."""

    def program(container: Container) -> int:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(container, answer))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,), daemon=True)
        thread.start()
        container.address = ("127.0.0.1", server.server_address[1])
        while not container.terminated.wait(_POLL_S) and not container.ended.is_set():
            pass
        container.address = None
        server.shutdown()
        server.server_close()
        return container.code

    return program


def _handler(container: Container, answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def log_message(self, *_: object) -> None:
            return

        def _answer(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            size = int(headers.get("content-length", 0))
            call = Call(
                container=container,
                method=self.command,
                path=self.path,
                headers=headers,
                body=self.rfile.read(size),
            )
            self._send(answer(call))

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.pieces is None:
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)
                return
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._stream(reply.pieces())

        def _stream(self, pieces: object) -> None:
            for piece in pieces:  # type: ignore[attr-defined]
                self.wfile.flush()
                if piece is None:
                    self.close_connection = True
                    return
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the base class's names

    return Handler
