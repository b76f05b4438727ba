"""Data capture: a share of the invocations, as JSON lines in S3.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
(the places) and "Data capture line" of aws-answers' page on the rest (the lines).
"""

import base64
import json
import logging
import queue
import random
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sagedock.errors import StorageError
from sagedock.local.s3 import ObjectStore, S3Error
from sagedock.local.uris import S3Uri

__all__ = ["Captured", "Capturer", "line_of"]

_log = logging.getLogger(__name__)

_EVERY_S = 1.0
_WHOLE = 100
_MOST_WAITING = 1_000
_CONTENT_TYPE = "application/jsonlines"


@dataclass(frozen=True, kw_only=True)
class Captured:
    """One invocation: what was sent and answered, each with its content type, by which variant of
    which endpoint, at ``at`` (epoch seconds). ``config`` is the DataCaptureConfig.
    """

    config: Mapping[str, Any]
    endpoint: str
    variant: str
    event: str
    inference: str | None
    at: float
    sent: bytes
    sent_type: str
    answered: bytes
    answered_type: str


class Capturer:
    """Stores what is captured, once a second, by a thread of its own."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._queue: queue.Queue[Captured | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="data capture", daemon=True)
        self._thread.start()

    def wants(self, config: Mapping[str, Any]) -> bool:
        """Draw whether an invocation is captured."""
        percentage: int = config["InitialSamplingPercentage"]
        return random.random() * _WHOLE < percentage

    def take(self, captured: Captured) -> None:
        """Keep an invocation; where the disk is far behind, it is left out."""
        try:
            self._queue.put_nowait(captured)
        except queue.Full:
            _log.warning("data capture of %s falls behind", captured.endpoint)

    def close(self) -> None:
        """Store what is left, and end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            first = self._queue.get()
            time.sleep(0 if first is None else _EVERY_S)
            taken = [first, *(self._queue.get_nowait() for _ in range(self._queue.qsize()))]
            ended = None in taken
            self._store([each for each in taken if each is not None])

    def _store(self, taken: list[Captured]) -> None:
        files: dict[S3Uri, list[Captured]] = {}
        for each in taken:
            files.setdefault(_folder(each), []).append(each)
        for folder, lines in files.items():
            try:
                self._write(folder, lines)
            except (S3Error, StorageError, OSError) as error:
                _log.warning("data capture into %s: %s", folder, error)

    def _write(self, folder: S3Uri, lines: list[Captured]) -> None:
        at = datetime.fromtimestamp(lines[0].at, UTC)
        name = f"{at:%M-%S}-{at.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        temporary, target = self._objects.temporary(), folder / name
        try:
            temporary.write_text("".join(f"{line_of(each)}\n" for each in lines), encoding="utf-8")
            self._objects.put_file(target.bucket, target.key, temporary, _CONTENT_TYPE)
        finally:
            temporary.unlink(missing_ok=True)  # there is no such bucket, or the disk is full


def _folder(captured: Captured) -> S3Uri:
    at = datetime.fromtimestamp(captured.at, UTC)
    root = S3Uri.parse(captured.config["DestinationS3Uri"])
    return root / captured.endpoint / captured.variant / f"{at:%Y/%m/%d/%H}"


def line_of(captured: Captured) -> str:
    """Return the line that is stored of an invocation."""
    config = captured.config
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    data: dict[str, Any] = {}
    if modes & {"Input", "InputAndOutput"}:
        data["endpointInput"] = _half(config, "INPUT", captured.sent, captured.sent_type)
    if modes & {"Output", "InputAndOutput"}:
        data["endpointOutput"] = _half(config, "OUTPUT", captured.answered, captured.answered_type)
    metadata = {
        "eventId": captured.event,
        **({"inferenceId": captured.inference} if captured.inference else {}),
        "inferenceTime": f"{datetime.fromtimestamp(captured.at, UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    line = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
    return json.dumps(line, separators=(",", ":"))


def _half(config: Mapping[str, Any], mode: str, body: bytes, content_type: str) -> dict[str, str]:
    encoding = _encoding(config, content_type)
    try:
        text = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode()
    except UnicodeDecodeError:
        encoding, text = "BASE64", base64.b64encode(body).decode()
    return {
        "observedContentType": content_type,
        "mode": mode,
        "data": text,
        "encoding": encoding,
    }


def _encoding(config: Mapping[str, Any], content_type: str) -> str:
    """Return how a body is written: base64, unless its type is listed. Source: API reference,
    CaptureContentTypeHeader.
    """
    listed = config.get("CaptureContentTypeHeader") or {}
    plain = content_type.partition(";")[0].strip().lower()
    for encoding, member in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes")):
        if plain in (each.lower() for each in listed.get(member, ())):
            return encoding
    return "BASE64"
