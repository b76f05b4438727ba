"""``sagedock sbom``: what an image holds, as a CycloneDX document or as a table of licences."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sagedock.cli.reading import reading
from sagedock.cli.signals import interruptible

if TYPE_CHECKING:
    from sagedock.images.sbom import Sbom

__all__ = ["INTERRUPTED", "SBOMS", "sbom", "sbom_of"]

#: Where documents lie, below the working directory.
SBOMS = Path("build/sbom")
INTERRUPTED = "sagedock: stopped; nothing was made or changed"
_WIDTH = 160
_SHOWN_OF_ONE_LICENCE = 12

_IMAGES = typer.Argument(
    help="Names of containers/images.toml, or images as the engine calls them; all that are built, "
    "by default.",
    show_default=False,
)
_OUTPUT = typer.Option(
    "--output",
    help="A file for the document instead; - prints it. For one image.",
    show_default=False,
)
_DENY = typer.Option(
    help="A licence that is not wanted, e.g. AGPL-3.0-only, unknown, or 'name:BSD License' for one "
    "that SPDX does not know; as often as needed.",
    show_default=False,
)


def sbom(
    images: Annotated[list[str] | None, _IMAGES] = None,
    output: Annotated[Path | None, _OUTPUT] = None,
    licences: Annotated[bool, typer.Option(help="Print a table of the licences.")] = False,
    deny: Annotated[list[str] | None, _DENY] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print that table as JSON.")] = False,
) -> None:
    """List what images hold: a CycloneDX document of each, below build/sbom.

    Nothing of an image is run. Exit code 11 if a package is under a licence of --deny.
    """
    from sagedock import engine

    _refuse_input(output, images or [], deny or [])
    connected = engine.connect()
    wanted = _wanted(connected, images or [])
    _refuse_input(output, wanted, ())
    _refuse_places(connected, wanted)
    with interruptible(INTERRUPTED):
        found = {reference: sbom_of(connected, reference) for reference in wanted}
    for reference, made in found.items():
        _tell(reference, made)
        if output is not None and str(output) == "-":
            sys.stdout.buffer.write(made.text)
            sys.stdout.flush()
        elif output is not None:
            _write(output, made.text)
    if as_json:
        typer.echo(
            json.dumps({name: _summary(name, made) for name, made in found.items()}, indent=2)
        )
    elif licences:
        for reference, made in found.items():
            _print(reference, made)
    elif output is None:
        _print_places(found)
    _refuse(found, deny or [])


def sbom_of(connected: Any, reference: str, image: Any = None) -> "Sbom":
    """Return the document of an image (``image`` is what that name means), made if it does not lie
    there.
    """
    from sagedock.images.sbom import kept_sbom, place_of

    image = image or connected.image(reference)
    with reading(reference, image.size) as progress:
        return kept_sbom(connected, image, place_of(SBOMS, reference), progress)


def _refuse_input(output: Path | None, images: Sequence[str], denied: Sequence[str]) -> None:
    """Refuse, before any image is read, what could not be done with what is read."""
    from sagedock.errors import InvalidRequest
    from sagedock.images.sbom.denied import denial_problems

    problems = denial_problems(denied)
    if output is not None and len(images) > 1:
        problems.append("--output: is for one document, and there are several images")
    if problems:
        raise InvalidRequest(problems)
    if output is not None and str(output) != "-":
        with _written(output):
            _try(output)


def _try(output: Path) -> None:
    """Raise OSError where a file cannot be written; neither it nor what it holds is changed."""
    if output.is_file() or output.is_dir():
        with output.open("ab"):
            pass
    elif not output.exists():  # others are pipes and devices
        with output.open("xb"):
            pass
        output.unlink()


def _refuse_places(connected: Any, wanted: Sequence[str]) -> None:
    from sagedock.images.sbom import place_of, refuse_place

    for reference in wanted:
        refuse_place(connected.image(reference), place_of(SBOMS, reference))


def _wanted(connected: Any, names: Sequence[str]) -> list[str]:
    """Return what the engine calls the images; without names, those of the project that it has."""
    from sagedock.errors import InvalidRequest
    from sagedock.images import find_matrix, list_images, load_images
    from sagedock.images.named import find_all_named

    if names:
        return list(dict.fromkeys(find_all_named(connected, names)))
    listed = list_images(connected, load_images(find_matrix()))
    if built := [each.reference for each in listed if each.size is not None]:
        return built
    raise InvalidRequest(["no image is built: build one (`make build`), or name one"])


def _tell(reference: str, made: "Sbom") -> None:
    counts = (
        f"{len(made.packages(ecosystem))} {words}"
        for ecosystem, words in (
            ("debian", "Debian packages"),
            ("python", "Python distributions"),
            ("java", "Java archives"),
            ("runtime", "Java runtimes"),
        )
        if made.packages(ecosystem)
    )
    typer.echo(f"{reference}: {', '.join(counts) or 'no packages'}", err=True)
    for each in made.unread:
        typer.echo(f"{reference}: not read, so packages may be missing: {each}", err=True)


def _print_places(found: dict[str, "Sbom"]) -> None:
    from sagedock.images.sbom import place_of

    for reference in found:
        typer.echo(str(place_of(SBOMS, reference)))


def _summary(reference: str, made: "Sbom") -> dict[str, Any]:
    from sagedock.images.sbom.denied import packages_without_licence
    from sagedock.images.sbom.summary import licence_rows

    return {
        "image_id": made.image_id,
        "packages_without_licence": len(packages_without_licence({reference: made})),
        "licences": [
            {"licence": row.licence, "count": row.count, "packages": row.packages}
            for row in licence_rows(made)
        ],
        "unread": made.unread,
    }


def _print(reference: str, made: "Sbom") -> None:
    from sagedock.images.sbom.summary import UNKNOWN_LICENCE, licence_rows

    table = Table(box=None, pad_edge=False, title=Text(reference), title_justify="left")
    table.add_column("licence", overflow="fold", ratio=2)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("packages", overflow="fold", ratio=5)
    for row in licence_rows(made):
        shown = (
            row.packages if row.licence == UNKNOWN_LICENCE else row.packages[:_SHOWN_OF_ONE_LICENCE]
        )
        more = f", and {row.count - len(shown)} more" if len(shown) < row.count else ""
        table.add_row(Text(row.licence), str(row.count), Text(", ".join(shown) + more))
    Console(width=_WIDTH, highlight=False).print(table)


def _write(path: Path, text: bytes) -> None:
    with _written(path):
        path.write_bytes(text)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    from sagedock.errors import StorageError

    try:
        yield
    except OSError as error:
        raise StorageError(
            f"--output {path}: cannot be written ({error.strerror}): name another file"
        ) from error


def _refuse(found: dict[str, "Sbom"], denied: Sequence[str]) -> None:
    """Tell the packages that are denied, and raise LicenceDenied if there are some."""
    from sagedock.errors import LicenceDenied
    from sagedock.images.sbom.denied import absent_names, denied_packages, packages_without_licence
    from sagedock.images.sbom.summary import UNKNOWN_LICENCE

    for each in absent_names(found, denied):
        typer.echo(f"--deny {each}: no package here has a licence of that name", err=True)
    named = ", ".join(each for each in denied if each != UNKNOWN_LICENCE)
    told = []
    if lines := denied_packages(found, denied):
        told.append(
            f"{_packages(lines)} cannot be used without a licence of --deny ({named}): build "
            "without what is listed here:"
        )
        told += lines
    without = packages_without_licence(found)
    if denied and without and UNKNOWN_LICENCE not in denied:
        typer.echo(_not_judged(without), err=True)
    elif denied and without:
        told.append(
            f"{_packages(without)} of no known licence (--deny {UNKNOWN_LICENCE}): read in the "
            "image what each says of itself (/usr/share/doc/NAME/copyright of a Debian package, "
            "the folder .dist-info of a Python one), and build without what you may not use; once "
            f"all are read, leave out --deny {UNKNOWN_LICENCE}:"
        )
        told += without
    if told:
        raise LicenceDenied("\n".join(told))


def _not_judged(lines: Sequence[str]) -> str:
    one = len(lines) == 1
    words = ("has", "it was", "it") if one else ("have", "they were", "them")
    return (
        f"{_packages(lines)} {words[0]} no known licence, so {words[1]} not judged: "
        f"`--deny unknown` lists {words[2]}"
    )


def _packages(lines: Sequence[str]) -> str:
    return f"{len(lines)} package{'s' if len(lines) > 1 else ''}"
