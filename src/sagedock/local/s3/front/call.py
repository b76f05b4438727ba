"""A request, read once: which bucket, which key, which region, which words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote_to_bytes

from sagedock.local.s3.errors import S3Error

__all__ = ["Call", "Level", "header_value", "read_call"]

Level = Literal["service", "bucket", "object"]

_SCOPE = re.compile(r"/\d{8}/([a-z0-9-]+)/s3[a-z-]*/aws4_request")
#: ``BUCKET.s3.REGION.HOST``, ``BUCKET.s3.HOST`` and ``BUCKET.localhost``. Anything else, an address
#: above all, is path style.
_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+?)\.(?:s3[.-].+|localhost)")
_DEFAULT_REGION = "us-east-1"
_MAX_KEYS = 1000


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request. Header names are in lower case; ``path`` is as it was sent."""

    method: str
    path: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def level(self) -> Level:
        """What the request is about."""
        if not self.bucket:
            return "service"
        return "object" if self.key else "bucket"

    @property
    def region(self) -> str:
        """The region that the request was signed for."""
        signed = self.headers.get("authorization", "") + self.query.get("X-Amz-Credential", "")
        found = _SCOPE.search(signed)
        return found[1] if found else _DEFAULT_REGION

    def count(self, name: str, *, most: int = _MAX_KEYS, default: int | None = None) -> int:
        """Return a whole number from the query, at most ``most``. Raises InvalidArgument.

        Where the query has none, it is ``default``, or ``most``.
        """
        given = self.query.get(name, "") or str(most if default is None else default)
        if not given.isascii() or not given.isdigit() or int(given) >= 2**31:
            raise S3Error(
                "InvalidArgument",
                f"Provided {name} not an integer or within integer range",
                ArgumentName=name,
                ArgumentValue=given,
            )
        return min(int(given), most)


def read_call(scope: Mapping[str, Any]) -> Call:
    """Read an ASGI scope. Raises InvalidURI where the path or the query is not UTF-8."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    bucket, key = _bucket_and_key(path, headers.get("host", ""))
    return Call(
        method=scope["method"],
        path=path,
        bucket=bucket,
        key=key,
        query=_query(scope.get("query_string", b"")),
        headers=headers,
    )


def _bucket_and_key(path: str, host: str) -> tuple[str, str]:
    virtual = _VIRTUAL_HOST.fullmatch(host.partition(":")[0])
    if virtual:
        return virtual["bucket"], _text(path[1:])
    bucket, _, key = path[1:].partition("/")
    if key and not bucket:
        raise S3Error("InvalidBucketName", BucketName="")
    return _text(bucket), _text(key)


def _text(quoted: str) -> str:
    try:
        return unquote_to_bytes(quoted).decode()
    except UnicodeDecodeError:
        raise S3Error("InvalidURI") from None


def header_value(text: str) -> str:
    """Return ``text``, which came in a URL, as a header can carry it. Raises InvalidArgument."""
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise S3Error("InvalidArgument", "A header's value may not hold control characters")
    return text.strip().encode().decode("latin-1")


def _query(raw: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise S3Error("InvalidURI") from None
    return dict(pairs)
