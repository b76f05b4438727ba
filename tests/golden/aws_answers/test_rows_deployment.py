"""Row 61 of the fidelity corpus ("the rest"): what the variants of an update step by step tell."""

from sagedock.local.hosting import document
from sagedock.local.hosting.deployment import Step


def told(step: Step) -> list[str]:
    pending = {
        "VariantName": "AllTraffic",
        "DesiredWeight": 1.0,
        "CurrentInstanceCount": 0,
        "DesiredInstanceCount": 3,
    }
    before = {"PendingDeploymentSummary": {"ProductionVariants": [pending]}}
    messages = []
    for change in (document.activating, document.baking):
        (variant,) = change(before, step, 1.0)["PendingDeploymentSummary"]["ProductionVariants"]
        (status,) = variant["VariantStatus"]
        messages.append(f"{status['Status']}: {status['StatusMessage']}")
    return messages


def test_rest_row_61_a_canary() -> None:
    step = Step(turned_on={"AllTraffic": 1}, shares={}, wait_s=600, capacity="canary")
    assert told(step) == [
        "ActivatingTraffic: Activating traffic on canary capacity of 1 instance(s).",
        "Baking: Baking for 600 seconds (TerminationWaitInSeconds) with traffic enabled on canary "
        "capacity of 1 instance(s).",
    ]


def test_rest_row_61_full_capacity() -> None:
    step = Step(turned_on={"AllTraffic": 3}, shares={}, wait_s=300)
    assert told(step)[1] == (
        "Baking: Baking for 300 seconds (TerminationWaitInSeconds) with traffic enabled on full "
        "capacity of 3 instance(s)."
    )
