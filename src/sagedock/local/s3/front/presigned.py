"""Presigned URLs: the signature is not checked, the time for which it is good is.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.call import Call, header_value

__all__ = ["check_not_expired", "with_hoisted_headers"]

_WEEK_S = 604_800
_CODE = "AuthorizationQueryParametersError"
_STAMP = "%Y%m%dT%H%M%SZ"


def check_not_expired(query: Mapping[str, str], now: datetime) -> None:
    """Raise AccessDenied ("Request has expired") where the URL is too old; both signatures."""
    if "X-Amz-Signature" in query or "X-Amz-Expires" in query:
        good_for = _seconds(query.get("X-Amz-Expires", ""))
        ends = _signed_at(query.get("X-Amz-Date", "")) + timedelta(seconds=good_for)
        shown = {"X-Amz-Expires": str(good_for)}
    elif "Signature" in query and query.get("Expires", "").isdecimal():
        ends = datetime.fromtimestamp(min(int(query["Expires"]), 2**33), UTC)
        shown = {}
    else:
        return
    if now >= ends:
        raise S3Error(
            "AccessDenied",
            "Request has expired",
            **shown,
            Expires=f"{ends:%Y-%m-%dT%H:%M:%SZ}",
            ServerTime=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        )


def with_hoisted_headers(call: Call) -> Call:
    """Take the ``x-amz-`` parameters of a presigned URL for the headers that they stand for."""
    if "X-Amz-Signature" not in call.query:
        return call
    hoisted = {
        name.lower(): header_value(value)
        for name, value in call.query.items()
        if name.lower().startswith("x-amz-") and name not in _OF_THE_SIGNATURE
    }
    return replace(call, headers={**hoisted, **call.headers})


_OF_THE_SIGNATURE = frozenset(
    f"X-Amz-{name}"
    for name in (
        "Algorithm",
        "Credential",
        "Date",
        "Expires",
        "Security-Token",
        "Signature",
        "SignedHeaders",
    )
)


def _seconds(given: str) -> int:
    if not given.isascii() or not given.isdigit():
        raise S3Error(_CODE, "X-Amz-Expires should be a number")
    if len(given) > 9 or int(given) > _WEEK_S:
        raise S3Error(
            _CODE,
            "X-Amz-Expires must be less than a week (in seconds); that is, the given "
            f"X-Amz-Expires must be less than {_WEEK_S} seconds",
        )
    return int(given)


def _signed_at(given: str) -> datetime:
    try:
        return datetime.strptime(given, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise S3Error(
            _CODE,
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
        ) from None
