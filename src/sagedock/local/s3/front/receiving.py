"""Request bodies: large ones stream to disk, small ones are read whole."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.concurrency import run_in_threadpool

from sagedock.local.s3.chunked import ChunkedDecoder
from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.envelope import Envelope
from sagedock.local.s3.incoming import CHUNK, Incoming

__all__ = ["ClientGone", "Receive", "read_whole", "receive_file"]

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

#: A DeleteObjects of 1000 keys of 1024 bytes, each byte escaped (bytes).
_LARGEST_DOCUMENT = 8 * 1024 * 1024


class ClientGone(Exception):
    """The client hung up in the middle of its request."""


async def read_whole(receive: Receive) -> bytes:
    """Return a small body. Raises MalformedXML where it is not small, or ClientGone."""
    body = b""
    more = True
    while more:
        data, more = await _next(receive)
        body += data
        if len(body) > _LARGEST_DOCUMENT:
            raise S3Error("MalformedXML")
    return body


async def receive_file(receive: Receive, envelope: Envelope, incoming: Incoming) -> None:
    """Write the body to ``incoming``, and check it against ``envelope``.

    Hashing and writing go on in a thread while the next bytes arrive.
    """
    decoder = ChunkedDecoder() if envelope.chunked else None
    writing: asyncio.Future[None] | None = None
    more = True
    try:
        while more:
            batch, more = await _batch(receive)
            if writing:
                await writing
            taking = run_in_threadpool(_take, batch, decoder, incoming, envelope.size)
            writing = asyncio.ensure_future(taking)
        if writing:
            await writing
    finally:
        # The file must not be closed under a thread that still writes to it.
        if writing and not writing.done():
            await asyncio.wait([writing])
    if decoder and not decoder.complete:
        raise S3Error("IncompleteBody")
    envelope.check(incoming.digests, decoder.trailers if decoder else {})


def _take(batch: bytes, decoder: ChunkedDecoder | None, incoming: Incoming, size: int) -> None:
    for data in decoder.feed(batch) if decoder else (batch,):
        if incoming.digests.size + len(data) > size:
            raise S3Error("IncompleteBody")
        incoming.write(data)


async def _batch(receive: Receive) -> tuple[bytes, bool]:
    """Return about ``CHUNK`` bytes of the body, and whether there is more."""
    pieces = []
    size = 0
    more = True
    while more and size < CHUNK:
        data, more = await _next(receive)
        pieces.append(data)
        size += len(data)
    return b"".join(pieces), more


async def _next(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), message.get("more_body", False)
