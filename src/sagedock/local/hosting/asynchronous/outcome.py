"""How an asynchronous invocation ended, and how long each part of it took."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Outcome"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One end. ``reason`` is why it failed, None where it did not; ``status`` is the container's, 0
    without an answer. ``included`` is the answer, in base64, where it is small enough for a notice.
    Times are in seconds, None for what was not done.
    """

    variant: str
    ended: float
    reason: str | None = None
    status: int = 0
    content_type: str | None = None
    included: str | None = None
    expired: bool = False
    download_failed: bool = False
    upload_failed: bool = False
    queued_s: float | None = None
    download_s: float | None = None
    model_s: float | None = None
    upload_s: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether there is a result."""
        return self.reason is None

    def as_json(self) -> dict[str, Any]:
        """Return what the store keeps."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Outcome":
        """Return what was kept."""
        return cls(**kept)
