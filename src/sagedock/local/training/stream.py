"""What a Pipe channel sends for one item: an object, or the attributes of a manifest's line.

Sources: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Channel.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest-stream.html
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from sagedock.local.training import recordio
from sagedock.local.training.fifo import Fifo
from sagedock.local.training.inputs import Input
from sagedock.local.training.plan import uri_in
from sagedock.local.training.sources import Source
from sagedock.local.training.unreadable import unreadable
from sagedock.local.uris import S3Uri

__all__ = ["Stream"]

_CHUNK_BYTES = 256 * 1024
#: Attributes with this end name objects, whose bytes are sent.
_REFERENCE = "-ref"


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Sends the items of one channel. ``about`` is what errors name: its manifest or prefix."""

    source: Source
    channel: Input
    about: S3Uri

    def send(self, line: bytes, fifo: Fifo) -> None:
        """Send the item that a line of the plan stands for.

        Raises ChannelUnreadable, and what ``fifo`` raises.
        """
        if self.channel.data_type != "AugmentedManifestFile":
            self._send_object(uri_in(line), fifo)
            return
        attributes = self._attributes(line)
        for name in self.channel.attributes:
            if name not in attributes:
                raise unreadable(self.about, f"has a line without the attribute {name!r}")
            value = attributes[name]
            if name.endswith(_REFERENCE):
                self._send_object(self._reference(name, value), fifo)
            else:
                self._send_bytes(_text(value), fifo)

    def _attributes(self, line: bytes) -> dict[str, Any]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise unreadable(self.about, f"has a line that is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise unreadable(self.about, "has a line that is no JSON object")
        return found

    def _reference(self, name: str, value: Any) -> S3Uri:
        if not isinstance(value, str) or not value.startswith("s3://"):
            raise unreadable(self.about, f"has a line whose {name!r} is no S3 URI: {value!r:.200}")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise unreadable(self.about, f"has a line whose {name!r} is no text") from error
        return S3Uri.parse(value)

    def _send_bytes(self, data: bytes, fifo: Fifo) -> None:
        if self.channel.recordio:
            data = recordio.header(len(data)) + data + recordio.padding(len(data))
        fifo.write(data)

    def _send_object(self, uri: S3Uri, fifo: Fifo) -> None:
        _, plain = self.source.open(uri)
        with plain, self._readable(uri):
            content = gzip.GzipFile(fileobj=plain) if self.channel.gzipped else None
            if not self.channel.recordio:
                _send(plain, content, fifo)
                return
            size = _size(content) if content else os.fstat(plain.fileno()).st_size
            if size > recordio.LARGEST:
                raise unreadable(uri, f"is over {recordio.LARGEST} bytes: too large for a record")
            fifo.write(recordio.header(size))
            _send(plain, content, fifo)
            fifo.write(recordio.padding(size))

    @contextmanager
    def _readable(self, uri: S3Uri) -> Iterator[None]:
        try:
            yield
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise unreadable(uri, f"is no gzip file: {error}") from error


def _send(plain: BinaryIO, content: gzip.GzipFile | None, fifo: Fifo) -> None:
    if content is None:
        fifo.pass_on(plain)
    else:
        fifo.copy(content)


def _size(content: gzip.GzipFile) -> int:
    """Return how many bytes are to be read, or any number too large for a record; go back."""
    size = 0
    while size <= recordio.LARGEST and (chunk := content.read(_CHUNK_BYTES)):
        size += len(chunk)
    content.seek(0)
    return size


def _text(value: Any) -> bytes:
    """Return a value as it is sent: a string's own text (unverified), anything else as JSON."""
    if isinstance(value, str):
        return value.encode("utf-8", errors="surrogatepass")
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", errors="surrogatepass"
    )
