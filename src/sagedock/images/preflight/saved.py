"""An image as ``docker save`` writes it: its configuration, and its layers in their order.

Older engines write ``ID/layer.tar``, newer ones ``blobs/sha256/...``; both say in manifest.json,
which may come last, what is what. So layers are read one by one, and put in order at the end.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname, join, normpath
from typing import Any, Literal

from sagedock.errors import EngineError
from sagedock.images.preflight.archive import Bytes, gunzipped, members
from sagedock.images.preflight.files import Files
from sagedock.images.preflight.layer import read_layer

__all__ = ["LayerForm", "Progress", "ReadLayer", "SavedImage", "layer_form", "read_saved"]

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_TAR_MAGIC = slice(257, 262)
_BLOCK = 512
_LONGEST_DOCUMENT = 16 * 1024 * 1024
_MANIFEST = "manifest.json"

LayerForm = Literal["gzip", "tar", "zstd"]
#: Told how many bytes were read so far.
Progress = Callable[[int], None]
#: Returns the files of a layer's archive.
ReadLayer = Callable[[Bytes], Files]


@dataclass(frozen=True, kw_only=True)
class SavedImage:
    """``config`` is the image's configuration document; ``layers`` are the lowest first."""

    config: Mapping[str, Any]
    layers: tuple[Files, ...]


def read_saved(
    chunks: Iterator[bytes], progress: Progress, read: ReadLayer = read_layer
) -> SavedImage:
    """Return what an archive of ``docker save`` holds, each layer as ``read`` reads it, or raise
    EngineError where it is broken.
    """
    documents: dict[str, Any] = {}
    layers: dict[str, Files] = {}
    links: dict[str, str] = {}
    for member, content in members(Bytes(_counted(chunks, progress))):
        if member.kind == "symlink":
            links[member.name] = normpath(join(dirname(member.name), member.link))
        elif member.kind == "file" and member.size:
            _read(member.name, member.size, content, documents, layers, read)
    return _put_together(documents, layers, links)


def _counted(chunks: Iterator[bytes], progress: Progress) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        progress(total)
        yield chunk


def _read(
    name: str,
    size: int,
    content: Iterator[memoryview],
    documents: dict[str, Any],
    layers: dict[str, Files],
    read: ReadLayer,
) -> None:
    source = Bytes(content)
    head = source.peek(_BLOCK)
    form = layer_form(head, name)
    if form == "zstd":
        raise EngineError(
            f"{name}: this layer is compressed with zstd, which is not read here: build the image "
            "with gzip, or let the engine keep images unpacked (its classic image store)"
        )
    if form == "gzip":
        source = Bytes(gunzipped(_content_of(source)))
        head = source.peek(_BLOCK)
    if layer_form(head, name) == "tar":
        layers[name] = read(source)
    elif head[:1] in (b"{", b"[") and size <= _LONGEST_DOCUMENT:
        try:
            documents[name] = json.loads(source.read(size))
        except ValueError:
            return  # no document of an image: manifest.json is missed below


def layer_form(head: bytes, name: str) -> LayerForm | None:
    """Return in what form a file of an engine's archive is a layer, by its first 512 bytes; None
    where it is none. What is compressed may hold something else.
    """
    if head.startswith(_ZSTD):
        return "zstd"
    if head.startswith(_GZIP):
        return "gzip"
    empty = bool(head) and not head.strip(b"\0")
    is_tar = head[_TAR_MAGIC] == b"ustar" or name.endswith("layer.tar") or empty
    return "tar" if is_tar else None


def _content_of(source: Bytes) -> Iterator[memoryview]:
    """Yield all that a stream has left."""
    while piece := source.up_to(_LONGEST_DOCUMENT // 16):
        yield memoryview(piece)


def _put_together(
    documents: Mapping[str, Any], layers: Mapping[str, Files], links: Mapping[str, str]
) -> SavedImage:
    manifest: Any = documents.get(_MANIFEST)
    try:
        (image,) = manifest  # one image was asked for
        config = documents[image["Config"]]
        names = [str(name) for name in image["Layers"] or ()]
        found = tuple(layers[links.get(name, name)] for name in names)
    except (KeyError, TypeError, ValueError) as error:
        raise EngineError(
            f"the engine's archive of the image is no image ({_MANIFEST} does not tell its parts: "
            f"{error!r}): build it again, or load it again"
        ) from error
    if not isinstance(config, dict):
        raise EngineError("the engine's archive of the image has no configuration document")
    return SavedImage(config=config, layers=found)
