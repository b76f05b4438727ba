"""The options of ``sagedock load``, each with its help."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from sagedock.load.arrivals import Arrivals as ArrivalsName

__all__ = [
    "Accept",
    "Arrivals",
    "CaBundle",
    "Concurrency",
    "Connections",
    "ContentType",
    "Cores",
    "CustomAttributes",
    "Data",
    "Duration",
    "Header",
    "InferenceComponent",
    "Instances",
    "Json",
    "LatencyGoal",
    "Method",
    "Percentile",
    "Pid",
    "Rate",
    "Region",
    "Report",
    "Requests",
    "SafetyFactor",
    "Seed",
    "Stream",
    "SweepText",
    "Target",
    "TargetContainer",
    "TargetModel",
    "TargetVariant",
    "Text",
    "Timeout",
    "Warmup",
    "Workers",
]

_LOAD, _REQUEST, _ENDPOINT, _REPORT = "Load", "Request", "Endpoint", "Report and advice"


def _option(
    *names: str, panel: str, about: str, metavar: str | None = None
) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(
        *names, help=about, metavar=metavar, rich_help_panel=panel, show_default=False
    )
    return found


Concurrency = Annotated[
    int | None,
    _option("--concurrency", "-c", panel=_LOAD, about="Users that ask again once answered; 8."),
]
Rate = Annotated[
    float | None,
    _option(
        "--rate",
        "-r",
        panel=_LOAD,
        metavar="PER_S",
        about="Requests per second, sent when due, answered or not.",
    ),
]
Arrivals = Annotated[
    ArrivalsName | None,
    _option("--arrivals", panel=_LOAD, about="With --rate: evenly (constant) or as users come."),
]
Seed = Annotated[int, _option("--seed", panel=_LOAD, about="Repeats Poisson arrivals.")]
Connections = Annotated[
    int | None, _option("--connections", panel=_LOAD, about="With --rate: at most so many; 1000.")
]
Duration = Annotated[
    float | None,
    _option(
        "--duration",
        "-d",
        panel=_LOAD,
        metavar="S",
        about="Seconds that are measured; 10, of each load of a sweep 5.",
    ),
]
Requests = Annotated[
    int | None, _option("--requests", "-n", panel=_LOAD, about="End after so many, if sooner.")
]
Warmup = Annotated[
    float, _option("--warmup", panel=_LOAD, metavar="S", about="Seconds before, not measured; 1.")
]
Timeout = Annotated[
    float,
    _option(
        "--timeout", panel=_LOAD, metavar="S", about="Not answered so long after it was due: 10."
    ),
]
SweepText = Annotated[
    str | None,
    _option(
        "--sweep",
        panel=_LOAD,
        metavar="AXIS[=N,N...]",
        about="Try one load after another: concurrency or rate, doubling, or those given.",
    ),
]
Data = Annotated[
    list[str] | None,
    _option("--data", panel=_REQUEST, metavar="FILE|-", about="A body; several take turns."),
]
Text = Annotated[
    list[str] | None, _option("--text", panel=_REQUEST, about="A body; several take turns.")
]
ContentType = Annotated[
    str | None, _option("--content-type", panel=_REQUEST, about="Of bodies; else by file name.")
]
Accept = Annotated[str | None, _option("--accept", panel=_REQUEST, about="What is asked for.")]
Header = Annotated[
    list[str] | None,
    _option("--header", "-H", panel=_REQUEST, metavar="NAME:VALUE", about="Of a URL's requests."),
]
Method = Annotated[
    str | None, _option("--method", panel=_REQUEST, about="Of a URL's requests; POST.")
]
CaBundle = Annotated[
    Path | None,
    typer.Option(
        "--ca-bundle",
        envvar="AWS_CA_BUNDLE",
        help="Certificates to trust, too.",
        rich_help_panel=_REQUEST,
        show_default=False,
    ),
]
Stream = Annotated[
    bool, _option("--stream", panel=_ENDPOINT, about="InvokeEndpointWithResponseStream.")
]
TargetModel = Annotated[
    str | None, _option("--target-model", panel=_ENDPOINT, about="Of a multi-model endpoint.")
]
TargetVariant = Annotated[
    str | None, _option("--target-variant", panel=_ENDPOINT, about="Ask this variant only.")
]
TargetContainer = Annotated[
    str | None,
    _option("--target-container", panel=_ENDPOINT, about="Hostname, of a multi-container one."),
]
InferenceComponent = Annotated[
    str | None, _option("--inference-component", panel=_ENDPOINT, about="Its name.")
]
CustomAttributes = Annotated[
    str | None, _option("--custom-attributes", panel=_ENDPOINT, about="Handed to the container.")
]
Target = Annotated[
    Literal["local", "aws"] | None,
    _option("--target", panel=_ENDPOINT, about="Where it is; $SAGEDOCK_TARGET by default."),
]
Region = Annotated[str | None, _option("--region", panel=_ENDPOINT, about="Its region.")]
LatencyGoal = Annotated[
    float | None,
    _option("--latency-goal", panel=_REPORT, metavar="MS", about="What is fast enough."),
]
Percentile = Annotated[
    float, _option("--percentile", panel=_REPORT, about="That the goal is for: 50, 90, 99, 99.9.")
]
SafetyFactor = Annotated[
    float,
    _option("--safety-factor", panel=_REPORT, about="Share of the rate to scale at; 0.5."),
]
Instances = Annotated[
    int | None,
    _option("--instances", panel=_REPORT, about="That share the load; an endpoint's are known."),
]
Workers = Annotated[
    int | None, _option("--workers", panel=_REPORT, about="That an instance has today.")
]
Cores = Annotated[
    int | None, _option("--cores", panel=_REPORT, about="Of the server; with --pid this machine's.")
]
Pid = Annotated[
    int | None,
    _option("--pid", panel=_REPORT, about="The server's process, here: measure its CPU time."),
]
Report = Annotated[
    list[Path] | None,
    _option("--report", panel=_REPORT, metavar="FILE", about="Write a page (.html) or .png."),
]
Json = Annotated[bool, _option("--json", panel=_REPORT, about="Print JSON.")]
