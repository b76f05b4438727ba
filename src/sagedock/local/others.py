"""The AWS services that are not ours, answered by moto on the same address.

moto keeps their state in memory: it is gone when the server ends.
"""

import json
import logging
import sys
from collections.abc import Mapping
from typing import Any, cast

from starlette.types import ASGIApp

__all__ = [
    "has_rules",
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
