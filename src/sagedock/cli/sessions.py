"""The session of a command that only looks."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from sagedock.client import Session
    from sagedock.client.place import Target

__all__ = ["looking_session"]


def looking_session(target: "Target | None", region: str | None) -> "Session":
    """Return a session; no local SageMaker is started only to be looked at."""
    from sagedock.client import Session
    from sagedock.client.place import require_running

    session = Session(target=target, region=region, show=_say)
    require_running(session.target)
    return session


def _say(text: str) -> None:
    typer.echo(text, err=True)
