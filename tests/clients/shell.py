"""A shell with the AWS CLI, after `eval "$(sagedock local env)"`."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
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

    def until(self, job: str, true: Callable[[Any], bool]) -> Any:
        """Wait until what describe-training-job answers is as awaited."""
        return self.awaited(true, "describe-training-job", "--training-job-name", job)

    def awaited(self, true: Callable[[Any], bool], operation: str, option: str, value: str) -> Any:
        """Wait until what ``aws sagemaker OPERATION OPTION VALUE`` prints is as awaited; return it.

        boto3 asks meanwhile: each start of the CLI costs most of a second of a processor.
        """
        ask = getattr(self.boto3_client(), operation.replace("-", "_"))
        asked = {option.title().replace("-", ""): value}
        ends = time.monotonic() + COMMAND_S
        while not true(described := ask(**asked)):
            assert time.monotonic() < ends, described
            time.sleep(0.2)
        return self.asked("sagemaker", operation, option, value)

    def boto3_client(self, service: str = "sagemaker") -> Any:
        """Return a client of the same server, with the same credentials."""
        return boto3.client(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )


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
