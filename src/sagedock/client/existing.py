"""Whether something is there, asked of the service."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sagedock.client.refusals import explained
from sagedock.client.session import Session
from sagedock.errors import InvalidRequest

__all__ = ["endpoint_explained", "found"]

#: SageMaker's Describe calls say ValidationException where there is no such thing. Who may not
#: look is not told either: the call that matters is refused then.
_UNSEEN = ("AccessDeniedException", "ResourceNotFound", "ValidationException")


def found(describe: Callable[..., Mapping[str, Any]], **name: str) -> Mapping[str, Any] | None:
    """Return what a Describe call answers; None where there is nothing, or it is not shown."""
    from botocore.exceptions import ClientError

    try:
        return describe(**name)
    except ClientError as error:
        if error.response["Error"]["Code"] in _UNSEEN:
            return None
        raise


#: How SageMaker and its runtime say that there is no such endpoint.
_NO_ENDPOINT = re.compile(r'Could not find endpoint "|Endpoint \S+ of account \S+ not found')
_MOST_NAMES = 10


@contextmanager
def endpoint_explained(session: Session) -> Iterator[None]:
    """Raise errors as ``explained`` does; of an endpoint that is not there, with those that are."""
    try:
        with explained(session.target):
            yield
    except InvalidRequest as error:
        if not _NO_ENDPOINT.search(str(error)):
            raise
        raise InvalidRequest([f"{error}: {_what_is_there(session)}"]) from error


def _what_is_there(session: Session) -> str:
    from botocore.exceptions import ClientError

    try:
        answer = session.client("sagemaker").list_endpoints(MaxResults=_MOST_NAMES)
    except ClientError:  # who may call an endpoint need not be allowed to list them
        return "check its name, the region and the account"
    names = [each["EndpointName"] for each in answer["Endpoints"]]
    more = ", and more" if answer.get("NextToken") else ""
    told = f"there are {', '.join(names)}{more}" if names else "there is no endpoint: deploy one"
    if session.place.ends_with_program:
        told += (
            "; no local SageMaker was running, and the one that was started ends with this "
            "program: keep one with `sagedock local up --detach`"
        )
    return told
