"""What keeps files of a job from becoming objects, in the service's words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sagedock.local.s3 import S3Error

__all__ = ["UploadFailed", "uploading"]

#: Source: huggingface/blog#114.
_DISK_FULL = "Insufficient disk space"


class UploadFailed(Exception):
    """Something could not be stored; the text says why, ``uri`` where, if that is known."""

    def __init__(self, why: str, uri: str = "") -> None:
        super().__init__(why)
        self.uri = uri


@contextmanager
def uploading(uri: str = "") -> Iterator[None]:
    """Raise UploadFailed where S3 refuses what is stored, below ``uri``, or the disk is full."""
    try:
        yield
    except S3Error as error:
        raise UploadFailed(error.message, uri) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise UploadFailed(_DISK_FULL, uri) from error
        raise
