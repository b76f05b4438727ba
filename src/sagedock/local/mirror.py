"""Folders of containers, mirrored to S3 while the containers run, and once more at their end."""

import logging
import tarfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sagedock.errors import SagedockError
from sagedock.local.container_files import Stamp, found_files, store_file
from sagedock.local.platform import Platform
from sagedock.local.s3 import S3Error, check_key
from sagedock.local.uploads import uploading
from sagedock.local.uris import S3Uri

__all__ = ["Mirror", "Mirrored"]

_log = logging.getLogger(__name__)
#: Where the engine's folders cannot be read, each look costs a copy of everything: it is given at
#: most this share of the time.
_ARCHIVE_SHARE = 10


@dataclass(kw_only=True)
class Mirrored:
    """One folder of one container, and what is known of it.

    It is ``below`` in the container's overlay at ``target``, and goes to ``uri``, a folder. With
    ``at_once`` that is while the container runs, else at its end; with ``deletes`` what vanishes is
    deleted in S3. Files that end in ``unsynced`` are left alone. ``stored`` has each file as it was
    stored last.
    """

    container: str
    target: str
    uri: S3Uri
    below: str = ""
    at_once: bool = True
    deletes: bool = False
    unsynced: str | None = None
    stored: dict[str, Stamp] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def takes(self, name: str) -> bool:
        """Say whether a file is to be mirrored; of one that no object can hold, the log says so."""
        if name in self.refused or (self.unsynced and name.endswith(self.unsynced)):
            return False
        try:
            check_key(self.uri.key + name)
        except (S3Error, UnicodeEncodeError) as error:
            _log.warning("%s: %r cannot be a key: %s", self.target, name, error)
            self.refused.add(name)
            return False
        return True


class Mirror:
    """Mirrors ``folders`` from ``start`` to ``close`` or ``abandon``."""

    def __init__(self, platform: Platform, folders: Sequence[Mirrored]) -> None:
        self._platform = platform
        self._folders = folders
        self._at_once = [each for each in folders if each.at_once]
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def start(self) -> None:
        """Begin with what is to be mirrored while containers run."""
        if self._at_once:
            self._thread.start()

    def close(self) -> None:
        """Mirror what containers that ended left; raise UploadFailed where it cannot be."""
        self.abandon()
        for folder in self._folders:
            with uploading(str(folder.uri)):
                self._mirror(folder, final=True)

    def abandon(self) -> None:
        """Mirror nothing more; returns once nothing is being mirrored."""
        self._closing.set()
        if self._at_once and self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        pause_s = self._platform.settings.checkpoint_sync_s
        while not self._closing.wait(pause_s):
            began = time.monotonic()
            for folder in self._at_once:
                try:
                    self._mirror(folder, final=False)
                # TarError: a file got shorter while the engine packed it.
                except (SagedockError, OSError, tarfile.TarError) as error:
                    _log.warning("%s: %s; trying again", folder.target, error)
            took_s = time.monotonic() - began
            pause_s = max(self._platform.settings.checkpoint_sync_s, _ARCHIVE_SHARE * took_s)

    def _mirror(self, folder: Mirrored, *, final: bool) -> None:
        seen = set()
        engine = self._platform.engine
        for found in found_files(engine, folder.container, folder.target, folder.below):
            if not folder.takes(found.name):
                continue
            seen.add(found.name)
            if folder.stored.get(found.name) == found.stamp:
                continue
            key = folder.uri.key + found.name
            if store_file(self._platform, found, S3Uri(bucket=folder.uri.bucket, key=key)):
                folder.stored[found.name] = found.stamp
        if folder.deletes:
            self._delete(folder, folder.stored.keys() - seen, final=final)

    def _delete(self, folder: Mirrored, gone: set[str], *, final: bool) -> None:
        """Delete what is gone. A file that is being replaced may not be seen once; one that is gone
        stays gone.
        """
        for name in gone if final else gone & folder.missed:
            self._platform.objects.delete(folder.uri.bucket, folder.uri.key + name)
            del folder.stored[name]
        folder.missed = gone
