"""``sagedock images``."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

__all__ = ["images"]

_MB = 1_000_000
_SHORT_DIGEST = 19
_WIDTH = 160  # a name that is cut is no use, and cannot be copied


def images(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """List the images of containers/images.toml, and what the engine has of them."""
    from sagedock import engine
    from sagedock.images import find_matrix, list_images, load_images

    listed = list_images(engine.connect(), load_images(find_matrix()))
    if as_json:
        typer.echo(json.dumps([asdict(image) for image in listed], indent=2))
        return
    table = Table("name", "kind", "device", "local reference", "digest", "size", box=None)
    for column in table.columns:
        column.no_wrap, column.overflow = True, "ignore"
    for image in listed:
        table.add_row(
            image.name,
            image.kind,
            image.device,
            image.uri,
            image.digest[:_SHORT_DIGEST] if image.digest else "not built",
            f"{image.size / _MB:,.0f} MB" if image.size else "",
        )
    Console(width=_WIDTH, soft_wrap=True).print(table)
