"""The queue of jobs."""

import random

import pytest

from sagedock.local.training.slots import Slots, Ticket, default_width


def test_as_many_as_fit_run_and_the_next_ones_follow_in_order() -> None:
    order: list[str] = []
    slots = Slots(2)
    tickets = {name: slots.join(1, lambda name=name: order.append(name)) for name in "abcd"}
    assert order == ["a", "b"]
    slots.leave(tickets["a"])
    slots.leave(tickets["b"])
    assert order == ["a", "b", "c", "d"]


def test_a_large_job_is_not_overtaken() -> None:
    order: list[str] = []
    slots = Slots(2)
    first = slots.join(1, lambda: order.append("first"))
    slots.join(2, lambda: order.append("large"))
    slots.join(1, lambda: order.append("small"))
    assert order == ["first"]
    slots.leave(first)
    assert order == ["first", "large"]


def test_a_job_wider_than_the_machine_runs_alone() -> None:
    order: list[str] = []
    slots = Slots(2)
    wide = slots.join(9, lambda: order.append("wide"))
    slots.join(1, lambda: order.append("next"))
    assert order == ["wide"]
    slots.leave(wide)
    assert order == ["wide", "next"]


def test_who_leaves_the_queue_is_not_served() -> None:
    order: list[str] = []
    slots = Slots(1)
    first = slots.join(1, lambda: order.append("first"))
    gone = slots.join(1, lambda: order.append("gone"))
    slots.join(1, lambda: order.append("last"))
    slots.leave(gone)
    slots.leave(gone)  # a second time is nothing
    slots.leave(first)
    assert order == ["first", "last"]


def test_containers_that_run_already_have_their_place_at_once() -> None:
    order: list[str] = []
    slots = Slots(1)
    first = slots.join(1, lambda: order.append("first"))
    running = slots.join(1, lambda: order.append("running"))
    slots.claim(running)
    slots.join(1, lambda: order.append("next"))
    slots.leave(first)
    assert order == ["first", "running"]
    slots.leave(running)
    assert order == ["first", "running", "next"]


@pytest.mark.parametrize("seed", range(20))
def test_never_more_than_fit_and_everybody_is_served(seed: int) -> None:
    dice, width = random.Random(seed), 4
    running: dict[int, Ticket] = {}
    served: list[int] = []
    slots = Slots(width)
    tickets = [slots.join(dice.randint(1, 5), lambda n=n: served.append(n)) for n in range(50)]
    for _ in tickets:
        running = {n: tickets[n] for n in served if tickets[n].has_room}
        assert sum(each.hosts for each in running.values()) <= width
        slots.leave(dice.choice(list(running.values())))
    assert served == list(range(50))


def test_how_wide_the_queue_is() -> None:
    assert [default_width(cpus) for cpus in (1, 2, 8)] == [4, 4, 16]
