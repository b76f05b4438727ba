"""HTTP read by httptools (Node's parser), with the limits and the patience that it lacks.

h11, in Python alone, takes twice the CPU of all else that an InvokeEndpoint costs here.
"""

import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["Http"]

#: The most bytes of a head, of what stands between chunks, and of trailers.
_MOST_BYTES = 1 << 16
#: How a TLS connection begins: Docker tries that first with a registry, before each push. It is no
#: request that the log should warn of.
_TLS = b"\x16\x03"
_HEAD_ENDS = re.compile(rb"\n\r?\n")
_UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*(?=\r\n)", re.IGNORECASE)


class Http(HttpToolsProtocol):
    """uvicorn's protocol, for one connection.

    What never ends is refused: httptools would keep it. A proposal to upgrade (to HTTP/2, as Java's
    own client makes it) is passed over: httptools would take the request's body for the other
    protocol's first bytes. Source of that it may be: RFC 9110, section 7.8.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head = b""
        self._within = False
        #: How many bytes came since the last that could be of use.
        self._idle_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Feed the parser: a head when it is whole, a body as it comes."""
        if not self._within:
            data = self._head + data
            if data.startswith(_TLS):
                self.send_400_response("This is no HTTP: speak it without TLS.")
                return
            ends = _HEAD_ENDS.search(data)
            if ends is None and len(data) <= _MOST_BYTES and data.isascii():
                self._head = data
                self._unset_keepalive_if_required()
                return
            self._head = b""
            if ends is not None:
                head = data[: ends.end()]
                if b"upgrade" in head.lower():
                    data = _UPGRADE.sub(b"", head) + data[ends.end() :]
        self._idle_bytes += len(data)
        super().data_received(data)
        if self._within and self._idle_bytes > _MOST_BYTES and not self.transport.is_closing():
            self.send_400_response("A request's head, or what is beside its body, is too large.")

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._within = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._idle_bytes = 0
        if self.parser.should_upgrade():
            raise ValueError("a proposal to upgrade came behind a request that was not answered")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._within = False
        self._idle_bytes = 0
        super().on_message_complete()
