"""scripts/process.py, as a user runs it."""

import json
from pathlib import Path
from typing import Any

from sagedock import LocalSageMaker, Session
from sagedock.local.platform import HOME_LABEL, home_id
from tests.docker.scripts import failed_script, run_script


def test_the_digits_are_split_so_that_each_has_its_share(tmp_path: Path, engine: Any) -> None:
    told = json.loads(run_script("process.py", tmp_path, "--json", "--test-share", "0.25"))
    assert told["train rows"] + told["test rows"] == 1797
    assert told["message"] == f"{told['train rows']} rows to train, {told['test rows']} to test"
    with LocalSageMaker(home=tmp_path / "sagedock") as local:
        session = Session(target="local", environ=local.environment(), show=lambda _: None)
        shares = {}
        for name in ("train", "test"):
            (file,) = session.download(told[name], tmp_path / name)
            rows = [line.split(",") for line in file.read_text().splitlines()]
            assert len(rows) == told[f"{name} rows"]
            assert all(0 <= float(pixel) <= 1 for row in rows for pixel in row[1:])
            shares[name] = [sum(row[0] == str(digit) for row in rows) for digit in range(10)]
    for train, test in zip(shares["train"], shares["test"], strict=True):
        assert abs(test / (train + test) - 0.25) < 0.01
    assert list(engine.containers({HOME_LABEL: home_id(tmp_path / "sagedock")})) == []


def test_data_that_is_not_there_is_told_in_a_line(tmp_path: Path) -> None:
    told = failed_script("process.py", tmp_path, "--data", "s3://no-such-bucket/rows/")
    assert 'No S3 objects found under S3 URL "s3://no-such-bucket/rows/"' in told
