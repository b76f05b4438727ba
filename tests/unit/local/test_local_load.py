"""Many jobs, and many calls at once: nothing breaks, nothing is lost, nothing is left."""

import http.client
import json
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sagedock.local.home import DATABASE
from sagedock.testing import Container
from tests.amount import amount
from tests.conftest import REGION, Local

JOBS = amount(300, quick=50)
THREADS = 16
CALLS = amount(60, quick=25)
SEEDS = range(1, 1 + amount(3, quick=1))
NAMES = [f"probe-{number}" for number in range(6)]
ENDED = ("Completed", "Failed", "Stopped")
#: The threads that a job has; those that serve HTTP stay a while for the next request.
OF_JOBS = ("job ", "logs ", "_await_host ", "_stop ")

Answer = tuple[int, dict[str, Any]]


class Calls:
    """Calls of the API, with as little around them as can be."""

    def __init__(self, local: Local) -> None:
        self._address = urlsplit(local.server.endpoint_url).netloc

    def __call__(self, operation: str, **request: Any) -> Answer:
        headers = {"X-Amz-Target": f"SageMaker.{operation}"}
        with closing(http.client.HTTPConnection(self._address, timeout=60)) as connection:
            connection.request("POST", "/", json.dumps(request), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())


def prints_and_ends(container: Container) -> int:
    for number in range(3):
        container.print(f"line {number}")
    container.files["/opt/ml/model/weights"] = b"w"
    return 0


def test_many_jobs_leave_nothing(local: Local) -> None:
    """Neither in the engine, nor threads, nor open files, nor on the disk but what S3 keeps."""
    local.engine.program = prints_and_ends
    call = Calls(local)

    def create(number: int) -> int:
        request = local.job(TrainingJobName=f"probe-{number}", Tags=[{"Key": "k", "Value": "v"}])
        return call("CreateTrainingJob", **request)[0]

    def delete(number: int) -> int:
        return call("DeleteTrainingJob", TrainingJobName=f"probe-{number}")[0]

    def run(numbers: range) -> None:
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(create, numbers)) == {200}
            until(lambda: statuses(call) == {"Completed": len(numbers)}, 240)
            assert set(pool.map(delete, numbers)) == {200}

    run(range(20))
    before = leavings(local)
    run(range(20, 20 + JOBS))
    until(lambda: not threads_of_jobs(), 60)
    after = leavings(local)
    assert after["folders"] == before["folders"]
    assert after["rows"] == before["rows"] == {}
    assert after["engine"] == before["engine"]
    # Connections that are kept for reading, and to clients, come and go.
    assert after["open files"] <= before["open files"] + 30
    assert after["database"] <= before["database"] + 100_000


def statuses(call: Calls) -> Counter[str]:
    """Return how many jobs have each status, over all pages."""
    found: Counter[str] = Counter()
    token: dict[str, str] | None = {}
    while token is not None:
        _, page = call("ListTrainingJobs", MaxResults=100, **token)
        found.update(each["TrainingJobStatus"] for each in page["TrainingJobSummaries"])
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else None
    return found


def leavings(local: Local) -> dict[str, Any]:
    """Return what there is now of everything that jobs use."""
    home = local.server.settings.home
    kept = sqlite3.connect(home / DATABASE)
    kept.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    tables = [name for (name,) in kept.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    rows = {name: kept.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    kept.close()
    return {
        "folders": {
            name: sorted(str(each) for each in (home / name).glob("*/*"))
            for name in ("jobs", "scratch")
        },
        "rows": {name: count for name, count in rows.items() if count},
        "engine": (sorted(local.engine.all), sorted(local.engine.all_networks)),
        "open files": len(list(Path("/proc/self/fd").glob("*"))),
        "database": (home / DATABASE).stat().st_size,
    }


def threads_of_jobs() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith(OF_JOBS)]


def until(true: Callable[[], bool], timeout_s: float) -> None:
    ends = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_of_16_threads_break_nothing_and_lose_no_job(local: Local, seed: int) -> None:
    """A name's jobs are created and deleted in turns, so that at most one is there."""
    call, counts, lock = Calls(local), Counter[tuple[str, str]](), threading.Lock()
    local.engine.program = lives_a_moment
    schedules = [random.Random(f"{seed}/{number}") for number in range(THREADS)]

    def work(chance: random.Random) -> None:
        for _ in range(CALLS):
            operation, name = chance.choice(list(REQUESTS)), chance.choice(NAMES)
            status, answer = call(operation, **REQUESTS[operation](local, name))
            code = "done" if status == 200 else answer["__type"]
            assert code in EXPECTED[operation], f"{operation}: {status} {answer}"
            with lock:
                counts[operation, name] += status == 200

    with ThreadPoolExecutor(THREADS) as pool:
        for finished in [pool.submit(work, chance) for chance in schedules]:
            finished.result()
    for name in NAMES:
        status, _ = call("DescribeTrainingJob", TrainingJobName=name)
        left = counts["CreateTrainingJob", name] - counts["DeleteTrainingJob", name]
        assert left == (status == 200), name
        if left:
            assert local.ended(name)["TrainingJobStatus"] in ENDED
            call("DeleteTrainingJob", TrainingJobName=name)
    until(lambda: not threads_of_jobs(), 60)
    assert counts["CreateTrainingJob", NAMES[0]] > 1
    assert leavings(local)["rows"] == {}
    assert local.engine.all == {}
    assert not list((local.server.settings.home / "jobs" / REGION).iterdir())


def lives_a_moment(container: Container) -> int:
    container.print("begins")
    container.terminated.wait(0.01)
    return 0


REQUESTS: dict[str, Callable[[Local, str], dict[str, Any]]] = {
    "CreateTrainingJob": lambda local, name: local.job(TrainingJobName=name),
    "DeleteTrainingJob": lambda local, name: {"TrainingJobName": name},
    "DescribeTrainingJob": lambda local, name: {"TrainingJobName": name},
    "StopTrainingJob": lambda local, name: {"TrainingJobName": name},
    "ListTrainingJobs": lambda local, name: {"NameContains": name, "SortBy": "Status"},
    "AddTags": lambda local, name: {
        "ResourceArn": f"arn:aws:sagemaker:{REGION}:123456789012:training-job/{name}",
        "Tags": [{"Key": "k", "Value": "v"}],
    },
}
EXPECTED = {
    "CreateTrainingJob": ("done", "ResourceInUse"),
    "DeleteTrainingJob": ("done", "ValidationException", "ResourceInUse"),
    "DescribeTrainingJob": ("done", "ValidationException"),
    "StopTrainingJob": ("done", "ValidationException"),
    "ListTrainingJobs": ("done",),
    "AddTags": ("done", "ValidationException"),
}
