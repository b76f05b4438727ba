"""``sagedock local interrupt`` and ``fault``: what goes wrong on AWS, on request."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sagedock.errors import InvalidRequest

__all__ = ["app", "interrupt"]

app = typer.Typer(help="Faults that are delivered to jobs.", no_args_is_help=True)

Home = Annotated[
    Path | None, typer.Option(help="Its folder; $SAGEDOCK_HOME by default.", show_default=False)
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Job = Annotated[str, typer.Option(help="Names of jobs, as a pattern: `digits-*`.")]
#: The options whose name is not that of the fault's member.
_OPTIONS = {"after_s": "--after", "every_s": "--every", "wait_s": "--wait"}
_Times = Annotated[int | None, typer.Option(help="How often; without end by default.")]


def interrupt(
    job: Annotated[str, typer.Argument(help="A spot training job that runs.")],
    after: Annotated[float, typer.Option(metavar="SECONDS", help="How soon.")] = 0.0,
    region: Annotated[str | None, typer.Option(help="The job's region.")] = None,
    home: Home = None,
    as_json: _Json = False,
) -> None:
    """Interrupt a spot job: SIGTERM, the grace, SIGKILL; it starts again with its checkpoints."""
    from sagedock.api.regions import refuse_region

    refuse_region(region, "--region")
    said = {"job": job, "after_s": after, **({"region": region} if region else {})}
    answer = _ask(home, "POST", "interrupt", said)
    if as_json:
        typer.echo(json.dumps(answer))
    elif answer["already"]:
        typer.echo(f"{job} is being interrupted already: nothing more is done")
    else:
        typer.echo(f"{job} is interrupted {f'in {after:g} s' if after else 'now'}")


@app.command()
def interruptions(
    every: Annotated[float, typer.Option(metavar="SECONDS", help="Of training, on average.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same moments.")] = 0,
    job: _Job = "*",
    times: _Times = None,
    home: Home = None,
) -> None:
    """Interrupt spot jobs at random moments."""
    _add(home, "interruptions", every_s=every, seed=seed, job=job, times=times)


@app.command("lost-host")
def lost_host(
    after: Annotated[float, typer.Option(metavar="SECONDS", help="Of training.")] = 0.0,
    host: Annotated[str | None, typer.Option(help="`algo-2`; the last one by default.")] = None,
    job: _Job = "*",
    times: Annotated[int, typer.Option(help="How often.")] = 1,
    home: Home = None,
) -> None:
    """Let a machine of a training or processing job fail: InternalServerError, which a training
    job's RetryStrategy retries.
    """
    _add(home, "lost-host", after_s=after, host=host, job=job, times=times)


@app.command("no-capacity")
def no_capacity(
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="How long.")] = 1.0,
    fails: Annotated[bool, typer.Option("--fails", help="Then fail: CapacityError.")] = False,
    job: _Job = "*",
    times: Annotated[int, typer.Option(help="How often.")] = 1,
    home: Home = None,
) -> None:
    """Have no machines for a job: AWS retries for a while, then has some, or fails the job."""
    _add(home, "no-capacity", wait_s=wait, fails=fails, job=job, times=times)


@app.command()
def refusals(
    error: Annotated[str, typer.Option(help="Such as throttling, access-denied, expired-token.")],
    operation: Annotated[str, typer.Option(help="A pattern: `Create*`.")] = "*",
    rate: Annotated[float, typer.Option(help="The share of calls, 0 to 1.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same calls.")] = 0,
    times: _Times = None,
    home: Home = None,
) -> None:
    """Refuse calls of SageMaker's operations, in AWS's words."""
    members = {"error": error, "operation": operation, "rate": rate, "seed": seed, "times": times}
    _add(home, "refusals", **members)


@app.command("s3-throttle")
def s3_throttle(
    rate: Annotated[float, typer.Option(help="The share of requests, 0 to 1.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same requests.")] = 0,
    times: _Times = None,
    home: Home = None,
) -> None:
    """Answer requests to S3 with 503 SlowDown."""
    _add(home, "s3-throttle", rate=rate, seed=seed, times=times)


@app.command("slow-download")
def slow_download(
    bytes_per_s: Annotated[float, typer.Option(metavar="BYTES", help="Per second.")],
    job: _Job = "*",
    times: _Times = None,
    home: Home = None,
) -> None:
    """Let input data of training and processing jobs arrive slowly."""
    _add(home, "slow-download", bytes_per_s=bytes_per_s, job=job, times=times)


@app.command("list")
def list_faults(home: Home = None, as_json: _Json = False) -> None:
    """List the faults that are still to come."""
    found = _ask(home, "GET", "faults")
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for fault in found:
        number, kind = fault.pop("number"), fault.pop("kind")
        members = ", ".join(f"{name} {value}" for name, value in fault.items())
        typer.echo(f"{number:>3}  {kind:<14} {members}")
    if not found:
        typer.echo("no faults")


@app.command()
def clear(
    number: Annotated[int | None, typer.Argument(help="One of them; all by default.")] = None,
    home: Home = None,
) -> None:
    """Deliver faults no more."""
    answer = _ask(home, "DELETE", "faults" if number is None else f"faults/{number}")
    typer.echo(f"removed {answer['removed']}")


def _add(home: Path | None, kind: str, **members: Any) -> None:
    answer = _ask(home, "POST", "faults", {"kind": kind, **members})
    typer.echo(f"fault {answer['number']}: {kind}")


def _ask(home: Path | None, method: str, what: str, said: Any = None) -> Any:
    from sagedock.local import control, default_home

    where = default_home() if home is None else home.expanduser().absolute()
    try:
        return control(where, method, what, said)
    except InvalidRequest as error:
        problems = [_in_our_words(problem, what) for problem in error.problems]
        raise InvalidRequest(problems) from error


def _in_our_words(problem: str, what: str) -> str:
    """Return a problem of the server's under the name that the command line has for the member."""
    member, separator, rest = problem.partition(": ")
    if not member.isidentifier():
        return problem
    if what == "interrupt" and member == "job":
        return f"JOB{separator}{rest}"
    option = _OPTIONS.get(member) or f"--{member.replace('_', '-')}"
    return f"{option}{separator}{rest}"
