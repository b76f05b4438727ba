"""The model and the code, laid out as the platform would: the source is the model's code/."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sagedock.client.model_archive import CODE_FOLDER
from sagedock.contract import paths
from sagedock.engine import BindMount
from sagedock.errors import InvalidRequest, StorageError
from sagedock.workbench.handler import Handler

__all__ = ["Layout"]

_FOLDER, _FILE, _PROGRAM = 0o755, 0o644, 0o755
_EXECUTABLE = 0o100
#: What is left free on the disk: an archive must not fill it.
_RESERVED_BYTES = 1024**3


class Layout:
    """A folder that containers see read-only as their model.

    An archive is unpacked into it. Of a model's folder it holds empty mount points: nothing is
    copied. The code is a copy, so that a container never sees half of an edit.
    """

    def __init__(self, folder: Path, handler: Handler) -> None:
        self._folder = folder
        self._handler = handler
        self._mounts: tuple[BindMount, ...] = ()

    @property
    def code(self) -> Path:
        """The folder of the code."""
        return self._folder / CODE_FOLDER

    def lay_out_model(self) -> None:
        """Lay the model out, once. Raises InvalidRequest for an archive that is none."""
        model = self._handler.model
        if model is not None and not model.is_dir():
            _unpack(model, self._folder)
            return
        self._folder.mkdir(mode=_FOLDER)
        self._mounts = () if model is None else tuple(self._mount_points(model))

    def lay_out_code(self) -> None:
        """Copy the source as it is now, in the place of what was there. Raises StorageError."""
        if self.code.is_dir():
            shutil.rmtree(self.code)
        self.code.unlink(missing_ok=True)  # an archive may hold a file of that name
        self.code.mkdir(mode=_FOLDER)
        for name, path in self._handler.packed().members().items():
            try:
                with suppress(FileNotFoundError):  # an editor's file, gone again
                    _copy(path, self.code / name)
            except OSError as error:
                raise StorageError(f"{path}: {error.strerror}: it cannot be copied") from error

    def mounts(self) -> tuple[BindMount, ...]:
        """Return what a container mounts."""
        whole = BindMount(target=paths.MODEL.path, source=self._folder, read_only=True)
        return (whole, *self._mounts)

    def _mount_points(self, model: Path) -> Iterator[BindMount]:
        for entry in sorted(model.iterdir()):
            if entry.name == CODE_FOLDER:
                continue
            point = self._folder / entry.name
            if entry.is_dir():
                point.mkdir(mode=_FOLDER)
            else:
                point.touch(mode=_FILE)
            target = f"{paths.MODEL}/{entry.name}"
            yield BindMount(target=target, source=entry.resolve(), read_only=True)


def _unpack(archive: Path, folder: Path) -> None:
    from sagedock.local.hosting.archives import BadArchive, unpack

    room = max(0, shutil.disk_usage(folder.parent).free - _RESERVED_BYTES)
    try:
        with archive.open("rb") as file:
            unpack(file, folder, most_bytes=room, check_stop=lambda: None)
    except BadArchive as error:
        raise InvalidRequest([f"model: {archive} is no model.tar.gz: {error}"]) from error
    except OSError as error:
        raise StorageError(f"{archive}: cannot be unpacked into {folder}: {error}") from error


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    target.chmod(_PROGRAM if path.stat().st_mode & _EXECUTABLE else _FILE)
