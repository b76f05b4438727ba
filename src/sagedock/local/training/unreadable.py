"""Data that a job cannot have: the job fails, and its FailureReason says why."""

from sagedock.local.uris import S3Uri

__all__ = ["ChannelUnreadable", "unreadable"]

_LONGEST_URI = 500


class ChannelUnreadable(Exception):
    """The data of a channel cannot be brought; the text says why, in the service's words."""


def unreadable(uri: S3Uri, why: str) -> ChannelUnreadable:
    """Return the error of one object; the form is that of row 44 of the service's answers.

    A key of a thousand bytes would leave no room for the reason, so its end is cut off.
    """
    shown = str(uri)
    if len(shown) > _LONGEST_URI:
        shown = f"{shown[:_LONGEST_URI]}..."
    return ChannelUnreadable(f"Failed to download data. S3 key: {shown} {why}")
