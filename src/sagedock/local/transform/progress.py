"""What a job has to do and what of it is done, on disk: a server that was killed goes on there.

One line for each object, one for each that is done. Inputs are written down before the first is
transformed: outputs may come to lie among them.
"""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

from sagedock.local.training.inputs import Share
from sagedock.local.transform.failures import Blame
from sagedock.local.transform.inputs import InputObject
from sagedock.local.uris import S3Uri

__all__ = ["Progress"]


class Progress:
    """The objects of one job by their positions, in ``folder``, which is made."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._plan = folder / "objects"
        self._done_file = folder / "done"
        self._lock = threading.Lock()
        self._done: dict[int, Blame | None] = {}
        if self._done_file.exists():
            self._read()

    @property
    def is_planned(self) -> bool:
        """Whether the objects are written down."""
        return self._plan.exists()

    @property
    def first_blame(self) -> Blame | None:
        """Whose fault the first object that failed is; None where none did."""
        return next((blame for blame in self._done.values() if blame is not None), None)

    def plan(self, objects: Iterable[InputObject]) -> None:
        """Write the objects down, all or none."""
        unfinished = self._plan.with_suffix(".new")
        with unfinished.open("w", encoding="utf-8") as file:
            for each in objects:
                line = [each.uri.bucket, each.uri.key, each.output.bucket, each.output.key]
                file.write(f"{json.dumps(line)}\n")
        unfinished.replace(self._plan)

    def open_objects(self, share: Share) -> Iterator[tuple[int, InputObject]]:
        """Yield (position, object) of those of an instance's share that are not done."""
        with self._plan.open(encoding="utf-8") as file:
            for position, line in enumerate(file):
                if share.takes(position) and position not in self._done:
                    bucket, key, output_bucket, output_key = json.loads(line)
                    yield (
                        position,
                        InputObject(
                            uri=S3Uri(bucket=bucket, key=key),
                            output=S3Uri(bucket=output_bucket, key=output_key),
                        ),
                    )

    def add(self, position: int, blame: Blame | None) -> None:
        """Write down that an object is done: it is stored, or it failed."""
        with self._lock:
            self._done[position] = blame
            with self._done_file.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps({'position': position, 'blame': blame})}\n")

    def _read(self) -> None:
        text = self._done_file.read_text(encoding="utf-8")
        # A last line without its end was being written when the server was killed.
        whole, _, _ = text.rpartition("\n")
        for line in whole.splitlines():
            entry: Mapping[str, object] = json.loads(line)
            self._done[cast(int, entry["position"])] = cast("Blame | None", entry["blame"])
        self._done_file.write_text(f"{whole}\n" if whole else "", encoding="utf-8")
