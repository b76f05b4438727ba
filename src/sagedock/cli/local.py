"""``sagedock local``: start, stop, look at and use the local SageMaker."""

import json
import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from sagedock.cli import faults
from sagedock.cli.signals import ended_by_signals
from sagedock.errors import LocalServerError

__all__ = ["app"]

#: What a shell ends with when there is no such command.
_NO_SUCH_COMMAND = 127

app = typer.Typer(
    help="The local SageMaker: the same API on 127.0.0.1, running real containers in Docker.",
    no_args_is_help=True,
)
_Home = Annotated[
    Path | None, typer.Option(help="Its folder; $SAGEDOCK_HOME by default.", show_default=False)
]
_Port = Annotated[
    int | None, typer.Option(help="Its port; a free one by default.", show_default=False)
]
_Region = Annotated[str | None, typer.Option(help="Its default region.", show_default=False)]
_Memory = Annotated[
    int | None,
    typer.Option(
        "--container-memory",
        metavar="MIB",
        help="Memory limit of a container, in MiB.",
        show_default=False,
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Run in the background.")] = False,
    home: _Home = None,
    port: _Port = None,
    region: _Region = None,
    container_memory: _Memory = None,
    with_program: Annotated[
        bool, typer.Option("--with-program", help="End when standard input does.")
    ] = False,
) -> None:
    """Start the local SageMaker; Ctrl-C ends it, or `sagedock local down`."""
    from sagedock.api.regions import refuse_region
    from sagedock.local import LocalSageMaker, up

    refuse_region(region, "--region")
    if detach:
        options = _options(port=port, region=region, container_memory=container_memory)
        found = up(_home(home), options)
        typer.echo(f"local SageMaker: {found.url} (process {found.pid})")
        typer.echo('point AWS clients at it: eval "$(sagedock local env)"')
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    with ended_by_signals() as ended:
        if with_program:
            threading.Thread(target=_await_end_of_input, args=(ended,), daemon=True).start()
        local = LocalSageMaker(
            home=_home(home), port=port, region=region, container_memory_mib=container_memory
        )
        with local:
            typer.echo(f"local SageMaker: {local.endpoint_url} (Ctrl-C ends it)")
            ended.wait()
            typer.echo("stopping: running jobs get SIGTERM first")


def _await_end_of_input(ended: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    ended.set()


@app.command()
def down(home: _Home = None) -> None:
    """End the local SageMaker that runs; its jobs are stopped, its state is kept."""
    from sagedock.local import down

    found = down(_home(home))
    typer.echo(f"ended process {found.pid}" if found else "no local SageMaker runs")


@app.command()
def status(home: _Home = None, as_json: _Json = False) -> None:
    """Say whether it runs, and where. Exit code 5 if it does not."""
    found = _running(home)
    facts = {
        "url": found.url,
        "pid": found.pid,
        "region": found.region,
        "account": found.account,
        "home": str(_home(home)),
        "up_s": round(time.time() - found.started),
    }
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        typer.echo(f"{name:<8} {value}")


@app.command()
def clean(home: _Home = None) -> None:
    """Remove its state: jobs, buckets, logs, and what is left of it in the engine."""
    from sagedock.engine import connect
    from sagedock.errors import EngineUnavailable
    from sagedock.local import clean

    try:
        engine = connect()
    except EngineUnavailable:
        engine = None  # no engine runs: it can hold no containers of ours
    clean(_home(home), engine, typer.echo)


@app.command()
def env(home: _Home = None, as_json: _Json = False) -> None:
    """Print the variables that point AWS clients at it, for `eval` in a shell."""
    variables = _variables(_home(home))
    if variables is None:
        raise _not_running(_home(home))
    if as_json:
        typer.echo(json.dumps(variables, indent=2))
        return
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def run(
    context: typer.Context,
    home: _Home = None,
    port: _Port = None,
    region: _Region = None,
    container_memory: _Memory = None,
) -> None:
    """Run a command against the local SageMaker: `sagedock local run -- python train.py`.

    Uses the one that runs; else starts one, and ends it after the command. The command's exit code
    is this one's.
    """
    from sagedock.api.regions import refuse_region
    from sagedock.local import LocalSageMaker

    refuse_region(region, "--region")
    if not context.args:
        raise typer.BadParameter("no command: write it after --, as in `local run -- python x.py`")
    if shutil.which(context.args[0]) is None:
        typer.echo(f"sagedock: {context.args[0]}: no such command", err=True)
        raise typer.Exit(_NO_SUCH_COMMAND)
    variables = _variables(_home(home))
    options = _options(port=port, region=region, container_memory=container_memory)
    if variables is not None and options:
        raise LocalServerError(
            f"a local SageMaker already runs on {_home(home)}: leave {options[0]} out, or end it "
            "first with `sagedock local down`"
        )
    with ExitStack() as signals:  # left last: a second signal must not cut the clean-up short
        if variables is not None:
            raise typer.Exit(_run(context.args, variables, signals))
        logging.basicConfig(level=logging.WARNING, format="sagedock: %(message)s")
        with LocalSageMaker(
            home=_home(home), port=port, region=region, container_memory_mib=container_memory
        ) as local:
            code = _run(context.args, local.environment(), signals)
    raise typer.Exit(code)


app.command()(faults.interrupt)
app.add_typer(faults.app, name="fault")


def _run(command: list[str], variables: Mapping[str, str], signals: ExitStack) -> int:
    """Run ``command`` with ``variables``; until ``signals`` is left, it gets those sent to us."""
    pass_on_to = signals.enter_context(_passed_on())
    try:
        process = subprocess.Popen(command, env={**os.environ, **variables})
    except OSError as error:
        raise LocalServerError(f"{command[0]}: {error.strerror}") from error
    pass_on_to(process)
    code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _passed_on() -> Iterator[Callable[["subprocess.Popen[bytes]"], None]]:
    """Yield what to call with the process that SIGTERM and SIGHUP go to: those that came before
    it began too. Once it has ended, they do nothing.
    """
    begun: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        if begun:
            begun[0].send_signal(number)
        else:
            early.append(number)

    def begin(process: "subprocess.Popen[bytes]") -> None:
        begun.append(process)
        while early:
            process.send_signal(early.pop())

    # The terminal sends Ctrl-C to the command too: it decides, and we wait for it. Functions are
    # no handlers of the command's; what is ignored, as under nohup, stays so for both.
    wanted = {signal.SIGTERM: pass_on, signal.SIGHUP: pass_on, signal.SIGINT: lambda *_: None}
    previous = {
        number: signal.signal(number, handler)
        for number, handler in wanted.items()
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield begin
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _home(home: Path | None) -> Path:
    from sagedock.local import default_home

    return home.absolute() if home else default_home()


def _running(home: Path | None) -> Any:
    from sagedock.local import running

    found = running(_home(home))
    if found is None:
        raise _not_running(_home(home))
    return found


def _variables(home: Path) -> dict[str, str] | None:
    from sagedock.local import client_variables, running

    found = running(home)
    if found is None:
        return None
    return dict(client_variables(found.url, region=found.region, home=home))


def _not_running(home: Path) -> LocalServerError:
    return LocalServerError(
        f"no local SageMaker runs on {home}: start one with `sagedock local up --detach`"
    )


def _options(*, port: int | None, region: str | None, container_memory: int | None) -> list[str]:
    given = {"--port": port, "--region": region, "--container-memory": container_memory}
    return [
        word for name, value in given.items() if value is not None for word in (name, str(value))
    ]
