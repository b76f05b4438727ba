"""An answer that comes by way of S3."""

from dataclasses import dataclass
from typing import Any

from sagedock.api import log_groups
from sagedock.client.patience import Clock
from sagedock.client.refusals import explained
from sagedock.client.serializers import Deserializer
from sagedock.client.session import Session
from sagedock.client.storage import split_uri
from sagedock.errors import InvocationFailed, SagedockError

__all__ = ["AsyncResult"]

_ABSENT = ("404", "NoSuchKey", "NoSuchBucket", "403", "AccessDenied")


@dataclass(frozen=True, kw_only=True)
class AsyncResult:
    """Where the answer to an asynchronous invocation comes: ``output_path`` or ``failure_path``.

    ``failure_path`` is None where the endpoint's configuration has none: a failure is not told.
    """

    endpoint_name: str
    inference_id: str
    output_path: str
    failure_path: str | None
    session: Session
    deserializer: Deserializer

    def is_ready(self) -> bool:
        """Say whether the answer, or the failure, is there."""
        return self._is_there(self.output_path) or self._is_there(self.failure_path)

    def get_result(self, timeout_s: float = 900.0, *, clock: Clock | None = None) -> Any:
        """Return the answer once it is there.

        Raises InvocationFailed with the model's error as soon as that is there, SagedockError after
        ``timeout_s``.
        """
        clock = clock or Clock()
        if self.failure_path is None and not self.is_ready():
            self.session.show(self._silence())
        ends = clock.now() + timeout_s
        while True:
            if self._is_there(self.output_path):
                answer = self._object(self.output_path)
                return self.deserializer.deserialize(answer["Body"], answer["ContentType"])
            if self.failure_path and self._is_there(self.failure_path):
                said = self._object(self.failure_path)["Body"].read().decode(errors="replace")
                raise InvocationFailed(self.inference_id, answer=said)
            if clock.now() > ends:
                raise SagedockError(self._waited(timeout_s))
            clock.sleep(self.session.place.pace.poll_s)

    def _waited(self, timeout_s: float) -> str:
        remedy = f"call get_result() again, or look into the log {self._log}"
        told = f"{self.output_path}: no answer after {timeout_s:g} s: {remedy}"
        return told if self.failure_path else f"{told}; {self._silence()}"

    def _silence(self) -> str:
        return (
            f"the configuration of {self.endpoint_name} has no S3FailurePath: that an invocation "
            f"failed is told in the log {self._log} alone: deploy with "
            "AsyncInference(failure_path=...)"
        )

    @property
    def _log(self) -> str:
        return log_groups.endpoint(self.endpoint_name)

    def _is_there(self, uri: str | None) -> bool:
        from botocore.exceptions import ClientError

        if uri is None:
            return False
        bucket, key = split_uri(uri)
        try:
            self.session.client("s3").head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:  # 403 without s3:ListBucket
                return False
            raise
        return True

    def _object(self, uri: str) -> Any:
        bucket, key = split_uri(uri)
        with explained(self.session.target):
            return self.session.client("s3").get_object(Bucket=bucket, Key=key)
