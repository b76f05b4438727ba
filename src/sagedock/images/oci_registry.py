"""A registry as OCI's distribution specification has it, over HTTP: manifests, blobs, referrers.

Used for what is no image; images are pushed by the engine. Source:
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from sagedock.errors import PushFailed
from sagedock.images.ecr import Login
from sagedock.images.media_types import INDEX, MANIFEST, MANIFESTS

__all__ = [
    "INDEX",
    "MANIFEST",
    "Descriptor",
    "OciRegistry",
    "TagTaken",
    "digest_of",
    "manifests_in",
]

_CONNECT_S, _ANSWER_S = 10.0, 60.0
#: What a registry may answer at most: a manifest has 4 MiB.
_LONGEST_ANSWER = 8 * 1024 * 1024
_LONGEST_REASON = 300
#: How registries say that a tag may not move: ECR's words, and Harbor's.
_MAY_NOT_MOVE = re.compile(r"\b(?:is|as) immutable\b")

Descriptor = dict[str, Any]


class TagTaken(PushFailed):
    """A tag means something else already, and the registry does not let it move."""


def digest_of(content: bytes) -> str:
    """Return what a registry calls this content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class OciRegistry:
    """A registry, as who logged in sees it. Every method raises PushFailed with what was said."""

    login: Login

    def manifest(self, repository: str, reference: str) -> tuple[Descriptor, bytes] | None:
        """Return a manifest by its tag or digest, described, or None where there is none."""
        path = f"/v2/{repository}/manifests/{reference}"
        answer = self._ask("GET", path, headers={"Accept": ", ".join(MANIFESTS)}, may_lack=True)
        if answer is None:
            return None
        found = digest_of(answer.body)
        if reference.startswith("sha256:") and found != reference:
            raise PushFailed(f"{path} answers another manifest ({found}): ask for a new one later")
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        return {"mediaType": kind, "digest": found, "size": len(answer.body)}, answer.body

    def put_manifest(self, repository: str, reference: str, content: bytes, kind: str) -> None:
        """Put a manifest under a tag or its digest. Raises TagTaken where the tag may not move."""
        path = f"/v2/{repository}/manifests/{reference}"
        self._ask("PUT", path, content=content, headers={"Content-Type": kind})

    def put_blob(self, repository: str, content: bytes) -> None:
        """Put a blob, unless it is there."""
        digest = digest_of(content)
        path = f"/v2/{repository}/blobs/{digest}"
        if self._ask("HEAD", path, may_lack=True) is not None:
            return
        begun = self._ask("POST", f"/v2/{repository}/blobs/uploads/", content=b"")
        where = begun.headers.get("Location", "") if begun else ""
        if not where:
            raise PushFailed("the registry begins an upload, and does not say where")
        self._ask(
            "PUT",
            _with_digest(where, digest),
            content=content,
            headers={"Content-Type": "application/octet-stream"},
        )

    def referrers(self, repository: str, digest: str) -> list[Descriptor] | None:
        """Return what refers to a manifest, or None where the registry does not list that."""
        path = f"/v2/{repository}/referrers/{digest}"
        answer = self._ask("GET", path, headers={"Accept": INDEX}, may_lack=True)
        return None if answer is None else manifests_in(answer.body)

    def _ask(
        self,
        method: str,
        target: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        may_lack: bool = False,
    ) -> _Answer | None:
        """Return an answer of success; None for 404 where that ``may_lack``."""
        import requests

        url = urljoin(f"{self.login.scheme}://{self.login.host}/", target)
        is_ours = urlsplit(url)[:2] == (self.login.scheme, self.login.host)
        session = requests.Session()
        session.trust_env = self.login.scheme == "https"  # proxies know nothing of what is local
        try:
            with session.request(
                method,
                url,
                data=content,
                headers={"Accept": "*/*", **(headers or {})},
                auth=(self.login.user, self.login.password) if is_ours else _nobody,
                timeout=(_CONNECT_S, _ANSWER_S),
                # As boto3 takes it: before REQUESTS_CA_BUNDLE, which requests reads for None.
                verify=os.environ.get("AWS_CA_BUNDLE") or None,
                allow_redirects=method in ("GET", "HEAD"),
                stream=True,
            ) as response:
                body = b"" if method == "HEAD" else _body(response)
                answer = _Answer(response.status_code, response.headers, body)
        except OSError as error:  # all of requests', and a bundle of certificates that is not there
            raise PushFailed(f"{method} {_shown(url)}: {_reason(error)}") from error
        if may_lack and answer.status == 404:
            return None
        if not 200 <= answer.status < 300:
            said = _said(answer.body)
            failure = TagTaken if _MAY_NOT_MOVE.search(said) else PushFailed
            raise failure(f"{method} {_shown(url)} answers {answer.status}: {said}")
        return answer


def manifests_in(index: bytes) -> list[Descriptor]:
    """Return what an index names; raises PushFailed for what is none."""
    try:
        found = json.loads(index)["manifests"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise PushFailed(f"the registry's list of what refers is no index ({error!r})") from error
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise PushFailed("the registry's list of what refers is no index (manifests is no list)")
    return found


def _body(response: Any) -> bytes:
    body = b""
    for piece in response.iter_content(64 * 1024):
        body += piece
        if len(body) > _LONGEST_ANSWER:
            raise PushFailed(f"{_shown(response.url)} answers more than {_LONGEST_ANSWER} bytes")
    return body


def _nobody(request: Any) -> Any:
    """Log in as nobody, whoever a ~/.netrc names for that host."""
    return request


def _with_digest(location: str, digest: str) -> str:
    parts = urlsplit(location)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("digest", digest)])
    return urlunsplit(parts._replace(query=query))


def _shown(url: str) -> str:
    """Return an address without its query, which may be a signature."""
    return urlunsplit(urlsplit(url)._replace(query=""))


def _reason(error: Exception) -> str:
    return str(error)[:_LONGEST_REASON]


def _said(body: bytes) -> str:
    """Return the errors that a registry gives, in its own words."""
    try:
        errors = json.loads(body)["errors"]
        return "; ".join(str(each.get("message") or each["code"]) for each in errors)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return body.decode(errors="replace")[:_LONGEST_REASON] or "no reason given"
