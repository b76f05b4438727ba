"""CloudWatch Logs, as far as the local SageMaker's own log groups go."""

from sagedock.local.logs.follow import follow
from sagedock.local.logs.lines import Line
from sagedock.local.logs.operations import GROUP_PREFIX, OPERATIONS
from sagedock.local.logs.store import Event, LogStore, Stream

__all__ = ["GROUP_PREFIX", "OPERATIONS", "Event", "Line", "LogStore", "Stream", "follow"]
