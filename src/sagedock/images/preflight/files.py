"""The files of an image: each layer's, and what a container sees of them together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath

from sagedock.images.preflight.archive import Kind
from sagedock.images.preflight.device_code import DeviceCode

__all__ = ["Entry", "Files", "Leak", "inside", "laid_over"]

_MOST_LINKS = 40  # as Linux has it
_MOST_STEPS = 1024  # far beyond any program's paths, and soon told


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file. ``text`` is what was kept of its content, ``code`` the GPU code in it. ``link`` is
    where a symbolic link leads, or which file of its layer this one is by a hard link.
    """

    kind: Kind
    size: int = 0
    mode: int = 0o644
    link: str = ""
    text: bytes = b""
    code: DeviceCode | None = None


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A secret: the file that holds it, and of what kind it is. Never the secret itself."""

    path: str
    what: str


@dataclass(kw_only=True)
class Files:
    """What one layer has, or all of them: entries by path, without the leading slash.

    ``removed`` are paths that a layer deletes of those below it, ``emptied`` folders whose former
    content it hides. ``size`` and ``packed_size`` are of the layer's archive, the latter estimated.
    ``outside`` counts names that lead outside of the image, or are longer than Linux takes, and
    ``unread`` files of which only the beginning was searched for secrets; ``kept`` is the size of
    all texts.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)
    leaks: list[Leak] = field(default_factory=list)
    size: int = 0
    packed_size: int = 0
    outside: int = 0
    unread: int = 0
    kept: int = 0

    def resolve(self, path: str) -> str | None:
        """Return where a path leads once its links are followed; None where there is nothing."""
        at = self.leads_to(path)
        return at if at is not None and (at in self.entries or self._is_folder(at)) else None

    def leads_to(self, path: str) -> str | None:
        """Return where a path leads, whether something is there or not; None where links lead in
        circles, or too far.
        """
        left, at, links, steps = inside(path).split("/"), "", 0, 0
        while left:
            steps += 1
            if steps > _MOST_STEPS:
                return None
            part = left.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                at = dirname(at)
                continue
            at = join(at, part)
            entry = self.entries.get(at)
            if entry is not None and entry.kind == "symlink":
                links += 1
                if links > _MOST_LINKS:
                    return None
                left = entry.link.split("/") + left
                at = "" if entry.link.startswith("/") else dirname(at)
        return at

    def find(self, path: str) -> Entry | None:
        """Return the file at a path, links followed."""
        found = self.resolve(path)
        return None if found is None else self.entries.get(found)

    def which(self, program: str, folders: Iterable[str]) -> str | None:
        """Return the path of a program, looked for as a shell does, whether executable or not."""
        if "/" in program:
            path = self.resolve(program)
            return path if path is not None and self._is_file(path) else None
        found = (self.resolve(f"{folder}/{program}") for folder in folders)
        return next((path for path in found if path is not None and self._is_file(path)), None)

    def below(self, folder: str) -> Iterator[str]:
        """Yield the paths of what is no folder below ``folder``."""
        start = f"{inside(folder)}/"
        for path, entry in self.entries.items():
            if path.startswith(start) and entry.kind != "folder":
                yield path

    def _is_file(self, path: str) -> bool:
        return path in self.entries and self.entries[path].kind in ("file", "hardlink")

    def _is_folder(self, path: str) -> bool:
        return not path or any(name.startswith(f"{path}/") for name in self.entries)


def inside(path: str) -> str:
    """Return a path without leading slashes, dots and the like; ``..`` stays where it leads out."""
    clean = normpath(path).lstrip("/")
    return "" if clean == "." else clean


def laid_over(layers: Iterable[Files]) -> Files:
    """Return what a container sees: each layer over those before it."""
    whole = Files()
    for layer in layers:
        if gone := layer.removed | layer.emptied | _no_folders_any_more(layer, whole):
            whole.entries = {
                path: entry
                for path, entry in whole.entries.items()
                if path not in layer.removed and not _is_below(path, gone)
            }
        whole.entries |= layer.entries
        whole.outside += layer.outside
        whole.size += layer.size
        whole.packed_size += layer.packed_size
        whole.unread += layer.unread
    return whole


def _no_folders_any_more(layer: Files, whole: Files) -> set[str]:
    return {
        path
        for path, entry in layer.entries.items()
        if entry.kind != "folder" and path in whole.entries and whole.entries[path].kind == "folder"
    }


def _is_below(path: str, folders: set[str]) -> bool:
    while path := dirname(path):
        if path in folders:
            return True
    return False
