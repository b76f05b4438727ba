"""botocore's errors, as errors that say what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sagedock.api.aws_errors import EXPIRED, no_credentials, not_signed_in
from sagedock.client.place import Target
from sagedock.errors import InvalidRequest, LocalServerError, SagedockError, StorageError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

__all__ = ["WITHOUT", "explained", "with_remedy"]

#: Codes by which the service says that the request itself is wrong.
_WRONG_REQUEST = frozenset(
    {
        *("ConflictException", "ResourceInUse", "ResourceLimitExceeded", "ResourceNotFound"),
        "ValidationException",
        "ValidationError",  # the same, as sagemaker-runtime says it
    }
)

#: Codes that say who may not, or what is too much: whoever wrote the program cannot mend it there.
_NOT_THE_PROGRAMS = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "RequestLimitExceeded"),
        *("Throttling", "ThrottlingException", "TooManyRequestsException"),
    }
)

#: What does without credentials.
WITHOUT = 'use Session(target="local"), which needs none'

#: What to do locally, by patterns in a refusal, of which the first counts. AWS's own words stay in
#: front.
_LOCAL_REMEDIES = {
    "Cannot find the requested image: .*@sha256:": (
        "neither the engine nor the local ECR has an image of that digest: push one with "
        "`sagedock push IMAGE`, whose last line is the name to give: by the digest that it has"
    ),
    "Cannot find the requested image": (
        "an ECR name means this machine's image of that repository and tag: build it, or give an "
        "image that you have that name with `docker tag IMAGE REPOSITORY:TAG`, or with "
        "`sagedock push IMAGE --repository REPOSITORY --tag TAG`; `docker image ls` lists them"
    ),
    "Invalid image URI": (
        "write the image as a name in ECR, also locally: "
        "123456789012.dkr.ecr.us-west-2.amazonaws.com/NAME:TAG is this machine's NAME:TAG"
    ),
    "Using non-ECR image": (
        "write the image as a name in ECR, also locally: "
        "123456789012.dkr.ecr.us-west-2.amazonaws.com/NAME:TAG is this machine's NAME:TAG"
    ),
    "TrainingImageConfig with TrainingRepositoryAccessMode": (
        "write the image as a name in ECR, also locally: "
        "123456789012.dkr.ecr.us-west-2.amazonaws.com/NAME:TAG is this machine's NAME:TAG"
    ),
}


@contextmanager
def explained(target: Target) -> Iterator[None]:
    """Raise botocore's errors inside as SagedockErrors, where there is something to do."""
    from boto3.exceptions import S3UploadFailedError
    from botocore import exceptions as aws

    try:
        yield
    except aws.ClientError as error:
        raise _explained_refusal(error, target) from error
    except aws.ParamValidationError as error:
        raise InvalidRequest([str(error)]) from error
    except no_credentials() as error:
        raise not_signed_in(error, "AWS", WITHOUT) from error
    except S3UploadFailedError as error:
        raise StorageError(f"{error}: check the bucket's name, region and permissions") from error
    except aws.EndpointConnectionError as error:
        if target == "aws":
            raise
        raise LocalServerError(
            f"{error}: the local SageMaker has ended: start it with `sagedock local up`"
        ) from error


def with_remedy(message: str, target: Target) -> str:
    """Return a refusal's message, followed by what to do about it locally, where that is known."""
    if target == "local":
        for pattern, remedy in _LOCAL_REMEDIES.items():
            if re.search(pattern, message):
                return f"{message.rstrip('.')}: {remedy}"
    return message


def _explained_refusal(error: "ClientError", target: Target) -> Exception:
    found = error.response["Error"]
    code, message = found.get("Code", ""), found.get("Message", "")
    if code in _WRONG_REQUEST:
        refused = f"{error.operation_name}: {message} ({code})"
        return InvalidRequest([with_remedy(refused, target)])
    if code in EXPIRED:
        again = "sign in again, e.g. `aws sso login`, or correct the keys"
        return SagedockError(f"AWS: {message.rstrip('.')} ({code}): {again}")
    if code in _NOT_THE_PROGRAMS:
        return SagedockError(f"{error.operation_name}: {message} ({code})")
    refusal: Exception = error  # botocore has no types
    return refusal
