"""File-mode and FastFile channels: a job's objects, laid out as folders without being copied.

A channel becomes a folder of hard links to the bucket's files. The container gets that folder as
the lower layer of an overlay, so it may write there, or (FastFile) as a read-only mount; and the
bucket never changes: not even when an object is overwritten meanwhile, for that makes a new file.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from sagedock.local.s3 import StoredObject
from sagedock.local.training.inputs import Input, Share
from sagedock.local.training.order import positions
from sagedock.local.training.sources import Source
from sagedock.local.training.unreadable import ChannelUnreadable, unreadable
from sagedock.local.uris import S3Uri

__all__ = ["ChannelUnreadable", "lay_out", "objects_of", "relative_path"]


def objects_of(source: Source, channel: Input, share: Share) -> Iterator[tuple[str, StoredObject]]:
    """Yield (relative path, object) of the channel's objects that one host gets.

    A sharded channel is dealt out by the objects' order, which a seed shuffles (for folders
    unverified). Raises ChannelUnreadable.
    """
    places: Iterable[int] | None = None
    if channel.sharded and channel.seed is not None:
        places = _places(sum(1 for _ in source.uris(channel)), channel.seed)
    for place, (prefix, stored) in _numbered(source.objects(channel), places):
        if share.takes(place):
            path = relative_path(prefix.key, stored.key)
            if channel.mode == "FastFile":
                _refuse_partial_name(prefix, stored)
            yield path, stored


def _numbered(
    objects: Iterator[tuple[S3Uri, StoredObject]], places: Iterable[int] | None
) -> Iterator[tuple[int, tuple[S3Uri, StoredObject]]]:
    return enumerate(objects) if places is None else zip(places, objects, strict=False)


def _places(count: int, seed: int) -> Iterable[int]:
    """Return each item's place in the shuffled order."""
    shuffled = positions(count, seed, epoch=0)
    places = positions(count, None, epoch=0)
    for place, item in enumerate(shuffled):
        places[item] = place
    return places


def _refuse_partial_name(prefix: S3Uri, stored: StoredObject) -> None:
    """Raise ChannelUnreadable unless the prefix names a folder or the object itself.

    FastFile shows folders. Source: the contract's RUNNING page ("must not correspond to a partial
    folder name"); the words are unverified.
    """
    names_all = prefix.key == "" or prefix.key.endswith("/")
    if not (names_all or stored.key == prefix.key or stored.key.startswith(f"{prefix.key}/")):
        raise ChannelUnreadable(
            f"FastFile mode needs an S3 prefix that names a whole folder, which {prefix} does not: "
            "end it with a slash"
        )


def relative_path(prefix: str, key: str) -> str:
    """Return where an object lies in its channel's folder.

    A prefix that names a folder is cut off; one that names an object leaves the object's name; one
    that ends inside a name (unverified) leaves the names in full.
    """
    if prefix == "" or prefix.endswith("/"):
        return key[len(prefix) :]
    if key.startswith(f"{prefix}/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def lay_out(objects: Iterable[tuple[str, StoredObject]], folder: Path) -> None:
    """Make ``folder`` hold the objects, as hard links to their files, or raise ChannelUnreadable.

    Where a link is impossible (another file system), the file is copied.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = {folder}
    for relative, stored in objects:
        where = S3Uri(bucket=stored.bucket, key=stored.key)
        if "//" in stored.key:
            raise unreadable(where, "has an illegal char sub-sequence '//' in it")
        target = folder / relative
        if "." in stored.key.split("/"):
            raise unreadable(where, "has a part '.', which no file can be named")
        try:
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            _link(stored.path, target)
        except (FileExistsError, NotADirectoryError) as error:
            raise unreadable(
                where, "is a file where another object's key needs a folder"
            ) from error
        except (OSError, ValueError) as error:  # ValueError: a null character
            raise unreadable(where, f"cannot be laid out as a file: {_why(error)}") from error


def _why(error: OSError | ValueError) -> str:
    """Return the system's words without the path, which would say the whole key again."""
    return getattr(error, "strerror", None) or str(error)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        if not target.is_file():
            raise  # else a manifest named the object twice
    except (NotADirectoryError, FileNotFoundError):
        raise
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, target)
