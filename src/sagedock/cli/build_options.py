"""The options of ``sagedock build``."""

from typing import Annotated

import typer

__all__ = ["AsJson", "Logins", "Measure", "Names", "NoCache", "NoNetwork"]

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...",
        help="Images of containers/images.toml; those for the CPU by default.",
        show_default=False,
    ),
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Carry out every step anew, also where nothing changed.")
]
NoNetwork = Annotated[
    bool, typer.Option("--no-network", help="Give the Dockerfile's steps no network.")
]
Measure = Annotated[
    bool,
    typer.Option(
        "--measure", help="Compress layers that are new once, for an exact forecast: minutes."
    ),
]
Logins = Annotated[
    list[str] | None,
    typer.Option(
        "--login-registry",
        metavar="HOST",
        help="Log in to ECR's registry of a base image; may be given several times.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
