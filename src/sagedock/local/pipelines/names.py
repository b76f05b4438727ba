"""What pipelines and their executions are called."""

import re
import secrets
import string

from sagedock.api import states
from sagedock.local.caller import Caller

__all__ = [
    "EXECUTION",
    "MEMORY",
    "PIPELINE",
    "TERMINAL",
    "execution_arn",
    "is_of_region",
    "job_name",
    "new_execution_id",
    "new_token",
    "pipeline_arn",
    "pipeline_name",
    "split_execution_arn",
    "suffixed_name",
]

PIPELINE = "pipeline"
EXECUTION: states.Kind = "pipeline-execution"
#: What is remembered of steps that succeeded, for others to reuse.
MEMORY = "pipeline-step-result"
TERMINAL = states.STATUSES[EXECUTION].terminal

_EXECUTION_ARN = re.compile(
    r"arn:[^:]+:sagemaker:(?P<region>[^:]*):(?P<account>\d{12}):pipeline/(?P<pipeline>[^/]+)"
    r"/execution/(?P<id>[a-z0-9]+)"
)
_PIPELINE_ARN = re.compile(
    r"arn:[^:]+:sagemaker:(?P<region>[^:]*):\d{12}:pipeline/(?P<pipeline>[^/]+)"
)
_ID_LENGTH, _SUFFIX_LENGTH = 12, 10
_SMALL = string.ascii_lowercase + string.digits
_ANY = string.ascii_letters + string.digits
#: What jobs may be called at most, in characters, where that is less than 63.
_LONGEST_TUNING_NAME = 32
_LONGEST_NAME = 63


def new_execution_id() -> str:
    """Return a new execution's id: 12 small letters and digits. Source: row 165."""
    return _random(_SMALL, _ID_LENGTH)


def new_token() -> str:
    """Return a new callback token. Source: the model's CallbackToken, of 10 characters."""
    return _random(_ANY, _SUFFIX_LENGTH)


def job_name(execution: str, step: str, *, tuning: bool = False) -> str:
    """Return a new name for a step's job. Source: row 165; how one that would be too long is cut,
    what is in the place of characters that a job's name may not have, and what tuning jobs are
    called, whose names are shorter, is unverified.
    """
    head = "" if tuning else "pipelines-"
    longest = _LONGEST_TUNING_NAME if tuning else _LONGEST_NAME
    room = longest - len(head) - len(execution) - _SUFFIX_LENGTH - 2
    return f"{head}{execution}-{_part(step)[:room].strip('-')}-{_random(_ANY, _SUFFIX_LENGTH)}"


def suffixed_name(asked: str, execution: str, failures: int, *, tuning: bool = False) -> str:
    """Return a new name that begins with the one that was asked for.

    Source: sagemaker-python-sdk#3946, on custom job prefixes. That an endpoint's configuration,
    whose name is the execution's own (row 170), has the same behind it, and how a name that would
    be too long is cut, is unverified.
    """
    tail = f"-{execution}-{_random(_ANY, _SUFFIX_LENGTH)}-{failures}"
    room = (_LONGEST_TUNING_NAME if tuning else _LONGEST_NAME) - len(tail)
    return f"{asked[:room].rstrip('-')}{tail}"


def _part(step: str) -> str:
    """Return a step's name as a part of a job's: letters, digits and single hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", step).strip("-") or "step"


def _random(characters: str, count: int) -> str:
    return "".join(secrets.choice(characters) for _ in range(count))


def pipeline_arn(caller: Caller, name: str) -> str:
    """Return a pipeline's ARN. That it keeps the name's case is unverified: row 168 is of ARNs of
    executions.
    """
    return caller.arn(PIPELINE, name)


def execution_arn(pipeline: str, id_: str) -> str:
    """Return the ARN of an execution of the pipeline that has the ARN ``pipeline``."""
    return f"{pipeline}/execution/{id_}"


def split_execution_arn(arn: str) -> tuple[str, str, str] | None:
    """Return the region, the pipeline's name and the id that an execution's ARN names."""
    found = _EXECUTION_ARN.fullmatch(arn)
    return (found["region"], found["pipeline"], found["id"]) if found else None


def pipeline_name(name_or_arn: str) -> str:
    """Return the name that an operation was given, be it as an ARN."""
    found = _PIPELINE_ARN.fullmatch(name_or_arn)
    return found["pipeline"] if found else name_or_arn


def is_of_region(name_or_arn: str, region: str) -> bool:
    """Say whether what an operation was given may be a pipeline of the region."""
    found = _PIPELINE_ARN.fullmatch(name_or_arn)
    return found is None or found["region"] == region
