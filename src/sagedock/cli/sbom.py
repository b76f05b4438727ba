"""``sagedock sbom``: what an image holds, as a CycloneDX document or as a table of licences."""

import json
import sys
from collections.abc import Sequence
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
    help="A licence that is not wanted, e.g. AGPL-3.0-only, or unknown; as often as needed.",
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

    _refuse_several(output, images or [])
    connected = engine.connect()
    wanted = _wanted(connected, images or [])
    _refuse_several(output, wanted)
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
        typer.echo(json.dumps({name: _summary(made) for name, made in found.items()}, indent=2))
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


def _refuse_several(output: Path | None, images: Sequence[str]) -> None:
    from sagedock.errors import InvalidRequest

    if output is not None and len(images) > 1:
        raise InvalidRequest(["--output: is for one document, and there are several images"])


def _wanted(connected: Any, names: Sequence[str]) -> list[str]:
    """Return what the engine calls the images; without names, those of the project that it has."""
    from sagedock.errors import InvalidRequest
    from sagedock.images import find_matrix, list_images, load_images
    from sagedock.images.named import find_named

    if names:
        return list(dict.fromkeys(find_named(connected, name) for name in names))
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


def _summary(made: "Sbom") -> dict[str, Any]:
    from sagedock.images.sbom.summary import licence_rows

    return {
        "image_id": made.image_id,
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
    from sagedock.errors import StorageError

    try:
        path.write_bytes(text)
    except OSError as error:
        raise StorageError(
            f"--output {path}: cannot be written ({error.strerror}): name another file"
        ) from error


def _refuse(found: dict[str, "Sbom"], denied: Sequence[str]) -> None:
    from sagedock.errors import LicenceDenied
    from sagedock.images.sbom.summary import denied_packages

    if lines := denied_packages(found, denied):
        listed = "\n".join(lines)
        raise LicenceDenied(
            f"{len(lines)} packages cannot be used without a licence of --deny "
            f"({', '.join(denied)}): build the images without them:\n{listed}"
        )
