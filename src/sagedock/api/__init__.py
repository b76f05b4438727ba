"""The SageMaker API as data.

The services' own models, as botocore ships them, are the specification; this room reads them.

``check``     every problem of a request, in the service's ValidationException wording
``json_types``  values of a wrong JSON type (SerializationException)
``rules``     rules across fields, each with its source
``strict``    members that the service does not know
``messages``  refusals that need the world, as templates
``answers``   the strict check of an answer
``log_groups``  where the service writes logs
``metrics``   what is published of a training job in CloudWatch
``processing_messages``  refusals about processing jobs that need the world
``scaling``   Application Auto Scaling for SageMaker: dimensions, metrics, quotas
``scaling_messages``  its refusals that need the world
``tuning``    what a tuning job's request says of the training jobs that it launches
``tuning_messages``  refusals about tuning jobs that need the world
``wire``      bodies: bytes to values and back, and error bodies
``states``    states, terminal states, status messages
"""

from sagedock.api import (
    log_groups,
    messages,
    metrics,
    processing_messages,
    scaling,
    scaling_messages,
    states,
    tuning,
    tuning_messages,
)
from sagedock.api.answers import problems_in_answer
from sagedock.api.check import (
    Problem,
    problems_in_request,
    validation_error,
    validation_message,
)
from sagedock.api.constraints import Kind
from sagedock.api.json_types import TypeProblem, type_problem, type_problems
from sagedock.api.model import operations, target_prefix
from sagedock.api.rules import RULES, Rule, RuleProblem, rule_problems
from sagedock.api.service_error import ServiceError
from sagedock.api.strict import unknown_members
from sagedock.api.wire import (
    CONTENT_TYPE,
    MalformedBody,
    decode,
    encode,
    error_body,
    error_headers,
    read_json,
)

__all__ = [
    "CONTENT_TYPE",
    "RULES",
    "Kind",
    "MalformedBody",
    "Problem",
    "Rule",
    "RuleProblem",
    "ServiceError",
    "TypeProblem",
    "decode",
    "encode",
    "error_body",
    "error_headers",
    "log_groups",
    "messages",
    "metrics",
    "operations",
    "problems_in_answer",
    "problems_in_request",
    "processing_messages",
    "read_json",
    "rule_problems",
    "scaling",
    "scaling_messages",
    "states",
    "target_prefix",
    "tuning",
    "tuning_messages",
    "type_problem",
    "type_problems",
    "unknown_members",
    "validation_error",
    "validation_message",
]
