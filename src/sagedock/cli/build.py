"""``sagedock build``: images of containers/images.toml, built by this machine's docker client."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sagedock.cli import build_remote_options as options
from sagedock.cli.signals import interruptible

if TYPE_CHECKING:
    from sagedock.images import BuiltImage, Image

__all__ = ["build"]

_INTERRUPTED = "interrupted: build again, and steps that are done are not done again"
_Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...",
        help="Images of containers/images.toml; those for the CPU by default.",
        show_default=False,
    ),
]
_NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Carry out every step anew, also where nothing changed.")
]
_Logins = Annotated[
    list[str] | None,
    typer.Option(
        "--login-registry",
        metavar="HOST",
        help="Log in to ECR's registry of a base image; may be given several times.",
        show_default=False,
    ),
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON list.")]


def build(
    names: _Names = None,
    no_cache: _NoCache = False,
    login_registry: _Logins = None,
    as_json: _AsJson = False,
    remote: options.Remote = False,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    detach: options.Detach = False,
    attach: options.Attach = None,
    print_policy: options.PrintPolicy = False,
    target: options.TargetOption = None,
    region: options.Region = None,
    project: options.Project = None,
    bucket: options.Bucket = None,
    tag: options.Tag = None,
    compute_type: options.ComputeType = options.Asked.compute_type,
    environment_image: options.EnvironmentImage = options.Asked.environment_image,
    timeout: options.TimeoutMin = options.Asked.timeout_min,
    cache: options.CacheOption = options.Asked.cache,
    allow_file: options.AllowFile = None,
    source_days: options.SourceDays = options.Asked.source_days,
    log_days: options.LogDays = options.Asked.log_days,
) -> None:
    """Build images of containers/images.toml in the project's folder.

    Python packages are gathered by this machine's pip first. Progress goes to standard error; the
    whole output of a build to build/logs/NAME.log. With --remote CodeBuild builds and pushes them.
    """
    asked = options.asked(locals())
    options.refuse_apart(asked, remote=remote, no_cache=no_cache)
    if remote:
        from sagedock.cli.build_remote import build_remotely

        build_remotely(asked)
        return
    _build_here(names or [], no_cache, login_registry or [], as_json)


def _build_here(
    names: Sequence[str], no_cache: bool, login_registry: Sequence[str], as_json: bool
) -> None:
    from sagedock import engine
    from sagedock.images import find_matrix, load_images
    from sagedock.images.choice import chosen_images
    from sagedock.images.logins import ecr_login, logged_in

    matrix = find_matrix()
    images = load_images(matrix)
    connected = engine.connect()
    chosen = chosen_images(names, images, _is_there(connected))
    logins = [ecr_login(host, _ecr) for host in login_registry]
    with interruptible(_INTERRUPTED), logged_in(logins) as environ:
        built = list(_built(chosen, matrix.parent.parent, no_cache, environ))
    typer.echo(_as_json(built) if as_json else "\n".join(_lines(built)))


def _built(
    chosen: "Sequence[Image]", root: Path, no_cache: bool, environ: dict[str, str]
) -> "Iterator[BuiltImage]":
    from sagedock.images import build_image

    for image in chosen:
        say = _timed()
        yield build_image(image, root=root, progress=say, environ=environ, no_cache=no_cache)
        say(f"{image.name}: {image.reference} is ready")


def _timed() -> Callable[[str], None]:
    """Return what says a line on standard error, with the seconds since now."""
    began = time.monotonic()

    def say(line: str) -> None:
        typer.echo(f"{time.monotonic() - began:6.1f} s  {line}", err=True)

    return say


def _lines(built: "Sequence[BuiltImage]") -> Iterator[str]:
    yield from (f"{each.name} {each.reference} {each.id}" for each in built)


def _as_json(built: "Sequence[BuiltImage]") -> str:
    return json.dumps([asdict(each) for each in built], indent=2)


def _is_there(connected: Any) -> Callable[[str], bool]:
    from sagedock.errors import ImageNotFound

    def is_there(reference: str) -> bool:
        try:
            connected.image(reference)
        except ImageNotFound:
            return False
        return True

    return is_there


def _ecr(region: str) -> Any:
    import boto3

    return boto3.client("ecr", region_name=region)
