"""Requests about metrics, made from the services' models: none breaks, no wrong one is served."""

import json
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sagedock.api.model import input_shape
from sagedock.local import cloudwatch, metrics
from sagedock.local.caller import Caller
from sagedock.local.database import Database
from sagedock.local.json_service import JsonService
from sagedock.local.metrics.store import MetricStore
from tests.conftest import ACCOUNT, REGION
from tests.laws.model_requests import Defect, defects, valid
from tests.unit.local.property_world import arn, examples

CALLER = Caller(region=REGION, service="monitoring", account=ACCOUNT)
SERVICES = {"cloudwatch": cloudwatch.OPERATIONS, metrics.METRICS_SERVICE: metrics.OPERATIONS}
every_operation = pytest.mark.parametrize(
    ("service", "operation"),
    [(service, name) for service, table in SERVICES.items() for name in table],
)
#: Moments, periods and names near each other, so that requests meet what was put.
OWN: dict[str, st.SearchStrategy[Any]] = {
    "Namespace": st.just("/aws/sagemaker/TrainingJobs"),
    "Timestamp": st.integers(1_700_000_000, 1_700_100_000) | st.just(0) | st.just(4e9),
    "Stat": st.sampled_from(["Average", "p99", "p0.0", "Sum", "tm99", "nonsense"]),
    "ExtendedStatistic": st.sampled_from(["p50", "p100", "p101", "tm90", "x"]),
    "MetricId": st.sampled_from(["a", "b", "m1", "A"]),
    "ExperimentEntityName": st.sampled_from(["job-aws-training-job", "job"]),
    "SageMakerResourceArn": st.sampled_from([arn("job"), arn("never-was")]),
    "Double": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 5),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetricStore]:
    folder: Path = tmp_path_factory.mktemp("metrics")
    database = Database(folder / "state.sqlite")
    yield MetricStore(database)
    database.close()


def answer(store: MetricStore, service: str, operation: str, body: bytes) -> tuple[int, str]:
    handlers = {name: partial(each, store) for name, each in SERVICES[service].items()}
    reply = JsonService(service=service, operations=handlers, check_answers=True).answer(
        operation, body, CALLER
    )
    return reply.status, reply.body.decode()


@cache
def requests(service: str, operation: str) -> st.SearchStrategy[Any]:
    return valid(input_shape(service, operation), OWN)


@st.composite
def broken(draw: st.DrawFn, service: str, operation: str) -> tuple[Any, Defect]:
    request = draw(requests(service, operation))
    found = list(defects(input_shape(service, operation), request))
    assume(found)
    kind = draw(st.sampled_from(sorted({str(each.kind) for each in found})))
    return request, draw(st.sampled_from([each for each in found if str(each.kind) == kind]))


@every_operation
def test_a_right_request_is_answered_or_refused_by_a_rule(
    store: MetricStore, service: str, operation: str
) -> None:
    @examples(60)
    @given(request=requests(service, operation))
    def holds(request: Any) -> None:
        status, body = answer(store, service, operation, json.dumps(request).encode())
        assert status in (200, 400), body
        assert " validation error" not in body
        assert "SerializationException" not in body

    holds()


@every_operation
def test_a_request_with_a_defect_is_refused(
    store: MetricStore, service: str, operation: str
) -> None:
    @examples(60)
    @given(drawn=broken(service, operation))
    def holds(drawn: tuple[Any, Defect]) -> None:
        request, defect = drawn
        body = json.dumps(defect.spoil(request)).encode()
        status, said = answer(store, service, operation, body)
        assert status == 400, said
        if defect.kind is not None:
            assert f"at '{defect.path}' failed to satisfy constraint: " in said

    holds()
