"""Names of jobs."""

import re
import secrets
from datetime import UTC, datetime

from sagedock.jobs.pipeline.references import Reference

__all__ = ["base_name_of_image", "unique_name", "unique_stamp"]

#: API_CreateTrainingJob: TrainingJobName has at most 63 characters.
_LONGEST = 63
_ANY_JOB = "training-job"


def unique_name(base: str, now: datetime, *, suffix: str | None = None) -> str:
    """Return ``base``, the time in UTC to the millisecond, and ``suffix``, in 63 characters.

    The form is SageMaker SDK v2's, digits-2026-01-31-23-59-58-123, and then four hexadecimal
    digits, by chance unless given: jobs may start in the same millisecond. A long base is cut.
    """
    stamp = unique_stamp(now, suffix=suffix)
    return f"{base[: _LONGEST - len(stamp) - 1].rstrip('-')}-{stamp}"


def unique_stamp(now: datetime, *, suffix: str | None = None) -> str:
    """Return the part of a name that no other has: ``2026-01-31-23-59-58-123-1f0a``."""
    moment = now.astimezone(UTC)
    stamp = f"{moment:%Y-%m-%d-%H-%M-%S}-{moment.microsecond // 1000:03d}"
    return f"{stamp}-{secrets.token_hex(2) if suffix is None else suffix}"


def base_name_of_image(image_uri: str | Reference) -> str:
    """Return the repository's last word, in letters, digits and hyphens: a job name's base."""
    if isinstance(image_uri, Reference):
        return _ANY_JOB
    repository = re.split(r"[:@]", image_uri.rsplit("/", 1)[-1])[0]
    return re.sub(r"[^a-zA-Z0-9]+", "-", repository).strip("-") or _ANY_JOB
