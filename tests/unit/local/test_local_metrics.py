"""Metric definitions over the lines of every host: while they come, once each, and to the end."""

import os
import re
import resource
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sagedock.api import metrics as names
from sagedock.local.database import Database
from sagedock.local.logs import Line, LogStore
from sagedock.local.metrics import Definitions, LogReader, MetricStore
from sagedock.local.metrics.matching import Matcher, MatcherBroke
from sagedock.local.metrics.store import Point
from sagedock.testing import Container
from tests.amount import amount
from tests.conftest import IMAGE, REGION, Local

GROUP = "/aws/sagemaker/TrainingJobs"
LOSS = [{"Name": "loss", "Regex": "loss=([0-9.e+-]+|nan)"}]
HOSTILE = {"Name": "hostile", "Regex": "(a+)+b"}
BAIT = "a" * 60
MANY_LINES = amount(30_000, quick=10_000)


def algorithm(*definitions: dict[str, str]) -> dict[str, Any]:
    return {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": list(definitions),
    }


def printing(*lines: str) -> Callable[[Container], int]:
    def program(container: Container) -> int:
        for line in lines:
            container.print(line)
        return 0

    return program


def finals(job: Any) -> list[tuple[str, float]]:
    return [(each["MetricName"], each["Value"]) for each in job.get("FinalMetricDataList", [])]


def test_the_last_value_of_each_metric_is_final_in_the_order_of_the_definitions(
    local: Local,
) -> None:
    definitions = [
        *LOSS,
        {"Name": "acc", "Regex": "acc=(.*?);"},
        {"Name": "never", "Regex": "x=(1)"},
    ]
    job = local.run(
        printing("acc=0.1; loss=3 loss=0.6012600064277649", "acc=0.5;", "acc=high;"),
        AlgorithmSpecification=algorithm(*definitions),
    )
    # Single precision, as AWS answers it.
    assert finals(job) == [("loss", 0.6012600064277649), ("acc", 0.5)]
    assert all(each["Timestamp"].microsecond == 0 for each in job["FinalMetricDataList"])


def test_what_is_no_finite_number_is_no_value(local: Local) -> None:
    program = printing("loss=0.25", "loss=nan", "loss=1e999", "loss=1e300", "loss=", "loss=--")
    job = local.run(program, AlgorithmSpecification=algorithm(*LOSS))
    assert finals(job) == [("loss", 0.25)]


def test_a_definition_without_a_group_takes_the_whole_match(local: Local) -> None:
    definition = {"Name": "n", "Regex": "[0-9]+"}
    job = local.run(printing("epoch 7 of 9"), AlgorithmSpecification=algorithm(definition))
    assert finals(job) == [("n", 9.0)]


def test_of_several_hosts_the_latest_line_counts(local: Local) -> None:
    def program(container: Container) -> int:
        if container.spec.name.endswith("algo-1"):
            container.print("loss=3")
            return 0
        first = next(each for each in local.engine.all.values() if each is not container)
        assert first.ended.wait(60)
        time.sleep(0.005)  # times are milliseconds
        container.print("loss=2")
        return 0

    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = local.run(program, AlgorithmSpecification=algorithm(*LOSS), ResourceConfig=resources)
    assert finals(job) == [("loss", 2.0)]


def test_a_hostile_expression_is_given_up_and_the_others_go_on(local: Local) -> None:
    began = time.monotonic()
    job = local.run(
        printing("loss=1", BAIT, "loss=2"), AlgorithmSpecification=algorithm(HOSTILE, *LOSS)
    )
    assert job["TrainingJobStatus"] == "Completed"
    assert finals(job) == [("loss", 2.0)]
    assert time.monotonic() - began < 60
    logs = local.client("logs")
    (stream,) = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    events = logs.get_log_events(logGroupName=GROUP, logStreamName=stream["logStreamName"])
    assert [each["message"] for each in events["events"]][:3] == ["loss=1", BAIT, "loss=2"]
    assert "'hostile' is not applied any more" in events["events"][3]["message"]
    assert len(events["events"]) == 4


def test_the_server_answers_while_a_hostile_expression_runs(local: Local) -> None:
    def program(container: Container) -> int:
        container.print(BAIT)
        assert container.terminated.wait(60)
        return 0

    local.engine.program = program
    local.client("sagemaker").create_training_job(
        **local.job(AlgorithmSpecification=algorithm(HOSTILE))
    )
    local.until("probe-1", lambda job: job["SecondaryStatus"] == "Training")
    slowest, sagemaker = 0.0, local.client("sagemaker")
    ends = time.monotonic() + 1.5  # the expression has a second, and would need years
    while time.monotonic() < ends:
        asked = time.monotonic()
        sagemaker.describe_training_job(TrainingJobName="probe-1")
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.02)
    assert slowest < 10.0
    local.client("sagemaker").stop_training_job(TrainingJobName="probe-1")
    assert local.ended("probe-1")["TrainingJobStatus"] == "Stopped"


def test_a_job_that_is_deleted_takes_its_metrics_along(local: Local) -> None:
    local.run(printing("loss=1"), AlgorithmSpecification=algorithm(*LOSS))
    local.client("sagemaker").delete_training_job(TrainingJobName="probe-1")
    job = local.run(printing("nothing"), AlgorithmSpecification=algorithm(*LOSS))
    assert finals(job) == []


class Log:
    """A log stream of a job, and readers over it."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "state.sqlite")
        self.logs, self.metrics = LogStore(self.database), MetricStore(self.database)
        self.stream = self.logs.open(REGION, GROUP, "job/algo-1-1")
        self.warnings: list[str] = []

    def write(self, *texts: str) -> None:
        now = time.time()
        self.logs.write(
            self.stream,
            [
                Line(stream="stdout", time_s=now, data=text.encode(), consumed=len(text) + 1)
                for text in texts
            ],
        )

    def reader(self, **expressions: str) -> LogReader:
        definitions = Definitions(
            region=REGION,
            namespace=GROUP,
            dimensions=names.job_dimension("job"),
            unit="None",
            expressions=expressions,
            warn=self.warnings.append,
        )
        reader = LogReader(self.logs, self.metrics, definitions, GROUP, "job/")
        reader.start()
        return reader

    def values(self, name: str = "n") -> list[float]:
        return [each.value for each in self.points(name)]

    def points(self, name: str = "n") -> list[Point]:
        return self.metrics.points(REGION, GROUP, name, names.job_dimension("job"))


def finish(reader: LogReader) -> None:
    reader.end()
    reader.join()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_points_are_there_while_lines_still_come(log: Log) -> None:
    reader = log.reader(n="n=([0-9]+)")
    log.write("n=1", "n=2")
    ends = time.monotonic() + 60
    while log.values() != [1, 2]:
        assert time.monotonic() < ends
        time.sleep(0.01)
    log.write("n=3")
    finish(reader)
    assert log.values() == [1, 2, 3]


def test_a_reader_goes_on_where_the_last_one_was(log: Log) -> None:
    log.write("n=1")
    finish(log.reader(n="n=([0-9]+)"))
    log.write("n=2")
    finish(log.reader(n="n=([0-9]+)"))
    finish(log.reader(n="n=([0-9]+)"))
    assert log.values() == [1, 2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_kill_between_finding_and_storing_loses_and_doubles_nothing(log: Log) -> None:
    log.write(*(f"n={number}" for number in range(5)))
    add, killed = log.metrics.add, []

    def kill_once(found: Any) -> None:
        add(found)
        if not killed:
            killed.append(True)
            raise SystemExit  # inside the transaction, as a kill would

    log.metrics.add = kill_once  # type: ignore[method-assign]
    finish(log.reader(n="n=([0-9]+)"))
    assert (killed, log.values(), log.metrics.evaluated(REGION, log.stream.name)) == ([True], [], 0)
    finish(log.reader(n="n=([0-9]+)"))
    assert log.values() == [0, 1, 2, 3, 4]


def test_many_lines_and_forty_definitions_take_a_moment(log: Log) -> None:
    log.write(*(f"epoch={n} train_loss=0.{n} val_loss=0.{n} step {n}" for n in range(MANY_LINES)))
    expressions = {f"m{n}": f".*metric_{n}=(.*?);" for n in range(38)}
    began = time.monotonic()
    finish(log.reader(n="train_loss=([0-9.]+)", step="step ([0-9]+)", **expressions))
    seconds = time.monotonic() - began
    assert (len(log.values()), len(log.values("step"))) == (MANY_LINES, MANY_LINES)
    assert seconds < 60, (
        "nearly all of it is storing the points; a search of each line takes 8 s more"
    )


def test_every_literal_that_is_demanded_is_in_each_match() -> None:
    lines = ["Loss=1", "loss=2", "los=3", "x loss: 4", "val_loss=5", "LOSS=6", "7 points"]
    expressions = [
        "loss=([0-9])",
        "(?i)loss=([0-9])",
        "(?i:loss)=([0-9])",
        "los+=([0-9])",
        "(?:loss=|loss: )([0-9])",
        "(?:val_)?loss=([0-9])",
        "(?<=loss=)([0-9])",
        "(?!.*loss)([0-9])",
        "([0-9])(?: points)",
        "(?:loss){0}([0-9])",
        "(loss)?=([0-9])",
    ]
    with Matcher(expressions) as matcher:
        found = matcher.find(lines)
    wanted: list[list[Any]] = []
    for expression in expressions:
        wanted.append([])
        for line, text in enumerate(lines):
            for match in re.finditer(expression, text):
                try:
                    wanted[-1].append([line, float(match.group(1))])
                except (TypeError, ValueError):
                    continue
    assert found.values == wanted
    assert found.given_up == []


def test_too_much_memory_gives_an_expression_up(log: Log) -> None:
    log.write("x" * 200_000)
    finish(log.reader(bad="(?:(?:x|y)(?:x|z))*w", n="(x)"))
    # Either it is done within its second, or it is given up; the reader lives.
    log.write("n=1")
    finish(log.reader(n="n=([0-9])"))
    assert log.values() == [1]


def test_a_server_with_many_open_files_applies_definitions_too() -> None:
    """``select`` takes no descriptor beyond 1023."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = 1200 if hard == resource.RLIM_INFINITY else min(1200, hard - 100)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, many + 100), hard))
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(many):
            stack.callback(os.close, os.dup(0))
        with Matcher(["x=(.*)"]) as matcher:
            assert matcher.find(["x=1"]).values == [[[0, 1.0]]]


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("/absent/python", "cannot be started"),
        ("/bin/false", "ended"),
        ("/bin/echo", "ended|no answer"),
    ],
)
def test_a_process_that_does_not_answer_is_told_of(program: str, why: str) -> None:
    with pytest.raises(MatcherBroke, match=why), Matcher(["x=(.*)"], program) as matcher:
        matcher.find(["x=1"])
