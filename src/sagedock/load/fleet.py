"""What stands behind an endpoint's name: whether it serves, and on how many instances."""

from sagedock.client import Session
from sagedock.client.existing import endpoint_explained
from sagedock.errors import InvalidRequest, SagedockError

__all__ = ["instances_behind"]

#: Source: API_DescribeEndpoint, EndpointStatus.
_SERVES_NOT = frozenset({"Creating", "Deleting", "Failed", "OutOfService"})
_MAY_NOT = frozenset({"AccessDenied", "AccessDeniedException"})


def instances_behind(session: Session, endpoint: str, variant: str | None) -> int | None:
    """Return how many instances serve an endpoint, or one variant of it.

    None where that cannot be told: who calls may not describe it, or it has none (serverless).
    Raises InvalidRequest for an unknown endpoint or variant, and for one that does not serve.
    """
    from botocore.exceptions import ClientError

    try:
        with endpoint_explained(session):
            found = session.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    except InvalidRequest as error:
        remedy = "give the name of an endpoint that is there, or deploy it first"
        raise InvalidRequest([f"endpoint: {endpoint}: {error}: {remedy}"]) from error
    except SagedockError as error:
        refusal = error.__cause__
        if isinstance(refusal, ClientError) and refusal.response["Error"]["Code"] in _MAY_NOT:
            return None
        raise
    status = found["EndpointStatus"]
    if status in _SERVES_NOT:
        raise InvalidRequest([f"{endpoint}: is {status}: wait until it is InService"])
    variants = {each["VariantName"]: each for each in found.get("ProductionVariants", ())}
    if variant is not None and variant not in variants:
        raise InvalidRequest(
            [f"target-variant: {endpoint} has no variant {variant!r}: use {', '.join(variants)}"]
        )
    asked = [each for name, each in variants.items() if variant in (None, name)]
    return sum(each.get("CurrentInstanceCount", 0) for each in asked) or None
