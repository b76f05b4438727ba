"""Faults as data, and how they are delivered to whom."""

import threading
from typing import Any

import pytest

from sagedock.errors import InvalidRequest
from sagedock.local.faults import (
    Faults,
    Interruptions,
    LostHost,
    NoCapacity,
    Refusals,
    S3Throttle,
    SlowDownload,
    as_json,
    fault_of,
)


@pytest.mark.parametrize(
    "fault",
    [
        Interruptions(every_s=30.0, seed=7),
        LostHost(after_s=2.0, host="algo-2", job="digits-*"),
        NoCapacity(wait_s=5.0, fails=True, times=3),
        Refusals(error="throttling", operation="Create*", rate=0.5),
        S3Throttle(rate=0.5),
        SlowDownload(bytes_per_s=1000.0),
    ],
)
def test_a_fault_survives_json(fault: Any) -> None:
    said = as_json(1, fault)
    assert said.pop("number") == 1
    assert fault_of(said) == fault


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, "kind: None is none: use interruptions"),
        ({"kind": "flood"}, "kind: 'flood' is none"),
        ({"kind": "interruptions"}, "every_s: is missing"),
        ({"kind": "interruptions", "every_s": 0}, "every_s: 0 must be above 0"),
        ({"kind": "interruptions", "every_s": "soon"}, "every_s: 'soon' is no number"),
        ({"kind": "interruptions", "every_s": float("nan")}, "every_s: nan is no number"),
        ({"kind": "s3-throttle", "rate": 1.5}, "rate: 1.5 must be 0 to 1"),
        ({"kind": "s3-throttle", "rate": True}, "rate: True is no number"),
        ({"kind": "lost-host", "times": 1.5}, "times: 1.5 is no whole number"),
        ({"kind": "lost-host", "after_s": -1}, "after_s: -1 must not be below 0"),
        ({"kind": "lost-host", "job": ""}, "job: '' is no text"),
        ({"kind": "lost-host", "host": "algo-0"}, "host: 'algo-0' is no host of a job"),
        ({"kind": "no-capacity", "fails": 1}, "fails: 1 is neither true nor false"),
        ({"kind": "no-capacity", "colour": "red"}, "colour: no-capacity has no such member"),
    ],
)
def test_what_is_no_fault_is_refused_by_name(said: Any, problem: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        fault_of(said)
    assert any(line.startswith(problem) for line in error.value.problems), error.value.problems


def test_a_fault_is_for_the_jobs_that_its_pattern_names_and_for_so_many_times() -> None:
    faults = Faults([LostHost(job="digits-*", times=2)])
    assert faults.take(LostHost, "other") is None
    assert faults.take(NoCapacity, "digits-1") is None
    assert faults.take(LostHost, "digits-1") is not None
    assert list(faults.all().values()) == [LostHost(job="digits-*", times=1)]
    assert faults.take(LostHost, "digits-2") is not None
    assert faults.take(LostHost, "digits-3") is None


def test_faults_are_removed_one_by_one_or_all() -> None:
    faults = Faults()
    first, _, _ = (faults.add(LostHost()) for _ in range(3))
    assert (faults.remove(first), faults.remove(first), faults.remove()) == (1, 0, 2)


def test_the_moments_of_interruptions_can_be_repeated() -> None:
    moments = [Interruptions(every_s=10.0, seed=1).after_s("job", n) for n in range(1, 2001)]
    again = [Interruptions(every_s=10.0, seed=1).after_s("job", n) for n in range(1, 2001)]
    other = [Interruptions(every_s=10.0, seed=2).after_s("job", n) for n in range(1, 2001)]
    assert moments == again != other
    assert 9 < sum(moments) / len(moments) < 11


def test_a_share_of_the_requests_is_throttled() -> None:
    faults = Faults([S3Throttle(rate=0.25, seed=3)])
    assert 400 < sum(faults.throttles() for _ in range(2000)) < 600
    assert not any(Faults().throttles() for _ in range(10))
    three = Faults([S3Throttle(rate=1.0, times=3)])
    assert sum(three.throttles() for _ in range(10)) == 3


def test_no_fault_is_delivered_more_often_than_it_says() -> None:
    faults, taken = Faults([NoCapacity(times=100)]), []

    def take() -> None:
        for _ in range(50):
            if faults.take(NoCapacity, "job"):
                taken.append(1)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 100
