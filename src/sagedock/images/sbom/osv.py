"""A service that speaks OSV's API, asked which known vulnerabilities packages have.

It may be OSV's own or a private one. What it does not answer stays unanswered, with the reason; no
answer is made of silence. Source: https://google.github.io/osv.dev/post-v1-querybatch/
"""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

__all__ = ["OSV_URL", "Answered", "Osv", "OsvFailed", "Query", "without_login"]

OSV_URL = "https://api.osv.dev"
#: Queries of one request. The service takes 1,000.
_BATCH = 500
_MOST_PAGES = 50
_CONNECT_S = 10.0
#: Source: https://google.github.io/osv.dev/api/ (of its answers over HTTP/1.1)
_LONGEST_ANSWER = 32 * 1024 * 1024
_LONGEST_REASON = 300
_LOGIN = re.compile(r"(?<=://).*@|^[^/\s]*@")


class OsvFailed(Exception):
    """The service did not answer, or not as OSV's API has it."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """A package to ask about. ``ecosystem`` is OSV's word, such as PyPI or ``Debian:12``."""

    ecosystem: str
    name: str
    version: str

    def document(self, page_token: str = "") -> dict[str, Any]:
        """Return the query as the service takes it."""
        package = {"name": self.name, "ecosystem": self.ecosystem}
        more = {"page_token": page_token} if page_token else {}
        return {"package": package, "version": self.version, **more}


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What was answered to one query: identifiers of vulnerabilities, or why there is no answer."""

    ids: tuple[str, ...] = ()
    why_not: str = ""


class Osv:
    """The service at ``url``; all that it is asked may take ``timeout_s`` seconds together."""

    def __init__(self, url: str = OSV_URL, *, timeout_s: float = 60.0) -> None:
        self._url = url.rstrip("/")
        self._shown = without_login(self._url)
        self._ends = time.monotonic() + timeout_s
        self._timeout_s = timeout_s

    def vulnerabilities(self, queries: Sequence[Query]) -> tuple[Answered, ...]:
        """Return an answer for each query, in their order."""
        answers: list[Answered] = []
        for start in range(0, len(queries), _BATCH):
            batch = queries[start : start + _BATCH]
            try:
                answers += self._answers(batch)
            except OsvFailed as error:
                answers += [Answered(why_not=str(error))] * len(batch)
        return tuple(answers)

    def details(self, identifier: str) -> Mapping[str, Any]:
        """Return what the service has about a vulnerability. Raises OsvFailed."""
        return self._ask("GET", f"/v1/vulns/{quote(identifier, safe='')}")

    def _answers(self, batch: Sequence[Query]) -> Iterator[Answered]:
        """Yield the answers to a batch once all their pages are there. Raises OsvFailed."""
        ids: list[list[str]] = [[] for _ in batch]
        why_not = [""] * len(batch)
        left = dict.fromkeys(range(len(batch)), "")
        for _ in range(_MOST_PAGES):
            asked = list(left)
            said = self._ask(
                "POST",
                "/v1/querybatch",
                {"queries": [batch[each].document(left[each]) for each in asked]},
            )
            results = said.get("results")
            if not isinstance(results, list) or len(results) != len(asked):
                raise OsvFailed(f"{self._shown} does not answer each of {len(asked)} queries")
            left = {}
            for each, result in zip(asked, results, strict=True):
                try:
                    ids[each] += [str(found["id"]) for found in result.get("vulns") or ()]
                    token = result.get("next_page_token")
                except (LookupError, TypeError, AttributeError):
                    why_not[each] = f"{self._shown} answers what OSV's API does not have"
                    continue
                if token:
                    left[each] = str(token)
            if not left:
                break
        for each in left:
            why_not[each] = f"{self._shown} has more than {_MOST_PAGES} pages about it"
        yield from (
            Answered(ids=tuple(dict.fromkeys(found)), why_not=reason)
            for found, reason in zip(ids, why_not, strict=True)
        )

    def _ask(self, method: str, path: str, document: Any = None) -> dict[str, Any]:
        import requests
        from urllib3.exceptions import HTTPError

        left_s = self._ends - time.monotonic()
        if left_s <= 0:
            raise OsvFailed(f"{self._shown} did not answer all within {self._timeout_s:g} s")
        url, shown = f"{self._url}{path}", f"{self._shown}{path}"
        try:
            with requests.request(
                method,
                url,
                json=document,
                timeout=(min(_CONNECT_S, left_s), left_s),
                stream=True,
            ) as response:
                body = self._body(response)
                status = response.status_code
        except (OSError, HTTPError) as error:  # all of requests', and absent certificates
            raise OsvFailed(f"{shown}: {_reason(error)}") from error
        if status != 200:
            raise OsvFailed(f"{shown} answers {status}")
        try:
            said = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise OsvFailed(f"{shown} answers no JSON") from error
        if not isinstance(said, dict):
            raise OsvFailed(f"{shown} answers what OSV's API does not have")
        return said

    def _body(self, response: Any) -> bytes:
        """Return an answer's body, which comes in time, however slowly its pieces come."""
        pieces, size = [], 0
        while piece := response.raw.read1(64 * 1024, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > _LONGEST_ANSWER:
                raise OsvFailed(f"{self._shown} answers more than {_LONGEST_ANSWER} bytes")
            if time.monotonic() > self._ends:
                raise OsvFailed(f"{self._shown} did not answer all within {self._timeout_s:g} s")
        return b"".join(pieces)


def without_login(text: str) -> str:
    """Return an address, or a text with some, without the names and passwords in them."""
    return _LOGIN.sub("", text)


def _reason(error: Exception) -> str:
    """Return the innermost cause of a failure, without the wrappings of libraries."""
    inner = error.args[0] if error.args else error
    return without_login(str(getattr(inner, "reason", error)))[:_LONGEST_REASON]
