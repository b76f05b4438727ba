"""Changes of the source, found by looking again and again."""

import filecmp
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sagedock.client.source import Source

__all__ = ["Edit", "Watch"]

#: Several files saved at once are one edit: nothing may have changed for so long, but the whole is
#: not awaited for longer than the second.
_QUIET_S, _LONGEST_S = 0.2, 5.0
#: Looking takes at most this share of the time, however many files there are.
_SHARE = 0.1
#: What editors write beside the file that they save: vim, Emacs, and others.
_EDITORS = re.compile(r".*~|\.#.*|#.*#|.*\.sw[a-z]|4913|.*\.tmp|.*\.py[co]|\.goutputstream-.*")
_REQUIREMENTS = "requirements.txt"

_Stamps = Mapping[str, tuple[int, int, int]]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What is other than what was laid out: names of files in the source."""

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)

    @property
    def of_requirements(self) -> bool:
        """Whether what is to be installed may be other."""
        return _REQUIREMENTS in (*self.changed, *self.added, *self.removed)


class Watch:
    """Compares a source with its copy in the folder ``laid_out``."""

    def __init__(self, source: Source, laid_out: Path) -> None:
        self._source = source
        self._laid_out = laid_out
        self._known = self._stamps()
        self._next_look = 0.0

    def edit(self, pause: Callable[[float], object]) -> Edit | None:
        """Return what was changed since the copy was made, None where nothing was.

        ``pause`` waits for a number of seconds, while several files are being saved.
        """
        began = time.monotonic()
        if began < self._next_look:
            return None
        stamps = self._stamps()
        self._next_look = began + (time.monotonic() - began) / _SHARE
        if stamps == self._known:
            return None
        self._known = self._settled(stamps, pause)
        return self._differences() or None

    def _settled(self, stamps: _Stamps, pause: Callable[[float], object]) -> _Stamps:
        """Return the files' stamps once they have stayed as they are for a moment."""
        ends = time.monotonic() + _LONGEST_S
        while True:
            pause(_QUIET_S)
            before, stamps = stamps, self._stamps()
            if stamps == before or time.monotonic() > ends:
                return stamps

    def _stamps(self) -> _Stamps:
        found = {}
        for name, path in self._source.members().items():
            if not _is_editors(name):
                with suppress(FileNotFoundError):
                    status = path.stat()
                    found[name] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return found

    def _differences(self) -> Edit:
        """Compare contents: a file that was only touched is no edit."""
        laid_out = {
            path.relative_to(self._laid_out).as_posix()
            for path in self._laid_out.rglob("*")
            if path.is_file()
        }
        names = {name for name in self._known if not _is_editors(name)}
        laid_out = {name for name in laid_out if not _is_editors(name)}
        members = self._source.members()
        changed = [name for name in names & laid_out if not self._is_same(name, members)]
        return Edit(
            changed=tuple(sorted(changed)),
            added=tuple(sorted(names - laid_out)),
            removed=tuple(sorted(laid_out - names)),
        )

    def _is_same(self, name: str, members: Mapping[str, Path]) -> bool:
        try:
            return filecmp.cmp(members[name], self._laid_out / name, shallow=False)
        except (FileNotFoundError, KeyError):  # gone meanwhile: the next look finds it
            return True
        except OSError:  # it cannot be read: whoever copies it says so
            return False


def _is_editors(name: str) -> bool:
    return _EDITORS.fullmatch(name.rpartition("/")[2]) is not None
