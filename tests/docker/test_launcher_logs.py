"""The log holds what the script wrote, whole and unchanged, and no secrets."""

import pytest

from tests.docker.launcher_job import OURS, STOCK, Job, job

__all__ = ["job"]
pytestmark = pytest.mark.docker

#: One metric line, written in two parts.
HALVES = """
import os, time
for step in range(5):
    os.write(1, b"step %d loss=0." % step); time.sleep(0.2); os.write(1, b"125\\n")
    os.write(2, b"progress 50%\\r"); time.sleep(0.05)
"""
WHOLE = b"".join(b"step %d loss=0.125\n" % step for step in range(5))
#: What AWS's framework images do: their module asks for the errors, and the toolkit splits lines.
CAPTURES = """
from sagemaker_training import entry_point, environment
def main():
    env = environment.Environment()
    entry_point.run(env.module_dir, "train.py", [], env.to_env_vars(), capture_error=True)
"""


def test_metric_lines_stay_whole(job: Job) -> None:
    job.script(HALVES)
    assert job.run(OURS).out == WHOLE


def test_stock_toolkit_splits_metric_lines_when_it_captures_errors(job: Job) -> None:
    job.script(HALVES).script(CAPTURES, "framework.py")
    module = {"SAGEMAKER_TRAINING_MODULE": "framework:main", "PYTHONPATH": "/opt/ml/code"}
    out = job.run(STOCK, environment=module).out
    assert WHOLE not in out
    assert b"loss=0.\n" in out


def test_many_lines_at_full_speed(job: Job) -> None:
    job.script(
        "import sys\n"
        "out = ''.join(f'out {n}\\n' for n in range(100_000))\n"
        "err = ''.join(f'err {n}\\n' for n in range(100_000))\n"
        "sys.stdout.write(out); sys.stderr.write(err)"
    ).hyperparameters["sagemaker_container_log_level"] = 30
    ran = job.run(OURS)
    assert ran.out == b"".join(b"out %d\n" % n for n in range(100_000))
    assert b"".join(b"err %d\n" % n for n in range(100_000)) in ran.err


def test_long_lines_invalid_utf8_and_progress_bars_pass_as_they_are(job: Job) -> None:
    job.script(
        "import os, sys\n"
        "for stream in (sys.stdout.buffer, sys.stderr.buffer):\n"
        "    stream.write(b'x' * 1_000_000 + b'\\n' + b'caf\\xe9 \\xff\\n' + b'\\r1%\\r2%\\n')\n"
    )
    ran = job.run(OURS)
    expected = b"x" * 1_000_000 + b"\ncaf\xe9 \xff\n\r1%\r2%\n"
    assert ran.code == 0
    # the engine's own log driver stores JSON: there a byte that is not UTF-8 becomes U+FFFD
    stored = expected.decode("utf-8", "replace").encode()
    assert ran.out == stored
    assert stored in ran.err


SECRETS = {
    "api_key": "hyper-secret-1",
    "service": {"password": "hyper-secret-2"},
    "note": "AKIAIOSFODNN7EXAMPLE",
}
FAILS = "import sys; raise SystemExit(f'login refused for {sys.argv}')"


def test_secrets_are_not_logged(job: Job) -> None:
    job.script("pass").hyperparameters |= {**SECRETS, "epochs": 3}
    environment = {"WANDB_API_KEY": "env-secret-3"}
    log = job.run(OURS, environment=environment).log
    assert "epochs=3" in log
    assert "api_key=***" in log
    for secret in ("hyper-secret-1", "hyper-secret-2", "AKIAIOSFODNN7EXAMPLE", "env-secret-3"):
        assert secret not in log


def test_stock_toolkit_logs_secrets(job: Job) -> None:
    job.script("pass").hyperparameters |= SECRETS
    log = job.run(STOCK).log
    assert "hyper-secret-1" in log
    assert "AKIAIOSFODNN7EXAMPLE" in log


def test_secrets_are_not_in_the_failure_file(job: Job) -> None:
    job.script(FAILS).hyperparameters |= SECRETS
    failure = job.run(OURS).failure
    assert 'ErrorMessage "login refused for' in failure
    for secret in ("hyper-secret-1", "hyper-secret-2", "AKIAIOSFODNN7EXAMPLE"):
        assert secret not in failure
    assert "hyper-secret-1" in job.run(STOCK).failure
