"""The AWS services that are not ours, answered by moto on the same address.

moto keeps their state in memory: it is gone when the server ends.
"""

import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from starlette.types import ASGIApp

__all__ = [
    "Function",
    "function_of",
    "has_rules",
    "make_role",
    "other_alarm_state",
    "other_services",
    "publish_to_topic",
    "put_event",
    "send_to_queue",
]

_log = logging.getLogger(__name__)

_WORKERS = 10


def other_services() -> ASGIApp:
    """Return moto's server as an ASGI application. Importing it takes about a second."""
    from a2wsgi import WSGIMiddleware
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    wsgi: Any = DomainDispatcherApplication(create_backend_app)
    return cast(ASGIApp, WSGIMiddleware(wsgi, workers=_WORKERS))


def publish_to_topic(arn: str, message: str) -> bool:
    """Publish to an SNS topic of moto's, and return True; False where it does not take it.

    ``arn`` is an SNS topic's. Who subscribed (queues, HTTP addresses, ...) has it on return.
    """
    from moto.core.exceptions import ServiceException
    from moto.sns.models import sns_backends
    from requests import RequestException

    _, _, _, region, account, _ = arn.split(":", 5)
    try:
        sns_backends[account][region].publish(message, arn)
    except (ServiceException, RequestException, KeyError) as error:
        _log.warning("%s takes no message: %s", arn, error)
        return False
    return True


def send_to_queue(region: str, url: str, message: str) -> bool:
    """Send a message to an SQS queue of moto's, and return True; False where there is none.

    ``url`` is the queue's as SQS answers it: its last two parts are the account and the name.
    """
    from moto.core.exceptions import ServiceException
    from moto.sqs.models import sqs_backends

    account, _, name = url.rstrip("/").rpartition("/")
    try:
        backend = sqs_backends[account.rpartition("/")[2]][region]
        backend.send_message(name, message)
    except (ServiceException, KeyError) as error:
        _log.warning("%s takes no message: %s", url, error)
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function that moto's Lambda was given. ``code`` is a zip file, empty for an image;
    ``handler`` is in it, as FILE.CALLABLE; ``limit_s`` is how long a call may take.
    """

    code: bytes
    handler: str
    runtime: str
    variables: Mapping[str, str]
    limit_s: float
    has_layers: bool


def function_of(account: str, region: str, name: str) -> Function | None:
    """Return a function of moto's Lambda, or None where it has none of that name."""
    if "moto.awslambda.models" not in sys.modules:  # nobody made one: moto loads what is asked for
        return None
    from moto.awslambda.exceptions import UnknownFunctionException
    from moto.awslambda.models import lambda_backends

    try:
        found = lambda_backends[account][region].get_function(name)
    except UnknownFunctionException:
        return None
    return Function(
        code=getattr(found, "code_bytes", b""),
        handler=str(found.handler or ""),
        runtime=str(found.run_time or ""),
        variables=dict(found.environment_vars),
        limit_s=float(found.timeout),
        has_layers=bool(found.layers),
    )


def make_role(account: str, path: str, name: str, policy: str) -> None:
    """Make a role in moto's IAM; one of that name that is there stays as it is."""
    from moto.iam.exceptions import EntityAlreadyExists
    from moto.iam.models import iam_backends

    try:
        iam_backends[account]["aws"].create_role(name, policy, path, None, "", [], None)
    except EntityAlreadyExists:
        return


def has_rules() -> bool:
    """Say whether anybody may have made a rule of EventBridge's: moto loads what is asked for."""
    return "moto.events.models" in sys.modules


def put_event(event: Mapping[str, Any]) -> None:
    """Put an event of a service's on the default bus of moto's EventBridge: whom its rules name has
    it on return. Where moto has no rules, nothing is done.
    """
    if not has_rules():
        return
    from moto.core.exceptions import ServiceException
    from moto.events.models import events_backends

    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "Resources": event["resources"],
    }
    try:
        events_backends[event["account"]][event["region"]].put_events([entry])
    except (ServiceException, KeyError, ValueError) as error:
        _log.warning("EventBridge does not take %s: %s", event["detail-type"], error)


def other_alarm_state(account: str, region: str, name: str) -> str | None:
    """Return the state of a CloudWatch alarm of moto's, or None where it has none of that name."""
    from moto.cloudwatch.models import cloudwatch_backends

    alarm = cloudwatch_backends[account][region].alarms.get(name)
    return None if alarm is None else str(alarm.state_value)
