"""``sagedock load``: how fast an endpoint or a container answers, and what to set."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from sagedock.cli import load_options as options
from sagedock.cli.sessions import looking_session
from sagedock.errors import InvalidRequest, SagedockError

if TYPE_CHECKING:
    from sagedock.cli.load_asked import Asked
    from sagedock.load.advice import Advice
    from sagedock.load.plan import Plan
    from sagedock.load.progress import Progress, Watch
    from sagedock.load.sweeping import Level, Levels, Sweep

__all__ = ["load"]

_INTERRUPTED = 130
_CLEAR_LINE = "\r\x1b[K"


def load(
    where: Annotated[str, typer.Argument(metavar="ENDPOINT|URL", help="What is tested.")],
    concurrency: options.Concurrency = None,
    rate: options.Rate = None,
    arrivals: options.Arrivals = None,
    seed: options.Seed = 0,
    connections: options.Connections = None,
    duration: options.Duration = None,
    requests: options.Requests = None,
    warmup: options.Warmup = 1.0,
    timeout: options.Timeout = 10.0,
    sweep: options.SweepText = None,
    data: options.Data = None,
    text: options.Text = None,
    content_type: options.ContentType = None,
    accept: options.Accept = None,
    header: options.Header = None,
    method: options.Method = None,
    ca_bundle: options.CaBundle = None,
    stream: options.Stream = False,
    target_model: options.TargetModel = None,
    target_variant: options.TargetVariant = None,
    target_container: options.TargetContainer = None,
    inference_component: options.InferenceComponent = None,
    custom_attributes: options.CustomAttributes = None,
    target: options.Target = None,
    region: options.Region = None,
    latency_goal: options.LatencyGoal = None,
    percentile: options.Percentile = 99.0,
    safety_factor: options.SafetyFactor = 0.5,
    instances: options.Instances = None,
    workers: options.Workers = None,
    cores: options.Cores = None,
    pid: options.Pid = None,
    report: options.Report = None,
    as_json: options.Json = False,
) -> None:
    """Measure latency and throughput of an endpoint (local, or on AWS) or of a URL, under load."""
    given = locals()
    from sagedock.cli.load_asked import Asked

    _carry_out(Asked(**given))


def _carry_out(asked: "Asked") -> None:
    from sagedock.load.advice import advise
    from sagedock.load.report import save_report
    from sagedock.load.sweeping import sweep

    if problems := asked.problems():
        raise InvalidRequest(problems)
    session = None if asked.is_url else looking_session(asked.target, asked.region)
    plan, levels, known = asked.plan(session), asked.levels(), asked.known(session)
    if problems := plan.problems():
        raise InvalidRequest(problems)
    plan.target.message(0)  # a request that cannot be written is told of before all else
    _announce(asked, plan, levels, known.instances)
    found = sweep(plan, levels, _progress(), lambda level: _tell(level, asked, levels))
    advice = advise(found, asked.goal(), known)
    _show(asked, found, advice)
    for path in asked.report or ():
        save_report(path, found, asked.goal(), advice)
        typer.echo(f"report: {path}", err=asked.as_json)
    _end(found)


def _end(found: "Sweep") -> None:
    """End the command with a code of its own where it was interrupted, or nothing was answered."""
    if any(level.result.interrupted for level in found.levels):
        raise typer.Exit(_INTERRUPTED)
    if all(level.result.latency is None for level in found.levels):
        raise SagedockError(
            f"{found.levels[0].result.target}: no request was answered well: see the failures above"
        )


def _announce(asked: "Asked", plan: "Plan", levels: "Levels", instances: int) -> None:
    """Say what will be done before anything is sent."""
    is_one = levels.loads is not None and len(levels.loads) == 1
    most = f", at most {plan.most_requests} requests" if is_one and plan.most_requests else ""
    loads = "doubling" if levels.loads is None else ", ".join(f"{each:g}" for each in levels.loads)
    each = "" if is_one else " each"
    said = [
        f"target   {plan.target.name}",
        f"load     {levels.axis} {loads}; {plan.duration_s:g} s{each} after {plan.warmup_s:g} s of "
        f"warm-up{most}",
    ]
    if not asked.is_url and plan.target.address.tls:
        said.append(
            f"cost     AWS bills what this endpoint does; {instances} instance(s) share the load, "
            "and autoscaling may add more"
        )
    for line in said:
        typer.echo(line, err=asked.as_json)


def _progress() -> "Watch | None":
    """Return what draws a line of progress in its place, if somebody looks."""
    if not sys.stderr.isatty():
        return None

    def draw(progress: "Progress") -> None:
        phase = "warming up" if progress.is_warming_up else f"of {progress.of_s:g} s"
        typer.echo(
            f"{_CLEAR_LINE}{max(0.0, progress.at_s):.1f} s {phase}: {progress.answered} answered, "
            f"{progress.failed} failed, {progress.under_way} under way, {progress.rate:.0f}/s",
            err=True,
            nl=False,
        )

    return draw


def _tell(level: "Level", asked: "Asked", levels: "Levels") -> None:
    """Say what one level found, where there are several and somebody waits for the rest."""
    if sys.stderr.isatty():
        typer.echo(_CLEAR_LINE, err=True, nl=False)
    if asked.as_json or (levels.loads is not None and len(levels.loads) == 1):
        return
    latency = level.result.latency
    spoken = f"p50 {latency.p50_ms:.1f} ms, p99 {latency.p99_ms:.1f} ms" if latency else "no answer"
    typer.echo(
        f"{levels.axis} {level.load:g}: {level.result.rate:.1f} per second, {spoken}, "
        f"{level.result.failed_share:.1%} failed"
    )


def _show(asked: "Asked", found: "Sweep", advice: "Advice") -> None:
    if asked.as_json:
        whole = {**found.as_json(), "advice": advice.as_json()}
        typer.echo(json.dumps(whole, indent=2, allow_nan=False))
        return
    from sagedock.cli.load_tables import load_tables

    for line in load_tables(found, advice):
        typer.echo(line)
