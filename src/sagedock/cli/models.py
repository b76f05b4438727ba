"""``sagedock models``: the model registry as a table."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sagedock.cli.sessions import looking_session

__all__ = ["models"]

_WIDTH = 160  # a name that is cut is no use, and cannot be copied
_COLOURS = {"Approved": "green", "Rejected": "red"}

Target = Literal["local", "aws"]


def models(
    group: Annotated[
        str | None, typer.Argument(help="A group: its versions are listed.", show_default=False)
    ] = None,
    target: Annotated[
        Target | None,
        typer.Option(
            help="Where the registry is; $SAGEDOCK_TARGET by default.", show_default=False
        ),
    ] = None,
    region: Annotated[str | None, typer.Option(help="Its region.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """List the groups of the model registry, or the versions of one, the newest first."""
    from sagedock.client import ModelPackageGroup
    from sagedock.client.refusals import explained

    session = looking_session(target, region)
    if group is None:
        with explained(session.target):
            rows = [_group(each) for each in _groups(session.client("sagemaker"))]
    else:
        versions = ModelPackageGroup(name=group, session=session).versions()
        rows = [_version(each.describe()) for each in versions]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    _print(rows, "no versions" if group else "no model package groups")


def _groups(sagemaker: Any) -> Iterator[Mapping[str, Any]]:
    """Yield each group with its newest version."""
    newest = {"SortBy": "CreationTime", "SortOrder": "Descending"}
    for page in sagemaker.get_paginator("list_model_package_groups").paginate(**newest):
        for group in page["ModelPackageGroupSummaryList"]:
            named = {"ModelPackageGroupName": group["ModelPackageGroupName"]}
            found = sagemaker.list_model_packages(**named, **newest, MaxResults=1)
            yield {**group, "Newest": found["ModelPackageSummaryList"]}


def _group(group: Mapping[str, Any]) -> dict[str, Any]:
    newest = group["Newest"][0] if group["Newest"] else {}
    return {
        "group": group["ModelPackageGroupName"],
        "newest": newest.get("ModelPackageVersion"),
        "approval": newest.get("ModelApprovalStatus"),
        "created": _time((newest or group)["CreationTime"]),
        "description": group.get("ModelPackageGroupDescription"),
    }


def _version(package: Mapping[str, Any]) -> dict[str, Any]:
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    return {
        "version": package.get("ModelPackageVersion"),
        "approval": package.get("ModelApprovalStatus"),
        "created": _time(package["CreationTime"]),
        "image": ", ".join(each["Image"] for each in containers if each.get("Image")),
        "description": package.get("ApprovalDescription") or package.get("ModelPackageDescription"),
    }


def _time(moment: Any) -> str:
    text: str = moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return text


def _print(rows: list[dict[str, Any]], nothing: str) -> None:
    if not rows:
        typer.echo(nothing)
        return
    table = Table(*rows[0], box=None)
    for column in table.columns:
        column.no_wrap, column.overflow = True, "ignore"
    for row in rows:
        cells = [Text("" if value is None else str(value)) for value in row.values()]
        colour = _COLOURS.get(row["approval"] or "", "cyan")
        table.add_row(
            *(
                Text(cell.plain, style=colour) if name == "approval" else cell
                for name, cell in zip(row, cells, strict=True)
            )
        )
    Console(width=_WIDTH, soft_wrap=True).print(table)
