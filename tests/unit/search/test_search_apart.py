"""Bayesian search in a process of its own."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from sagedock.errors import SagedockError
from sagedock.search import Apart, Category, Numbers, Space, Tried, search_of

SPACE = Space(
    ranges=[
        Numbers(name="x", low=0.0, high=1.0),
        Numbers(name="n", low=1, high=64, whole=True, scaling="Logarithmic"),
        Category(name="c", choices=("a", "b", "c")),
    ]
)


@pytest.fixture
def apart() -> Iterator[Apart]:
    made = Apart(space=SPACE, seed=5)
    yield made
    made.close()


def known(count: int) -> list[Tried]:
    search = search_of("Random", SPACE, 1)
    found: list[Tried] = []
    for number in range(1, count + 1):
        values = search.propose(number, found)
        assert values is not None
        found.append(Tried(values=values, loss=float(values["x"])))
    return found


def test_it_proposes_what_the_search_itself_would(apart: Apart) -> None:
    search = search_of("Bayesian", SPACE, 5)
    for count in (0, 3, 12, 16):
        tried = known(count)
        assert apart.propose(count + 1, tried) == search.propose(count + 1, tried)


def test_there_is_no_process_before_there_is_a_model(apart: Apart) -> None:
    apart.propose(1, [])
    assert apart._process is None
    apart.propose(13, known(12))
    assert apart._process is not None


def test_a_process_that_was_killed_is_started_again(apart: Apart) -> None:
    first = apart.propose(13, known(12))
    process = apart._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert apart.propose(13, known(12)) == first


def test_nothing_is_left_once_it_is_closed(apart: Apart) -> None:
    apart.propose(13, known(12))
    process = apart._process
    assert process is not None
    apart.close()
    assert process.poll() is not None
    apart.close()  # twice is no trouble


def test_a_process_ends_when_its_input_does() -> None:
    apart = Apart(space=SPACE, seed=5)
    apart.propose(13, known(12))
    process = apart._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    process.wait(60)
    apart.close()


def test_what_cannot_be_started_is_told(tmp_path: object) -> None:
    apart = Apart(space=SPACE, seed=5, python=f"{tmp_path}/no-python")
    with pytest.raises(SagedockError, match="cannot be started"):
        apart.propose(13, known(12))


def test_a_program_that_is_none_of_ours_is_told() -> None:
    true = subprocess.run(["which", "true"], capture_output=True, text=True, check=True)
    apart = Apart(space=SPACE, seed=5, python=true.stdout.strip())
    with pytest.raises(SagedockError, match="ended with 0"):
        apart.propose(13, known(12))
