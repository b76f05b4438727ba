"""Conditional requests: which preconditions hold, and what S3 answers where one does not.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sagedock.local.s3.errors import NoSuchKey, S3Error
from sagedock.local.s3.model import StoredObject
from sagedock.local.s3.store import Guard

__all__ = ["check_copy", "check_read", "guard_removal", "guard_write"]


def check_read(found: StoredObject, headers: Mapping[str, str]) -> bool:
    """Return False where S3 answers 304 NotModified. Raises PreconditionFailed."""
    _check_unchanged(found, headers, "if-match", "if-unmodified-since")
    if wanted := headers.get("if-none-match"):
        return not _names(wanted, found)
    since = _date(headers.get("if-modified-since"))
    return since is None or found.modified > since


def check_copy(found: StoredObject, headers: Mapping[str, str]) -> None:
    """Check the preconditions on a copy's source. Raises PreconditionFailed."""
    start = "x-amz-copy-source-"
    _check_unchanged(found, headers, f"{start}if-match", f"{start}if-unmodified-since")
    of_source = {name.removeprefix(start): value for name, value in headers.items()}
    changed = {"if-none-match", "if-modified-since"} & {
        name.removeprefix(start) for name in headers if name.startswith(start)
    }
    if not check_read(found, {name: of_source[name] for name in changed}):
        raise S3Error("PreconditionFailed", Condition=f"{start}{sorted(changed)[-1]}")


def _check_unchanged(
    found: StoredObject, headers: Mapping[str, str], match: str, unmodified: str
) -> None:
    if wanted := headers.get(match):
        if not _names(wanted, found):
            raise S3Error("PreconditionFailed", Condition=_title(match))
        return
    since = _date(headers.get(unmodified))
    if since is not None and found.modified > since:
        raise S3Error("PreconditionFailed", Condition=_title(unmodified))


def guard_write(key: str, headers: Mapping[str, str]) -> Guard:
    """Return the guard that ``If-Match`` and ``If-None-Match`` of a write amount to."""
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if none_match not in (None, "*"):
        raise S3Error("NotImplemented", Header="If-None-Match")

    def allow(found: StoredObject | None) -> None:
        if none_match and found:
            raise S3Error("PreconditionFailed", Condition="If-None-Match")
        if match and not found:
            raise NoSuchKey(key)
        if match and found and not _names(match, found):
            raise S3Error("PreconditionFailed", Condition="If-Match")

    return allow


def guard_removal(headers: Mapping[str, str]) -> Guard:
    """Return the guard that ``If-Match`` of a DELETE amounts to."""
    match = headers.get("if-match")

    def allow(found: StoredObject | None) -> None:
        if match and found and not _names(match, found):
            raise S3Error("PreconditionFailed", Condition="If-Match")

    return allow


def _names(wanted: str, found: StoredObject) -> bool:
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in wanted.split(",")]
    return "*" in tags or found.etag in tags


def _date(given: str | None) -> datetime | None:
    """Read an HTTP date; one that is none is ignored, as HTTP asks (RFC 9110, 13.1.3)."""
    try:
        date = parsedate_to_datetime(given) if given else None
    except ValueError:
        return None
    return date.replace(tzinfo=date.tzinfo or UTC) if date else None


def _title(header: str) -> str:
    return "-".join(word.capitalize() for word in header.split("-"))
