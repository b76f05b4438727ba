"""The wait for host names: said at growing intervals, bounded."""

from itertools import islice

import pytest

from sagedock.errors import ContractBroken, InvalidRequest
from sagedock.runtime.hosts import patience_s, report_times, wait_for


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Names:
    """Names that resolve from a moment on."""

    def __init__(self, clock: Clock, since: dict[str, float]) -> None:
        self.clock, self.since = clock, since

    def __call__(self, host: str) -> str:
        if self.clock.now - 100 < self.since[host]:
            raise OSError("Name or service not known")
        return "10.0.0.1"


def wait(since: dict[str, float], patience: float = 900) -> tuple[list[str], float]:
    clock, said = Clock(), list[str]()
    wait_for(
        list(since),
        patience=patience,
        say=said.append,
        resolve=Names(clock, since),
        clock=clock,
        sleep=clock.sleep,
    )
    return said, clock.now - 100


def test_names_that_resolve_are_not_spoken_of() -> None:
    assert wait({"algo-1": 0, "algo-2": 0}) == ([], 0)


def test_waits_are_said_after_seconds_and_at_growing_intervals() -> None:
    said, waited = wait({"algo-1": 0, "algo-2": 30})
    assert said == [f"waiting for algo-2 to resolve ({s} s)..." for s in (2, 5, 10, 20)]
    assert waited == 30


def test_the_wait_is_bounded_and_names_the_host() -> None:
    with pytest.raises(ContractBroken, match=r"algo-2 did not resolve in 60 s"):
        wait({"algo-1": 0, "algo-2": 1e9}, patience=60)


def test_intervals() -> None:
    assert list(islice(report_times(), 8)) == [2, 5, 10, 20, 40, 80, 140, 200]


def test_patience() -> None:
    assert patience_s({}) == 900
    assert patience_s({"SAGEDOCK_HOSTS_RESOLVE_S": "7.5"}) == 7.5
    with pytest.raises(InvalidRequest, match="'soon' is no number of seconds"):
        patience_s({"SAGEDOCK_HOSTS_RESOLVE_S": "soon"})
