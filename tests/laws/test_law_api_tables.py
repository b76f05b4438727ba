"""Every row of the api room's tables is whole: linked, in the model, and in the service's terms."""

import inspect
from types import ModuleType
from typing import get_args

import pytest

from sagedock import api
from sagedock.api import (
    component_messages,
    ecr_messages,
    experiment_messages,
    hosting_messages,
    messages,
    pipeline_messages,
    processing_messages,
    registry_messages,
    scaling_messages,
    search_messages,
    states,
    tuning_messages,
)
from sagedock.api.model import Shape, input_shape, service_model
from sagedock.api.rules import RULES, Rule

ROWS = [
    pytest.param(service, operation, rule, id=f"{operation}-{rule.finding.__name__}")
    for (service, operation), rules in RULES.items()
    for rule in rules
]
#: Rules that say what no request may leave out.
MISSING = {
    *("_missing_parts", "_not_one_group", "_changes_nothing"),
    *("_not_one_specification", "_nothing_to_update", "_named_by_nothing"),
    *("_not_one_kind_of_definitions",),
}
MODULES = (
    *(messages, component_messages, experiment_messages, hosting_messages, registry_messages),
    ecr_messages,
    *(pipeline_messages, processing_messages, scaling_messages, search_messages, tuning_messages),
)
MESSAGES = [getattr(module, name) for module in MODULES for name in module.__all__]


@pytest.mark.parametrize(("service", "operation", "rule"), ROWS)
def test_a_rule_has_a_link_a_code_and_words(service: str, operation: str, rule: Rule) -> None:
    assert rule.source.startswith("https://")
    assert rule.code.endswith(("Exception", "Exceeded"))
    assert rule.message


@pytest.mark.parametrize(("service", "operation", "rule"), ROWS)
def test_a_rule_reads_fields_that_the_model_has(service: str, operation: str, rule: Rule) -> None:
    for field in rule.fields:
        shape: Shape = input_shape(service, operation)
        for member in field.split("."):
            shape = shape.members[member]


@pytest.mark.parametrize(("service", "operation", "rule"), ROWS)
def test_a_rule_finds_nothing_in_an_empty_request_but_what_is_missing(
    service: str, operation: str, rule: Rule
) -> None:
    assert rule.finding({}) is None or rule.finding.__name__ in MISSING


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: each.__name__)
def test_a_refusal_is_whole_and_says_where_it_was_seen(message: object) -> None:
    assert callable(message)
    needed = inspect.signature(message).parameters
    error = message(**dict.fromkeys(needed, "VALUE"))
    assert isinstance(error, api.ServiceError)
    assert error.http_status in {400, 403, 500}
    if error.message is not None:
        assert error.message.count("VALUE") >= len(needed)
    told = (message.__doc__ or "").lower()
    assert any(
        word in told for word in ("source", "unverified", "measured", "type_problem", "http")
    )


@pytest.mark.parametrize("module", MODULES)
def test_messages_are_listed_in_order(module: ModuleType) -> None:
    assert list(module.__all__) == sorted(module.__all__)


@pytest.mark.parametrize("kind", states.STATUSES)
def test_terminal_states_are_states_of_the_model(kind: states.Kind) -> None:
    row = states.STATUSES[kind]
    known = service_model("sagemaker").shape_for(row.shape).enum
    assert row.terminal < set(known)
    assert [status for status in known if states.is_terminal(kind, status)]
    assert not any(states.is_terminal(kind, status) for status in known if status.endswith("ing"))


def test_every_kind_has_its_states() -> None:
    assert set(states.STATUSES) == set(get_args(states.Kind))


@pytest.mark.parametrize("name", states.STORIES)
def test_a_story_goes_from_starting_to_an_end(name: str) -> None:
    story = states.STORIES[name]
    secondary = set(service_model("sagemaker").shape_for("SecondaryStatus").enum)
    assert {step.status for step in story.steps} <= secondary
    assert story.steps[0].status == "Starting"
    assert states.is_terminal("training-job", story.status)
    assert all(step.kept == step.messages[-1] for step in story.steps)
