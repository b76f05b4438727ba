"""CloudWatch Logs: members that exclude each other."""

from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule
from sagedock.api.rules.sources import GITHUB, LOGS

__all__ = ["DESCRIBE_GROUPS", "DESCRIBE_STREAMS", "FILTER_EVENTS", "GET_EVENTS"]

_INVALID = "InvalidParameterException"
_GROUP = ("logGroupName", "logGroupIdentifier")


def _not_one_group(request: Request) -> Finding:
    given = [name for name in _GROUP if request.get(name) is not None]
    return BROKEN if len(given) != 1 else None


def _by_time_and_prefix(request: Request) -> Finding:
    by_time = request.get("orderBy") == "LastEventTime"
    return BROKEN if by_time and request.get("logStreamNamePrefix") is not None else None


def _names_and_prefix(request: Request) -> Finding:
    return _both(request, "logStreamNames", "logStreamNamePrefix")


def _prefix_and_pattern(request: Request) -> Finding:
    return _both(request, "logGroupNamePrefix", "logGroupNamePattern")


def _both(request: Request, one: str, other: str) -> Finding:
    given = request.get(one) is not None and request.get(other) is not None
    return BROKEN if given else None


def _one_group(operation: str) -> Rule:
    return Rule(
        fields=_GROUP,
        finding=_not_one_group,
        message="Exactly one of logGroupName and logGroupIdentifier must be specified.",
        source=f"{LOGS}API_{operation}.html",
        verified=False,
        code=_INVALID,
    )


DESCRIBE_GROUPS: tuple[Rule, ...] = (
    Rule(
        fields=("logGroupNamePrefix", "logGroupNamePattern"),
        finding=_prefix_and_pattern,
        message="logGroupNamePrefix and logGroupNamePattern cannot both be specified.",
        source=LOGS + "API_DescribeLogGroups.html",
        verified=False,
        code=_INVALID,
    ),
)
DESCRIBE_STREAMS: tuple[Rule, ...] = (
    _one_group("DescribeLogStreams"),
    Rule(
        fields=("orderBy", "logStreamNamePrefix"),
        finding=_by_time_and_prefix,
        message="Cannot order by LastEventTime with a logStreamNamePrefix.",
        source=GITHUB + "Action-Llama/action-llama",  # its changelog, 0.8.1
        verified=True,
        code=_INVALID,
    ),
)
GET_EVENTS: tuple[Rule, ...] = (_one_group("GetLogEvents"),)
FILTER_EVENTS: tuple[Rule, ...] = (
    _one_group("FilterLogEvents"),
    Rule(
        fields=("logStreamNames", "logStreamNamePrefix"),
        finding=_names_and_prefix,
        message="logStreamNames and logStreamNamePrefix cannot both be specified.",
        source=LOGS + "API_FilterLogEvents.html",
        verified=False,
        code=_INVALID,
    ),
)
