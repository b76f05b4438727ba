"""A shell with the AWS CLI, after `eval "$(sagedock local env)"`."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

COMMAND_S = 120
#: The first AWS CLI v2 that reads AWS_ENDPOINT_URL; an older one needs --endpoint-url.
READS_ENDPOINT_URL = (2, 13)
ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class Done:
    """What a command printed, and how it ended."""

    code: int
    out: str
    error: str


@dataclass(frozen=True)
class Shell:
    """Runs the AWS CLI ``aws``, which is of version ``version``, in the folder ``folder``."""

    aws_program: Path
    version: tuple[int, int]
    environment: Mapping[str, str]
    folder: Path

    def command(self, *words: str) -> list[str]:
        """Return the command line of ``aws WORDS...``."""
        options = []
        if self.version[0] == 2 and self.version < READS_ENDPOINT_URL:
            options = ["--endpoint-url", self.environment["AWS_ENDPOINT_URL"]]
        return [str(self.aws_program), *options, *words]

    def run(self, *words: str, given: bytes = b"") -> Done:
        """Run ``aws WORDS...`` with ``given`` on its standard input, however it ends."""
        done = subprocess.run(
            self.command(*words),
            env=self.environment,
            cwd=self.folder,
            input=given,
            capture_output=True,
            timeout=COMMAND_S,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def aws(self, *words: str, given: bytes = b"") -> str:
        """Run what must succeed; return what it printed."""
        done = self.run(*words, given=given)
        assert done.code == 0, f"aws {' '.join(words)}: {done.code}\n{done.out}\n{done.error}"
        return done.out

    def asked(self, *words: str) -> Any:
        """Run what prints JSON; return that."""
        return json.loads(self.aws(*words, "--output", "json"))

    def ended(self, job: str) -> Any:
        """Wait until a job has ended, without the CLI's waiter, which asks every two minutes."""
        return self.until(job, lambda described: described["TrainingJobStatus"] in ENDED)

    def until(self, job: str, true: Any) -> Any:
        """Wait until what describe-training-job answers is as awaited."""
        ends = time.monotonic() + COMMAND_S
        while True:
            described = self.asked("sagemaker", "describe-training-job", "--training-job-name", job)
            if true(described):
                return described
            assert time.monotonic() < ends, described
            time.sleep(0.5)


def version_of(program: Path) -> tuple[int, int]:
    """Return the version that an AWS CLI says it has."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=COMMAND_S)
    found = re.match(r"aws-cli/(\d+)\.(\d+)", said.stdout + said.stderr)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def find_v2(path: str) -> Path:
    """Return the first ``aws`` on ``path`` that is of version 2; the test is skipped without."""
    for folder in path.split(":"):
        found = shutil.which("aws", path=folder)
        if found and version_of(Path(found))[0] == 2:
            return Path(found)
    pytest.skip("no AWS CLI v2 on PATH: `make clients` installs Debian's where it can")
