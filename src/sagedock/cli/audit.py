"""``sagedock audit``: known vulnerabilities of what images hold."""

import datetime
import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sagedock.cli.sbom import INTERRUPTED, sbom_of
from sagedock.cli.signals import interruptible

if TYPE_CHECKING:
    from sagedock.images.sbom.audit import Audit

__all__ = ["audit"]

_WIDTH = 160
_COLOURS = {"clean": "green", "vulnerable": "red", "not audited": "red"}


class _Source(StrEnum):
    """Whose packages."""

    PYTHON = "python"
    DEBIAN = "debian"
    JAVA = "java"


_NAMES = {
    "python": "Python distributions",
    "debian": "Debian packages",
    "java": "Java archives",
}

_SOURCE = typer.Option(
    help="Which packages are asked about; may be given several times. Python's by default.",
    show_default=False,
)
_URL = typer.Option(
    help="Who is asked, by OSV's API; OSV's own service by default.",
    envvar="SAGEDOCK_OSV_URL",
    show_default=False,
)
_ALLOW = typer.Option(help="Findings that are let pass: a TOML file.", show_default=False)
_IMAGE = typer.Argument(
    help="A name of containers/images.toml, or an image as the engine calls it."
)


def audit(
    image: Annotated[str, _IMAGE],
    source: Annotated[list[_Source] | None, _SOURCE] = None,
    url: Annotated[str | None, _URL] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long all answers may take.")
    ] = 60.0,
    allow: Annotated[Path | None, _ALLOW] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask which known vulnerabilities the packages of an image have.

    Exit code 12 if there are some, 13 if that could not be asked, or not of every package.
    """
    from sagedock import engine
    from sagedock.images.allowed import load_allowed
    from sagedock.images.named import find_named
    from sagedock.images.sbom.audit import audit as ask
    from sagedock.images.sbom.osv import OSV_URL, Osv

    _refuse(url, timeout)
    allowed = load_allowed(allow) if allow else ()
    with interruptible(INTERRUPTED):
        connected = engine.connect()
        found = ask(
            sbom_of(connected, find_named(connected, image)),
            Osv(url or OSV_URL, timeout_s=timeout),
            sources=[each.value for each in source or [_Source.PYTHON]],
            allowed=allowed,
            today=datetime.datetime.now(datetime.UTC).date(),
        )
    if as_json:
        typer.echo(json.dumps({**asdict(found), "passed": _passed(found)}, indent=2))
    else:
        _print(image, found)
    _end(image, found)


def _refuse(url: str | None, timeout_s: float) -> None:
    from sagedock.errors import InvalidRequest
    from sagedock.images.sbom.osv import without_login

    problems = []
    if url is not None and not url.startswith(("http://", "https://")):
        shown = without_login(url)
        problems.append(f"--url {shown}: is no address: begin it with https:// (or http://)")
    if not 0 < timeout_s < float("inf"):
        problems.append(f"--timeout {timeout_s:g}: give a number of seconds above 0")
    if problems:
        raise InvalidRequest(problems)


def _passed(found: "Audit") -> bool:
    return not found.vulnerable and not found.not_audited


def _print(image: str, found: "Audit") -> None:
    console = Console(width=_WIDTH, highlight=False)
    table = Table(box=None, pad_edge=False)
    for column in ("packages", "", "", "why"):
        table.add_column(column, overflow="fold")
    for row in found.rows:
        colour = _COLOURS.get(row.verdict, "")
        table.add_row(
            Text(_NAMES[row.source]), str(row.packages), Text(row.verdict, colour), Text(row.reason)
        )
    console.print(Text(f"{image}"))
    console.print(table)
    if not found.findings:
        return
    console.print()
    table = Table(box=None, pad_edge=False)
    for column in ("package", "vulnerability", "fixed in", "what"):
        table.add_column(column, overflow="fold")
    for each in found.findings:
        names = ", ".join([each.vulnerability, *each.aliases])
        passes = f"let pass: {each.allowed}. " if each.allowed else ""
        table.add_row(
            Text(f"{each.package} {each.version}\n{each.path}"),
            Text(names),
            Text(", ".join(each.fixed) or "not told"),
            Text(f"{passes}{each.summary}"),
        )
    console.print(table)


def _end(image: str, found: "Audit") -> None:
    from sagedock.errors import NotAudited, Vulnerable

    missing = _missing(found)
    if found.vulnerable:
        count = sum(not each.allowed for each in found.findings)
        raise Vulnerable(
            f"{image}: {count} known vulnerabilities: build it anew with versions that have them "
            f"no more, or let one pass with --allow FILE{missing and f'; also {missing}'}"
        )
    if found.not_audited:
        raise NotAudited(
            f"{image}: could not be audited, which is no pass: {missing}: see that the service can "
            "be reached, or name another with --url or SAGEDOCK_OSV_URL"
        )


def _missing(found: "Audit") -> str:
    """Return which packages nobody answered of, of the sources that were asked for."""
    rows = [row for row in found.rows if row.verdict == "not audited" or row.unanswered]
    return "; ".join(_of(row.packages, row.unanswered, _NAMES[row.source]) for row in rows)


def _of(packages: int, unanswered: int, name: str) -> str:
    return f"no answer for {unanswered} of {packages} {name}" if unanswered else f"not all {name}"
