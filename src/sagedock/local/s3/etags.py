"""Entity tags and media types of files that somebody dropped into a bucket's folder by hand."""

import contextlib
import hashlib
import mimetypes

from sagedock.local.s3 import tree
from sagedock.local.s3.model import Kept, StoredObject

__all__ = ["kept_of_a_dropped_file", "tag_of_a_file"]

#: From this size on (bytes) clients upload in parts, and expect a tag that is no MD5.
_IN_PARTS = 8 * 1024 * 1024


def kept_of_a_dropped_file(key: str) -> Kept:
    """Return what S3 would keep of a file that came without any headers."""
    guessed, _ = mimetypes.guess_type(key)
    return Kept(headers={"content-type": guessed or "binary/octet-stream"})


def tag_of_a_file(file: StoredObject) -> str:
    """Return the MD5 of a small file; of a large one a tag of the form that multipart objects have.

    The latter changes with the file's size or time, and does not read it: a dropped data set of
    many gigabytes must not be read whole before it can be listed.
    """
    # A file that is gone by now, or that may not be read, must not spoil a whole listing.
    with contextlib.suppress(OSError):
        if file.size < _IN_PARTS:
            with tree.open_file(file.path) as content:
                return hashlib.md5(content.read(), usedforsecurity=False).hexdigest()
    known = f"{file.bucket}/{file.key}:{file.size}:{file.modified_ns}"
    return hashlib.md5(known.encode(), usedforsecurity=False).hexdigest() + "-1"
