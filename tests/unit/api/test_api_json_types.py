"""Values of a wrong JSON type: the service's words, and the place for our own client."""

from typing import Any

import pytest

from sagedock import api


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"TrainingJobName": 7}, "NUMBER_VALUE can not be converted to a String"),
        ({"TrainingJobName": True}, "TRUE_VALUE can not be converted to a String"),
        ({"TrainingJobName": False}, "FALSE_VALUE can not be converted to a String"),
        ({"TrainingJobName": ["a"]}, "Start of list found where not expected"),
        ({"TrainingJobName": {}}, "Start of structure or map found where not expected."),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": "60"}},
            "STRING_VALUE can not be converted to an Integer",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": True}},
            "TRUE_VALUE can not be converted to an Integer",
        ),
        (
            {"InputDataConfig": [{"ShuffleConfig": {"Seed": "1"}}]},
            "STRING_VALUE can not be converted to a Long",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 2**31}},
            "NUMBER_VALUE can not be converted to an Integer",
        ),
        (
            {"InputDataConfig": [{"ShuffleConfig": {"Seed": 2**63}}]},
            "NUMBER_VALUE can not be converted to a Long",
        ),
        ({"EnableNetworkIsolation": "true"}, "STRING_VALUE can not be converted to a Boolean"),
        ({"InputDataConfig": "x"}, "Expected list or null"),
        ({"InputDataConfig": {}}, "Start of structure or map found where not expected."),
        ({"HyperParameters": "x"}, "Expected map or null"),
        ({"HyperParameters": ["x"]}, "Start of list found where not expected"),
        ({"HyperParameters": {"epochs": 3}}, "NUMBER_VALUE can not be converted to a String"),
        ({"ResourceConfig": "x"}, "Expected null"),
        ({"ResourceConfig": []}, "Start of list found where not expected"),
    ],
)
def test_each_wrong_type_is_told_in_the_services_words(members: Any, message: str) -> None:
    assert api.type_problem("sagemaker", "CreateTrainingJob", members) == message


@pytest.mark.parametrize("moment", ["2026-01-01T00:00:00Z", 1e12, -1e12, float("inf"), 10**400])
def test_a_moment_is_seconds_from_1970_that_a_calendar_holds(moment: Any) -> None:
    problem = api.type_problem("sagemaker", "ListTrainingJobs", {"CreationTimeAfter": moment})
    assert problem is not None
    assert problem.endswith("can not be converted to milliseconds since epoch")


def test_the_first_of_the_request_is_the_one_reported() -> None:
    request = {"ResourceConfig": "x", "TrainingJobName": 1}
    assert api.type_problem("sagemaker", "CreateTrainingJob", request) == "Expected null"
    assert [
        found.member for found in api.type_problems("sagemaker", "CreateTrainingJob", request)
    ] == [
        "ResourceConfig",
        "TrainingJobName",
    ]


def test_the_place_is_told_in_the_callers_casing() -> None:
    request = {"InputDataConfig": [{}, {"ChannelName": 1}], "HyperParameters": {"a": {}}}
    members = [
        found.member for found in api.type_problems("sagemaker", "CreateTrainingJob", request)
    ]
    assert members == ["InputDataConfig[1].ChannelName", "HyperParameters['a']"]


def test_a_list_instead_of_a_request() -> None:
    assert api.type_problem("sagemaker", "CreateTrainingJob", []) == (
        "Start of list found where not expected"
    )


@pytest.mark.parametrize(
    "request_", [{"Stranger": 1}, {"TrainingJobName": None}, {"InputDataConfig": [None]}, {}]
)
def test_nulls_and_strangers_are_no_matter_of_type(request_: Any) -> None:
    assert api.type_problem("sagemaker", "CreateTrainingJob", request_) is None


def test_a_fraction_is_an_integer_cut_short() -> None:
    value = {"MaxResults": 5.9}
    assert api.type_problem("sagemaker", "ListTrainingJobs", value) is None
    assert api.decode(value, "sagemaker", "ListTrainingJobs") == {"MaxResults": 5}
