"""The one seam to AWS: a call in, its answer out; a refusal is an error that says what to do."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagedock.api.aws_errors import DENIED, EXPIRED, explained
from sagedock.errors import BuildFailed, SagedockError
from sagedock.images.remote.documents import actions_of
from sagedock.images.remote.permissions import actions_needed

__all__ = ["Aws", "Call", "Refused"]

_UPLOADS = ("s3:PutObject", "s3:AbortMultipartUpload")
#: New accounts may have a quota of none. Source: StartBuild's errors, in the service's model.
_LIMIT = "AccountLimitExceededException"
_OF_BUILDS = "the policy of who builds, which --print-policy build prints"
#: It lets who has it give the builds' role anything.
_OF_SETUP = (
    "have an administrator run the same command once, with the policy of who builds and that of "
    "who sets up, which --print-policy setup prints"
)


class Refused(BuildFailed):
    """AWS refused a call, by the code ``code``."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of an API: ``parameters`` are those of ``operation``, in AWS's names."""

    service: str
    operation: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Aws:
    """AWS in one region. ``client`` returns the boto3 client of a service; ``otherwise`` is what
    can be done without credentials.
    """

    client: Callable[[str], Any] = field(repr=False)
    region: str
    otherwise: str = ""

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer of an operation. Raises Refused, NoCredentials, InvalidRequest."""
        from botocore import xform_name

        with self._explained(service):
            found: dict[str, Any] = getattr(self.client(service), xform_name(operation))(
                **parameters
            )
        return found

    def find(
        self, service: str, operation: str, *, absent: tuple[str, ...], **parameters: Any
    ) -> dict[str, Any] | None:
        """Return the answer, or None where AWS refuses with one of the codes ``absent``."""
        try:
            return self.call(service, operation, **parameters)
        except Refused as refused:
            if refused.code in absent:
                return None
            raise

    def send(self, call: Call) -> dict[str, Any]:
        """Carry out a call of a plan."""
        return self.call(call.service, call.operation, **call.parameters)

    def upload(self, file: Path, bucket: str, key: str, *, part_size: int, **more: str) -> None:
        """Send a file to S3; one of ``part_size`` bytes or more in parts of that size."""
        from boto3.exceptions import S3UploadFailedError
        from boto3.s3.transfer import TransferConfig

        parts = TransferConfig(multipart_threshold=part_size, multipart_chunksize=part_size)
        with self._explained("s3"):
            try:
                self.client("s3").upload_file(str(file), bucket, key, ExtraArgs=more, Config=parts)
            except S3UploadFailedError as error:  # boto3 has the refusal's words, and not its code
                needed = ", ".join(_UPLOADS)
                raise BuildFailed(
                    f"s3://{bucket}/{key}: {error}: it takes {needed}: ask for {_OF_BUILDS}"
                ) from error

    def _explained(self, service: str) -> AbstractContextManager[None]:
        return explained(
            f"{service} in {self.region}",
            refused=lambda error: _refused(service, self.region, error),
            failed=BuildFailed,
            otherwise=self.otherwise,
        )


def _refused(service: str, region: str, error: Any) -> SagedockError:
    found = error.response["Error"]
    code, message = str(found.get("Code", "")), found.get("Message", "")
    said = f"{service} in {region}: {error.operation_name}: {message} ({code})"
    if code in DENIED:
        needed = actions_needed(service, error.operation_name)
        said += f": it takes {', '.join(needed)}" if needed else ""
        is_for_who_builds = set(needed) <= set(actions_of("person-build"))
        said += f": ask for {_OF_BUILDS}" if is_for_who_builds else f": {_OF_SETUP}"
    elif code == _LIMIT:
        said += (
            ": ask Service Quotas for more concurrent builds on that machine, or choose another "
            "--compute-type"
        )
    elif code in EXPIRED:
        said += ": sign in again, e.g. `aws sso login`, or correct the keys"
    return Refused(said, code)
