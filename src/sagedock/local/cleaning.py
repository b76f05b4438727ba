"""Removing everything that local SageMakers left in the engine, and one home's state."""

import shutil
from collections.abc import Callable
from pathlib import Path

from sagedock.engine import Engine, GivenNames
from sagedock.errors import EngineError, LocalServerError, StorageError
from sagedock.local.daemon import running
from sagedock.local.home import Home
from sagedock.local.platform import HOME_LABEL, home_id

__all__ = ["clean"]


def clean(home: Path, engine: Engine | None, say: Callable[[str], None]) -> None:
    """Remove the containers, networks and volumes of ``home``, and what the folder holds.

    Only what carries the home's label, names that we gave images, and files of our own making, are
    touched. An image goes with its last name. ``engine`` None leaves the engine alone, and the
    record of those names; the folder of an engine that `make engine` started stays too, for it
    names the process to end. Raises LocalServerError while a server runs there, StorageError for a
    folder that is no local SageMaker's.
    """
    folder = Home(home)
    if not folder.is_ours():
        raise StorageError(
            f"{home} holds {folder.strangers()[0].name} and is no local SageMaker's folder: "
            "nothing was removed"
        )
    if found := running(home):
        raise LocalServerError(
            f"a local SageMaker runs on {home} (process {found.pid}): end it first with "
            "`sagedock local down`"
        )
    if engine is not None:
        labels = {HOME_LABEL: home_id(home)}
        for container in engine.containers(labels):
            engine.remove(container.id)
            say(f"removed container {container.name}")
        for network in engine.networks(labels):
            engine.remove_network(network)
            say(f"removed network {network}")
        for volume in engine.volumes(labels):
            engine.remove_volume(volume)
        _take_names(folder.given_names, engine, say)
    kept = folder.given_names.every()
    if kept and engine is None:
        say(f"no engine answers: clean again when one does, which may have {', '.join(kept)}")
    for entry in folder.entries():
        if kept and entry == folder.given_names.folder:
            continue
        _remove(entry)
        say(f"removed {entry}")
    if home.exists() and not list(home.iterdir()):
        home.rmdir()


def _take_names(names: GivenNames, engine: Engine, say: Callable[[str], None]) -> None:
    """Take away the names that we gave images. One that the engine holds on to stays written
    down: a container of somebody else's uses the image.
    """
    for reference in names.every():
        try:
            if names.take(engine, reference):
                say(f"removed the image's name {reference}")
        except EngineError as error:
            say(f"kept the image's name {reference}: {error}: remove what uses it, and clean again")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
