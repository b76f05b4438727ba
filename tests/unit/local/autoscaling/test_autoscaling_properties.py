"""Requests made from the services' models: none breaks, no wrong one is carried out, and whatever
was carried out, the thread that scales goes on.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sagedock.api.model import input_shape
from sagedock.api.scaling import AUTOSCALING
from sagedock.local.autoscaling import ScalableResource
from sagedock.local.json_service import JsonService
from tests.laws.model_requests import Defect, defects, valid
from tests.unit.local.autoscaling.scaling_world import CALLER, TARGET, Scaling
from tests.unit.local.property_world import examples

OPERATIONS = [
    *(
        (AUTOSCALING, f"{verb}{what}")
        for what in ("ScalingPolicy", "ScheduledAction")
        for verb in ("Put", "Delete")
    ),
    *((AUTOSCALING, f"Describe{what}") for what in ("ScalableTargets", "ScalingActivities")),
    *((AUTOSCALING, f"Describe{what}") for what in ("ScalingPolicies", "ScheduledActions")),
    *((AUTOSCALING, name) for name in ("TagResource", "UntagResource", "ListTagsForResource")),
    (AUTOSCALING, "RegisterScalableTarget"),
    (AUTOSCALING, "DeregisterScalableTarget"),
    *(("cloudwatch", name) for name in ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms")),
    ("cloudwatch", "SetAlarmState"),
]
every_operation = pytest.mark.parametrize(("service", "operation"), OPERATIONS)
CODES = (
    *("ValidationException", "ValidationError", "ObjectNotFoundException"),
    *("InvalidNextTokenException", "InvalidNextToken", "LimitExceededException"),
    *("ResourceNotFoundException", "TooManyTagsException", "ResourceNotFound"),
)
OWN: dict[str, st.SearchStrategy[Any]] = {
    "Double": st.floats(-1e6, 1e6),
    "AlarmName": st.sampled_from(["busy", "calm"]),
    "Namespace": st.just("AWS/SageMaker"),
    "ExtendedStatistic": st.sampled_from(["p50", "tm90", "x"]),
    "TreatMissingData": st.sampled_from(["missing", "ignore", "breaching", "notBreaching", "x"]),
    "MetricScale": st.sampled_from([-1.0, 0.0, 1.0, 10.0, 1e300]),
    "Cooldown": st.integers(-1, 600),
    # Drawn from their patterns these would take minutes, and say no more.
    **dict.fromkeys(
        [
            *("ResourceIdMaxLen1600", "XmlString", "Expression", "Id"),
            *(f"TargetTrackingMetric{each}" for each in ("Name", "Namespace", "Unit")),
            *(f"TargetTrackingMetricDimension{each}" for each in ("Name", "Value")),
        ],
        st.sampled_from(["a", "Shop", "p99", "Average", "é😀", "x" * 255]),
    ),
    "PredictiveScalingPolicyConfiguration": st.just({"MetricSpecifications": []}),
}
RESOURCE = ScalableResource(
    region=CALLER.region,
    resource_id=TARGET["ResourceId"],
    dimension=TARGET["ScalableDimension"],
)
SCHEDULES = st.sampled_from(
    ["rate(1 minute)", "cron(0 0 29 2 ? *)", "cron(* * * * ? *)", "at(2027-01-01T00:00:00)", "x"]
)


@pytest.fixture(scope="module")
def scaling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scaling]:
    world = Scaling(tmp_path_factory.mktemp("scaling"))
    world.register()
    yield world
    world.database.close()


def answer(scaling: Scaling, service: str, operation: str, body: bytes) -> tuple[int, str, str]:
    """Return status, code and text of an answer, which is checked against the model."""
    reply = JsonService(service=service, operations=scaling.operations, check_answers=True).answer(
        operation, body, CALLER
    )
    found = json.loads(reply.body)
    return reply.status, found.get("__type", ""), found.get("Message", found.get("message", ""))


@cache
def requests(service: str, operation: str) -> st.SearchStrategy[Any]:
    """Right requests about the one target there is, mostly."""
    shape = input_shape(service, operation)
    drawn = valid(shape, OWN)
    if service == "cloudwatch":
        return drawn
    named = {name: value for name, value in TARGET.items() if name in shape.required_members}
    return st.builds(_mended, drawn, st.just(named), SCHEDULES, st.integers(0, 9))


def _mended(request: Any, named: Any, schedule: str, chance: int) -> Any:
    names = {"PolicyName": "p", "ScheduledActionName": "a"} if chance % 2 else {}
    usual = named if chance else {}
    timed = {"Schedule": schedule} if "Schedule" in request else {}
    kept = {name: value for name, value in names.items() if name in request}
    made = {**request, **usual, **kept, **timed}
    if "ServiceNamespace" in made and chance:
        made["ServiceNamespace"] = "sagemaker"
    if "Timezone" in made and chance > 3:
        made["Timezone"] = "Europe/Paris"
    return made


@st.composite
def broken(draw: st.DrawFn, service: str, operation: str) -> tuple[Any, Defect]:
    """Draw a right request and a single defect for it, each kind as often as the others."""
    request = draw(requests(service, operation))
    found = list(defects(input_shape(service, operation), request))
    assume(found)
    kind = draw(st.sampled_from(sorted({str(each.kind) for each in found})))
    return request, draw(st.sampled_from([each for each in found if str(each.kind) == kind]))


@every_operation
def test_a_right_request_is_answered_and_the_thread_goes_on(
    scaling: Scaling, service: str, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    @examples(40)
    @given(request=requests(service, operation))
    def holds(request: Any) -> None:
        status, code, message = answer(scaling, service, operation, json.dumps(request).encode())
        assert status == 200 or code in CODES, (code, message)
        scaling.minute(50.0)
        assert not caplog.records, caplog.text
        if scaling.book.target(RESOURCE) is None:
            scaling.register()

    holds()


@every_operation
def test_a_request_with_a_defect_is_refused_and_changes_nothing(
    scaling: Scaling, service: str, operation: str
) -> None:
    @examples(40)
    @given(drawn=broken(service, operation))
    def holds(drawn: Any) -> None:
        request, defect = drawn
        before = stored(scaling)
        body = json.dumps(defect.spoil(request)).encode()
        status, code, message = answer(scaling, service, operation, body)
        assert status == 400
        if defect.kind is None:
            assert code == "SerializationException"
        else:
            assert code == "ValidationException"
            assert f" at '{defect.path}' failed to satisfy constraint: " in message
        assert stored(scaling) == before

    holds()


def stored(scaling: Scaling) -> Any:
    """Return everything that autoscaling keeps."""
    rows = scaling.database.rows("SELECT * FROM resources ORDER BY 1, 2, 3")
    tags = scaling.database.rows("SELECT * FROM tags ORDER BY 1, 2")
    return [tuple(row) for row in (*rows, *tags)]
