"""What ECR's scan finds in a pushed image, awaited and held against what is allowed."""

import datetime
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sagedock.errors import PushFailed
from sagedock.images.allowed import Allowed
from sagedock.images.ecr import EcrRegistry
from sagedock.images.push import PushedImage

__all__ = ["Finding", "Scan", "Severity", "await_findings", "hold_back"]

Severity = Literal["critical", "high", "medium", "low", "informational"]
#: The gravest first; what nobody has rated comes last, as in ECR's own lists.
_ORDER = (*get_args(Severity), "undefined", "untriaged")
_GOES_ON = ("IN_PROGRESS", "PENDING")
#: Basic scans end; enhanced ones are kept up. Source: ImageScanStatus in the service's model.
_GOOD = ("COMPLETE", "ACTIVE")
_POLL_S = 3.0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a scan found."""

    name: str
    severity: str


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What a scan found, and what ECR says of it."""

    findings: tuple[Finding, ...]
    said: str


def await_findings(
    registry: EcrRegistry,
    pushed: PushedImage,
    *,
    timeout_s: float,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Scan:
    """Wait until an image is scanned, and return what was found. Raises PushFailed where it cannot
    be scanned, or takes too long: that is no good result.
    """
    ends, started = clock() + timeout_s, False
    while True:
        answer = _described(registry, pushed)
        if answer is None and not started:
            _start(registry, pushed)
            started = True
        status = (answer or {}).get("imageScanStatus", {})
        if answer is not None and status.get("status") in _GOOD:
            found = tuple(_findings(registry, pushed, answer))
            return Scan(findings=found, said=status.get("description", ""))
        if answer is not None and status.get("status") not in _GOES_ON:
            raise _not_scanned(pushed, f"{status.get('status')}: {status.get('description')}")
        if clock() > ends:
            raise _not_scanned(pushed, f"it is not done after {timeout_s:g} s")
        sleep(_POLL_S)


def hold_back(
    findings: Sequence[Finding],
    *,
    worst: Severity,
    allowed: Sequence[Allowed],
    today: datetime.date,
) -> list[str]:
    """Return a line for each finding as grave as ``worst`` that is not allowed today."""
    grave = _ORDER[: _ORDER.index(worst) + 1]
    rows = {each.finding: each for each in allowed}
    lines = []
    for each in sorted(findings, key=lambda found: (_rank(found), found.name)):
        row = rows.get(each.name)
        if each.severity not in grave or (row is not None and row.holds(today)):
            continue
        lapsed = f": allowed until {row.expires} only" if row else ""
        lines.append(f"{each.name} ({each.severity}){lapsed}")
    return lines


def _rank(finding: Finding) -> int:
    return _ORDER.index(finding.severity) if finding.severity in _ORDER else len(_ORDER)


def _asked(pushed: PushedImage) -> dict[str, Any]:
    return {"repositoryName": pushed.repository, "imageId": {"imageDigest": pushed.digest}}


def _described(registry: EcrRegistry, pushed: PushedImage, **page: str) -> Any:
    with registry.explained():
        try:
            return registry.client.describe_image_scan_findings(**_asked(pushed), **page)
        except registry.client.exceptions.ScanNotFoundException:
            return None


def _start(registry: EcrRegistry, pushed: PushedImage) -> None:
    try:
        with registry.explained():
            registry.client.start_image_scan(**_asked(pushed))
    except PushFailed as error:
        raise _not_scanned(pushed, str(error)) from error


def _findings(
    registry: EcrRegistry, pushed: PushedImage, answer: Mapping[str, Any]
) -> Iterator[Finding]:
    page: Any = answer
    while page is not None:
        found = page.get("imageScanFindings", {})
        for each in found.get("findings", ()):
            yield Finding(name=each["name"], severity=each["severity"].lower())
        for each in found.get("enhancedFindings", ()):
            package = each.get("packageVulnerabilityDetails", {})
            name = package.get("vulnerabilityId") or each.get("title") or each["findingArn"]
            yield Finding(name=name, severity=each["severity"].lower())
        token = page.get("nextToken")
        page = _described(registry, pushed, nextToken=token) if token else None


def _not_scanned(pushed: PushedImage, why: str) -> PushFailed:
    return PushFailed(
        f"{pushed.image_uri} is pushed, but was not scanned ({why}): that is no good result; look "
        "at it in ECR, or push without --fail-on"
    )
