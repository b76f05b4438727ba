"""How many instances an endpoint can have: refused before it is asked for them."""

from collections.abc import Mapping
from typing import Any

from sagedock.errors import InvalidRequest

__all__ = ["problems_in_emptiness", "refuse_counts"]


def refuse_counts(**counts: int) -> None:
    """Raise InvalidRequest for each parameter that is no number of instances, and for a
    ``max_instances`` that is below ``min_instances``.
    """
    problems = [
        f"{word}: {count!r} is no number of instances: give a whole number, 1 or more"
        for word, count in counts.items()
        if isinstance(count, bool) or not isinstance(count, int) or count < 0
    ]
    if not problems and counts.get("max_instances", 1) < 1:
        problems = ["max_instances: 0: there would never be an instance: give 1 or more"]
    if not problems and "max_instances" in counts:
        least, most = counts["min_instances"], counts["max_instances"]
        if most < least:
            problems = [
                f"max_instances: {most} is less than min_instances, {least}: give {least} or more"
            ]
    if problems:
        raise InvalidRequest(problems)


def problems_in_emptiness(
    endpoint: Mapping[str, Any], variant: Mapping[str, Any], **least: int
) -> list[str]:
    """Return a line where a variant is to have no instance, and who calls it waits for one.

    ``endpoint`` is what DescribeEndpoint answers, ``variant`` its summary of the variant. Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
    """
    managed = variant.get("ManagedInstanceScaling") or {}
    if endpoint.get("AsyncInferenceConfig") or managed.get("MinInstanceCount") == 0:
        return []
    return [
        f"{word}: 0: {endpoint['EndpointName']} answers at once, and needs an instance: give 1 or "
        "more; endpoints with async_inference can have none"
        for word, count in least.items()
        if count == 0
    ]
