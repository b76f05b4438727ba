"""What an attempt leaves, once its containers have ended: artefacts, metrics, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never

from sagedock.local.platform import Platform
from sagedock.local.training import reasons
from sagedock.local.training.collect import failure_reason, model_uri, upload
from sagedock.local.training.metrics import final_metrics
from sagedock.local.training.record import Outcome, Record
from sagedock.local.training.watch import Watched
from sagedock.local.uploads import UploadFailed

__all__ = ["Conclusion"]


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """The end of one attempt, read from its containers (host to id)."""

    platform: Platform
    record: Record
    request: Mapping[str, Any]
    containers: Mapping[str, str]

    def drawn(self, watched: Watched) -> Outcome:
        """Store the artefacts, and return how the job ended."""
        if watched.cause == "ended":
            self.record.enter("Uploading")
        outcome = replace(self._judged(watched), metrics=self._metrics())
        try:
            has_model = upload(self.platform, self.request, list(self.containers.values()))
        except UploadFailed as why:
            reason = outcome.reason or reasons.upload_failed(str(why))
            return Outcome(status="Failed", reason=reason, metrics=outcome.metrics)
        if has_model or outcome.status == "Completed":
            artifacts = {"S3ModelArtifacts": str(model_uri(self.request))}
            self.record.add({"ModelArtifacts": artifacts})
        return outcome

    def _judged(self, watched: Watched) -> Outcome:
        match watched.cause:
            case "stopped":
                return Outcome(status="Stopped")
            case "max-runtime":
                return Outcome(status="Stopped", secondary="MaxRuntimeExceeded")
            case "max-wait":
                return Outcome(status="Stopped", secondary="MaxWaitTimeExceeded")
            case "ended" if watched.failed_first is None:
                return Outcome(status="Completed")
            case "ended":
                return Outcome.failed(failure_reason(self.platform, self.containers, watched))
            case "interrupted" | "host-lost":
                raise ValueError(f"a job does not end because it was {watched.cause}")
            case _:
                assert_never(watched.cause)

    def _metrics(self) -> Sequence[Mapping[str, Any]]:
        return final_metrics(self.platform, self.record.key, self.request)
