"""Load tests of an endpoint or a URL: a plan in, latencies, rates, errors and advice out."""

from sagedock.load.advice import Advice, Known, advise
from sagedock.load.endpoint_target import EndpointTarget
from sagedock.load.plan import Closed, Open, Plan, Shape
from sagedock.load.report import save_report
from sagedock.load.result import Result
from sagedock.load.running import run
from sagedock.load.sweeping import Goal, Levels, Sweep, sweep
from sagedock.load.target import Body, Target, UrlTarget

__all__ = [
    "Advice",
    "Body",
    "Closed",
    "EndpointTarget",
    "Goal",
    "Known",
    "Levels",
    "Open",
    "Plan",
    "Result",
    "Shape",
    "Sweep",
    "Target",
    "UrlTarget",
    "advise",
    "run",
    "save_report",
    "sweep",
]
