"""Application Auto Scaling for SageMaker: what AWS's service does, on our own metrics and copies.

Pure: ``alarms`` (datapoints to a state), ``capacity`` (what a policy asks for), ``decision`` (what
becomes of it: bounds, cooldowns), ``schedules`` and ``cron`` (when scheduled actions run).

``autoscaler``   the thread that looks: ``alarm_watch`` evaluates, ``wishes`` asks policies,
                 ``tending`` acts
``measures``     what is published of resources because they are scaled
``fleets``       what it needs of whoever runs endpoints
``book``         what is registered, in the store; ``activities`` and ``alarm_documents`` word it
``operations``   of targets; ``policy_operations``, ``alarm_operations`` of the rest
``clock``        the time scale
``assembly``     all of it put together
"""

from sagedock.local.autoscaling.assembly import Autoscaling
from sagedock.local.autoscaling.book import alarm_state
from sagedock.local.autoscaling.fleets import CannotScale, Fleet, Fleets, ScalableResource
from sagedock.local.autoscaling.routing import is_about_sagemaker

__all__ = [
    "Autoscaling",
    "CannotScale",
    "Fleet",
    "Fleets",
    "ScalableResource",
    "alarm_state",
    "is_about_sagemaker",
]
