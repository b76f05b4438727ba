"""Checkpoints: restored from S3 before the containers start, mirrored to it while they run.

What is new or changed below the local path is stored, what vanishes there is deleted. All hosts
share one prefix; files that end in ``paths.UNSYNCED`` are left alone.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
"""

import contextlib
import logging
import shutil
import tarfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sagedock.contract import paths
from sagedock.engine import OverlayFile, open_overlay_file
from sagedock.errors import SagedockError
from sagedock.local.platform import Platform
from sagedock.local.s3 import S3Error, check_key
from sagedock.local.training.artifacts import below_the_top, opened
from sagedock.local.training.channels import ChannelUnreadable, lay_out, relative_path
from sagedock.local.training.collect import upload_of
from sagedock.local.training.layout import checkpoint_path
from sagedock.local.uris import S3Uri

__all__ = ["CheckpointSync", "restore"]

_log = logging.getLogger(__name__)
_CHUNK_BYTES = 4 * 1024 * 1024
#: Where the engine's folders cannot be read, each look costs a copy of everything: it is given at
#: most this share of the time.
_ARCHIVE_SHARE = 10
_Stamp = tuple[int, float]


def _prefix(request: Mapping[str, Any]) -> S3Uri:
    """Return the S3 prefix, as a folder."""
    uri = S3Uri.parse(request["CheckpointConfig"]["S3Uri"])
    return S3Uri(bucket=uri.bucket, key=f"{uri.key.strip('/')}/".lstrip("/"))


def restore(platform: Platform, request: Mapping[str, Any], folder: Path) -> None:
    """Lay the checkpoints that S3 has out in ``folder``, without copying them.

    Raises ChannelUnreadable.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if checkpoint_path(request) is None:
        return
    uri = _prefix(request)
    if not platform.objects.has_bucket(uri.bucket):
        raise ChannelUnreadable(
            f"The bucket of CheckpointConfig.S3Uri does not exist: {uri.bucket}"
        )
    found = platform.objects.objects(uri.bucket, uri.key)
    lay_out(
        ((relative_path(uri.key, each.key), each) for each in found if each.key[-1:] != "/"), folder
    )


@dataclass
class _Host:
    """What is known of one host's folder: each file as it was stored last; those that cannot be."""

    container: str
    stored: dict[str, _Stamp] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def takes(self, name: str, key: str) -> bool:
        """Say whether a file is to be mirrored; of one that no object can hold, the log says so."""
        if name.endswith(paths.UNSYNCED) or name in self.refused:
            return False
        try:
            check_key(key)
        except (S3Error, UnicodeEncodeError) as error:
            _log.warning("checkpoints: %r cannot be a key: %s", name, error)
            self.refused.add(name)
            return False
        return True


class CheckpointSync:
    """Mirrors the checkpoints of running containers (host to container id) to S3.

    ``restored`` is the folder that ``restore`` filled, or None where a killed server did.
    """

    def __init__(
        self,
        platform: Platform,
        request: Mapping[str, Any],
        containers: Mapping[str, str],
        restored: Path | None,
    ) -> None:
        self._platform = platform
        self._path = checkpoint_path(request) or ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._hosts: list[_Host] = []
        if self._path:
            self._uri = _prefix(request)
            known = _stamps(restored) if restored else self._known_to_s3(len(containers))
            self._hosts = [
                _Host(container=container, stored=dict(known)) for container in containers.values()
            ]
            self._thread.start()

    def close(self) -> None:
        """Mirror what containers that ended left; raise UploadFailed where it cannot be."""
        self.abandon()
        with upload_of(self._path):
            for host in self._hosts:
                self._mirror(host, final=True)

    def abandon(self) -> None:
        """Mirror nothing more; returns once nothing is being mirrored."""
        self._closing.set()
        if self._hosts:
            self._thread.join()

    def _run(self) -> None:
        pause_s = self._platform.settings.checkpoint_sync_s
        while not self._closing.wait(pause_s):
            began = time.monotonic()
            for host in self._hosts:
                try:
                    self._mirror(host, final=False)
                # TarError: a file got shorter while the engine packed it.
                except (SagedockError, OSError, tarfile.TarError) as error:
                    _log.warning("checkpoints: %s; trying again", error)
            took_s = time.monotonic() - began
            pause_s = max(self._platform.settings.checkpoint_sync_s, _ARCHIVE_SHARE * took_s)

    def _known_to_s3(self, hosts: int) -> dict[str, _Stamp]:
        """Return what one host must have had: it is stored anew, or deleted if it is gone.

        Of several hosts nobody knows which had what.
        """
        if hosts > 1:
            return {}
        found = self._platform.objects.objects(self._uri.bucket, self._uri.key)
        return {relative_path(self._uri.key, each.key): (-1, 0.0) for each in found}

    def _mirror(self, host: _Host, *, final: bool) -> None:
        seen = set()
        for name, stamp, content in self._files(host.container):
            if not host.takes(name, self._uri.key + name):
                continue
            seen.add(name)
            if host.stored.get(name) == stamp:
                continue
            with contextlib.suppress(FileNotFoundError):  # it is gone, or another one, meanwhile
                if self._store(name, content):
                    host.stored[name] = stamp
        gone = host.stored.keys() - seen
        # A file that is being replaced may not be seen once; one that is gone stays gone.
        for name in gone if final else gone & host.missed:
            self._platform.objects.delete(self._uri.bucket, self._uri.key + name)
            del host.stored[name]
        host.missed = gone

    def _files(self, container: str) -> "Iterator[tuple[str, _Stamp, _Content]]":
        """Yield (path, stamp, content) of each file. A content is read before the next one."""
        files = self._platform.engine.files(container, self._path)
        if files is not None:
            for each in files:
                yield each.relative, (each.size, each.mtime_ns), each
            return
        with opened(self._platform.engine, container, self._path) as archive:
            for member in archive:
                if member.isreg():
                    stamp = (member.size, float(member.mtime))
                    yield below_the_top(member.name), stamp, archive.extractfile(member)

    def _store(self, name: str, content: "_Content") -> bool:
        """Store one file whole; say whether it stayed as it was while it was read."""
        copy = self._platform.scratch_folder / uuid.uuid4().hex
        try:
            source = open_overlay_file(content) if isinstance(content, OverlayFile) else content
            if source is None:
                return False
            with source, copy.open("wb") as target:
                shutil.copyfileobj(source, target, _CHUNK_BYTES)
            if isinstance(content, OverlayFile) and not _is_still(content):
                return False
            self._platform.objects.put_file(self._uri.bucket, self._uri.key + name, copy)
        finally:
            copy.unlink(missing_ok=True)
        return True


_Content = OverlayFile | IO[bytes] | None


def _is_still(file: OverlayFile) -> bool:
    status = (file.layer / file.relative).lstat()
    return (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns)


def _stamps(folder: Path) -> dict[str, _Stamp]:
    """Return the stamps of what was restored: as it is, it need not be stored again."""
    found: dict[str, _Stamp] = {}
    for path in folder.rglob("*") if folder.is_dir() else ():
        status = path.lstat()
        if path.is_file():
            found[str(path.relative_to(folder))] = (status.st_size, status.st_mtime_ns)
    return found
