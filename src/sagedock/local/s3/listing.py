"""One page of a bucket's keys, rolled up at a delimiter."""

import os
from dataclasses import dataclass

from sagedock.local.s3.model import StoredObject
from sagedock.local.s3.store import ObjectStore

__all__ = ["Page", "common_prefix", "list_page"]


@dataclass(frozen=True, kw_only=True)
class Page:
    """``last`` is the key or common prefix that the next page starts after."""

    contents: tuple[StoredObject, ...]
    prefixes: tuple[str, ...]
    truncated: bool
    last: str


def list_page(
    store: ObjectStore, bucket: str, *, prefix: str, delimiter: str, after: str, limit: int
) -> Page:
    """Return at most ``limit`` keys and common prefixes that follow ``after``, in byte order."""
    found: list[tuple[str, os.DirEntry[str] | None]] = []
    prefixes: list[str] = []
    last = after
    truncated = False
    for key, entry in store.keys(bucket, prefix, after, flat=delimiter == "/"):
        common = common_prefix(key, prefix, delimiter)
        if common and common == last:
            continue
        if len(found) + len(prefixes) >= limit:
            truncated = limit > 0
            break
        last = common or key
        if common:
            prefixes.append(common)
        else:
            found.append((key, entry))
    return Page(
        contents=tuple(store.load(bucket, found)),
        prefixes=tuple(prefixes),
        truncated=truncated,
        last=last,
    )


def common_prefix(key: str, prefix: str, delimiter: str) -> str:
    """Return ``key`` up to its first delimiter after ``prefix``; empty where there is none."""
    if not delimiter:
        return ""
    end = key.find(delimiter, len(prefix))
    return key[: end + len(delimiter)] if end >= 0 else ""
