"""Which tries are given up: by the median rule, and by Hyperband."""

from collections import Counter

import pytest

from sagedock.search import Hyperband, is_worse_than_median

OTHERS = [[1.0, 0.5, 0.3], [1.0, 0.7, 0.5], [1.0, 0.9, 0.7]]


@pytest.mark.parametrize(
    ("losses", "is_over"),
    [
        ([], False),
        ([1.0], False),
        ([1.01], True),
        ([1.0, 0.85], False),  # the median of the averages 0.75, 0.85, 0.95
        ([1.0, 0.86], True),
        ([5.0, 0.1], False),  # the latest counts, not its own average
    ],
)
def test_what_is_worse_than_the_median_of_running_averages_is_over(
    losses: list[float], is_over: bool
) -> None:
    assert is_worse_than_median(losses, OTHERS) is is_over


def test_a_shorter_other_counts_with_all_that_it_has() -> None:
    assert is_worse_than_median([0.0, 0.0, 0.6], [[0.5], [0.5], [0.5]])


def test_few_others_decide_nothing() -> None:
    assert not is_worse_than_median([100.0], OTHERS[:2])
    assert not is_worse_than_median([100.0], [*OTHERS[:2], []])


HYPERBAND = Hyperband(least=1, most=9, seed=0)


def of_bracket(bracket: int, count: int) -> list[int]:
    found = [number for number in range(1, 500) if HYPERBAND.bracket(number) == bracket]
    return found[:count]


def test_what_reached_the_most_is_over() -> None:
    assert HYPERBAND.is_over(1, [0.0] * 9, [])
    assert not HYPERBAND.is_over(1, [0.0] * 8, [])


def test_brackets_that_give_up_early_have_the_most_tries() -> None:
    counts = Counter(HYPERBAND.bracket(number) for number in range(1, 1000))
    assert sorted(counts) == [0, 1, 2]
    assert counts[2] > counts[1] > counts[0]


def test_the_best_third_at_a_rung_goes_on() -> None:
    numbers = of_bracket(2, 9)  # rungs at 1 and 3
    courses = [(number, [float(index)]) for index, number in enumerate(numbers)]
    over = [
        HYPERBAND.is_over(number, losses, [each for each in courses if each[0] != number])
        for number, losses in courses
    ]
    assert over == [False] * 3 + [True] * 6


def test_between_rungs_the_last_rung_counts() -> None:
    first, *others = of_bracket(2, 4)
    better = [(number, [0.0, 0.0]) for number in others]
    assert HYPERBAND.is_over(first, [1.0, -5.0], better)
    assert not HYPERBAND.is_over(first, [1.0, 1.0, -5.0], better)  # none of them is at 3 yet


def test_other_brackets_do_not_count() -> None:
    (mine,) = of_bracket(2, 1)
    others = [(number, [0.0]) for number in of_bracket(1, 8)]
    assert not HYPERBAND.is_over(mine, [1.0], others)


def test_the_deepest_bracket_alone_gives_nobody_up() -> None:
    numbers = of_bracket(0, 9)
    courses = [(number, [0.0] * 8) for number in numbers[1:]]
    assert not HYPERBAND.is_over(numbers[0], [9.0] * 8, courses)


def test_nobody_is_given_up_before_the_least() -> None:
    hyperband = Hyperband(least=5, most=20, seed=0)
    for number in range(1, 60):
        others = [(other, [0.0] * 4) for other in range(60, 160)]
        assert not hyperband.is_over(number, [9.0] * 4, others)


def test_least_and_most_may_be_one() -> None:
    only = Hyperband(least=3, most=3, seed=0)
    assert only.bracket(1) == 0
    assert not only.is_over(1, [1.0, 1.0], [])
    assert only.is_over(1, [1.0, 1.0, 1.0], [])
