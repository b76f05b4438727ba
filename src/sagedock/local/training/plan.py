"""What a Pipe channel sends, written down when the job starts: one line for each item."""

import json
import os
import shutil
from array import array
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from sagedock.local.training.unreadable import unreadable
from sagedock.local.uris import S3Uri

__all__ = ["Plan", "keep_lines", "uri_in", "write_uris"]

#: A line in memory. Nobody was seen to name the service's own limit.
_LONGEST_LINE = 16 * 1024 * 1024


def write_uris(uris: Iterable[S3Uri], path: Path) -> None:
    """Write a plan of objects. A key may hold newlines, so each line is JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lines:
        lines.writelines(f"{json.dumps(str(uri))}\n" for uri in uris)


def uri_in(line: bytes) -> S3Uri:
    """Return the URI that a line of ``write_uris`` holds."""
    return S3Uri.parse(json.loads(line))


def keep_lines(source: Path, path: Path) -> None:
    """Make a file of lines the plan, as it is now: linked, or copied from another file system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # it may be a link to an object, which must not be written to
    try:
        os.link(source, path)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, path)


class Plan:
    """The lines of a plan, by number; blank ones do not count. Eight bytes of memory a line.

    Raises ChannelUnreadable, naming ``about``, for a line that is too long to be held.
    """

    def __init__(self, path: Path, about: S3Uri) -> None:
        self._about = about
        self._starts = array("Q")
        with ExitStack() as stack:
            self._file = stack.enter_context(path.open("rb"))
            self._find_lines()
            stack.pop_all()

    def __len__(self) -> int:
        return len(self._starts)

    def line(self, number: int) -> bytes:
        """Return one line, without its end."""
        self._file.seek(self._starts[number])
        return self._file.readline(_LONGEST_LINE).rstrip(b"\r\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _find_lines(self) -> None:
        start = 0
        while line := self._file.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
                raise unreadable(
                    self._about,
                    f"has a line, number {len(self) + 1}, of over {_LONGEST_LINE} bytes",
                )
            if line.strip():
                self._starts.append(start)
            start += len(line)
