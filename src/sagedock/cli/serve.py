"""``sagedock serve``: the handler being written, served in a container."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sagedock.cli.signals import ended_by_signals
from sagedock.errors import InvalidRequest

if TYPE_CHECKING:
    from sagedock.workbench import Event

__all__ = ["serve"]


_Source = Annotated[Path, typer.Option(help="The folder with the handler in it.")]
_Model = Annotated[
    Path | None, typer.Option(help="The model: a folder, or a model.tar.gz.", show_default=False)
]
_Reload = Annotated[
    bool, typer.Option("--reload", help="Start it again when the source is changed.")
]
_EntryPoint = Annotated[str, typer.Option(help="The handler's file, in the source.")]
_Image = Annotated[str, typer.Option(help="An image that serves.")]
_Port = Annotated[int, typer.Option(help="On 127.0.0.1; 0 picks a free one.")]
_Env = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="A variable of the container; may be repeated."),
]
_Memory = Annotated[
    int | None,
    typer.Option(metavar="MIB", help="Memory limit of the container.", show_default=False),
]
_Gpus = Annotated[int, typer.Option(help="How many GPUs the container gets.")]
_NoNetwork = Annotated[
    bool, typer.Option("--no-network", help="Let the container reach no network.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print a line of JSON for each event.")]


def serve(
    source: _Source,
    model: _Model = None,
    reload: _Reload = False,
    entry_point: _EntryPoint = "inference.py",
    image: _Image = "sagedock-serving:cpu",
    port: _Port = 8080,
    env: _Env = None,
    memory: _Memory = None,
    gpus: _Gpus = 0,
    no_network: _NoNetwork = False,
    as_json: _Json = False,
) -> None:
    """Serve a handler in a container while you write it: edit, then `curl`. Ctrl-C ends it."""
    from sagedock.engine import connect
    from sagedock.workbench import Handler, Workbench

    handler = Handler(
        source=source.absolute(),
        model=model and model.absolute(),
        entry_point=entry_point,
        image=image,
        environment=_environment(env or ()),
        memory_mib=memory,
        gpus=gpus,
        isolated=no_network,
    )
    if problems := handler.problems():  # before an engine is asked for
        raise InvalidRequest([_in_our_words(each) for each in problems])
    with ended_by_signals() as ended:
        workbench = Workbench(
            handler,
            engine=connect(),
            port=port,
            reload=reload,
            tell=_tell_json if as_json else _tell,
        )
        try:
            workbench.run(ended)
        except InvalidRequest as error:
            raise InvalidRequest([_in_our_words(each) for each in error.problems]) from error


def _environment(pairs: Sequence[str]) -> dict[str, str]:
    wrong = [pair for pair in pairs if not pair.partition("=")[0] or "=" not in pair]
    if wrong:
        raise InvalidRequest([f"--env: {pair!r} is no NAME=VALUE" for pair in wrong])
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _in_our_words(problem: str) -> str:
    """Return a problem under the name that the command line has for the member."""
    member, separator, rest = problem.partition(": ")
    return f"--{member.replace('_', '-')}{separator}{rest}" if member.isidentifier() else problem


def _tell_json(event: "Event") -> None:
    typer.echo(json.dumps(event.as_json()))


def _tell(event: "Event") -> None:
    """Print the container's lines as they are, and ours marked as such."""
    from sagedock.cli.serve_words import words_of
    from sagedock.workbench.events import Log

    if isinstance(event, Log):
        typer.echo(event.text)
        return
    for line in words_of(event):
        typer.secho(f"serve: {line}", bold=True)
