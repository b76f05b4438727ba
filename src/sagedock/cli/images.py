"""``sagedock images``."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sagedock.cli.push import RECORDS

__all__ = ["images"]

_COLUMNS = (
    "name",
    "kind",
    "device",
    "name in the engine",
    "image id",
    "digest",
    "size",
    "URI for jobs",
)
_MB = 1_000_000
_SHORT = 19  # sha256: and the twelve digits that the engine's own listing has
_WIDTH = 400  # a name that is cut is no use, and cannot be copied


def images(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """List the images of containers/images.toml, and what the engine has of them.

    The name in the engine is what `docker run` takes, the URI what a job names: the local SageMaker
    takes it for the image of that repository and tag, whatever the account and region.
    """
    from sagedock import engine
    from sagedock.images import find_matrix, list_images, load_images

    listed = list_images(engine.connect(), load_images(find_matrix()), RECORDS)
    if as_json:
        typer.echo(json.dumps([asdict(image) for image in listed], indent=2))
        return
    table = Table(*_COLUMNS, box=None)
    for column in table.columns:
        column.no_wrap, column.overflow = True, "ignore"
    for image in listed:
        table.add_row(
            image.name,
            image.kind,
            image.device,
            "\n".join(image.names or [image.reference]),
            image.image_id[:_SHORT] if image.image_id else "not built",
            image.digest[:_SHORT] if image.digest else "",
            f"{image.size / _MB:,.0f} MB" if image.size else "",
            image.uri,
        )
    Console(width=_WIDTH, soft_wrap=True).print(table)
