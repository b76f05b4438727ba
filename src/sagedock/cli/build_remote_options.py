"""The options of ``sagedock build --remote``, and what was asked with them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import typer

from sagedock.errors import InvalidRequest

__all__ = [
    "AllowFile",
    "Asked",
    "Attach",
    "Bucket",
    "Cache",
    "CacheOption",
    "ComputeType",
    "Detach",
    "DryRun",
    "EnvironmentImage",
    "LogDays",
    "Policy",
    "PrintPolicy",
    "Project",
    "Region",
    "Remote",
    "SourceDays",
    "Tag",
    "Target",
    "TargetOption",
    "TimeoutMin",
    "Yes",
    "asked",
    "refuse_apart",
]

Target = Literal["local", "aws"]
Cache = Literal["local", "none", "s3"]
Policy = Literal["build", "setup"]
_PANEL = "With --remote"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a command line asks of a remote build; the names are those of the options, and their
    defaults are said here alone.
    """

    names: tuple[str, ...] = ()
    registries: tuple[str, ...] = ()
    as_json: bool = False
    attach: str | None = None
    detach: bool = False
    dry_run: bool = False
    print_policy: Policy | None = None
    yes: bool = False
    target: Target | None = None
    region: str | None = None
    project: str | None = None
    bucket: str | None = None
    compute_type: str = "BUILD_GENERAL1_LARGE"
    environment_image: str = "aws/codebuild/standard:7.0"
    timeout_min: int = 120
    cache: Cache = "local"
    tag: str | None = None
    allow_file: tuple[str, ...] = ()
    source_days: int = 14
    log_days: int = 30


def _option(*names: str, help: str, metavar: str | None = None) -> typer.models.OptionInfo:  # noqa: A002
    found: typer.models.OptionInfo = typer.Option(
        *names, help=help, metavar=metavar, rich_help_panel=_PANEL, show_default=False
    )
    return found


Remote = Annotated[
    bool, typer.Option("--remote", help="Build and push on AWS, by CodeBuild: see below.")
]
Attach = Annotated[
    str | None,
    _option("--attach", metavar="ID", help="Follow a build that was started, to its end."),
]
Detach = Annotated[
    bool, _option("--detach", help="Start the build, print its id, and do not follow it.")
]
DryRun = Annotated[
    bool, _option("--dry-run", help="Show what would be done, with every call, and do nothing.")
]
PrintPolicy = Annotated[
    Policy | None,
    _option("--print-policy", help="Print the IAM policy of who builds, or sets up, and end."),
]
Yes = Annotated[bool, _option("--yes", "-y", help="Do not ask before anything is done.")]
TargetOption = Annotated[
    Target | None,
    _option("--target", help="Where CodeBuild is: $SAGEDOCK_TARGET, else aws."),
]
Region = Annotated[str | None, _option("--region", help="Its region.")]
Project = Annotated[
    str | None, _option("--project", help="The CodeBuild project; named after the folder.")
]
Bucket = Annotated[
    str | None,
    _option("--bucket", help="For sources and records: sagedock-build-ACCOUNT-REGION."),
]
ComputeType = Annotated[
    str, _option("--compute-type", help=f"The machine; {Asked.compute_type} by default.")
]
EnvironmentImage = Annotated[
    str,
    _option("--environment-image", help=f"What it runs; {Asked.environment_image} by default."),
]
TimeoutMin = Annotated[
    int,
    _option(
        "--timeout", metavar="MINUTES", help=f"The longest that a build takes; {Asked.timeout_min}."
    ),
]
CacheOption = Annotated[
    Cache,
    _option("--cache", help="Layers and packages of builds before; on the machine by default."),
]
Tag = Annotated[str | None, _option("--tag", help="The tag; the images' own by default.")]
AllowFile = Annotated[
    list[str] | None,
    _option("--allow-file", metavar="PATH", help="Send a file that looks like a secret."),
]
SourceDays = Annotated[
    int,
    _option(
        "--source-days",
        metavar="DAYS",
        help=f"How long sources and records stay; {Asked.source_days}.",
    ),
]
LogDays = Annotated[
    int, _option("--log-days", metavar="DAYS", help=f"How long logs stay; {Asked.log_days}.")
]


_FLAGS = {
    "attach": "--attach",
    "detach": "--detach",
    "dry_run": "--dry-run",
    "print_policy": "--print-policy",
    "yes": "--yes",
    "target": "--target",
    "region": "--region",
    "project": "--project",
    "bucket": "--bucket",
    "compute_type": "--compute-type",
    "environment_image": "--environment-image",
    "timeout_min": "--timeout",
    "cache": "--cache",
    "tag": "--tag",
    "allow_file": "--allow-file",
    "source_days": "--source-days",
    "log_days": "--log-days",
}
_ONLY_HERE = {
    "no_cache": "--no-cache: is for a build here: with --remote use --cache none",
    "no_network": "--no-network: is for a build here: leave it out with --remote",
    "measure": "--measure: is for a build here: leave it out with --remote",
}
_WITH_ATTACH = {"attach", "target", "region", "bucket"}


def asked(given: Mapping[str, Any]) -> Asked:
    """Return what the parameters of the command ask for."""
    lists = {"names": "names", "registries": "login_registry", "allow_file": "allow_file"}
    several: dict[str, Any] = {
        name: tuple(given[parameter] or ()) for name, parameter in lists.items()
    }
    same = {
        each.name: given[each.name]
        for each in fields(Asked)
        if each.name in given and each.name not in lists
    }
    return Asked(**same, timeout_min=given["timeout"], **several)


def refuse_apart(asked: Asked, parameters: Mapping[str, Any]) -> None:
    """Raise InvalidRequest for each option that has no meaning beside the others; ``parameters``
    are all those of the command.
    """
    remote = bool(parameters["remote"])
    usual = Asked()
    given = [name for name in _FLAGS if getattr(asked, name) != getattr(usual, name)]
    problems = []
    if remote:
        problems += [told for name, told in _ONLY_HERE.items() if parameters[name]]
    if not remote:
        problems += [f"{_FLAGS[name]}: is for a build on AWS: add --remote" for name in given]
    elif asked.attach:
        others = [name for name in given if name not in _WITH_ATTACH]
        problems += [f"{_FLAGS[name]}: goes not with --attach: leave it out" for name in others]
        if asked.names:
            problems.append("NAME: goes not with --attach, whose build has its images")
        if asked.registries:
            problems.append("--login-registry: goes not with --attach: leave it out")
        if ":" not in asked.attach:
            problems.append("--attach: is an id like PROJECT:UUID, which --detach prints")
    elif asked.detach and asked.as_json:
        problems.append("--json: tells what was pushed, which --detach does not wait for")
    if problems:
        raise InvalidRequest(problems)
