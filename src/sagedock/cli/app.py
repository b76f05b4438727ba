"""The commands, and the one place where an error becomes words and an exit code."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import sagedock
from sagedock.cli import (
    audit,
    build,
    images,
    jobs,
    load,
    local,
    models,
    preflight,
    push,
    sbom,
    serve,
)
from sagedock.cli.words import in_our_words
from sagedock.errors import SagedockError

__all__ = ["main"]

app = typer.Typer(
    help="Bring your own container to Amazon SageMaker, and rehearse it locally first.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(jobs.app, name="jobs")
app.add_typer(local.app, name="local")
app.command("audit")(audit.audit)
app.command("build")(build.build)
app.command("images")(images.images)
app.command("load")(load.load)
app.command("models")(models.models)
app.command("preflight")(preflight.preflight)
app.command("push")(push.push)
app.command("sbom")(sbom.sbom)
app.command("serve")(serve.serve)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sagedock {sagedock.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code. Errors are words on stderr, never a traceback."""
    try:
        app(args=arguments)
    except SagedockError as error:
        print(f"sagedock: {in_our_words(error)}", file=sys.stderr)
        return error.exit_code
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except _unreachable() as error:
        remedy = "check the region and the network"
        print(f"sagedock: the service cannot be reached ({error}): {remedy}", file=sys.stderr)
        return SagedockError.exit_code
    return 0


def _unreachable() -> tuple[type[Exception], ...]:
    from sagedock.api.aws_errors import unreachable

    return unreachable()
