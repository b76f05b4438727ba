"""Records gathered to payloads, each the body of one invocation.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
(BatchStrategy, MaxPayloadInMB).
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sagedock.local.transform.data_processing import Processing
from sagedock.local.transform.failures import too_large
from sagedock.local.transform.records import SplitType, readable, records

__all__ = ["Batching", "Payload", "Strategy", "Stream", "payloads"]

Strategy = Literal["MULTI_RECORD", "SINGLE_RECORD"]

_CHUNK_BYTES = 1024 * 1024


class Stream:
    """A whole object as a body that is sent in chunks; each iteration starts at its beginning."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        with readable():
            self._file.seek(0)
            while chunk := self._file.read(_CHUNK_BYTES):
                yield chunk


@dataclass(slots=True)
class Payload:
    """One body. ``records`` are what it was made of, kept where the answer is joined to them."""

    body: bytes | Stream
    records: Sequence[bytes] = ()


@dataclass(frozen=True, kw_only=True)
class Batching:
    """How objects become payloads. ``most_bytes`` None sets no limit, and sends in chunks."""

    split: SplitType
    strategy: Strategy
    most_bytes: int | None
    processing: Processing | None = None

    @property
    def is_multiple(self) -> bool:
        """Whether a payload may have several records."""
        return self.split != "None" and self.strategy == "MULTI_RECORD"


def payloads(file: io.BufferedReader, batching: Batching) -> Iterator[Payload]:
    """Yield the payloads of an object, in order. Raises ObjectFailed.

    At most a payload and a record are in memory. An object without records has no payload, unless
    it is not split.
    """
    with readable():
        yield from _payloads(file, batching)


def _payloads(file: io.BufferedReader, batching: Batching) -> Iterator[Payload]:
    split, most_bytes = batching.split, batching.most_bytes
    if batching.processing is not None:
        yield from _processed(file, batching, batching.processing)
    elif not batching.is_multiple and (split != "None" or most_bytes is not None):
        for record in records(file, split, framed=False, most_bytes=most_bytes):
            yield Payload(record)
    elif most_bytes is None:
        yield Payload(Stream(file))
    elif split == "Line":
        yield from _whole_lines(file, most_bytes)
    else:
        framed = records(file, split, framed=True, most_bytes=most_bytes)
        for batch in _batches(((each, each) for each in framed), most_bytes, end=0):
            yield Payload(b"".join(each for each, _ in batch))


def _whole_lines(file: io.BufferedReader, most_bytes: int) -> Iterator[Payload]:
    """Yield as many whole lines as fit, without looking at each: the newline at the end of a
    payload does not count.
    """
    rest = b""
    while True:
        more = file.read(most_bytes + 1 - len(rest))
        data = rest + more if rest else more
        if len(data) <= most_bytes:
            if data:
                yield Payload(data)
            return
        end = data.rfind(b"\n") + 1
        if end == 0:
            raise too_large(most_bytes)
        yield Payload(data[:end])
        rest = data[end:]


def _processed(
    file: io.BufferedReader, batching: Batching, processing: Processing
) -> Iterator[Payload]:
    """Yield payloads of what the input filter leaves, each with the records it was made of."""
    split: SplitType = "None" if processing.is_document else "Line"
    whole = batching.split == "None"
    most_bytes = batching.most_bytes
    found = records(file, split, framed=False, most_bytes=most_bytes)
    pairs = ((processing.selected(record), record) for record in found)
    if not processing.is_document and (batching.is_multiple or whole):
        for number, batch in enumerate(_batches(pairs, most_bytes, end=1)):
            if whole and number and most_bytes is not None:
                raise too_large(most_bytes)
            yield Payload(b"".join(sent + b"\n" for sent, _ in batch), [each for _, each in batch])
        return
    for sent, record in pairs:
        yield Payload(sent, [record])


def _batches(
    pairs: Iterator[tuple[bytes, bytes]], most_bytes: int | None, *, end: int
) -> Iterator[list[tuple[bytes, bytes]]]:
    """Yield lists of (sent, record), of which neither side has more than ``most_bytes``, with
    ``end`` bytes between two.
    """
    batch: list[tuple[bytes, bytes]] = []
    sent_bytes = record_bytes = 0
    for sent, record in pairs:
        sent_bytes += len(sent) + end
        record_bytes += len(record) + end
        # A record alone was checked when it was read.
        if batch and most_bytes is not None and max(sent_bytes, record_bytes) > most_bytes + end:
            yield batch
            batch, sent_bytes, record_bytes = [], len(sent) + end, len(record) + end
        batch.append((sent, record))
    if batch:
        yield batch
