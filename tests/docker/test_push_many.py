"""Pushes that a scan holds back, to several regions, and by programs of `sagedock local run`."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker
from sagedock.local.ecr import find_program
from tests.conftest import ACCOUNT, BUCKET, REGION
from tests.docker.conftest import RealLocal
from tests.docker.test_push import PUSH, job_of, push, tiny
from tests.docker.tiny_images import TinyImages

pytestmark = pytest.mark.skipif(
    find_program() is None, reason="no docker-registry: `make registry` gets it"
)
__all__ = ["tiny"]


def test_findings_of_a_file_hold_an_image_back(
    engine: Any, tiny: TinyImages, tmp_path: Path
) -> None:
    name = tiny.make()
    findings = tmp_path / "findings.json"
    rows = [{"name": "CVE-2026-0001", "severity": "HIGH"}]
    findings.write_text(json.dumps({name.partition(":")[0]: rows}))
    allow = tmp_path / "allow.toml"
    with LocalSageMaker(home=tmp_path / "home", scan_findings=findings) as server:
        real = RealLocal(server=server, engine=engine)
        held = push(real, tmp_path, name, "--fail-on", "high")
        assert held.returncode == 10
        assert "CVE-2026-0001 (high)" in held.stderr
        assert held.stdout.splitlines()[-1].partition("@")[1] == "@"
        assert push(real, tmp_path, name, "--fail-on", "critical").returncode == 0
        row = '[[allow]]\nfinding = "CVE-2026-0001"\nreason = "unused"\nexpires = {}\n'
        allow.write_text(row.format("2999-12-31"))
        words = (name, "--fail-on", "high", "--allow", str(allow))
        assert push(real, tmp_path, *words).returncode == 0
        allow.write_text(row.format("2020-12-31"))
        lapsed = push(real, tmp_path, *words)
        assert (lapsed.returncode, "until 2020-12-31 only" in lapsed.stderr) == (10, True)


def test_several_regions_and_a_role(real: RealLocal, tiny: TinyImages, tmp_path: Path) -> None:
    name = tiny.make()
    words = ("--region", "eu-west-1", "--region", "us-west-2", "--json")
    role = ("--role-arn", f"arn:aws:iam::{ACCOUNT}:role/pusher", "--external-id", "secret")
    done = push(real, tmp_path, name, *words, *role)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [each["region"] for each in found] == ["eu-west-1", "us-west-2"]
    assert len({each["digest"] for each in found}) == 1
    for each in found:
        client = real.client("ecr", each["region"])
        images = client.describe_images(repositoryName=each["repository"])["imageDetails"]
        assert [image["imageDigest"] for image in images] == [each["digest"], each["sbom_digest"]]


def test_local_run_pushes_to_a_registry_that_lasts(
    engine: Any, tiny: TinyImages, tmp_path: Path
) -> None:
    name = tiny.make()
    environ = {**os.environ, "SAGEDOCK_HOME": str(tmp_path / "home")}
    run = [*PUSH[:-1], "local", "run", "--", *PUSH, name]

    def pushed() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            run, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300, check=False
        )

    first, again = pushed(), pushed()
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert first.stdout == again.stdout
    assert "nothing to do" in again.stderr
    assert "Invalid HTTP" not in first.stderr
    tiny.remove(name)
    with LocalSageMaker(home=tmp_path / "home", check_answers=True) as server:
        real = RealLocal(server=server, engine=engine)
        real.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        real.client("sagemaker").create_training_job(**job_of(real, first.stdout.strip(), "cold"))
        assert real.ended("cold")["TrainingJobStatus"] == "Completed"
