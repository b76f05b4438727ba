"""File-mode channels: a job's objects, laid out as folders without being copied.

A channel becomes a folder of hard links to the bucket's files. The container gets that folder as
the lower layer of an overlay, so it may write there, and the bucket never changes: not even when
an object is overwritten meanwhile, for that makes a new file.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sagedock.local.s3 import ObjectStore, StoredObject
from sagedock.local.uris import S3Uri

__all__ = ["ChannelUnreadable", "lay_out", "objects_of", "relative_path"]


class ChannelUnreadable(Exception):
    """The data of a channel cannot be laid out; the text says why, in the service's words."""


def objects_of(
    store: ObjectStore, channel: Mapping[str, Any], host_index: int, host_count: int
) -> Iterator[tuple[str, StoredObject]]:
    """Yield (relative path, object) of the channel's objects that one host gets.

    ShardedByS3Key deals the objects out by their order; FullyReplicated gives each host all.
    """
    source = channel["DataSource"]["S3DataSource"]
    uri = S3Uri.parse(source["S3Uri"])
    sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
    files = (each for each in store.objects(uri.bucket, uri.key) if not each.key.endswith("/"))
    for number, stored in enumerate(files):
        if not sharded or number % host_count == host_index:
            yield relative_path(uri.key, stored.key), stored


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
    folder.mkdir(parents=True)
    made = {folder}
    for relative, stored in objects:
        if "//" in stored.key:
            raise _unreadable(stored, "has an illegal char sub-sequence '//' in it")
        target = folder / relative
        if "." in stored.key.split("/"):
            raise _unreadable(stored, "has a part '.', which no file can be named")
        try:
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            _link(stored.path, target)
        except (FileExistsError, NotADirectoryError) as error:
            raise _unreadable(
                stored, "is a file where another object's key needs a folder"
            ) from error
        except (OSError, ValueError) as error:  # ValueError: a null character
            raise _unreadable(stored, f"cannot be laid out as a file: {_why(error)}") from error


def _unreadable(stored: StoredObject, why: str) -> ChannelUnreadable:
    return ChannelUnreadable(
        f"Failed to download data. S3 key: s3://{stored.bucket}/{stored.key} {why}"
    )


def _why(error: OSError | ValueError) -> str:
    """Return the system's words without the path, which would say the whole key again."""
    return getattr(error, "strerror", None) or str(error)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except (PermissionError, OSError) as error:
        if isinstance(error, FileExistsError | NotADirectoryError | FileNotFoundError):
            raise
        shutil.copyfile(source, target)
