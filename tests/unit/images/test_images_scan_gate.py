"""What a scan of ECR's finds, and what of it holds a push back."""

import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from sagedock.errors import InvalidRequest, PushFailed
from sagedock.images.allowed import Allowed, load_allowed
from sagedock.images.ecr import EcrRegistry
from sagedock.images.push import PushedImage
from sagedock.images.scan_gate import Finding, await_findings, hold_back

REGION = "eu-west-1"
HOST = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"
PUSHED = PushedImage(
    image="i",
    repository="rr",
    tag="t",
    region=REGION,
    digest="sha256:1",
    size=1,
    uri=f"{HOST}/rr",
    already=False,
    created=False,
)
ASKED = {"repositoryName": "rr", "imageId": {"imageDigest": "sha256:1"}}


def scanned(*answers: Any) -> tuple[Finding, ...]:
    """Return what is found where ECR answers so, one after the other; a text is an error's code."""
    client = boto3.client("ecr", region_name=REGION)
    now = iter(range(1_000_000))
    with Stubber(client) as stubber:
        for each in answers:
            if isinstance(each, str):
                stubber.add_client_error("describe_image_scan_findings", each, "")
            elif each is None:
                stubber.add_response("start_image_scan", {}, ASKED)
            else:
                stubber.add_response("describe_image_scan_findings", each)
        registry = EcrRegistry(client=client, region=REGION)
        found = await_findings(
            registry, PUSHED, timeout_s=5, sleep=lambda _: None, clock=lambda: next(now)
        )
        stubber.assert_no_pending_responses()
        return found.findings


def status(name: str, *findings: dict[str, str], token: str | None = None) -> dict[str, Any]:
    return {
        "imageScanStatus": {"status": name},
        "imageScanFindings": {"findings": list(findings)},
        **({"nextToken": token} if token else {}),
    }


def test_a_scan_is_awaited_and_read_to_its_end() -> None:
    found = scanned(
        status("IN_PROGRESS"),
        status("COMPLETE", {"name": "CVE-1", "severity": "HIGH"}, token="2"),
        status("COMPLETE", {"name": "CVE-2", "severity": "LOW"}),
    )
    assert [(each.name, each.severity) for each in found] == [("CVE-1", "high"), ("CVE-2", "low")]


def test_a_scan_that_nobody_began_is_begun() -> None:
    assert scanned("ScanNotFoundException", None, status("COMPLETE")) == ()


@pytest.mark.parametrize("name", ["FAILED", "UNSUPPORTED_IMAGE", "FINDINGS_UNAVAILABLE"])
def test_an_image_that_cannot_be_scanned_is_not_good(name: str) -> None:
    with pytest.raises(PushFailed, match=f"not scanned .{name}"):
        scanned(status(name))


def test_a_scan_that_takes_too_long_is_not_good() -> None:
    with pytest.raises(PushFailed, match="not done after 5 s"):
        scanned(*[status("PENDING")] * 10)


def test_enhanced_findings_count_too() -> None:
    finding = {
        "severity": "CRITICAL",
        "packageVulnerabilityDetails": {"vulnerabilityId": "CVE-3"},
    }
    answer = {
        "imageScanStatus": {"status": "ACTIVE"},
        "imageScanFindings": {"enhancedFindings": [finding]},
    }
    assert scanned(answer) == (Finding(name="CVE-3", severity="critical"),)


def test_what_is_held_back() -> None:
    today = datetime.date(2026, 6, 1)
    findings = [Finding(name=f"CVE-{s}", severity=s) for s in ("low", "high", "critical", "medium")]
    allowed = [
        Allowed(finding="CVE-high", reason="r", expires=today),
        Allowed(finding="CVE-critical", reason="r", expires=datetime.date(2026, 5, 31)),
    ]
    assert hold_back(findings, worst="medium", allowed=allowed, today=today) == [
        "CVE-critical (critical): allowed until 2026-05-31 only",
        "CVE-medium (medium)",
    ]


def test_a_file_of_what_is_allowed_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "nope.toml"
    for words in ("is not there: correct the path", "cannot be read (Is a directory): name a file"):
        with pytest.raises(InvalidRequest) as caught:
            load_allowed(file)
        assert caught.value.problems == (f"{file}: {words}",)
        file.mkdir(exist_ok=True)
    file = tmp_path / "broken.toml"
    file.write_text("[[allow")
    with pytest.raises(InvalidRequest, match="is not TOML"):
        load_allowed(file)


def test_a_file_of_what_is_allowed(tmp_path: Path) -> None:
    file = tmp_path / "allow.toml"
    file.write_text('[[allow]]\nfinding = "CVE-1"\nreason = "unused"\nexpires = 2026-12-31\n')
    assert load_allowed(file) == (
        Allowed(finding="CVE-1", reason="unused", expires=datetime.date(2026, 12, 31)),
    )
    file.write_text(
        '[[allow]]\nfinding = "CVE-1"\nexpires = "2026"\n[[allow]]\nfinding = ""\nreason = "r"\n'
        "expires = 2026-12-31T00:00:00\nmore = 1\n"
    )
    with pytest.raises(InvalidRequest) as caught:
        load_allowed(file)
    assert len(caught.value.problems) == 5
    assert "'CVE-1': reason must be a text" in str(caught.value)
    assert "expires must be 2026-12-31, without quotes" in str(caught.value)
    file.write_text("allow = 1")
    with pytest.raises(InvalidRequest, match=r"\[\[allow\]\]"):
        load_allowed(file)
