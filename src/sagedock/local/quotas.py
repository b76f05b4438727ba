"""Quotas: how many instances of a type may be in use at once, where the settings name one; and how
many are asked of no machine.

Source: https://docs.aws.amazon.com/general/latest/gr/sagemaker.html (quotas are per region).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from sagedock.api import ServiceError, messages, states
from sagedock.local.caller import Caller
from sagedock.local.platform import Platform

__all__ = ["MOST_INSTANCES", "over_quota"]

Request = Mapping[str, Any]

#: More containers than a machine runs for one job, endpoint or inference component. The service's
#: own quota was 20 for long.
MOST_INSTANCES = 100


def over_quota(
    platform: Platform,
    caller: Caller,
    kind: states.Kind,
    request: Request,
    instances: Callable[[Request], Mapping[str, int]],
    *,
    at_once: int = 1,
) -> ServiceError | None:
    """Return the refusal of a job of ``kind`` that would exceed a quota, or None.

    ``instances`` counts a request's, by the quota that they count for; so many of it are to run
    ``at_once``. A job counts from its
    creation to its end. Of two that come at the same moment both may pass.
    """
    quotas = platform.settings.quotas
    counts = instances(request)
    asked = {name: count * at_once for name, count in counts.items() if name in quotas}
    if not asked:
        return None
    used: Counter[str] = Counter()
    for job in platform.resources.unfinished(kind, states.STATUSES[kind].terminal):
        if job.key.region == caller.region:
            used.update(instances(job.request))
    for name, count in asked.items():
        if used[name] + count > quotas[name]:
            return messages.quota_exceeded(
                quota=name, limit=quotas[name], used=used[name], asked=count
            )
    return None
