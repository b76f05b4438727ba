"""The same one-line job by SDK v2's own local mode: measured where docker-compose can be had."""

import os
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.startup import IMAGE, SCRIPT, Jobs
from benchmarks.table import Row
from sagedock import LocalSageMaker

PYTHON = Path(".venv-clients/bin/python").absolute()
ROUNDS = 5
#: How the lines of the SDK's run look: its own "asked", and the script's, behind a container name.
_TIMES = re.compile(r"\b(asked|began) ([0-9.]+)")


def rows() -> list[Row]:
    """Measure both, one after the other: local mode keeps one process for all its rounds."""
    missing = _missing()
    if missing:
        return [_row("not measured", f"{missing} is not here", "", met=None)]
    with tempfile.TemporaryDirectory() as scratch:
        with LocalSageMaker(home=Path(scratch) / "home") as server:
            jobs = Jobs(server)
            jobs.seconds_to_first_line()
            ours = statistics.median(jobs.seconds_to_first_line() for _ in range(ROUNDS))
        theirs = statistics.median(_local_mode(Path(scratch)))
    return [_row(f"{ours:.2f} s", f"SDK v2 local mode: {theirs:.2f} s", f"{ours / theirs:.2f}x")]


def _row(ours: str, against: str, ratio: str, *, met: bool | None = None) -> Row:
    return Row(
        what="CreateTrainingJob to the first line, against local mode",
        ours=ours,
        against=against,
        ratio=ratio,
        goal="none set",
        met=met,
    )


def _missing() -> str | None:
    if not PYTHON.exists():
        return "the other clients' environment (`make test` makes it)"
    return None if shutil.which("docker-compose") else "docker-compose"


def _local_mode(scratch: Path) -> list[float]:
    code = scratch / "code"
    code.mkdir()
    (code / "train.py").write_text(SCRIPT)
    ran = subprocess.run(
        [PYTHON, "benchmarks/sdk_local_mode.py", IMAGE, str(code), str(ROUNDS + 1)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={
            **os.environ,
            "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "y",
            "TMPDIR": str(scratch),
            "SAGEMAKER_USER_CONFIG_OVERRIDE": _no_telemetry(scratch),
        },
    )
    times = [(word, float(when)) for word, when in _TIMES.findall(ran.stdout)]
    pairs = list(zip(times[::2], times[1::2], strict=False))
    if ran.returncode or [each[0] for each in times] != ["asked", "began"] * (ROUNDS + 1):
        raise RuntimeError(f"local mode did not run as expected:\n{ran.stdout[-2000:]}")
    return [began - asked for (_, asked), (_, began) in pairs[1:]]


def _no_telemetry(scratch: Path) -> str:
    config = scratch / "sdk.yaml"
    config.write_text(
        "SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}\n"
    )
    return str(config)
