"""Where requests go: AWS, or a local SageMaker. The only difference is an endpoint URL."""

import atexit
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from sagedock.client import pace
from sagedock.client.pace import Pace
from sagedock.client.show import Show
from sagedock.errors import InvalidRequest, LocalServerError

__all__ = ["Place", "Target", "chosen_target", "place_of", "require_running"]

Target = Literal["aws", "local"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """An AWS, real or local. ``variables`` are what point a client at it; AWS needs none.

    ``ends_with_program`` is true of a local SageMaker that this program started.
    """

    pace: Pace
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    ends_with_program: bool = False

    @property
    def home(self) -> Path | None:
        """The folder that a local SageMaker keeps its objects in."""
        home = self.variables.get("SAGEDOCK_HOME")
        return Path(home) if home and self.variables.get("AWS_ENDPOINT_URL") else None

    def endpoint_url(self, service: str) -> str | None:
        """Return the address of ``service``, or None for AWS's own."""
        own = f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"
        return self.variables.get(own) or self.variables.get("AWS_ENDPOINT_URL")


def chosen_target(target: Target | None, environ: Mapping[str, str] = os.environ) -> Target:
    """Return ``target``, else $SAGEDOCK_TARGET, else ``local``, which costs nothing."""
    chosen = target or environ.get("SAGEDOCK_TARGET") or "local"
    for known in get_args(Target):
        if chosen == known:
            return chosen  # type: ignore[return-value]
    named = "target" if target else "SAGEDOCK_TARGET"
    raise InvalidRequest([f"{named}: {chosen!r} is neither 'local' nor 'aws': use one of them"])


def place_of(target: Target, show: Show, environ: Mapping[str, str] = os.environ) -> Place:
    """Return where ``target`` is; starts a local SageMaker where none runs.

    One that ``sagedock local run`` started is found by its variables, one that
    ``sagedock local up`` started by the folder it keeps.
    """
    if target == "aws":
        return Place(pace=pace.AWS)
    url = environ.get("AWS_ENDPOINT_URL", "")
    if _is_this_machine(url):
        return Place(pace=pace.LOCAL, variables=environ)
    from sagedock.local import default_home

    return _place_that_runs(environ) or _place_of_this_program(
        default_home(environ).absolute(), show
    )


def require_running(target: Target, environ: Mapping[str, str] = os.environ) -> None:
    """Raise LocalServerError if ``target`` is a local SageMaker, and none runs.

    For those who only look: what they would start has no job that runs.
    """
    if target == "aws" or _is_this_machine(environ.get("AWS_ENDPOINT_URL", "")):
        return
    if _place_that_runs(environ) is None:
        raise LocalServerError(
            "no local SageMaker runs: start one with `sagedock local up --detach`, or look at AWS "
            "with --target aws"
        )


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _place_that_runs(environ: Mapping[str, str]) -> Place | None:
    from sagedock.local import client_variables, default_home, running

    home = default_home(environ)
    server = running(home)
    if server is None:
        return None
    variables = client_variables(server.url, region=server.region, home=home)
    return Place(pace=pace.LOCAL, variables=variables)


@cache
def _place_of_this_program(home: Path, show: Show) -> Place:
    from sagedock.local import client_variables, up_with_program

    server, end = up_with_program(home)
    atexit.register(partial(_patiently_ended, end))
    show(f"local SageMaker started at {server.url}; it ends with this program")
    variables = client_variables(server.url, region=server.region, home=home)
    return Place(pace=pace.LOCAL, variables=variables, ends_with_program=True)


def _patiently_ended(end: Callable[[], None]) -> None:
    """End the local SageMaker; Ctrl-C does not wait for it, which ends by itself then."""
    with suppress(KeyboardInterrupt):
        end()
