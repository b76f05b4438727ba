"""Properties of definitions: whatever is sent is read or refused, in words; nothing breaks."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sagedock.local.pipelines.checking import problem
from sagedock.local.pipelines.graph import Graph
from sagedock.local.pipelines.reading import Unreadable, read_definition

_WORDS = st.sampled_from(
    [
        *("Version", "2020-12-01", "Parameters", "Steps", "Name", "Type", "Arguments", "a", "b"),
        *("Get", "Std:Join", "Std:JsonGet", "On", "Values", "PropertyFile", "Path", "S3Uri"),
        *("Steps.a.x", "Parameters.a", "Execution.PipelineName", "Steps.b.PropertyFiles.f"),
        *("Conditions", "IfSteps", "ElseSteps", "Equals", "Or", "Not", "In", "LeftValue"),
        *("RightValue", "Expression", "QueryValue", "DependsOn", "CacheConfig", "Enabled"),
        *("ExpireAfter", "P1D", "RetryPolicies", "ExceptionType", "Step.THROTTLING", "String"),
        *("OutputParameters", "OutputName", "SqsQueueUrl", "FunctionArn", "PropertyFiles"),
        *("Training", "Condition", "Fail", "Lambda", "Callback", "Model", "ErrorMessage"),
        *("PipelineExperimentConfig", "ExperimentName", "TrialName", "Endpoint", "EndpointConfig"),
        *("EndpointName", "EndpointConfigName", "PipelineExperimentConfig.TrialName"),
        *("DefaultValue", "EnumValues", "Integer", "HyperParameters", "TrainingJobName"),
    ]
)
_KINDS = ("Training", "Condition", "Fail", "Lambda", "Callback", "Model", "Endpoint")
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.floats(0, 1), _WORDS)
_ANY = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def steps(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a step that is nearly right, with something of any form in it."""
    name, kind = draw(st.sampled_from(["a", "b", "c"])), draw(st.sampled_from(_KINDS))
    step: dict[str, Any] = {"Name": name, "Type": kind}
    step["Arguments"] = draw(st.dictionaries(_WORDS, _ANY, max_size=3))
    return step | draw(st.dictionaries(_WORDS, _ANY, max_size=2))


def _checked(document: Any) -> None:
    try:
        definition = read_definition(json.dumps(document))
    except Unreadable as error:
        assert str(error)
        return
    if problem(definition) is None:
        order = Graph(definition).order
        assert set(order) == set(definition.steps)


@given(_ANY)
def test_any_json_is_read_or_refused(document: Any) -> None:
    _checked(document)


@given(st.lists(steps(), min_size=1, max_size=3))
def test_steps_of_any_form_are_read_or_refused(given_steps: list[Any]) -> None:
    _checked({"Version": "2020-12-01", "Steps": given_steps})


@given(_ANY, st.lists(steps(), min_size=1, max_size=1))
def test_an_experiment_of_any_form_is_read_or_refused(named: Any, given_steps: list[Any]) -> None:
    _checked({"PipelineExperimentConfig": named, "Steps": given_steps})
    names = {"ExperimentName": named, "TrialName": "t"}
    _checked({"PipelineExperimentConfig": names, "Steps": given_steps})


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_definition(text)
    except Unreadable as error:
        assert str(error).startswith("Unable to parse pipeline definition. ")
