"""The files of one layer, whoever reads them: names, links, and what the layer takes away."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from posixpath import basename, dirname, join

from sagedock.errors import EngineError
from sagedock.images.preflight.archive import Bytes, Member, members
from sagedock.images.preflight.files import Entry, Files, inside

__all__ = ["Look", "read_files"]

_MOST_ENTRIES, _LONGEST_PATH = 2_000_000, 4096
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"

#: Returns the entry of a file with what is to be kept of its content, read piece by piece; is told
#: the layer so far and the file's path.
Look = Callable[[Files, str, Entry, Iterator[memoryview]], Entry]


def read_files(source: Bytes, look: Look) -> Files:
    """Return what a layer's archive holds; only what ``look`` keeps of the contents is kept."""
    layer = Files()
    for member, content in members(source):
        path = inside(member.name)
        if path.startswith("../") or path == ".." or len(path) > _LONGEST_PATH:
            layer.outside += 1
        elif path:
            _add(layer, path, member, content, look)
        if len(layer.entries) > _MOST_ENTRIES:
            raise EngineError(f"a layer of the image has more than {_MOST_ENTRIES} files")
    return layer


def _add(
    layer: Files, path: str, member: Member, content: Iterator[memoryview], look: Look
) -> None:
    name = basename(path)
    if name == _OPAQUE:
        layer.emptied.add(dirname(path))
        return
    if name.startswith(_WHITEOUT):
        layer.removed.add(join(dirname(path), name.removeprefix(_WHITEOUT)))
        return
    entry = Entry(kind=member.kind, size=member.size, mode=member.mode, link=member.link)
    if member.kind == "hardlink":
        entry = _linked(layer, entry)
    elif member.kind == "file":
        entry = look(layer, path, entry, content)
    layer.entries[path] = entry


def _linked(layer: Files, link: Entry) -> Entry:
    """Return the file of a layer that a hard link names, or the link where there is none."""
    target = layer.entries.get(inside(link.link))
    if target is None or target.kind != "file":
        return target or link
    return replace(target, link=target.link or link.link)
