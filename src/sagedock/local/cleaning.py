"""Removing everything that local SageMakers left in the engine, and one home's state."""

import shutil
from collections.abc import Callable
from pathlib import Path

from sagedock.engine import Engine
from sagedock.errors import LocalServerError
from sagedock.local.daemon import running
from sagedock.local.platform import HOME_LABEL, home_id

__all__ = ["clean"]


def clean(home: Path, engine: Engine | None, say: Callable[[str], None]) -> None:
    """Remove the containers and networks of ``home``, and the folder itself.

    Only what carries the home's label is touched. ``engine`` None leaves the engine alone. Raises
    LocalServerError while a server runs there.
    """
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
    if home.exists():
        shutil.rmtree(home)
        say(f"removed {home}")
