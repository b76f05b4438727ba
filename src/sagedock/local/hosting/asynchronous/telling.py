"""What the platform says of asynchronous invocations that failed, in log streams of its own.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html ("Logs"), and
rows 96 and 97 of aws-answers' page on the rest.
"""

from datetime import UTC, datetime

from sagedock.local.async_requests import AsyncRequest
from sagedock.local.hosting.asynchronous.outcome import Outcome
from sagedock.local.logs import Line, LogStore

__all__ = ["say"]


def say(logs: LogStore, group: str, request: AsyncRequest, outcome: Outcome, instance: str) -> None:
    """Say why a request failed on ``instance``, "" where none had it."""
    name = "/".join(filter(None, (outcome.variant, instance, "data-log")))
    moment = datetime.fromtimestamp(outcome.ended, UTC)
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}:[sagemaker logs]"
    text = f"{stamp} [{request.inference_id}] {outcome.reason}"
    line = Line(stream="stdout", time_s=outcome.ended, data=text.encode(), consumed=0)
    logs.write(logs.open(request.region, group, name), [line])
