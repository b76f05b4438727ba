"""``sagedock push``: images to ECR, local or on AWS."""

import datetime
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from sagedock.cli import push_options as options
from sagedock.cli.sbom import SBOMS, sbom_of
from sagedock.cli.signals import interruptible

if TYPE_CHECKING:
    from sagedock.engine import Engine
    from sagedock.images.ecr import EcrRegistry
    from sagedock.images.push import PushedImage
    from sagedock.images.push_plan import Planned, ToPush
    from sagedock.images.sbom import Sbom

__all__ = ["RECORDS", "push"]

Target = Literal["local", "aws"]
FailOn = Literal["critical", "high", "medium", "low", "informational"]

_SCAN_TIMEOUT_S = 600.0
_INTERRUPTED = "interrupted: push again, and layers that arrived are not sent again"
#: Below it a push leaves a record of each image that it pushed.
RECORDS = Path("build/pushed")
_SBOM_TITLE = "sbom.cdx.json"


def push(
    images: options.Images = None,
    target: options.TargetOption = None,
    region: options.Regions = None,
    repository: options.Repository = None,
    tag: options.Tag = None,
    architecture: options.Architecture = "amd64",
    kms_key: options.KmsKey = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    fail_on: options.FailOn = None,
    allow: options.Allow = None,
    scan_timeout: options.ScanTimeout = _SCAN_TIMEOUT_S,
    record: options.Record = RECORDS,
    sbom: options.Sbom = True,
    as_json: options.AsJson = False,
) -> None:
    """Push images to ECR; the last lines are their URIs by digest.

    Makes the repository if need be. A tag that means another image is refused; what is there
    already is not sent again. A list of what the image holds is attached to it.
    """
    from sagedock.images.allowed import load_allowed
    from sagedock.images.push_plan import plan_push
    from sagedock.images.push_record import git_state
    from sagedock.images.writing import refuse_unwritable_folder

    _refuse_apart(
        region or (), role_arn=role_arn, external_id=external_id, fail_on=fail_on, allow=allow
    )
    refuse_unwritable_folder(record, "name another folder with --record")
    allowed = load_allowed(allow) if allow else ()
    connected, wanted = _wanted(images, repository=repository, tag=tag)
    registries = list(
        _registries(target, region or [None], kms_key=kms_key, role=(role_arn, external_id))
    )
    git, found, held = git_state(Path.cwd()), [], []
    for planned in plan_push(connected, wanted, registries, architecture=architecture):
        with interruptible(_INTERRUPTED):
            pushed, known = _recorded(connected, planned, git, record, sbom=sbom)
        found.append(known)
        if fail_on is not None:
            held += _held_back(planned.registry, pushed, fail_on, allowed, scan_timeout)
    typer.echo(json.dumps(found, indent=2) if as_json else "\n".join(_uris(found)))
    _fail(held, fail_on)


def _uris(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from (str(each["image_uri"]) for each in found)


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _refuse_apart(
    regions: Sequence[str],
    *,
    role_arn: str | None,
    external_id: str | None,
    fail_on: str | None,
    allow: Path | None,
) -> None:
    from sagedock.api.regions import region_problem
    from sagedock.errors import InvalidRequest
    from sagedock.images.names import ROLE_ARN

    found = (region_problem(region, "--region") for region in regions)
    problems = [problem for problem in found if problem]
    if role_arn is not None and not re.fullmatch(ROLE_ARN, role_arn):
        problems.append(
            f"--role-arn: {role_arn!r} is no role's ARN: give one like "
            "arn:aws:iam::111122223333:role/NAME"
        )
    if external_id and not role_arn:
        problems.append("--external-id: is for a role: add --role-arn")
    if allow and not fail_on:
        problems.append("--allow: lets pass what --fail-on holds back: add --fail-on")
    if problems:
        raise InvalidRequest(problems)


def _wanted(
    images: Sequence[str] | None, *, repository: str | None, tag: str | None
) -> "tuple[Engine, tuple[ToPush, ...]]":
    """Return the engine, and what of it is to be pushed. Nothing is started for that."""
    from sagedock import engine
    from sagedock.images import own_images
    from sagedock.images.named import default_names, find_all_named
    from sagedock.images.push_plan import named_images

    names = images or default_names()
    matrix = {image.name: image for image in own_images()}
    wanted = named_images(names, matrix, repository=repository, tag=tag)
    connected = engine.connect()
    find_all_named(connected, names)
    return connected, wanted


def _registries(
    target: Target | None,
    regions: Sequence[str | None],
    *,
    kms_key: str | None,
    role: tuple[str | None, str | None],
) -> "Iterator[EcrRegistry]":
    from sagedock.client import Session
    from sagedock.images.ecr import EcrRegistry

    own = Session(target=target, region=regions[0], show=_say)
    as_role = _assumed(own, *role) if role[0] else None
    for region in regions:
        session = Session(target=target, region=region, show=_say, boto_session=as_role)
        yield EcrRegistry(client=session.client("ecr"), region=session.region, kms_key=kms_key)


def _assumed(session: Any, role_arn: str | None, external_id: str | None) -> Any:
    """Return a boto3 session of a role that was assumed."""
    import boto3
    from botocore.exceptions import ClientError

    from sagedock.client.refusals import explained
    from sagedock.errors import PushFailed

    more = {"ExternalId": external_id} if external_id else {}
    try:
        with explained(session.target):
            answer = session.client("sts").assume_role(
                RoleArn=role_arn, RoleSessionName="sagedock-push", **more
            )
    except ClientError as error:
        raise PushFailed(
            f"{role_arn} cannot be assumed: {error}: let its trust policy name you, and give the "
            "--external-id that it asks for"
        ) from error
    credentials = answer["Credentials"]
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def _recorded(
    engine: Any, planned: "Planned", git: dict[str, Any], folder: Path, *, sbom: bool
) -> "tuple[PushedImage, dict[str, Any]]":
    """Push an image and attach its list; return what is known of it, which is written down."""
    from sagedock.images.push_record import facts, record

    made = _listed(engine, planned) if sbom else None
    pushed = _pushed(engine, planned)
    known = facts(pushed, image_id=planned.image.id, labels=planned.image.labels, git=git)
    record(known, folder)
    if made is not None:
        known |= _attached(planned, pushed, made)
        record(known, folder)
    return pushed, known


def _pushed(engine: Any, planned: "Planned") -> "PushedImage":
    from sagedock.images.layer_lines import LayerLines
    from sagedock.images.push import push_image
    from sagedock.local import Home, default_home

    lines = LayerLines(_say)
    return push_image(
        engine,
        planned,
        names=Home(default_home()).given_names,
        progress=lambda of, news: lines(of.name, news),
        say=_say,
    )


def _listed(engine: Any, planned: "Planned") -> "Sbom":
    """Return the list of what an image holds, before anything is pushed."""
    from sagedock.errors import EngineError

    try:
        return sbom_of(engine, planned.wanted.image, planned.image)
    except EngineError as error:
        raise EngineError(
            f"{planned.name}: what it holds cannot be listed: {error}; nothing was pushed, and "
            "--no-sbom pushes it without the list"
        ) from error


def _attached(planned: "Planned", pushed: "PushedImage", made: "Sbom") -> dict[str, Any]:
    """Attach the list of what an image holds to it, and return what the record says of that."""
    from sagedock.images.attach import attach
    from sagedock.images.oci_registry import OciRegistry
    from sagedock.images.sbom import MEDIA_TYPE, place_of

    registry = OciRegistry(login=planned.registry.login())
    found = attach(registry, pushed, made.text, kind=MEDIA_TYPE, title=_SBOM_TITLE)
    already = "is there already" if found.already else "attached"
    _say(f"{planned.name}: the list of what it holds {already} ({found.digest})")
    if found.why_unlisted:
        _say(
            f"{planned.name}: it is found by that digest alone, as the list of what refers to the "
            f"image cannot be changed: {found.why_unlisted}"
        )
    place = str(place_of(SBOMS, planned.wanted.image))
    return {"sbom": place, "sbom_digest": found.digest}


def _held_back(
    registry: "EcrRegistry",
    pushed: "PushedImage",
    worst: FailOn,
    allowed: Any,
    timeout_s: float,
) -> list[str]:
    from sagedock.images.scan_gate import await_findings, hold_back

    _say(f"{pushed.repository}:{pushed.tag}: awaiting ECR's scan in {pushed.region}")
    scan = await_findings(registry, pushed, timeout_s=timeout_s)
    today = datetime.datetime.now(datetime.UTC).date()
    held = hold_back(scan.findings, worst=worst, allowed=allowed, today=today)
    counts = f"{len(scan.findings)} found, {len(held)} held back"
    _say(f"{pushed.repository}:{pushed.tag}: {counts} (ECR: {scan.said or 'no more'})")
    return [f"{pushed.repository}:{pushed.tag} in {pushed.region}: {each}" for each in held]


def _fail(held: Sequence[str], worst: str | None) -> None:
    from sagedock.errors import PushFailed

    if held:
        listed = "\n".join(held)
        raise PushFailed(
            f"the images are pushed, and their scans found what --fail-on {worst} holds back: "
            f"build them anew without it, or let it pass with --allow FILE:\n{listed}"
        )
