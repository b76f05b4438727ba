"""Which objects a channel has: those of a prefix, or those that a manifest lists."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from sagedock.local.s3 import NoSuchKey, ObjectStore, S3Error, StoredObject
from sagedock.local.training.inputs import Input
from sagedock.local.training.manifest import BrokenManifest, read_manifest
from sagedock.local.training.unreadable import ChannelUnreadable, unreadable
from sagedock.local.uris import S3Uri

__all__ = ["Source"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """The objects of S3 channels, as a job in ``region`` sees them."""

    store: ObjectStore
    region: str

    def uris(self, channel: Input) -> Iterator[S3Uri]:
        """Yield the objects' URIs in order: the keys' order, or the manifest's.

        Folders' own markers, whose keys end with a slash, are left out. Whether an object of a
        manifest exists is not looked at. Raises ChannelUnreadable.
        """
        for uri, _ in self.listed(channel):
            yield uri

    def objects(self, channel: Input) -> Iterator[tuple[S3Uri, StoredObject]]:
        """Yield (prefix, object) of every object in order; see ``uris``.

        Raises ChannelUnreadable, also for an object of a manifest that does not exist.
        """
        where = _uri(channel)
        if channel.data_type == "S3Prefix":
            with self._readable(where):
                for found in self.store.objects(where.bucket, where.key):
                    if not found.key.endswith("/"):
                        yield where, found
            return
        for uri, prefix in self.listed(channel):
            yield prefix, self.find(uri)

    def find(self, uri: S3Uri) -> StoredObject:
        """Return one object, or raise ChannelUnreadable."""
        with self._readable(uri):
            return self.store.get(uri.bucket, uri.key)

    def open(self, uri: S3Uri) -> tuple[StoredObject, BinaryIO]:
        """Return one object and its bytes, or raise ChannelUnreadable."""
        with self._readable(uri):
            return self.store.open(uri.bucket, uri.key)

    def listed(self, channel: Input) -> Iterator[tuple[S3Uri, S3Uri]]:
        """Yield (object, prefix) of every object in order; see ``uris``."""
        where = _uri(channel)
        if channel.data_type == "S3Prefix":
            with self._readable(where):
                for key, _ in self.store.keys(where.bucket, where.key):
                    if not key.endswith("/"):
                        yield S3Uri(bucket=where.bucket, key=key), where
        else:
            yield from self._of_manifest(where)

    def _of_manifest(self, where: S3Uri) -> Iterator[tuple[S3Uri, S3Uri]]:
        _, file = self.open(where)
        with file:
            try:
                prefix, entries = read_manifest(file)
                self._check_region(where, prefix)
                for entry in entries:
                    key = prefix.key + entry
                    if not key.endswith("/"):
                        yield S3Uri(bucket=prefix.bucket, key=key), prefix
            except BrokenManifest as error:
                raise unreadable(where, f"is no manifest: {error}") from error

    def _check_region(self, manifest: S3Uri, prefix: S3Uri) -> None:
        """Refuse data of another region, as the service does for the manifest itself."""
        with self._readable(prefix):
            region = self.store.region(prefix.bucket)
        if region != self.region:
            raise unreadable(manifest, f"lists objects of {prefix}, a bucket in {region}")

    @contextmanager
    def _readable(self, uri: S3Uri) -> Iterator[None]:
        try:
            yield
        except NoSuchKey as error:
            raise unreadable(uri, "does not exist") from error
        except S3Error as error:
            raise unreadable(uri, f"cannot be read: {error.message}") from error
        except OSError as error:
            raise unreadable(uri, f"cannot be read: {error.strerror}") from error


def _uri(channel: Input) -> S3Uri:
    if channel.uri is None:
        raise ChannelUnreadable(f"channel {channel.name} is not in S3")
    return channel.uri
