"""The check before anything is sent: all problems, in the words that the user typed."""

import dataclasses
from typing import Any

import pytest

from sagedock.client.check import problems_in, unknown_instance_type
from sagedock.client.words import word_of
from sagedock.jobs import Channel, FileSystemChannel, Request, TrainingJob

JOB = TrainingJob(
    name="job",
    image_uri="123456789012.dkr.ecr.us-west-2.amazonaws.com/image:tag",
    role="arn:aws:iam::123456789012:role/sagedock",
    instance_type="ml.m5.large",
    output_path="s3://bucket/",
)


FILES = FileSystemChannel(
    file_system_id="fs-0123abcd", file_system_type="EFS", directory_path="/digits"
)


def request(**changes: Any) -> Request:
    (made,) = dataclasses.replace(JOB, **changes).requests()
    return made


def test_a_right_request_has_no_problem() -> None:
    assert problems_in(request()) == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"name": "my job"}, "job_name (or base_job_name)"),
        ({"role": "sagedock-execution-role"}, "role"),
        ({"role": None}, "role"),
        ({"output_path": "bucket/path"}, "output_path"),
        ({"instance_type": "local"}, "instance_type"),
        ({"instance_type": None}, "instance_type, instance_count"),
        ({"instance_count": "2"}, "instance_count"),
        ({"max_run_s": 0}, "max_run"),
        ({"max_wait_s": 10}, "max_wait, use_spot_instances"),
        ({"use_spot_instances": True}, "max_run, max_wait, use_spot_instances"),
        ({"input_mode": "Nope"}, "input_mode"),
        ({"image_uri": "x" * 300}, "image_uri"),
        ({"image_uri": None}, "image_uri"),
        ({"volume_size_gb": -1}, "volume_size"),
        ({"keep_alive_period_s": 10**6}, "keep_alive_period_in_seconds"),
        ({"subnets": ["subnet-1"]}, "security_group_ids"),
        ({"checkpoint_s3_uri": "/tmp/x"}, "checkpoint_s3_uri"),
        ({"metric_definitions": [{"Name": "loss"}]}, "metric_definitions[0].Regex"),
        ({"tags": {"": "x"}}, "tags[0].Key"),
        ({"hyperparameters": {"a": "x" * 2501}}, "hyperparameters"),
        ({"environment": {"A B": "x" * 600}}, "environment"),
        ({"inputs": {"my data": "s3://b/x"}}, "inputs['my data']"),
        ({"inputs": {"data": "x://b"}}, "inputs['data'].s3_data"),
        (
            {"inputs": {"data": Channel(s3_data="s3://b/x", compression="Zip")}},  # type: ignore[arg-type]
            "inputs['data'].compression",
        ),
        (
            {"inputs": {"data": Channel(s3_data="s3://b/x", compression="Gzip")}},
            "inputs",
        ),
        ({"inputs": {"data": FILES}}, "inputs, subnets, security_group_ids"),
        (
            {"inputs": {"data": dataclasses.replace(FILES, file_system_id="efs-1")}},
            "inputs['data'].file_system_id",
        ),
        (
            {"inputs": {"data": dataclasses.replace(FILES, file_system_type="NFS")}},
            "inputs['data'].file_system_type",
        ),
        ({"max_retry_attempts": 99}, "max_retry_attempts"),
        ({"extra": {"RetryStrategie": {}}}, "extra"),
    ],
)
def test_a_problem_names_the_users_parameter(changes: dict[str, Any], word: str) -> None:
    lines = problems_in(request(**changes))
    assert lines
    assert [line for line in lines if not line.startswith(f"{word}: ")] == []


def test_all_problems_come_at_once() -> None:
    lines = problems_in(request(name="my job", role="role", max_run_s="soon", extra={"Unknown": 1}))
    assert {line.split(":")[0].split(" ")[0] for line in lines} == {
        "job_name",
        "role",
        "max_run",
        "extra",
    }


def test_a_line_says_the_value_the_demand_and_the_remedy() -> None:
    (line,) = problems_in(request(name="my job"))
    assert "'my job'" in line
    assert "regular expression" in line
    assert line.endswith("use letters, digits and single hyphens, at most 63 in all")


def test_a_long_value_is_cut_in_its_line() -> None:
    (line,) = problems_in(request(hyperparameters={"a": "x" * 5000}))
    assert len(line) < 500


def test_a_newer_instance_type_is_let_through_with_a_warning() -> None:
    newer = request(instance_type="ml.m5.largest")
    assert problems_in(newer) == []
    warning = unknown_instance_type(newer)
    assert warning is not None
    assert "'ml.m5.largest'" in warning
    assert "ml.m5.large" in warning.split("near it are")[1]


def test_a_known_instance_type_has_no_warning() -> None:
    assert unknown_instance_type(request()) is None


def test_a_word_that_is_not_known_keeps_the_apis_name() -> None:
    assert word_of("ProfilerConfig.S3OutputPath", {}) == "extra ProfilerConfig.S3OutputPath"
