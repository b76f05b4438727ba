"""Each refusal of sagemaker-runtime is whole, and says where it was seen."""

import inspect

import pytest

from sagedock.api import ServiceError
from sagedock.api import runtime_messages as words
from sagedock.api.model import error_shapes

INVOKED = words.Invoked(region="us-west-2", account="123456789012", endpoint="VALUE")
REFUSALS = [
    getattr(words, name) for name in words.__all__ if not inspect.isclass(getattr(words, name))
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: each.__name__)
def test_a_refusal_is_one_of_the_services(refusal: object) -> None:
    assert callable(refusal)
    given = {"invoked": INVOKED, "status": 500}
    needed = inspect.signature(refusal).parameters
    error = refusal(**{name: given.get(name, "VALUE") for name in needed})
    assert isinstance(error, ServiceError)
    shape = error_shapes("sagemaker-runtime")[error.code]
    assert error.http_status == shape.metadata["error"]["httpStatusCode"]
    assert "VALUE" in str(error.message)
    assert len(str(error.message)) <= shape.members["Message"].metadata["max"]
    told = (refusal.__doc__ or "").lower()
    assert "source" in told or "unverified" in told
