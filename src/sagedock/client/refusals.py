"""botocore's errors, as errors that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sagedock.client.place import Target
from sagedock.errors import InvalidRequest, LocalServerError, SagedockError, StorageError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

__all__ = ["explained"]

#: Codes by which the service says that the request itself is wrong.
_WRONG_REQUEST = frozenset(
    {"ResourceInUse", "ResourceLimitExceeded", "ResourceNotFound", "ValidationException"}
)


@contextmanager
def explained(target: Target) -> Iterator[None]:
    """Raise botocore's errors inside as SagedockErrors, where there is something to do."""
    from boto3.exceptions import S3UploadFailedError
    from botocore import exceptions as aws

    try:
        yield
    except aws.ClientError as error:
        raise _explained_refusal(error) from error
    except aws.NoCredentialsError as error:
        raise SagedockError(
            "AWS: no credentials were found: run `aws configure`, set AWS_PROFILE, or use "
            'Session(target="local"), which needs none'
        ) from error
    except S3UploadFailedError as error:
        raise StorageError(f"{error}: check the bucket's name, region and permissions") from error
    except aws.EndpointConnectionError as error:
        if target == "aws":
            raise
        raise LocalServerError(
            f"{error}: the local SageMaker has ended: start it with `sagedock local up`"
        ) from error


def _explained_refusal(error: "ClientError") -> Exception:
    found = error.response["Error"]
    code, message = found.get("Code", ""), found.get("Message", "")
    if code in _WRONG_REQUEST:
        return InvalidRequest([f"{error.operation_name}: {message} ({code})"])
    if code in ("ExpiredToken", "ExpiredTokenException"):
        return SagedockError(f"AWS: {message}: sign in again, e.g. `aws sso login`")
    refusal: Exception = error  # botocore has no types
    return refusal
