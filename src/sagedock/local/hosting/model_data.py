"""A variant's model data, laid out once for all of its containers."""

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sagedock.local.hosting import reasons
from sagedock.local.hosting.archives import BadArchive, unpack
from sagedock.local.hosting.plan import VariantPlan
from sagedock.local.s3 import ObjectStore, S3Error
from sagedock.local.training.channels import lay_out, relative_path
from sagedock.local.training.unreadable import ChannelUnreadable
from sagedock.local.uris import S3Uri

__all__ = ["DataUnusable", "lay_out_data"]

#: What is left free on the disk: an archive must not fill it.
_RESERVED_BYTES = 1024**3


class DataUnusable(Exception):
    """The model data cannot be served: ``reason`` is the service's words, the text says why."""

    def __init__(self, reason: str, why: str) -> None:
        self.reason = reason
        super().__init__(why)


def lay_out_data(
    objects: ObjectStore, variant: VariantPlan, folder: Path, check_stop: Callable[[], None]
) -> None:
    """Make ``folder`` hold the model: an archive unpacked, or objects as hard links, not copied.

    ``check_stop`` is called again and again; what it raises ends it. Raises DataUnusable.
    """
    if variant.data is None:
        raise ValueError(f"variant {variant.name} has no data")
    uri = S3Uri.parse(variant.data["S3Uri"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + variant.download_s

    def check() -> None:
        check_stop()
        if time.monotonic() > ends:
            raise DataUnusable(
                reasons.data_not_found(str(uri)), f"it did not arrive in {variant.download_s} s"
            )

    try:
        if variant.data["CompressionType"] == "Gzip":
            _unpacked(objects, uri, folder, check)
        else:
            _linked(objects, uri, folder, check)
    except (S3Error, ChannelUnreadable) as error:
        raise DataUnusable(reasons.data_not_found(str(uri)), str(error)) from error
    except BadArchive as error:
        raise DataUnusable(reasons.data_not_extracted(str(uri)), f"{uri}: {error}") from error
    except OSError as error:
        raise DataUnusable(reasons.INTERNAL_ERROR, f"{uri}: {error}") from error


def _unpacked(
    objects: ObjectStore, uri: S3Uri, folder: Path, check_stop: Callable[[], None]
) -> None:
    _, archive = objects.open(uri.bucket, uri.key)
    room = max(0, shutil.disk_usage(folder.parent).free - _RESERVED_BYTES)
    with archive:
        unpack(archive, folder, most_bytes=room, check_stop=check_stop)


def _linked(objects: ObjectStore, uri: S3Uri, folder: Path, check_stop: Callable[[], None]) -> None:
    found = []
    for stored in objects.objects(uri.bucket, uri.key):
        check_stop()
        is_wanted = uri.key.endswith("/") or uri.key in ("", stored.key)
        if is_wanted and not stored.key.endswith("/"):
            found.append((relative_path(uri.key, stored.key), stored))
    with suppress(FileExistsError):
        lay_out(found, folder)
    if not found:
        raise DataUnusable(reasons.data_not_found(str(uri)), f"{uri}: there is no object")
