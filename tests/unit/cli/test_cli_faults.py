"""``sagedock local interrupt`` and ``fault``: what they say, in the words of the command line."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from sagedock.cli.app import app
from sagedock.errors import InvalidRequest
from tests.conftest import Local


@pytest.fixture
def run(local: Local) -> Callable[..., Result]:
    def run(*words: str) -> Result:
        home = ("--home", str(local.server.settings.home))
        return CliRunner().invoke(app, ["local", *words, *home])

    return run


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("fault interruptions --every 0", "--every: 0.0 must be above 0"),
        ("fault lost-host --after -1", "--after: -1.0 must not be below 0"),
        ("fault lost-host --host algo-x", "--host: 'algo-x' is no host of a job: use algo-1"),
        ("fault refusals --error no", "--error: 'no' is no refusal: use throttling, access-denied"),
        ("fault no-capacity --wait -1", "--wait: -1.0 must not be below 0"),
        ("fault s3-throttle --rate 2", "--rate: 2.0 must be 0 to 1"),
        ("fault slow-download --bytes-per-s 0", "--bytes-per-s: 0.0 must be above 0"),
        ("interrupt digits", "JOB: digits does not exist in us-west-2"),
        ("interrupt digits --after -1", "--after: -1.0 is not 0 to"),
    ],
)
def test_a_problem_names_the_option(run: Callable[..., Result], words: str, problem: str) -> None:
    done = run(*words.split())
    assert isinstance(done.exception, InvalidRequest)
    assert str(done.exception).startswith(problem)


def test_faults_are_listed_and_cleared(run: Callable[..., Result]) -> None:
    assert run("fault", "list").stdout == "no faults\n"
    assert run("fault", "lost-host", "--host", "algo-2").stdout == "fault 1: lost-host\n"
    assert "lost-host      after_s 0.0, host algo-2" in run("fault", "list").stdout
    assert run("fault", "clear").stdout == "removed 1\n"
