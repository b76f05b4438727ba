"""Where requests go, and their bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol
from urllib.parse import urlsplit

from sagedock.errors import InvalidRequest

__all__ = ["Address", "Body", "Target", "UrlTarget", "message_of"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Address:
    """A TCP port, and whether TLS is spoken there. ``authority`` is what the Host header says."""

    host: str
    port: int
    tls: bool
    authority: str

    @classmethod
    def of(cls, url: str) -> "Address":
        """Return the address of a URL. Raises InvalidRequest for one that has none."""
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise InvalidRequest([f"{url}: is not a URL: give http://HOST[:PORT]/PATH, or https"])
        if parts.username is not None:
            raise InvalidRequest(
                ["the URL holds a user name: give it as a header, Authorization: Basic ..."]
            )
        try:
            port = parts.port or _DEFAULT_PORTS[parts.scheme]
            parts.hostname.encode("idna")
        except ValueError as error:
            raise InvalidRequest([f"{url}: {error}: give a host and a port that exist"]) from error
        return cls(
            host=parts.hostname,
            port=port,
            tls=parts.scheme == "https",
            authority=parts.netloc.removesuffix(f":{_DEFAULT_PORTS[parts.scheme]}"),
        )


@dataclass(frozen=True, kw_only=True)
class Body:
    """What one request carries."""

    data: bytes
    content_type: str = "application/json"


class Target(Protocol):
    """What is tested. ``is_event_stream`` says that its answers are AWS's event stream."""

    @property
    def name(self) -> str:
        """What the reports call it."""

    @property
    def address(self) -> Address:
        """Where it listens."""

    @property
    def is_event_stream(self) -> bool:
        """Whether answers are AWS's event stream."""

    def message(self, number: int) -> bytes:
        """Return the whole ``number``th request, head and body."""


@dataclass(frozen=True, kw_only=True)
class UrlTarget:
    """A plain URL, such as a container's ``http://127.0.0.1:8080/invocations``.

    Several ``bodies`` take turns. Raises InvalidRequest where the request cannot be written.
    """

    url: str
    bodies: Sequence[Body] = (Body(data=b"{}"),)
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_event_stream: bool = False

    @property
    def name(self) -> str:
        """The URL."""
        return self.url

    @cached_property
    def address(self) -> Address:
        """Where the URL leads."""
        return Address.of(self.url)

    def message(self, number: int) -> bytes:
        """Return the whole ``number``th request, head and body."""
        return self._messages[number % len(self._messages)]

    @cached_property
    def _messages(self) -> tuple[bytes, ...]:
        parts = urlsplit(self.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return tuple(
            message_of(self.method, path, self._headers_of(body), body.data) for body in self.bodies
        )

    def _headers_of(self, body: Body) -> Mapping[str, str]:
        given = {name.lower() for name in self.headers}
        ours = {"Host": self.address.authority, "Accept": "*/*"}
        if body.data:
            ours["Content-Type"] = body.content_type
        kept = {name: value for name, value in ours.items() if name.lower() not in given}
        return {**kept, **self.headers}


def message_of(method: str, path: str, headers: Mapping[str, str], data: bytes) -> bytes:
    """Return a request of HTTP/1.1; its length is that of ``data``.

    Raises InvalidRequest for what would become another request on the wire.
    """
    kept = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    start = f"{method} {path} HTTP/1.1"
    lines = [start, *(f"{name}: {value}" for name, value in kept.items())]
    problems = [
        f"{line!r}: method, path and headers are printable ASCII: quote what is not"
        for line in lines
        if not (line.isascii() and line.isprintable())
    ]
    if " " in method + path or any(set(name) & set(" :") for name in kept):
        problems.append(f"{start}: method, path and names of headers have no spaces")
    if method == "HEAD":
        problems.append("HEAD: its answer has no body to end it: use GET")
    if "transfer-encoding" in {name.lower() for name in kept}:
        problems.append("Transfer-Encoding: bodies are sent whole: leave it out")
    if problems:
        raise InvalidRequest(problems)
    head = "\r\n".join([*lines, f"Content-Length: {len(data)}", "", ""])
    return head.encode() + data
