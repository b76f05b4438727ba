"""Lists of many jobs: every order, pages that miss none and double none, and how they are found."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker
from sagedock.api import states
from sagedock.local.caller import Caller
from sagedock.local.database import Database
from sagedock.local.home import DATABASE
from sagedock.local.resources import Key, Resource, Resources
from sagedock.local.training import KIND, SUMMARY
from sagedock.local.training.document import new_document, training_job_arn
from sagedock.testing import FakeEngine
from tests.amount import amount
from tests.conftest import ACCOUNT, REGION, Local

JOBS = amount(10_000, quick=2_000)
CALLER = Caller(region=REGION, service="sagemaker", account=ACCOUNT)
ENDED = sorted(states.STATUSES[KIND].terminal)
ORDERS = ("CreationTime", "Name", "Status")


def name_of(number: int) -> str:
    return f"probe-{number * 7919 % JOBS:05d}"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A local SageMaker that has many jobs; each second has five of them."""
    home = tmp_path_factory.mktemp("many") / "home"
    database = Database(home / DATABASE)
    resources = Resources(database, summaries={KIND: SUMMARY})
    with database.transaction():
        for number in range(JOBS):
            resources.add(stored(number))
    database.close()
    engine = FakeEngine(None)
    with LocalSageMaker(home=home, engine=engine) as server:
        yield Local(server=server, engine=engine)


def stored(number: int) -> Resource:
    name, created = name_of(number), 1_750_000_000.0 + number // 5
    request: Mapping[str, Any] = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/probe",
        "OutputDataConfig": {"S3OutputPath": "s3://probe-bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "HyperParameters": {"filling": "x" * 1000},
    }
    document = new_document(request, training_job_arn(CALLER, name), created)
    status = ENDED[number % len(ENDED)]
    return Resource(
        key=Key(region=REGION, kind=KIND, name=name),
        created=created,
        modified=created,
        status=status,
        document={**document, "TrainingJobStatus": status, "SecondaryStatus": status},
        request=request,
    )


def listed(many: Local, **asked: Any) -> list[dict[str, Any]]:
    paginator = many.client("sagemaker").get_paginator("list_training_jobs")
    pages = paginator.paginate(PaginationConfig={"PageSize": 100}, **asked)
    return [summary for page in pages for summary in page["TrainingJobSummaries"]]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("order", ORDERS)
def test_all_jobs_page_by_page(many: Local, order: str, descending: bool) -> None:
    began = time.process_time()
    found = listed(many, SortBy=order, SortOrder="Descending" if descending else "Ascending")
    used_s = time.process_time() - began
    assert len({each["TrainingJobName"] for each in found}) == len(found) == JOBS
    member = {"Name": "TrainingJobName", "Status": "TrainingJobStatus"}.get(order, order)
    keys = [(each[member], each["TrainingJobName"]) for each in found]
    assert keys == sorted(keys, reverse=descending)
    # The processor's time, client and server together: it is the same on a busy machine.
    assert used_s < 5


def test_filters_leave_out_and_pages_miss_none(many: Local) -> None:
    wanted = [
        stored(number)
        for number in range(JOBS)
        if "99" in name_of(number) and ENDED[number % len(ENDED)] == "Failed"
    ]
    found = listed(many, NameContains="99", StatusEquals="Failed")
    assert {each["TrainingJobName"] for each in found} == {each.key.name for each in wanted}
    assert {each["TrainingJobStatus"] for each in found} == {"Failed"}


def test_times_bound_a_list_on_both_sides(many: Local) -> None:
    first, last = stored(500).created, stored(600).created
    found = listed(many, CreationTimeAfter=first, CreationTimeBefore=last)
    times = {each["CreationTime"].timestamp() for each in found}
    assert times == {first + second for second in range(1, int(last - first))}
    assert found == listed(many, LastModifiedTimeAfter=first, LastModifiedTimeBefore=last)


def test_a_page_holds_no_more_than_a_summary(many: Local) -> None:
    page = many.client("sagemaker").list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
    assert all(set(each) <= set(SUMMARY) for each in page)
    assert "filling" not in json.dumps(page, default=str)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", ["created", "modified", "name", "status"])
def test_no_page_is_sorted_or_searched_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sort: Any, descending: bool
) -> None:
    """Each order has an index, which leads to where the page starts."""
    database = Database(tmp_path / "state.sqlite")
    plans: list[str] = []
    rows = database.rows

    def explained(statement: str, *values: Any) -> Any:
        plan = rows(f"EXPLAIN QUERY PLAN {statement}", *values)
        plans.append("; ".join(each["detail"] for each in plan))
        return rows(statement, *values)

    monkeypatch.setattr(database, "rows", explained)
    Resources(database).page(
        REGION, KIND, sort=sort, descending=descending, after=(1.0, "probe"), limit=100
    )
    (plan,) = plans
    assert plan.startswith("SEARCH resources USING INDEX")
    assert "name<" in plan.replace(f"({sort},name)", "name") or "name>" in plan.replace(
        f"({sort},name)", "name"
    )
    assert "TEMP B-TREE" not in plan
    database.close()
