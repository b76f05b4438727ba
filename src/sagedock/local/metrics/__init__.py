"""Metrics: series in the database, what fills them, and the operations that read them.

``definitions``  metric definitions applied to logs, by a process that a hostile one cannot hold up
``sampler``      what containers use
``service``      the operations of sagemaker-metrics
``store``        the series
"""

from sagedock.local.metrics.definitions import Definitions, LogReader
from sagedock.local.metrics.matching import Matcher, MatcherBroke
from sagedock.local.metrics.sampler import Host, Sampler
from sagedock.local.metrics.service import (
    COMPONENTS_NAMESPACE,
    METRICS_SERVICE,
    OPERATIONS,
    component_dimension,
)
from sagedock.local.metrics.store import MetricStore, Point, Series

__all__ = [
    "COMPONENTS_NAMESPACE",
    "METRICS_SERVICE",
    "OPERATIONS",
    "Definitions",
    "Host",
    "LogReader",
    "Matcher",
    "MatcherBroke",
    "MetricStore",
    "Point",
    "Sampler",
    "Series",
    "component_dimension",
]
