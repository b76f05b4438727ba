"""The request check: every problem, in the service's words, with its place told twice."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sagedock import api
from sagedock.api import Kind, Problem
from tests.unit.api.training_request import channel, request


def found(operation: str = "CreateTrainingJob", **members: Any) -> list[str]:
    full = request(**members) if operation == "CreateTrainingJob" else members
    return [str(problem) for problem in api.problems_in_request("sagemaker", operation, full)]


def test_a_good_request_has_no_problem() -> None:
    assert found() == []


def test_every_problem_is_found_in_the_order_of_the_model() -> None:
    problems = api.problems_in_request(
        "sagemaker",
        "CreateTrainingJob",
        request(
            TrainingJobName="my job",
            RoleArn=None,
            InputDataConfig=[channel(), channel("a b", InputMode="Nope")],
            StoppingCondition={"MaxRuntimeInSeconds": 0},
        ),
    )
    assert [(problem.member, problem.path, problem.kind) for problem in problems] == [
        ("TrainingJobName", "trainingJobName", Kind.PATTERN),
        ("RoleArn", "roleArn", Kind.REQUIRED),
        (
            "InputDataConfig[1].ChannelName",
            "inputDataConfig.2.member.channelName",
            Kind.PATTERN,
        ),
        ("InputDataConfig[1].InputMode", "inputDataConfig.2.member.inputMode", Kind.ENUM),
        (
            "StoppingCondition.MaxRuntimeInSeconds",
            "stoppingCondition.maxRuntimeInSeconds",
            Kind.VALUE,
        ),
    ]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (
            {"RoleArn": None},
            "Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            "Value '0' at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        (
            {"RetryStrategy": {"MaximumRetryAttempts": 31}},
            "Value '31' at 'retryStrategy.maximumRetryAttempts' failed to satisfy constraint: "
            "Member must have value less than or equal to 30",
        ),
        (
            {"Environment": {"1st": "x"}},
            "Value '{1st=x}' at 'environment' failed to satisfy constraint: "
            "Map keys must satisfy constraint: [Member must have length less than or equal to 512, "
            "Member must have length greater than or equal to 0, "
            "Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*]",
        ),
        (
            {"VpcConfig": {"SecurityGroupIds": ["sg-1", "a b"], "Subnets": ["subnet-1"]}},
            "Value '[sg-1, a b]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: "
            "Member must satisfy constraint: [Member must have length less than or equal to 32, "
            "Member must have length greater than or equal to 0, "
            "Member must satisfy regular expression pattern: [-0-9a-zA-Z]+]",
        ),
        (
            {"InputDataConfig": []},
            "Value '[]' at 'inputDataConfig' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
        (
            {"InputDataConfig": [channel(), None]},
            "Value null at 'inputDataConfig.2.member' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            {"HyperParameters": {"a": None}},
            "Value '{a=null}' at 'hyperParameters' failed to satisfy constraint: "
            "Map value must satisfy constraint: [Member must not be null]",
        ),
    ],
)
def test_each_demand_is_told_in_the_services_words(members: Any, expected: str) -> None:
    assert found(**members) == [expected]


def test_one_value_may_fail_several_demands() -> None:
    assert found(RoleArn="role") == [
        "Value 'role' at 'roleArn' failed to satisfy constraint: Member must satisfy regular "
        r"expression pattern: arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
        "Value 'role' at 'roleArn' failed to satisfy constraint: "
        "Member must have length greater than or equal to 20",
    ]


def test_a_hyperparameter_may_not_hold_a_line_end() -> None:
    assert "Map value must satisfy constraint" in found(HyperParameters={"a": "x\ny"})[0]


def test_lengths_are_counted_in_characters() -> None:
    assert found(HyperParameters={"a": "😀" * 2500}) == []
    assert len(found(HyperParameters={"a": "😀" * 2501})) == 1


def test_nulls_are_as_good_as_absent() -> None:
    assert found(HyperParameters=None, VpcConfig=None) == []
    assert found(OutputDataConfig={"S3OutputPath": "s3://b/o", "KmsKeyId": None}) == []


def test_values_of_a_wrong_type_are_left_to_the_type_check() -> None:
    assert found(TrainingJobName=7, HyperParameters={"a": 1}, InputDataConfig="x", Tags=[3]) == []


def test_a_newer_instance_type_is_marked_and_can_be_allowed() -> None:
    newer = request(ResourceConfig={"InstanceType": "ml.z9.large", "InstanceCount": 1})
    (problem,) = api.problems_in_request("sagemaker", "CreateTrainingJob", newer)
    assert problem.may_be_newer
    assert problem.constraint.startswith("Member must satisfy enum value set: [ml.")
    assert not api.problems_in_request(
        "sagemaker", "CreateTrainingJob", newer, allow=frozenset({"ml.z9.large"})
    )


def test_no_other_enum_is_thought_to_age() -> None:
    wrong = request(AlgorithmSpecification={"TrainingInputMode": "Nope"})
    (problem,) = api.problems_in_request("sagemaker", "CreateTrainingJob", wrong)
    assert not problem.may_be_newer


def test_a_secret_is_never_shown() -> None:
    oidc = {
        "ClientId": "id",
        "ClientSecret": "sécret",
        **dict.fromkeys(
            (
                "Issuer",
                "AuthorizationEndpoint",
                "TokenEndpoint",
                "UserInfoEndpoint",
                "LogoutEndpoint",
                "JwksUri",
            ),
            "https://host/x",
        ),
    }
    (problem,) = found("CreateWorkforce", WorkforceName="w", OidcConfig=oidc)
    assert problem == (
        "Value at 'oidcConfig.clientSecret' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [ -~]+"
    )


def test_a_union_holds_one_member() -> None:
    both = {"S3DataSource": {}, "HubAccessConfig": {}}
    problems = found(
        "CreateClusterSchedulerConfig",
        Name="n",
        ClusterArn="arn:aws:sagemaker:us-east-1:123456789012:cluster/abcdefghijkl",
        SchedulerConfig={},
    )
    assert problems == []
    problems = found(
        "CreateAutoMLJobV2",
        AutoMLJobName="n",
        AutoMLJobInputDataConfig=[{}],
        OutputDataConfig={"S3OutputPath": "s3://b/o"},
        AutoMLProblemTypeConfig=both,
        RoleArn="arn:aws:iam::123456789012:role/r",
    )
    assert len(problems) == 1
    assert "at 'autoMLProblemTypeConfig'" in problems[0]


@pytest.mark.parametrize(("count", "noun"), [(1, "error"), (2, "errors")])
def test_the_message_counts_its_problems(count: int, noun: str) -> None:
    problem = Problem(
        path="a", member="A", shown="'x' ", constraint="Member must", kind=Kind.PATTERN
    )
    one = "Value 'x' at 'a' failed to satisfy constraint: Member must"
    assert api.validation_message([problem] * count) == (
        f"{count} validation {noun} detected: {'; '.join([one] * count)}"
    )


def test_cloudwatch_logs_calls_its_refusals_otherwise() -> None:
    problems = api.problems_in_request("logs", "GetLogEvents", {})
    assert api.validation_error("logs", problems).code == "InvalidParameterException"
    assert api.validation_error("sagemaker", problems).code == "ValidationException"


def test_times_and_lists_are_checked_in_list_operations() -> None:
    assert found("ListTrainingJobs", MaxResults=101, CreationTimeAfter=datetime.now(UTC)) == [
        "Value '101' at 'maxResults' failed to satisfy constraint: "
        "Member must have value less than or equal to 100"
    ]
    assert found("StopTrainingJob") == [
        "Value null at 'trainingJobName' failed to satisfy constraint: Member must not be null"
    ]
