"""A job's metrics over time, and the rows and pictures made of them."""

import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from sagedock.client import MetricSeries
from sagedock.client.board import Board
from sagedock.client.curves import save_curves
from sagedock.client.exact import exact_series
from sagedock.client.job_rows import JobRow, JobView
from sagedock.client.pace import AWS, LOCAL
from sagedock.client.series import SeriesFollower
from sagedock.engine import Usage
from sagedock.errors import InvalidRequest, SagedockError, StorageError
from sagedock.testing import Container
from tests.unit.client.conftest import Client

BEGIN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
DEFINITIONS = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}, {"Name": "acc", "Regex": "acc=(.*)"}]


DESCRIPTION = {"AlgorithmSpecification": {"MetricDefinitions": DEFINITIONS}}


def training(*losses: float) -> Callable[[Container], int]:
    def program(container: Container) -> int:
        container.usage = Usage(
            at_s=101, started_at_s=100, cpu_s=1.5, cpus=2, memory_bytes=1, memory_limit_bytes=4
        )
        for loss in losses:
            container.print(f"loss={loss}")
        assert container.measured.wait(60)
        return 0

    return program


def test_metrics_of_a_run_are_series(client: Client) -> None:
    client.local.engine.program = training(3, 2)
    estimator = client.estimator(metric_definitions=DEFINITIONS, instance_count=2)
    estimator.fit()
    run = estimator.latest_training_job
    assert run is not None
    found = {(each.name, each.host): each for each in run.metrics()}
    assert list(found) == [
        ("loss", None),
        ("CPUUtilization", "algo-1"),
        ("MemoryUtilization", "algo-1"),
        ("CPUUtilization", "algo-2"),
        ("MemoryUtilization", "algo-2"),
    ]
    assert found["MemoryUtilization", "algo-2"].values == (25.0,)
    assert found["CPUUtilization", "algo-1"].last == 150.0
    loss = found["loss", None]
    assert list(loss.times) == sorted(loss.times)
    assert abs(datetime.now(UTC) - loss.times[0]) < timedelta(minutes=5)


def test_of_an_ended_job_each_value_is_there_not_a_mean(client: Client) -> None:
    client.local.engine.program = training(*range(9))
    client.estimator(metric_definitions=DEFINITIONS).fit(job_name="j")
    view = Board(client.session).view("j")
    (loss,) = (each for each in view.series if each.name == "loss")
    assert loss.values == tuple(range(9))
    assert list(loss.times) == sorted(loss.times)
    logs, description = client.session.client("logs"), {**DESCRIPTION, "TrainingJobName": "j"}
    mean = (replace(loss, times=loss.times[:1], values=(4.0,)),)
    assert exact_series(logs, description, mean) == (loss,)


def test_the_time_of_a_job_that_never_trained_ends_with_it() -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    ended = began + timedelta(seconds=5)
    description = {
        "TrainingJobName": "j",
        "TrainingJobStatus": "Failed",
        "SecondaryStatus": "Failed",
        "CreationTime": began,
        "LastModifiedTime": ended + timedelta(days=1),
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "SecondaryStatusTransitions": [{"Status": "Failed", "StartTime": ended, "EndTime": ended}],
    }
    assert JobRow.of(description, ()).elapsed_s == 5.0
    assert JobRow.of({**description, "TrainingJobStatus": "InProgress"}, ()).elapsed_s > 5.0


@pytest.mark.parametrize(
    "change",
    [
        {"TrainingJobName": "gone"},
        {"AlgorithmSpecification": {}},
        {"AlgorithmSpecification": {"MetricDefinitions": [{"Name": "loss", "Regex": "(?<x>a)"}]}},
    ],
    ids=["the log is gone", "no definitions", "an expression of Java's"],
)
def test_means_stay_where_the_log_tells_no_more(client: Client, change: dict[str, Any]) -> None:
    client.local.engine.program = training(1)
    client.estimator(metric_definitions=DEFINITIONS).fit(job_name="j")
    mean = (series(),)
    description = {**DESCRIPTION, "TrainingJobName": "j", **change}
    assert exact_series(client.session.client("logs"), description, mean) == mean


@pytest.mark.parametrize(("limit", "most"), [("_MOST_LINES", 8), ("_MOST_CHARACTERS", 50)])
def test_a_long_log_is_left_alone(
    client: Client, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    client.local.engine.program = training(*range(9))
    client.estimator(metric_definitions=DEFINITIONS).fit(job_name="j")
    monkeypatch.setattr(f"sagedock.client.exact.{limit}", most)
    mean = (series(),)
    description = {**DESCRIPTION, "TrainingJobName": "j"}
    assert exact_series(client.session.client("logs"), description, mean) == mean


class CloudWatch:
    """As much of boto3's client as a follower needs; it keeps what it was asked."""

    def __init__(self, *points: tuple[datetime, float], page: int = 2) -> None:
        self.points, self.page = list(points), page
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, name: str) -> "CloudWatch":
        assert name == "get_metric_data"
        return self

    def paginate(self, **request: Any) -> Any:
        self.asked.append(request)
        queries = request["MetricDataQueries"]
        loss = next((each["Id"] for each in queries if _name(each) == "loss"), None)
        rows = [
            each for each in self.points if request["StartTime"] <= each[0] < request["EndTime"]
        ]
        for first in range(0, len(rows) if loss else 0, self.page):
            some = rows[first : first + self.page]
            yield {
                "MetricDataResults": [
                    {"Id": loss, "Timestamps": [t for t, _ in some], "Values": [v for _, v in some]}
                ]
            }


def _name(query: Any) -> str:
    return str(query["MetricStat"]["Metric"]["MetricName"])


def description(began: datetime, **members: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "j",
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Training",
        "AlgorithmSpecification": {"MetricDefinitions": DEFINITIONS},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        "CreationTime": began - timedelta(seconds=5),
        "TrainingStartTime": began,
        **members,
    }


def test_a_follower_asks_only_for_what_is_new_and_has_each_point_once() -> None:
    now = datetime.now(UTC)
    began = now - timedelta(hours=2)
    points = [(began + timedelta(minutes=number), float(number)) for number in range(100)]
    cloudwatch = CloudWatch(*points)
    follower = SeriesFollower(cloudwatch, LOCAL)
    (first,) = follower.read(description(began))
    assert first.values == tuple(range(100))
    cloudwatch.points.append((now, 100.0))
    (second,) = follower.read(description(began))
    assert second.values == tuple(range(101))
    assert cloudwatch.asked[1]["StartTime"] > now - timedelta(minutes=10)


def test_many_hosts_are_asked_for_in_several_calls() -> None:
    cloudwatch = CloudWatch()
    many = description(datetime.now(UTC), ResourceConfig={"InstanceCount": 120})
    assert SeriesFollower(cloudwatch, AWS).read(many) == ()
    assert [len(each["MetricDataQueries"]) for each in cloudwatch.asked] == [500, 102]


@pytest.mark.parametrize(
    ("days", "expected"), [(0.01, 60), (14, 60), (20, 300), (100, 3600), (900, 3600)]
)
def test_on_aws_the_period_is_the_finest_that_is_still_kept(days: float, expected: int) -> None:
    cloudwatch = CloudWatch()
    SeriesFollower(cloudwatch, AWS).read(description(datetime.now(UTC) - timedelta(days=days)))
    (asked,) = cloudwatch.asked
    periods = {each["MetricStat"]["Period"] for each in asked["MetricDataQueries"]}
    assert periods == {expected}


def test_a_board_has_the_newest_jobs_first(client: Client) -> None:
    client.local.engine.program = training(3, 2)
    for name in ("first", "second", "third"):
        client.estimator(metric_definitions=DEFINITIONS).fit(job_name=name)
    board = Board(client.session)
    rows = board.latest(limit=2)
    assert [row.name for row in rows] == ["third", "second"]
    assert [row.name for row in board.latest(limit=9, contains="fir")] == ["first"]
    assert board.latest(limit=9, status="Failed") == ()
    row = rows[0]
    assert (row.status, row.has_ended, row.instances) == ("Completed", True, "ml.m5.large")
    assert row.metrics == {"loss": 2.0}
    assert row.usage == {"CPUUtilization": 150.0, "MemoryUtilization": 25.0}
    assert row.billable_s is not None
    assert row.elapsed_s < 300


def test_a_job_that_is_not_there_is_refused_by_name(client: Client) -> None:
    with pytest.raises(InvalidRequest, match="not found"):
        Board(client.session).view("absent")


def view(*series: MetricSeries) -> JobView:
    return JobView(row=JobRow.of(description(BEGIN), series), series=series)


def series(name: str = "loss", host: str | None = None, count: int = 50) -> MetricSeries:
    times = tuple(BEGIN + timedelta(seconds=each) for each in range(count))
    return MetricSeries(
        name=name, host=host, times=times, values=tuple(1 / (1 + each) for each in range(count))
    )


def test_curves_are_a_png(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "curves.png"
    save_curves(view(series(), series("CPUUtilization", "algo-1")), file)
    data = file.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height) == (1560, 510)  # two panels beside each other


def test_curves_are_an_svg_with_a_panel_for_each_metric_and_a_line_for_each_host(
    tmp_path: Path,
) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "curves.SVG"
    hosts = [series("CPUUtilization", f"algo-{number}") for number in (1, 2)]
    save_curves(view(series("a $x^2$ <loss>"), *hosts, series("one", count=1)), file)
    root = ElementTree.fromstring(file.read_text())
    texts = ["".join(each.itertext()) for each in root.iter() if each.tag.endswith("}text")]
    for expected in (
        "a $x^2$ <loss>",
        "CPUUtilization",
        "algo-1",
        "algo-2",
        "time since the first point (s)",
        "percent (100 a core)",
    ):
        assert expected in texts


def test_a_picture_of_another_kind_or_without_metrics_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"ends in \.png or \.svg"):
        save_curves(view(series()), tmp_path / "curves.gif")
    with pytest.raises(InvalidRequest, match="there is no folder"):
        save_curves(view(series()), tmp_path / "absent" / "curves.png")
    with pytest.raises(InvalidRequest, match="j: has no metrics yet"):
        save_curves(view(), tmp_path / "curves.png")


def test_a_picture_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "curves.png").mkdir()
    with pytest.raises(StorageError, match="save it elsewhere"):
        save_curves(view(series()), tmp_path / "curves.png")


def test_without_matplotlib_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SagedockError, match=r"pip install 'sagedock\[plot\]'"):
        save_curves(view(series()), tmp_path / "curves.png")
