"""scripts/pipeline.py, as a user runs it."""

import json
from pathlib import Path
from typing import Any

import pytest

from sagedock.local.platform import HOME_LABEL, home_id
from tests.docker.scripts import failed_script, run_script

pytestmark = pytest.mark.slow


def test_the_digits_are_trained_registered_and_served(tmp_path: Path, engine: Any) -> None:
    told = json.loads(run_script("pipeline.py", tmp_path, "--json"))
    assert told["version"] == 1
    assert told["endpoint:accuracy"] > 0.9
    assert list(engine.containers({HOME_LABEL: home_id(tmp_path / "sagedock")})) == []


def test_below_the_threshold_nothing_is_registered_and_it_says_why(tmp_path: Path) -> None:
    said = failed_script("pipeline.py", tmp_path, "--epochs", "1", "--threshold", "0.999")
    assert "is below 0.999: nothing is registered" in said
