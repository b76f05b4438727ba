"""What the programs of scripts/ would send to AWS, as reviewed JSON files: ``--dry-run --json``.

What differs by day, file and chance has stand-ins. ``UPDATE_GOLDEN=1 pytest tests/golden`` writes
the files anew.
"""

import json
import os
import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent / "dry_runs"
ROLE = "arn:aws:iam::111122223333:role/sagedock"
#: Nobody listens there: a request that left would fail.
NOWHERE = "http://127.0.0.1:9"
STAND_INS = (
    (re.compile(r"\d{4}(-\d\d){5}-\d{3}-[0-9a-f]{4}"), "<time>"),
    (re.compile(r"\d{6}-\d{4}-\d\d"), "<time>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<token>"),
    (re.compile(r"(?<=digits-)[0-9a-f]{12}\b"), "<digest>"),
)
PROGRAMS = {
    "deploy": ("--model-data", "s3://models/digits/model.tar.gz"),
    "pipeline": (),
    "process": (),
    "train": (),
    "transform": ("--model-data", "s3://models/digits/model.tar.gz"),
    "tune": (),
}


def dry_run(name: str, tmp_path: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "SAGEDOCK_"))}
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / f"{name}.py"), "--dry-run", *options],
        env=kept
        | {"HOME": str(tmp_path), "SAGEDOCK_HOME": str(tmp_path / "sagedock")}
        | {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "AWS_EC2_METADATA_DISABLED": "true"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def requests(name: str, tmp_path: Path) -> list[dict[str, Any]]:
    where = ("--target", "aws", "--region", "us-west-2", "--role", ROLE, "--json")
    done = dry_run(name, tmp_path, *where, *PROGRAMS[name])
    assert done.returncode == 0, done.stderr
    text = done.stdout.replace(str(ROOT), "<root>")
    for pattern, stand_in in STAND_INS:
        text = pattern.sub(stand_in, text)
    found: list[dict[str, Any]] = json.loads(text)
    for each in found:  # a definition is JSON in JSON, and is read more easily as what it is
        if definition := each["Parameters"].get("PipelineDefinition"):
            each["Parameters"]["PipelineDefinition"] = json.loads(definition)
    return _uploads_sorted(found)


def _uploads_sorted(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the requests with uploads that follow each other in the order of their stand-ins: a
    digest, which any change of an example changes, decides on that of their true names.
    """
    runs = groupby(found, key=lambda each: each["Operation"] == "PutObject")
    return [
        each
        for is_upload, run in runs
        for each in (sorted(run, key=lambda each: each["Parameters"]["Key"]) if is_upload else run)
    ]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_dry_run_shows_what_would_be_sent(name: str, tmp_path: Path) -> None:
    found, file = requests(name, tmp_path), HERE / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(json.dumps(found, indent=2) + "\n")
    assert found == json.loads(file.read_text())


def test_every_dry_run_on_file_is_of_a_program() -> None:
    assert {each.stem for each in HERE.glob("*.json")} == set(PROGRAMS)


def test_a_dry_run_tells_each_request_and_why_it_ends(tmp_path: Path) -> None:
    done = dry_run("process", tmp_path)  # the local target: no server is started for it
    assert done.returncode == 0, done.stderr
    assert "\nsagemaker CreateProcessingJob {\n" in done.stdout
    assert done.stdout.endswith("dry run: what comes next depends on what AWS answers\n")
    assert not (tmp_path / "sagedock").exists()
