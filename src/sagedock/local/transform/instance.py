"""One instance of a job: its containers are sent its share of the objects."""

import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagedock.contract import limits
from sagedock.local.platform import Platform
from sagedock.local.resources import Key
from sagedock.local.s3 import S3Error
from sagedock.local.training.inputs import Share
from sagedock.local.training.sources import Source
from sagedock.local.training.unreadable import ChannelUnreadable
from sagedock.local.transform.data_log import DataLog
from sagedock.local.transform.data_processing import Processing, processing_of
from sagedock.local.transform.failures import ObjectFailed, bad_data, no_answer
from sagedock.local.transform.feed import Feed
from sagedock.local.transform.inputs import InputObject
from sagedock.local.transform.model_client import ModelClient, Stopped
from sagedock.local.transform.names import job_folder
from sagedock.local.transform.parameters import Parameters
from sagedock.local.transform.payloads import Batching, Payload, payloads
from sagedock.local.transform.progress import Progress
from sagedock.local.transform.records import opened
from sagedock.local.transform.serving import Served
from sagedock.local.transform.way import Way

__all__ = ["Instance", "Task"]

#: Payloads under way, or answered before an earlier one was, for each that may be under way.
_AHEAD = 2
#: More payloads of the least size, 1 MB, must not be under way at once.
_MOST_THREADS = int(limits.BATCH_PAYLOAD_MB)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What all instances of one job share."""

    platform: Platform
    key: Key
    request: Mapping[str, Any]
    progress: Progress


class Instance:
    """Sends an instance's objects to its containers, in threads; ``run`` returns when all are done.

    ``stop`` and ``lose`` may be called from any thread, at any time.
    """

    def __init__(
        self,
        task: Task,
        share: Share,
        served: Sequence[Served],
        parameters: Parameters,
        log: DataLog,
    ) -> None:
        self._task = task
        self._parameters = parameters
        self._log = log
        self._ended = threading.Event()
        self._errors: list[Exception] = []
        self._is_lost = False
        self._share = share
        threads = min(parameters.max_concurrent, _MOST_THREADS)
        content_type = task.request["TransformInput"].get("ContentType")
        accept = task.request["TransformOutput"].get("Accept")
        self._ways = [Way(served, content_type, accept) for _ in range(threads)]
        self._client = ModelClient.of(task.request, self._ended.wait)
        self._source = Source(store=task.platform.objects, region=task.key.region)
        self._processing: Processing | None = None
        self._feed = Feed(
            task.progress.open_objects(share),
            self._open,
            self._end,
            self._folder(),
            assemble_with=task.request["TransformOutput"].get("AssembleWith", "None"),
            most_ahead=threads * _AHEAD,
        )

    @property
    def left_something(self) -> bool:
        """Whether a container is gone, and objects are left that nobody was sent."""
        left = self._task.progress.open_objects(self._share)
        return self._is_lost and next(left, None) is not None

    def run(self) -> None:
        """Send everything. Raises what broke a thread, once all have ended."""
        threads = [
            threading.Thread(target=self._send, args=(each,), name="transform", daemon=True)
            for each in self._ways
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._feed.stop()
        for error in self._errors:
            raise error

    def stop(self) -> None:
        """End now; what is in work is forgotten."""
        self._feed.stop()  # first: what breaks off now is no failure of the container's
        self._interrupt()

    def lose(self, container: str | None) -> None:
        """End now, for a container is gone: what is in work fails."""
        self._is_lost = True
        self._feed.fail_all(no_answer(container))
        self._interrupt()

    def _interrupt(self) -> None:
        self._ended.set()
        for each in self._ways:
            each.interrupt()

    def _send(self, way: Way) -> None:
        client, feed = self._client, self._feed
        try:
            while ticket := feed.take():
                payload = ticket.payload
                try:
                    answer = client.invoke(way, payload.body)
                    if self._processing is not None:
                        answer = self._processing.result(payload.records, answer)
                except ObjectFailed as failure:
                    feed.failed(ticket, failure)
                else:
                    feed.answered(ticket, answer)
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001 - raised again by run
            if not self._ended.is_set():  # else it broke because the feed was stopped
                self._errors.append(error)
                self.stop()
        finally:
            way.close()

    def _open(self, source: InputObject) -> tuple[io.BufferedReader, Iterator[Payload]]:
        request = self._task.request
        self._processing = processing_of(request)
        try:
            _, raw = self._source.open(source.uri)
        except ChannelUnreadable as error:
            raise bad_data(str(error)) from error
        asked = request["TransformInput"]
        file = opened(raw, gzipped=asked.get("CompressionType") == "Gzip")
        batching = Batching(
            split=asked.get("SplitType", "None"),
            strategy=self._parameters.strategy,
            most_bytes=self._parameters.most_bytes,
            processing=self._processing,
        )
        return file, payloads(file, batching)

    def _end(self, position: int, source: InputObject, result: Path | ObjectFailed) -> None:
        """Store an output, or say why there is none, and write down that the object is done."""
        progress = self._task.progress
        if isinstance(result, ObjectFailed):
            self._log.say([f"{source.told}: {line}" for line in result.lines])
            progress.add(position, result.blame)
            return
        accept = self._task.request["TransformOutput"].get("Accept")
        try:
            self._task.platform.objects.put_file(
                source.output.bucket, source.output.key, result, accept
            )
        except S3Error as error:
            raise bad_data(f"Failed to upload {source.output}: {error.message}") from error
        progress.add(position, None)

    def _folder(self) -> Path:
        return job_folder(self._task.platform, self._task.key)
