"""botocore's errors by what is to be done about them, and the codes of refusals that mean it too.

Each function imports botocore when it is called: ``except no_credentials() as error`` calls it once
there is an error.
"""

from sagedock.errors import NoCredentials

__all__ = ["DENIED", "EXPIRED", "no_credentials", "not_signed_in", "unreachable", "wrong_region"]

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


def wrong_region() -> Errors:
    """Return the errors of a region that is none, or not given."""
    from botocore import exceptions as aws

    return (aws.InvalidRegionError, aws.NoRegionError)
