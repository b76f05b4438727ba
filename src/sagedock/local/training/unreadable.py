"""Data that a job cannot have: the job fails, and its FailureReason says why."""

from sagedock.local.uris import S3Uri

__all__ = ["ChannelUnreadable", "unreadable"]


class ChannelUnreadable(Exception):
    """The data of a channel cannot be brought; the text says why, in the service's words."""


def unreadable(uri: S3Uri, why: str) -> ChannelUnreadable:
    """Return the error of one object; the form is that of row 44 of the service's answers."""
    return ChannelUnreadable(f"Failed to download data. S3 key: {uri} {why}")
