"""A container's model data, laid out once for all instances of its variant."""

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagedock.local.hosting import reasons
from sagedock.local.hosting.archives import BadArchive, unpack
from sagedock.local.hosting.containers import Site
from sagedock.local.hosting.plan import ContainerPlan, VariantPlan
from sagedock.local.s3 import ObjectStore, S3Error
from sagedock.local.training.channels import lay_out, relative_path
from sagedock.local.training.unreadable import ChannelUnreadable
from sagedock.local.uris import S3Uri

__all__ = ["DataAbsent", "DataBroken", "DataUnusable", "Source", "lay_out_data", "lay_out_source"]

#: What is left free on the disk: an archive must not fill it.
_RESERVED_BYTES = 1024**3


class DataUnusable(Exception):
    """The model data cannot be served: ``reason`` is the service's words, the text says why."""

    def __init__(self, reason: str, why: str) -> None:
        self.reason = reason
        super().__init__(why)


class DataAbsent(DataUnusable):
    """It is not there, or did not come in time."""


class DataBroken(DataUnusable):
    """It is no archive of a model."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One S3DataSource of a container, as reasons name that, and how long it may take to come."""

    data: Mapping[str, Any]
    container: str
    most_s: float

    @property
    def uri(self) -> S3Uri:
        """Where it is."""
        return S3Uri.parse(self.data["S3Uri"])

    def absent(self, why: str) -> DataAbsent:
        """Return that it is not there."""
        return DataAbsent(reasons.data_inaccessible(str(self.uri)), why)

    def late(self) -> DataAbsent:
        """Return that it did not come in time."""
        why = f"it did not arrive in {self.most_s:g} s"
        return DataAbsent(reasons.data_not_found(str(self.uri), self.container), why)


def lay_out_data(
    site: Site, variant: VariantPlan, container: ContainerPlan, check_stop: Callable[[], None]
) -> None:
    """Make the folders of a container hold what it reads. Raises as ``lay_out_source`` does."""
    several = len(variant.containers) > 1
    for channel, data in container.sources.items():
        source = Source(
            data=data,
            container=container.name if several else reasons.ONLY_CONTAINER,
            most_s=variant.download_s,
        )
        folder = site.data_folder(variant, container, channel)
        lay_out_source(site.platform.objects, source, folder, check_stop)


def lay_out_source(
    objects: ObjectStore, source: Source, folder: Path, check_stop: Callable[[], None]
) -> None:
    """Make ``folder`` hold the model: an archive unpacked, or objects as hard links, not copied.

    ``check_stop`` is called again and again; what it raises ends it. Raises DataUnusable.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    ends, uri = time.monotonic() + source.most_s, source.uri

    def check() -> None:
        check_stop()
        if time.monotonic() > ends:
            raise source.late()

    try:
        if source.data["CompressionType"] == "Gzip":
            _unpacked(objects, uri, folder, check)
        else:
            _linked(objects, source, folder, check)
    except (S3Error, ChannelUnreadable) as error:
        raise source.absent(str(error)) from error
    except BadArchive as error:
        reason = reasons.data_not_extracted(str(uri), source.container)
        raise DataBroken(reason, f"{uri}: {error}") from error
    except OSError as error:
        raise DataUnusable(reasons.INTERNAL_ERROR, f"{uri}: {error}") from error


def _unpacked(
    objects: ObjectStore, uri: S3Uri, folder: Path, check_stop: Callable[[], None]
) -> None:
    _, archive = objects.open(uri.bucket, uri.key)
    room = max(0, shutil.disk_usage(folder.parent).free - _RESERVED_BYTES)
    with archive:
        unpack(archive, folder, most_bytes=room, check_stop=check_stop)


def _linked(
    objects: ObjectStore, source: Source, folder: Path, check_stop: Callable[[], None]
) -> None:
    found, uri = [], source.uri
    for stored in objects.objects(uri.bucket, uri.key):
        check_stop()
        is_wanted = uri.key.endswith("/") or uri.key in ("", stored.key)
        if is_wanted and not stored.key.endswith("/"):
            found.append((relative_path(uri.key, stored.key), stored))
    with suppress(FileExistsError):
        lay_out(found, folder)
    if not found:
        raise source.absent(f"{uri}: there is no object")
