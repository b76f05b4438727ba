"""Who calls, and what for: read from the signature, which is not verified."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

__all__ = ["Caller", "caller_of"]

#: A region becomes part of paths and names: it is letters, digits and hyphens, or it is none.
#: Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
_CREDENTIAL = re.compile(
    r"Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[a-z0-9-]+)/(?P<service>[^/]+)/aws4_request"
)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The signer of a request: its region, and the signing name of the service it means."""

    region: str
    service: str | None
    account: str

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a SageMaker resource of the caller's; ``kind`` is as ARNs have it."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{name}"


def caller_of(
    headers: Mapping[str, str], query: str, *, default_region: str, account: str
) -> Caller:
    """Return who signed a request, by header or by query (a presigned URL)."""
    signature = headers.get("authorization", "")
    if credential := parse_qs(query).get("X-Amz-Credential"):
        signature = f"Credential={credential[0]}"
    found = _CREDENTIAL.search(signature)
    if found is None:
        return Caller(region=default_region, service=None, account=account)
    return Caller(region=found["region"], service=found["service"], account=account)
