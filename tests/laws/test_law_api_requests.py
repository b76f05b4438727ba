"""The request check agrees with every operation's model, and with botocore's own validator."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagedock import api
from sagedock.api.model import Shape, input_shape
from tests.amount import amount
from tests.laws.api_examples import fullest, scalar, smallest, text

every_service = pytest.mark.parametrize(
    "service", ["sagemaker", "sagemaker-runtime", "sagemaker-metrics", "logs"]
)
TRAINING = input_shape("sagemaker", "CreateTrainingJob")


def requests(service: str) -> Iterator[tuple[str, Shape]]:
    """Yield every operation of a service that takes anything, with its request's shape."""
    for name in api.operations(service):
        shape = input_shape(service, name)
        if shape is not None:
            yield name, shape


def botocore_problems(shape: Shape, request: Any) -> str:
    return str(ParamValidator().validate(request, shape).generate_report())


@every_service
def test_an_empty_request_lacks_exactly_the_required_members(service: str) -> None:
    for name, shape in requests(service):
        problems = api.problems_in_request(service, name, {})
        required = [member for member in shape.members if member in shape.required_members]
        assert [found.member for found in problems] == required, name
        assert {str(found) for found in problems} == {
            f"Value null at '{member[0].lower()}{member[1:]}' failed to satisfy constraint: "
            "Member must not be null"
            for member in required
        }


@every_service
@pytest.mark.parametrize("example", [smallest, fullest])
def test_a_request_made_from_the_model_has_no_problem(service: str, example: Any) -> None:
    for name, shape in requests(service):
        request = example(shape)
        assert not api.problems_in_request(service, name, request), name
        assert not api.type_problems(service, name, request), name
        assert not api.unknown_members(service, name, request), name
        assert not botocore_problems(shape, request), name


@every_service
def test_a_member_that_the_model_lacks_is_found_at_every_level(service: str) -> None:
    for name, shape in requests(service):
        request, places = _with_strangers(shape, fullest(shape), "")
        assert sorted(api.unknown_members(service, name, request)) == sorted(places), name
        assert not api.problems_in_request(service, name, request), name


def _with_strangers(shape: Shape, value: Any, place: str) -> tuple[Any, list[str]]:
    """Return ``value`` with a stranger in each structure, and where they are."""
    match shape.type_name:
        case "structure":
            items = [(key, shape.members[key], f"{place}.{key}" if place else key) for key in value]
        case "map":
            items = [(key, shape.value, f"{place}[{key!r}]") for key in value]
        case "list":
            pairs = [
                _with_strangers(shape.member, item, f"{place}[{index}]")
                for index, item in enumerate(value)
            ]
            return [item for item, _ in pairs], [at for _, places in pairs for at in places]
        case _:
            return value, []
    made, found = {}, []
    for key, child, where in items:
        made[key], places = _with_strangers(child, value[key], where)
        found += places
    if shape.type_name == "structure":
        made["Stranger"] = 1
        found.append(f"{place}.Stranger" if place else "Stranger")
    return made, found


def anything(shape: Shape, depth: int = 4) -> st.SearchStrategy[Any]:
    """Values of the right types, right and wrong otherwise."""
    match shape.type_name:
        case "structure" if depth:
            members = shape.members.items()
            return st.fixed_dictionaries(
                {}, optional={name: anything(member, depth - 1) for name, member in members}
            )
        case "list" if depth:
            return st.lists(anything(shape.member, depth - 1), max_size=3)
        case "map" if depth:
            return st.dictionaries(texts(shape.key), anything(shape.value, depth - 1), max_size=2)
        case "string":
            return texts(shape)
        case "integer" | "long":
            return st.integers(-2, 100_000)
        case "structure" | "list" | "map":
            return st.just(smallest(shape))
        case _:
            return st.just(scalar(shape))


def texts(shape: Shape) -> st.SearchStrategy[str]:
    return st.one_of(st.just(text(shape)), st.text(max_size=4), st.just("x" * 3000))


@settings(deadline=None, max_examples=amount(60, quick=20), suppress_health_check=list(HealthCheck))
@given(anything(TRAINING))
def test_botocore_accepts_what_is_accepted_here(request: dict[str, Any]) -> None:
    if not api.problems_in_request("sagemaker", "CreateTrainingJob", request):
        assert not botocore_problems(TRAINING, request)


@settings(deadline=None, max_examples=amount(60, quick=20), suppress_health_check=list(HealthCheck))
@given(anything(TRAINING))
def test_whatever_botocore_refuses_is_refused_here(request: dict[str, Any]) -> None:
    if botocore_problems(TRAINING, request):
        problems = api.problems_in_request("sagemaker", "CreateTrainingJob", request)
        message = api.validation_message(problems)
        assert message.startswith(f"{len(problems)} validation error")
        assert message.count("failed to satisfy constraint: ") >= len(problems)


@settings(deadline=None, max_examples=amount(60, quick=20), suppress_health_check=list(HealthCheck))
@given(anything(TRAINING))
def test_rules_judge_every_request_without_a_problem_of_its_own(request: dict[str, Any]) -> None:
    whole = {**smallest(TRAINING), **request}
    if not api.problems_in_request("sagemaker", "CreateTrainingJob", whole):
        for broken in api.rule_problems("sagemaker", "CreateTrainingJob", whole):
            assert "{" not in broken.message
            assert broken.error.http_status == 400
