"""``sagedock build --remote``: images built and pushed by CodeBuild."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sagedock.cli.build_remote_options import Asked, Policy
from sagedock.cli.signals import interruptible

if TYPE_CHECKING:
    from sagedock.images import Image
    from sagedock.images.remote.aws import Aws
    from sagedock.images.remote.builds import Follower
    from sagedock.images.remote.changes import Change
    from sagedock.images.remote.documents import Document
    from sagedock.images.remote.packing import Packed
    from sagedock.images.remote.plan import State
    from sagedock.images.remote.wanted import Wanted

__all__ = ["build_remotely"]

#: What stands in for the account in a plan without credentials; AWS's documents use it.
_NOBODY = "111122223333"
_POLICIES: "Mapping[Policy, Document]" = {"build": "person-build", "setup": "person-setup"}
_AGAIN = "interrupted: what was made stays, and the same command goes on from there"


def build_remotely(asked: Asked) -> None:
    """Carry out what was asked; the last lines are the images' URIs by digest."""
    if asked.attach:
        _attached(asked, asked.attach)
        return
    from sagedock.images import find_matrix, load_images
    from sagedock.images.choice import chosen_images
    from sagedock.images.remote.documents import document

    root = find_matrix().parent.parent
    matrix = load_images(find_matrix())
    # An image that another starts from is built there beside it, and not pushed.
    images = chosen_images(asked.names, matrix, lambda _: True)
    aws = _aws(asked)
    wanted, state = _wanted(asked, aws, root, images=images, matrix=matrix)
    if asked.print_policy:
        policy = document(_POLICIES[asked.print_policy], wanted.placeholders())
        typer.echo(json.dumps(policy, indent=2))
        return
    with _packed(root, asked.allow_file) as packed:
        if asked.dry_run:
            _show(_plan(wanted, state, packed), as_json=asked.as_json)
            _warn(wanted)
            return
        build_id = _started(asked, aws, wanted, state, packed)
    if asked.detach:
        typer.echo(build_id)
        return
    _finished(aws, wanted, build_id, as_json=asked.as_json)


def _attached(asked: Asked, build_id: str) -> None:
    aws = _aws(asked)
    project = build_id.partition(":")[0]
    wanted = _made(asked, aws, project=project, account=_account(aws))
    _finished(aws, wanted, build_id, as_json=asked.as_json)


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _aws(asked: Asked) -> "Aws":
    from sagedock.client import Session
    from sagedock.images.remote.aws import Aws

    target = asked.target or (None if os.environ.get("SAGEDOCK_TARGET") else "aws")
    session = Session(target=target, region=asked.region, show=_say)
    elsewhere = asked.attach or asked.print_policy
    otherwise = "" if elsewhere else "see the plan with --dry-run, which needs none"
    return Aws(client=session.client, region=session.region, otherwise=otherwise)


def _account(aws: "Aws") -> str:
    return str(aws.call("sts", "GetCallerIdentity")["Account"])


def _wanted(
    asked: Asked, aws: "Aws", root: Path, **images: "tuple[Image, ...]"
) -> "tuple[Wanted, State]":
    """Return what is wanted, and what there is. A plan without credentials is one for an account
    in which there is nothing; a policy is of one's own account, and a profile is meant.
    """
    from botocore.exceptions import ProfileNotFound

    from sagedock.errors import NoCredentials
    from sagedock.images.remote.plan import NOTHING, read_state
    from sagedock.images.remote.wanted import project_name

    how: dict[str, Any] = {
        "project": asked.project or project_name(root.resolve().name),
        "revision": _revision(root),
        **images,
    }
    try:
        account = _account(aws)
    except NoCredentials as error:
        if not asked.dry_run or asked.print_policy or isinstance(error.__cause__, ProfileNotFound):
            raise
        _say(f"no credentials: {_NOBODY} stands in for the account, which has nothing yet")
        return _made(asked, aws, account=_NOBODY, **how), NOTHING
    wanted = _made(asked, aws, account=account, **how)
    return wanted, NOTHING if asked.print_policy else read_state(aws, wanted)


def _revision(root: Path) -> str | None:
    """Return the commit of the sources, with ``-dirty`` where they differ from it."""
    from sagedock.images.push_record import git_state

    git = git_state(root, environ={})
    return f"{git['git_revision']}-dirty" if git["git_dirty"] else git["git_revision"]


def _made(
    asked: Asked,
    aws: "Aws",
    *,
    account: str,
    project: str,
    images: "tuple[Image, ...]" = (),
    matrix: "tuple[Image, ...]" = (),
    revision: str | None = None,
) -> "Wanted":
    from sagedock.errors import InvalidRequest
    from sagedock.images.remote.wanted import Wanted, wanted_problems

    wanted = Wanted(
        account=account,
        region=aws.region,
        partition=_partition(aws.region),
        project=project,
        images=images,
        matrix=matrix,
        bucket=asked.bucket or "",
        registries=asked.registries,
        compute=asked.compute_type,
        environment=asked.environment_image,
        timeout_min=asked.timeout_min,
        cache=asked.cache,
        source_days=asked.source_days,
        log_days=asked.log_days,
        tag=asked.tag,
        revision=revision,
    )
    if problems := wanted_problems(wanted):
        raise InvalidRequest(problems)
    return wanted


def _partition(region: str) -> str:
    from botocore.exceptions import UnknownRegionError
    from botocore.session import Session

    from sagedock.errors import InvalidRequest

    # The user's profile says nothing about it, and may not be there.
    session = Session(session_vars={"profile": (None,) * 4})
    try:
        return str(session.get_partition_for_region(region))
    except UnknownRegionError as error:
        raise InvalidRequest([f"--region: {error}: give one like us-west-2"]) from error


@contextmanager
def _packed(root: Path, allowed: Sequence[str]) -> "Iterator[Packed]":
    from sagedock.images.remote.packing import pack
    from sagedock.images.remote.sources import project_sources

    with tempfile.TemporaryDirectory(prefix="sagedock-remote-") as private:
        yield pack(project_sources(root, allowed=allowed), Path(private) / "sources.zip")


def _plan(wanted: "Wanted", state: "State", packed: "Packed") -> "tuple[Change, ...]":
    from sagedock.images.remote.plan import planned

    return planned(wanted, state, packed)


def _show(changes: "Sequence[Change]", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([each.document() for each in changes], indent=2))
        return
    for change in changes:
        typer.echo(change.text())
        for call in change.calls:
            told = json.dumps(call.parameters, indent=2, ensure_ascii=False)
            typer.echo(f"{call.service} {call.operation} {told}")


def _warn(wanted: "Wanted") -> None:
    """Say what may keep the build from its bases; without an engine here, less is known."""
    from sagedock import engine
    from sagedock.errors import EngineError
    from sagedock.images.remote.bases import base_warnings

    try:
        here = engine.connect()
    except EngineError:
        here = None
    for warning in base_warnings(wanted, here):
        _say(f"warning: {warning}")


def _started(asked: Asked, aws: "Aws", wanted: "Wanted", state: "State", packed: "Packed") -> str:
    """Show the plan, have it agreed to, carry it out, and return the id of the build."""
    from sagedock.images.remote.builds import start_build
    from sagedock.images.remote.carrying_out import carry_out, send_sources
    from sagedock.images.remote.plan import lasting_changes, start_call

    for change in _plan(wanted, state, packed):
        _say(change.text())
    _warn(wanted)
    _agree(asked)
    with interruptible(_AGAIN):
        carry_out(aws, lasting_changes(wanted, state), say=_say)
        send_sources(aws, wanted, packed, say=_say)
        build_id = start_build(aws, start_call(wanted, packed))
        _say(f"started {build_id}")
    return build_id


def _agree(asked: Asked) -> None:
    from sagedock.errors import InvalidRequest

    if asked.yes:
        return
    if not sys.stdin.isatty():
        raise InvalidRequest(["--yes: is needed where nobody can be asked: add it"])
    typer.confirm("Do all this?", abort=True, err=True)


def _finished(aws: "Aws", wanted: "Wanted", build_id: str, *, as_json: bool) -> None:
    """Follow a build to its end, and print what it pushed."""
    from sagedock.errors import BuildFailed
    from sagedock.images.remote.builds import Follower, require_success
    from sagedock.images.remote.records import pushed_records

    with interruptible(f"interrupted: {build_id} was stopped"):
        try:
            build = _followed(Follower(aws=aws, build_id=build_id, say=_say))
        except BuildFailed:  # AWS no longer answers, or not us
            _say(f"the build goes on: follow it with --remote --attach {build_id}")
            raise
    require_success(build)
    found = pushed_records(aws, wanted, build_id)
    uris = "\n".join(str(each["image_uri"]) for each in found)
    typer.echo(json.dumps(found, indent=2) if as_json else uris)


def _followed(follower: "Follower") -> Any:
    """Follow a build; Ctrl-C stops it, and a second one does not wait until it has stopped."""
    from sagedock.images.remote.builds import stop_build

    try:
        return follower.follow()
    except KeyboardInterrupt:
        _say(f"Ctrl-C: stopping {follower.build_id}; a second one does not wait for its end")
        stop_build(follower.aws, follower.build_id)
        follower.follow()
        raise
