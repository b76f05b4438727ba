"""What keeps files of a job from becoming objects, in the service's words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sagedock.local.s3 import S3Error

__all__ = ["UploadFailed", "uploading"]

#: Source: huggingface/blog#114.
_DISK_FULL = "Insufficient disk space"


class UploadFailed(Exception):
    """Something could not be stored; the text says why."""


@contextmanager
def uploading() -> Iterator[None]:
    """Raise UploadFailed where S3 refuses what is stored, or the disk is full."""
    try:
        yield
    except S3Error as error:
        raise UploadFailed(error.message) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise UploadFailed(_DISK_FULL) from error
        raise
