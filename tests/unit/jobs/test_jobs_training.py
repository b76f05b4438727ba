"""A training job and its parts, as data."""

import dataclasses
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.errors import InvalidRequest
from sagedock.jobs import Channel, Script, TrainingJob, base_name_of_image, unique_name
from sagedock.jobs.hyperparameters import as_json, as_text
from sagedock.jobs.request import merged, present

JOB = TrainingJob(
    name="job",
    image_uri="123456789012.dkr.ecr.us-west-2.amazonaws.com/image:tag",
    role="arn:aws:iam::123456789012:role/sagedock",
    instance_type="ml.m5.large",
    output_path="s3://bucket/",
)
SCRIPT = Script(program="train.py", submit_directory="s3://b/code.tar.gz", region="eu-west-1")


def parameters(**changes: Any) -> dict[str, Any]:
    (request,) = dataclasses.replace(JOB, **changes).requests()
    return dict(request.parameters)


def test_hyperparameters_without_a_script_are_what_str_writes() -> None:
    sent = parameters(hyperparameters={"n": 3, "flag": True, "word": "adam", "none": None})
    assert sent["HyperParameters"] == {"n": "3", "flag": "True", "word": "adam", "none": "None"}


def test_hyperparameters_of_a_script_are_json_and_name_the_program() -> None:
    sent = parameters(script=SCRIPT, hyperparameters={"n": 3, "flag": True, "word": "adam"})
    assert sent["HyperParameters"] == {
        "n": "3",
        "flag": "true",
        "word": '"adam"',
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": '"s3://b/code.tar.gz"',
        "sagemaker_container_log_level": "20",
        "sagemaker_job_name": '"job"',
        "sagemaker_region": '"eu-west-1"',
    }


def test_values_that_json_cannot_hold_are_all_named() -> None:
    with pytest.raises(InvalidRequest) as caught:
        as_json({"a": object(), "fine": 1, "b": {1, 2}})
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "hyperparameters['a']",
        "hyperparameters['b']",
    ]


def test_an_isolated_script_arrives_as_a_channel() -> None:
    sent = parameters(script=SCRIPT, enable_network_isolation=True)
    assert sent["HyperParameters"]["sagemaker_submit_directory"] == (
        '"/opt/ml/input/data/code/code.tar.gz"'
    )
    (channel,) = sent["InputDataConfig"]
    assert channel["ChannelName"] == "code"
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == "s3://b/code.tar.gz"


def test_an_isolated_script_is_a_file_also_where_data_is_streamed() -> None:
    sent = parameters(script=SCRIPT, enable_network_isolation=True, input_mode="Pipe")
    assert sent["InputDataConfig"][0]["InputMode"] == "File"


def test_what_is_not_set_is_not_sent() -> None:
    assert set(parameters()) == {
        "TrainingJobName",
        "AlgorithmSpecification",
        "RoleArn",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
    }


def test_zero_and_empty_strings_are_sent_for_the_service_to_judge() -> None:
    sent = parameters(instance_count=0, image_uri="")
    assert sent["ResourceConfig"]["InstanceCount"] == 0
    assert sent["AlgorithmSpecification"]["TrainingImage"] == ""


def test_half_a_network_is_sent_so_that_the_check_can_name_the_other_half() -> None:
    assert parameters(subnets=["subnet-1"])["VpcConfig"] == {"Subnets": ["subnet-1"]}


def test_a_channel_keeps_the_order_of_inputs_and_its_extra_is_laid_over_it() -> None:
    odd = Channel(s3_data="s3://b/x", extra={"ContentType": "text/csv", "DataSource": None})
    first, second = parameters(inputs={"z": "s3://b/z", "a": odd})["InputDataConfig"]
    assert first["ChannelName"] == "z"
    assert second == {"ChannelName": "a", "ContentType": "text/csv"}


def test_tags_are_a_map_or_the_api_list() -> None:
    expected = [{"Key": "team", "Value": "vision"}]
    assert parameters(tags={"team": "vision"})["Tags"] == expected
    assert parameters(tags=expected)["Tags"] == expected


def test_extra_reaches_into_maps_replaces_values_and_removes_with_none() -> None:
    sent = parameters(
        extra={"ResourceConfig": {"VolumeSizeInGB": 5, "InstanceCount": None}, "Tags": []}
    )
    assert sent["ResourceConfig"] == {"InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
    assert sent["Tags"] == []


_json = st.recursive(
    st.integers() | st.text(max_size=3) | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
_maps = st.dictionaries(st.text(max_size=2), _json, max_size=4)


@given(_maps, _maps)
def test_merging_changes_neither_side_and_is_settled_after_once(
    below: dict[str, Any], above: dict[str, Any]
) -> None:
    copies = (repr(below), repr(above))
    once = merged(below, above)
    assert merged(once, above) == once
    assert merged(below, {}) == below
    assert (repr(below), repr(above)) == copies


@given(_maps)
def test_present_drops_nothing_that_was_said(members: dict[str, Any]) -> None:
    kept = present(members)
    assert all(members[name] in ({}, []) for name in members.keys() - kept.keys())


@given(st.dictionaries(st.text(), st.integers() | st.floats() | st.text() | st.booleans()))
def test_every_hyperparameter_becomes_a_string(values: dict[str, Any]) -> None:
    assert all(isinstance(value, str) for value in as_text(values).values())
    assert all(isinstance(value, str) for value in as_json(values).values())


def test_a_unique_name_is_the_base_and_the_time_in_utc() -> None:
    summer = datetime(2026, 7, 1, 1, 2, 3, 45_678, tzinfo=timezone(timedelta(hours=2)))
    name = unique_name("digits", summer, suffix="09af")
    assert name == "digits-2026-06-30-23-02-03-045-09af"


def test_names_of_the_same_millisecond_differ() -> None:
    now = datetime.now(UTC)
    names = {unique_name("x", now) for _ in range(8)}
    assert len(names) > 1
    pattern = r"x(-\d{2,4}){6}-\d{3}-[0-9a-f]{4}"
    assert all(re.fullmatch(pattern, name) for name in names)


def test_a_long_base_is_cut_to_what_the_service_takes() -> None:
    assert len(unique_name("x" * 80, datetime.now(UTC))) == 63
    assert "--" not in unique_name("x" * 33 + "-" * 40, datetime.now(UTC))


@pytest.mark.parametrize(
    ("image", "base"),
    [
        ("123456789012.dkr.ecr.us-west-2.amazonaws.com/sagedock-training:cpu", "sagedock-training"),
        ("localhost:5000/team/my_image@sha256:abc", "my-image"),
        ("image", "image"),
        ("registry/__", "training-job"),
    ],
)
def test_the_base_name_of_an_image_is_its_last_word(image: str, base: str) -> None:
    assert base_name_of_image(image) == base
