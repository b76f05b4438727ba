"""The options of ``sagedock push``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = [
    "Allow",
    "Architecture",
    "AsJson",
    "ExternalId",
    "FailOn",
    "Images",
    "KmsKey",
    "Record",
    "Regions",
    "Repository",
    "RoleArn",
    "Sbom",
    "ScanTimeout",
    "Tag",
    "TargetOption",
]

Images = Annotated[
    list[str] | None,
    typer.Argument(
        help="Names of containers/images.toml, or images as the engine calls them; by default "
        "those that `sagedock build` makes.",
        show_default=False,
    ),
]
TargetOption = Annotated[
    Literal["local", "aws"] | None,
    typer.Option("--target", help="Where ECR is; $SAGEDOCK_TARGET by default.", show_default=False),
]
Regions = Annotated[
    list[str] | None,
    typer.Option("--region", help="A region; may be given several times.", show_default=False),
]
Repository = Annotated[
    str | None, typer.Option(help="The repository; the image's own name by default.")
]
Tag = Annotated[str | None, typer.Option(help="The tag; the image's own by default.")]
Architecture = Annotated[str, typer.Option(help="What the images must be built for.")]
KmsKey = Annotated[
    str | None, typer.Option(help="The KMS key that encrypts a repository that is made.")
]
RoleArn = Annotated[str | None, typer.Option(help="A role to push as, e.g. of another account.")]
ExternalId = Annotated[str | None, typer.Option(help="What that role's trust policy asks for.")]
FailOn = Annotated[
    Literal["critical", "high", "medium", "low", "informational"] | None,
    typer.Option(help="Await the scan, and fail for such a finding, or graver."),
]
Allow = Annotated[Path | None, typer.Option(help="Findings that are let pass: a TOML file.")]
ScanTimeout = Annotated[float, typer.Option(metavar="SECONDS", help="How long the scan may take.")]
Record = Annotated[Path, typer.Option(help="The folder for what is known of each pushed image.")]
Sbom = Annotated[
    bool, typer.Option("--sbom/--no-sbom", help="Attach the list of what the image holds.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON list.")]
