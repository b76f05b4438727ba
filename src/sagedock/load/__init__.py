"""Load tests of an endpoint or a URL: a plan in, latencies, rates, errors and advice out."""

from sagedock.load.plan import Closed, Open, Plan, Shape
from sagedock.load.result import Result
from sagedock.load.running import run
from sagedock.load.target import Body, Target, UrlTarget

__all__ = ["Body", "Closed", "Open", "Plan", "Result", "Shape", "Target", "UrlTarget", "run"]
