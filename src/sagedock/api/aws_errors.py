"""botocore's errors by what is to be done about them, and the codes of refusals that mean it too.

Each function imports botocore when it is called: ``except no_credentials() as error`` calls it once
there is an error.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sagedock.errors import InvalidRequest, NoCredentials, SagedockError

__all__ = ["DENIED", "EXPIRED", "explained", "no_credentials", "not_signed_in", "unreachable"]

Errors = tuple[type[Exception], ...]

#: Codes that say who may not; 403 is what HeadBucket and HeadObject have in their place.
#: Source: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
DENIED = frozenset(
    {"403", "AccessDenied", "AccessDeniedException", "Forbidden", "UnauthorizedOperation"}
)
#: Codes that say that credentials are too old, or wrong. Source: the same.
EXPIRED = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"),
        *("SignatureDoesNotMatch", "UnrecognizedClientException"),
    }
)


def no_credentials() -> Errors:
    """Return the errors of credentials that are not there, not readable, or no longer valid."""
    from botocore import exceptions as aws

    return (
        aws.ConfigNotFound,
        aws.ConfigParseError,
        aws.CredentialRetrievalError,
        aws.InvalidConfigError,
        aws.LoginError,
        aws.NoAuthTokenError,
        aws.NoCredentialsError,
        aws.PartialCredentialsError,
        aws.ProfileNotFound,
        aws.RefreshWithMFAUnsupportedError,
        aws.SSOError,
        aws.TokenRetrievalError,
        aws.UnknownCredentialError,
        aws.UnknownTokenProviderError,
    )


def not_signed_in(error: Exception, where: str, otherwise: str = "") -> NoCredentials:
    """Return one of ``no_credentials`` in words that say what to do; ``otherwise`` is what does
    without credentials, if there is anything.
    """
    from botocore import exceptions as aws

    if isinstance(error, aws.ProfileNotFound):
        return NoCredentials(
            f"{where}: {error}: set AWS_PROFILE to one that `aws configure list-profiles` lists, "
            "or unset it"
        )
    more = f", or {otherwise}" if otherwise else ""
    return NoCredentials(
        f"{where}: no credentials ({error}): run `aws configure` or `aws sso login`, or set "
        f"AWS_PROFILE{more}"
    )


def unreachable() -> Errors:
    """Return the errors of a service that does not answer: proxies, certificates and time-outs."""
    from botocore import exceptions as aws

    return (aws.ConnectionError, aws.HTTPClientError)


@contextmanager
def explained(
    where: str,
    *,
    refused: Callable[[Any], SagedockError],
    failed: type[SagedockError],
    otherwise: str = "",
    invalid: str = "",
) -> Iterator[None]:
    """Raise botocore's errors inside as SagedockErrors that say what to do.

    ``where`` is the service and its region. ``refused`` makes an error of a ClientError, ``failed``
    is that of a service that cannot be reached. ``otherwise`` is what does without credentials, and
    ``invalid`` what to do about a parameter that botocore refuses, where there is such advice.
    """
    from botocore import exceptions as aws

    try:
        yield
    except aws.ClientError as error:
        raise refused(error) from error
    except no_credentials() as error:
        raise not_signed_in(error, where, otherwise) from error
    except aws.ParamValidationError as error:
        raise InvalidRequest([f"{where}: {error}{invalid}"]) from error
    except (aws.InvalidRegionError, aws.NoRegionError) as error:
        raise InvalidRequest([f"{where}: {error}: name one like us-west-2"]) from error
    except unreachable() as error:
        raise failed(
            f"{where} cannot be reached ({error}): check that there is such a region, and the "
            "network"
        ) from error
