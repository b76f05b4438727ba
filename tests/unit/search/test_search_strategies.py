"""What is proposed: by chance, in a grid, and by a model of the objective."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sagedock.search import Category, Numbers, Space, Tried, search_of
from tests.amount import amount

SPACE = Space(
    ranges=[
        Numbers(name="x", low=0.0, high=1.0),
        Numbers(name="n", low=1, high=64, whole=True, scaling="Logarithmic"),
        Category(name="c", choices=("a", "b", "c")),
    ]
)
STRATEGIES = ("Bayesian", "Random", "Hyperband")


def course(
    strategy: Any,
    space: Space,
    loss: Callable[[Mapping[str, str]], float],
    *,
    tries: int,
    seed: int,
) -> list[Tried]:
    search = search_of(strategy, space, seed)
    tried: list[Tried] = []
    for number in range(1, tries + 1):
        values = search.propose(number, tried)
        assert values is not None
        tried.append(Tried(values=values, loss=loss(values)))
    return tried


def bowl(values: Mapping[str, str]) -> float:
    far = (float(values["x"]) - 0.3) ** 2 + (float(values["n"]) / 64 - 0.5) ** 2
    return far + (0.0 if values["c"] == "b" else 0.5)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_proposes_the_same(strategy: str) -> None:
    first = course(strategy, SPACE, bowl, tries=14, seed=3)
    assert first == course(strategy, SPACE, bowl, tries=14, seed=3)
    assert first != course(strategy, SPACE, bowl, tries=14, seed=4)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_values_are_of_the_ranges_and_none_is_tried_twice(strategy: str) -> None:
    tried = course(strategy, SPACE, bowl, tries=25, seed=1)
    for each in tried:
        assert list(each.values) == ["x", "n", "c"]
        assert 0 <= float(each.values["x"]) <= 1
        assert 1 <= int(each.values["n"]) <= 64
        assert each.values["c"] in "abc"
    assert len({tuple(each.values.items()) for each in tried}) == 25


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_point_of_a_small_space_is_tried(strategy: str) -> None:
    space = Space(
        ranges=[
            Category(name="c", choices=("a", "b", "c")),
            Numbers(name="n", low=1, high=4, whole=True),
        ]
    )
    tried = course(strategy, space, lambda values: float(values["n"]), tries=12, seed=5)
    assert len({tuple(each.values.items()) for each in tried}) == 12


def test_a_grid_is_every_combination_once() -> None:
    space = Space(
        ranges=[
            Category(name="c", choices=("a", "b")),
            Category(name="d", choices=("1", "2", "3")),
        ]
    )
    search = search_of("Grid", space, 0)
    tried: list[Tried] = []
    while (values := search.propose(len(tried) + 1, tried)) is not None:
        tried.append(Tried(values=values, is_open=True))
    assert [tuple(each.values.values()) for each in tried] == [
        ("a", "1"),
        ("a", "2"),
        ("a", "3"),
        ("b", "1"),
        ("b", "2"),
        ("b", "3"),
    ]


def test_the_model_is_nearer_to_the_best_than_chance() -> None:
    seeds = range(amount(6, quick=3))
    tries = 25
    model = [
        min(e.loss or 0 for e in course("Bayesian", SPACE, bowl, tries=tries, seed=s))
        for s in seeds
    ]
    chance = [
        min(e.loss or 0 for e in course("Random", SPACE, bowl, tries=tries, seed=s)) for s in seeds
    ]
    assert sum(model) < 0.2 * sum(chance)


def test_those_that_run_are_not_proposed_again_and_differ() -> None:
    tried = course("Bayesian", SPACE, bowl, tries=12, seed=2)
    search = search_of("Bayesian", SPACE, 2)
    for number in range(13, 19):
        values = search.propose(number, tried)
        assert values is not None
        tried.append(Tried(values=values, is_open=True))
    points = {tuple(each.values.items()) for each in tried}
    assert len(points) == 18


def test_failures_and_explosions_do_not_mislead_the_model() -> None:
    def rough(values: Mapping[str, str]) -> float:
        return 1e30 if float(values["x"]) > 0.8 else bowl(values)

    tried = course("Bayesian", SPACE, rough, tries=15, seed=6)
    tried[3] = Tried(values=tried[3].values)  # it failed: nothing is known of it
    search = search_of("Bayesian", SPACE, 6)
    for number in range(16, 31):
        values = search.propose(number, tried)
        assert values is not None
        tried.append(Tried(values=values, loss=rough(values)))
    assert min(each.loss for each in tried if each.loss is not None) < 0.02


def test_nothing_but_failures_is_still_spread_out() -> None:
    search = search_of("Bayesian", SPACE, 0)
    tried: list[Tried] = []
    for number in range(1, 21):
        values = search.propose(number, tried)
        assert values is not None
        tried.append(Tried(values=values))
    assert len({each.values["x"] for each in tried}) == 20


def test_all_losses_alike_are_no_trouble() -> None:
    course("Bayesian", SPACE, lambda _: 0.5, tries=20, seed=0)


def test_what_parents_found_is_used_each_on_a_scale_of_its_own() -> None:
    space = Space(ranges=[Numbers(name="x", low=0.0, high=1.0)])
    parents = [
        Tried(values={"x": f"{at / 10}"}, loss=1000 + 50 * abs(at / 10 - 0.7), group=1)
        for at in range(11)
    ]
    values = search_of("Bayesian", space, 0).propose(1, parents)
    assert values is not None
    assert abs(float(values["x"]) - 0.7) < 0.15


def test_values_of_parents_beyond_the_range_count() -> None:
    space = Space(ranges=[Numbers(name="x", low=0.5, high=1.0)])
    parents = [Tried(values={"x": f"{at / 10}"}, loss=at / 10) for at in range(11)]
    values = search_of("Bayesian", space, 0).propose(1, parents)
    assert values is not None
    assert 0.5 <= float(values["x"]) <= 0.75


def test_a_space_of_one_point_is_tried_again() -> None:
    space = Space(ranges=[Numbers(name="x", low=2.0, high=2.0)])
    for strategy in ("Bayesian", "Random"):
        tried = course(strategy, space, lambda _: 1.0, tries=8, seed=0)
        assert {each.values["x"] for each in tried} == {"2.0"}
