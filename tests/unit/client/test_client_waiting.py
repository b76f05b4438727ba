"""Waiting for a job: when it asks, what it shows, when it gives up."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from sagedock.client.pace import AWS, LOCAL, Pace
from sagedock.client.patience import Clock, patiently
from sagedock.client.transitions import Transitions
from sagedock.client.waiting import wait_until_ended

PACE = Pace(poll_s=1.0, quiet_s=0.0, patience_s=60.0)
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class FakeClock(Clock):
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def job(status: str, *transitions: tuple[str, str]) -> Mapping[str, Any]:
    return {
        "TrainingJobStatus": status,
        "SecondaryStatusTransitions": [
            {"Status": name, "StatusMessage": message, "StartTime": START}
            for name, message in transitions
        ],
    }


def wait(
    answers: list[Mapping[str, Any]],
    lines: list[list[str]],
    pace: Pace = PACE,
    clock: Clock | None = None,
) -> tuple[list[str], FakeClock]:
    """Wait over ``answers``, with ``lines`` read one list a time; return what was shown."""
    shown: list[str] = []
    clock = clock or FakeClock()
    answering, reading = iter(answers), iter(lines)

    def read() -> int:
        new = next(reading, [])
        shown.extend(new)
        return len(new)

    wait_until_ended(
        lambda: next(answering),
        ended=lambda found: found["TrainingJobStatus"] == "Completed",
        read_logs=read,
        pace=pace,
        show=shown.append,
        clock=clock,
    )
    assert isinstance(clock, FakeClock)
    return shown, clock


def test_states_and_lines_come_in_the_order_in_which_they_happened() -> None:
    starting, training = ("Starting", "Preparing"), ("Training", "In progress")
    shown, _ = wait(
        [
            job("InProgress", starting),
            job("InProgress", starting, training),
            job("Completed", starting, training, ("Uploading", "Model"), ("Completed", "Done")),
        ],
        [[], ["one"], ["two"]],
    )
    assert shown == [
        "[03:04:05] Starting - Preparing",
        "[03:04:05] Training - In progress",
        "one",
        "two",
        "[03:04:05] Uploading - Model",
        "[03:04:05] Completed - Done",
    ]


def test_the_lines_of_an_ended_job_are_read_after_its_end_was_seen() -> None:
    """A line written between two looks, by a job that ends at once, is not lost."""
    shown, _ = wait([job("Completed")], [["the only line"]])
    assert shown == ["the only line"]


def test_the_wait_ends_without_a_pause_once_the_job_has() -> None:
    _, clock = wait([job("InProgress"), job("Completed")], [])
    assert clock.time == PACE.poll_s
    assert LOCAL.poll_s + LOCAL.quiet_s < 1


def test_a_message_that_changes_within_a_state_is_shown_again() -> None:
    shown, _ = wait(
        [job("InProgress", ("Pending", "Waiting")), job("Completed", ("Pending", "Preparing"))], []
    )
    assert [line.split("] ")[1] for line in shown] == ["Pending - Waiting", "Pending - Preparing"]


def test_a_later_message_has_the_time_of_the_change() -> None:
    shown: list[str] = []
    transitions = Transitions(shown.append)
    transitions.before_lines(job("InProgress", ("Pending", "Waiting")))
    changed = job("InProgress", ("Pending", "Preparing"))
    later = START + timedelta(minutes=7)
    transitions.before_lines({**changed, "LastModifiedTime": later})
    assert shown == [
        f"[{START:%H:%M:%S}] Pending - Waiting",
        f"[{later:%H:%M:%S}] Pending - Preparing",
    ]


def test_a_restarted_job_shows_the_same_state_twice() -> None:
    shown: list[str] = []
    transitions = Transitions(shown.append)
    later = {"Status": "Training", "StatusMessage": "x", "StartTime": START.replace(hour=4)}
    first = job("InProgress", ("Training", "x"))
    transitions.after_lines(first)
    transitions.after_lines(
        {"SecondaryStatusTransitions": [*first["SecondaryStatusTransitions"], later]}
    )
    assert len(shown) == 2


def test_lines_that_come_late_are_awaited_until_it_is_quiet() -> None:
    pace = Pace(poll_s=1.0, quiet_s=3.0, patience_s=0.0)
    shown, clock = wait([job("Completed")], [["a"], [], [], ["late"], [], ["later"]], pace)
    assert shown == ["a", "late", "later"]
    assert clock.time == 8.0
    assert AWS.quiet_s >= 5


def refusing(times: int, error: Exception) -> Callable[[], str]:
    left = iter([error] * times)

    def call() -> str:
        if refusal := next(left, None):
            raise refusal
        return "answer"

    return call


def throttled(code: str = "ThrottlingException") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "Rate exceeded"}}, "GetLogEvents")


@pytest.mark.parametrize(
    "error", [throttled(), throttled("InternalFailure"), EndpointConnectionError(endpoint_url="x")]
)
def test_a_busy_service_is_asked_again_ever_more_slowly(error: Exception) -> None:
    clock, shown = FakeClock(), list[str]()
    call = refusing(6, error)
    assert patiently(call, patience_s=600, clock=clock, show=shown.append) == "answer"
    assert clock.time == 1 + 2 + 4 + 8 + 16 + 30
    assert len(shown) == 6


def test_patience_ends() -> None:
    clock = FakeClock()
    with pytest.raises(ClientError):
        patiently(refusing(99, throttled()), patience_s=20, clock=clock, show=lambda _: None)
    assert clock.time <= 20


def test_a_refusal_is_raised_at_once() -> None:
    clock = FakeClock()
    with pytest.raises(ClientError):
        patiently(
            refusing(1, throttled("AccessDeniedException")),
            patience_s=600,
            clock=clock,
            show=lambda _: None,
        )
    assert clock.time == 0
