"""The room's public surface, and what it costs."""

import subprocess
import sys
import time

from sagedock import api
from tests.unit.api.training_request import request


def test_the_surface_is_there() -> None:
    assert [name for name in api.__all__ if not hasattr(api, name)] == []


def test_importing_the_room_loads_no_botocore() -> None:
    program = "import sys, sagedock.api; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_check_takes_milliseconds() -> None:
    """It takes half of one; the bound leaves room for a busy machine."""
    api.problems_in_request("sagemaker", "CreateTrainingJob", request())
    began = time.process_time()
    for _ in range(20):
        api.problems_in_request("sagemaker", "CreateTrainingJob", request())
    assert (time.process_time() - began) / 20 < 0.05


def test_a_hostile_name_is_refused_at_once() -> None:
    began = time.process_time()
    problems = api.problems_in_request(
        "sagemaker", "CreateTrainingJob", request(TrainingJobName="a-" * 500_000)
    )
    assert [problem.kind for problem in problems] == ["pattern", "length"]
    assert time.process_time() - began < 5
