"""Checkpoints that all ranks agree on: what is loaded, and when one counts as saved."""

import errno
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sagedock.errors import InvalidRequest
from sagedock.runtime.checkpoints.files import Stamp, open_payload, write
from sagedock.runtime.checkpoints.folder import Folder
from sagedock.runtime.checkpoints.formats import Format
from sagedock.runtime.checkpoints.ranks import Ranks

__all__ = ["Store"]

_MEGABYTE = 1_000_000
_REMEDIES = {
    errno.ENOSPC: "Give the job more room (VolumeSizeInGB), or keep fewer",
    errno.EDQUOT: "Give the job more room (VolumeSizeInGB), or keep fewer",
    errno.ENOENT: "Was the folder removed, or does another process write as the same rank?",
}


class Store:
    """A folder, and the ranks that write to it: all where ``sharded``, else rank 0 for all.

    Every method is called by every rank at the same point of the program. Raises InvalidRequest for
    shards of ranks that cannot talk: nobody would know which steps are whole.
    """

    def __init__(
        self,
        path: Path,
        *,
        ranks: Ranks,
        sharded: bool,
        format: Format,  # noqa: A002 - as Checkpoints calls it
        keep: int,
        say: Callable[[str], None],
    ) -> None:
        if sharded and ranks.alone:
            problem = (
                f"sharded: {ranks.count} ranks must agree on which checkpoints are whole: call"
                " torch.distributed.init_process_group before load(), or give ranks= with a gather"
            )
            raise InvalidRequest([problem])
        self._writes = sharded or ranks.rank == 0
        self._ranks = ranks
        self._format = format
        self._keep = keep
        self._say = say if ranks.rank == 0 else _nothing
        self._folder = Folder(
            path=path,
            rank=ranks.rank if sharded else 0,
            ranks=ranks.count if sharded else 1,
            say=say if self._writes else _nothing,
        )
        self._run = ranks.together(secrets.token_hex(8))[0]
        self._whole: list[int] = []
        self._proven = False

    def load(self) -> tuple[int, Any] | None:
        """Return step and state of the newest checkpoint that every rank has whole, or None.

        Raises StorageError for a folder that takes none, InvalidRequest where others wrote there.
        """
        was_there = self._folder.prepare()
        if self._writes:
            self._folder.remove_unfinished()
        self._folder.refuse_others()
        stamp = self._newest_of_all()
        if stamp is None:
            if was_there:
                self._say(f"no checkpoint in {self._folder.path}: starting from the beginning")
            return None
        self._whole = [stamp.step]
        state = self._state(stamp)
        self._say(f"going on after step {stamp.step}, saved at {stamp.saved_at}")
        return stamp.step, state

    def _newest_of_all(self) -> Stamp | None:
        """Go down from each rank's newest until all hold the same step, of the same run.

        Shards of one step but of different runs do not belong together.
        """
        limit = None
        while True:
            mine = self._folder.newest(limit)
            found = self._ranks.together(mine and (mine.step, mine.run))
            if None in found:
                self._say_who_has_none(found)
                return None
            if len(set(found)) == 1:
                return mine
            steps = {step for step, _ in found}
            limit = min(steps) if len(steps) > 1 else min(steps) - 1

    def _say_who_has_none(self, found: Sequence[object]) -> None:
        without = [rank for rank, each in enumerate(found) if each is None]
        if len(without) < len(found):
            self._say(
                f"rank(s) {', '.join(map(str, without))} of {len(found)} have no checkpoint that"
                " the others have too"
            )

    def _state(self, stamp: Stamp) -> Any:
        file = self._folder.file(stamp.step)
        if stamp.format != self._format.name:
            problem = f"format: {file} was written as {stamp.format}, not {self._format.name}"
            raise InvalidRequest([problem])
        with open_payload(file) as payload:
            try:
                return self._format.load(payload)
            except Exception as error:  # a format is the program's own, and raises what it likes
                error.add_note(
                    f"{file} is as it was written, and yet the format {self._format.name} does not"
                    " load it. Move it away to go on from an older one"
                )
                raise

    def save(self, step: int, state: Any) -> str | None:
        """Save, and remove what is too old; return why it could not be saved on every rank."""
        failure = self._write(step, state) if self._writes else None
        failures = [each for each in self._ranks.together(failure) if each]
        if failures:
            return str(failures[0])
        self._whole = sorted({*self._whole, step})[-2 * self._keep :]
        if self._writes:
            self._prune()
        return None

    def _write(self, step: int, state: Any) -> str | None:
        began = time.monotonic()
        stamp = Stamp(
            step=step,
            rank=self._folder.rank,
            ranks=self._folder.ranks,
            format=self._format.name,
            run=self._run,
            saved_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        file = self._folder.file(step)
        try:
            full = write(file, stamp, lambda payload: self._format.save(state, payload))
        except OSError as error:
            return _failure(file, error)
        self._prove_loadable(file)
        megabytes = full.payload_bytes / _MEGABYTE
        self._say(f"saved step {step}: {megabytes:.1f} MB in {time.monotonic() - began:.1f} s")
        return None

    def _prove_loadable(self, file: Path) -> None:
        """Find out at the first save, not at the restart, that the state would not be loaded."""
        if self._proven:
            return
        with open_payload(file) as payload:
            refused = self._format.refused(payload)
        if refused:
            file.unlink()
            raise InvalidRequest(
                [
                    f"state: it holds {name}, which loading would have to run code for: save"
                    " tensors, numbers, texts, lists and dictionaries"
                    for name in refused
                ]
            )
        self._proven = True

    def _prune(self) -> None:
        try:
            self._folder.prune(self._whole, self._keep)
        except OSError as error:
            self._say(f"older checkpoints cannot be removed: {error}")


def _failure(file: Path, error: OSError) -> str:
    remedy = _REMEDIES.get(error.errno or 0, "Mount it writable")
    return (
        f"{file} cannot be written: {error.strerror or error}. The checkpoints before it are still"
        f" there. {remedy}"
    )


def _nothing(_text: str) -> None:
    return
