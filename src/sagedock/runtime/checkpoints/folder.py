"""The folder of checkpoints as one rank sees it: which are whole, which can go.

Order is by step, which the names hold: times do not come back from S3. The folder is the platform's
too, so other files may lie there, and others' checkpoints.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagedock.contract import paths
from sagedock.errors import InvalidRequest, StorageError
from sagedock.runtime.checkpoints.files import Stamp, Unreadable, verify

__all__ = ["Folder"]

_NAME = re.compile(r"step-(?P<step>\d{12,})\.rank-(?P<rank>\d+)(?:-of-(?P<ranks>\d+))?\.ckpt")


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Checkpoints that rank ``rank`` of ``ranks`` writes; ``ranks`` is 1 where one writes for all.

    ``say`` is told which files are passed over, and why.
    """

    path: Path
    rank: int
    ranks: int
    say: Callable[[str], None]

    def file(self, step: int) -> Path:
        """Return the place of a checkpoint: each rank writes files of its own."""
        of = f"-of-{self.ranks}" if self.ranks > 1 else ""
        return self.path / f"step-{step:012d}.rank-{self.rank}{of}.ckpt"

    def prepare(self) -> bool:
        """Make the folder, say whether it was there; raise StorageError if it cannot be used."""
        was_there = self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(_unusable(self.path, error.strerror or "")) from error
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise StorageError(_unusable(self.path, "it is not writable"))
        return was_there

    def newest(self, at_most: int | None = None) -> Stamp | None:
        """Return the newest whole checkpoint of at most that step, or None."""
        for step in sorted(self._steps(), reverse=True):
            if at_most is None or step <= at_most:
                stamp = self._checked(step)
                if stamp is not None:
                    return stamp
        return None

    def _checked(self, step: int) -> Stamp | None:
        file = self.file(step)
        try:
            stamp = verify(file)
        except Unreadable as problem:
            self.say(f"the checkpoint {file} is passed over: {problem}")
            return None
        if (stamp.step, stamp.rank, stamp.ranks) != (step, self.rank, self.ranks):
            self.say(f"the checkpoint {file} is passed over: it was written under another name")
            return None
        return stamp

    def refuse_others(self) -> None:
        """Raise InvalidRequest where checkpoints are there, all of another number of writers.

        Starting from the beginning would be a surprise: what is there cannot be divided anew.
        """
        writers = sorted({_ranks(name) for name in self._checkpoints()})
        if writers and self.ranks not in writers:
            there = " and ".join(map(str, writers))
            raise InvalidRequest(
                [
                    f"{self.path} holds checkpoints that {there} rank(s) wrote, each its own part,"
                    f" and here {self.ranks} write: start as many, or give another folder"
                ]
            )

    def prune(self, whole: Sequence[int], keep: int) -> None:
        """Remove what is older than the ``keep`` newest of the ``whole`` steps.

        Where the platform marks what it uploads, only what is on S3 already is counted, but no more
        than twice ``keep`` wait for that. A file that is just being uploaded stays until the next
        time, as in AWS's own containers.
        """
        whole = sorted(whole, reverse=True)
        marked = self._marks_uploads()
        on_s3 = [step for step in whole if not marked or self._is_marked(step, paths.UPLOADED)]
        floors = [*on_s3[keep - 1 : keep], *whole[2 * keep - 1 : 2 * keep]]
        for step in self._steps():
            if floors and step < max(floors) and not self._is_uploading(step):
                self.file(step).unlink(missing_ok=True)

    def remove_unfinished(self) -> None:
        """Remove what a process of this rank was writing when it was killed."""
        for name in self._list():
            found = _NAME.match(name)
            if found and name.endswith(paths.UNSYNCED) and self._is_own(found):
                (self.path / name).unlink(missing_ok=True)

    def _steps(self) -> list[int]:
        """Return the steps of this rank's own checkpoints, whole or not."""
        return [int(found["step"]) for found in self._checkpoints() if self._is_own(found)]

    def _checkpoints(self) -> Iterator[re.Match[str]]:
        """Yield the parts of each name that is a checkpoint's, whoever wrote it."""
        yield from filter(None, map(_NAME.fullmatch, self._list()))

    def _list(self) -> list[str]:
        try:
            return [entry.name for entry in self.path.iterdir()]
        except OSError as error:
            raise StorageError(_unusable(self.path, error.strerror or "")) from error

    def _is_own(self, name: re.Match[str]) -> bool:
        return (int(name["rank"]), _ranks(name)) == (self.rank, self.ranks)

    def _marks_uploads(self) -> bool:
        return any(name.endswith((paths.UPLOADED, paths.UPLOADING)) for name in self._list())

    def _is_uploading(self, step: int) -> bool:
        uploading = self._is_marked(step, paths.UPLOADING)
        return uploading and not self._is_marked(step, paths.UPLOADED)

    def _is_marked(self, step: int, suffix: str) -> bool:
        file = self.file(step)
        return file.with_name(file.name + suffix).exists()


def _ranks(name: re.Match[str]) -> int:
    return int(name["ranks"] or 1)


def _unusable(folder: Path, why: str) -> str:
    return (
        f"{folder} takes no checkpoints: {why}. Mount it writable, or give Checkpoints a folder"
        " that is, such as the LocalPath of the job's CheckpointConfig"
    )
