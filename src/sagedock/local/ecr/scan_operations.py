"""Scans of the local ECR: it looks at nothing, and finds what a file of yours says."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagedock.api import ecr_messages as words
from sagedock.errors import InvalidRequest
from sagedock.local.caller import Caller
from sagedock.local.ecr.shelf import Shelf, identifier, part_of
from sagedock.local.moments import epoch_s
from sagedock.local.refusal import Refused

__all__ = ["ScanOperations", "read_findings"]

_SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")
#: Stands for every repository in a file of findings.
_ANY = "*"

#: AWS says that the scan was completed; nobody is to take this for one.
_DESCRIPTION = "The local ECR looks into no image: it finds what SAGEDOCK_SCAN_FINDINGS says"

Request = Mapping[str, Any]
Answer = dict[str, Any]
Finding = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ScanOperations:
    """The operations. ``file`` has the findings; None where there are none."""

    shelf: Shelf
    file: Path | None

    def table(self) -> Mapping[str, Callable[[Caller, Request], Answer]]:
        """Return each operation's name with what carries it out."""
        return {"DescribeImageScanFindings": self.describe, "StartImageScan": self.start}

    def start(self, caller: Caller, request: Request) -> Answer:
        """Scan an image: it is done at once."""
        image = self.shelf.image(caller, request, request["imageId"])
        name = request["repositoryName"]
        self.shelf.images.scan(caller.region, name, image.digest, time.time())
        return _answer(caller, request, image.digest)

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer what the file says of an image's repository, if the image was scanned."""
        image = self.shelf.image(caller, request, request["imageId"])
        name = request["repositoryName"]
        if image.scanned is None:
            named = identifier(request["imageId"])
            raise Refused(words.scan_not_found(name, caller.account, named))
        found = read_findings(self.file)
        findings = [*found.get(name, ()), *found.get(_ANY, ())]
        rows, token = part_of(findings, request)
        at = epoch_s(image.scanned)
        answer = _answer(caller, request, image.digest)
        answer["imageScanStatus"] = {
            "status": "COMPLETE",
            "description": _DESCRIPTION,
        }
        answer["imageScanFindings"] = {
            "imageScanCompletedAt": at,
            "vulnerabilitySourceUpdatedAt": at,
            "findingSeverityCounts": dict(Counter(each["severity"] for each in findings)),
            "findings": list(rows),
        }
        return {**answer, **({"nextToken": token} if token else {})}


def _answer(caller: Caller, request: Request, digest: str) -> Answer:
    return {
        "registryId": caller.account,
        "repositoryName": request["repositoryName"],
        "imageId": {**request["imageId"], "imageDigest": digest},
        "imageScanStatus": {"status": "IN_PROGRESS"},
    }


def read_findings(file: Path | None) -> Mapping[str, Sequence[Finding]]:
    """Return the findings of a JSON file, by repository, or raise InvalidRequest.

    ``{"my-training": [{"name": "CVE-2026-0001", "severity": "HIGH"}]}``; ``"*"`` is any repository.
    """
    if file is None:
        return {}
    try:
        said: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidRequest([f"{file}: cannot be read as JSON ({error}): mend it"]) from error
    if not isinstance(said, dict) or not all(map(_is_list, said.values())):
        raise InvalidRequest(
            [
                f'{file}: must be {{"REPOSITORY": [{{"name": "CVE-...", "severity": '
                f'"{"|".join(_SEVERITIES)}"}}]}}'
            ]
        )
    return said


def _is_list(findings: object) -> bool:
    return isinstance(findings, list) and all(
        isinstance(each, dict) and each.get("name") and each.get("severity") in _SEVERITIES
        for each in findings
    )
