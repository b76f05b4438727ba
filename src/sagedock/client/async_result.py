"""An answer that comes by way of S3."""

from dataclasses import dataclass
from typing import Any

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
    """Where the answer to an asynchronous invocation comes: ``output_path`` or ``failure_path``."""

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

        Raises InvocationFailed with the model's error, SagedockError after ``timeout_s``.
        """
        clock = clock or Clock()
        ends = clock.now() + timeout_s
        while True:
            if self._is_there(self.output_path):
                answer = self._object(self.output_path)
                return self.deserializer.deserialize(answer["Body"], answer["ContentType"])
            if self.failure_path and self._is_there(self.failure_path):
                said = self._object(self.failure_path)["Body"].read().decode(errors="replace")
                raise InvocationFailed(self.inference_id, status=0, answer=said)
            if clock.now() > ends:
                raise SagedockError(
                    f"{self.output_path}: no answer after {timeout_s:g} s: call get_result() "
                    "again, or look into the endpoint's log"
                )
            clock.sleep(self.session.place.pace.poll_s)

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
