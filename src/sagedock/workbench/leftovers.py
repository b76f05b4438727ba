"""What a workbench has in the engine and on the disk, and what a killed one left there."""

import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sagedock.engine import Engine, Found

__all__ = ["labels_of", "own_folder", "sweep"]

#: Holds the workbench's folder; the other one the machine that the folder is on.
_LABEL = "sagedock.workbench"
_HOST_LABEL = "sagedock.workbench.host"
_PREFIX = "sagedock-workbench-"
_LOCK = "lock"


@contextmanager
def own_folder() -> Iterator[Path]:
    """Yield a new folder, locked for as long as this process has it, and then removed."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with (folder / _LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder)


def labels_of(folder: Path) -> Mapping[str, str]:
    """Return the labels of what the workbench of ``folder`` has in the engine."""
    return {_LABEL: str(folder), _HOST_LABEL: socket.gethostname()}


def sweep(engine: Engine) -> Iterator[Found]:
    """Remove what workbenches of this machine left that run no more; yield each container."""
    for found in engine.containers({_LABEL: "", _HOST_LABEL: socket.gethostname()}):
        folder = Path(found.labels[_LABEL])
        if _is_held(folder):
            continue
        engine.remove(found.id)
        for network in engine.networks(labels_of(folder)):
            engine.remove_network(network)
        if folder.name.startswith(_PREFIX) and (folder / _LOCK).is_file():
            shutil.rmtree(folder, ignore_errors=True)
        yield found


def _is_held(folder: Path) -> bool:
    """Say whether a process has the folder's lock; one that we may not look at counts as held."""
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
