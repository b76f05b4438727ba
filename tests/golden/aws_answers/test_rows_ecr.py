"""Rows of the fidelity corpus on ECR ("the rest", 172 to 177)."""

import pytest
from botocore.exceptions import ClientError

from sagedock.api import ecr_messages as words
from sagedock.engine.registries import transfer_of
from sagedock.errors import EngineError, PushFailed
from sagedock.images.ecr import EcrRegistry
from sagedock.images.push_plan import Planned, ToPush
from sagedock.images.push_words import explained_failure
from sagedock.testing import FakeEngine
from tests.conftest import Local

DENIED = (
    "denied: User: arn:aws:iam::123456789012:user/u is not authorized to perform: "
    "ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-west-2:123456789012:repository/r"
)


def failure(said: str) -> str:
    """Return what a user is told where the engine says so at the end of a push."""
    image = FakeEngine(None, images=["r:t"]).image("r:t")
    plan = Planned(
        wanted=ToPush(image="r:t", repository="r", tag="t"),
        image=image,
        registry=EcrRegistry(client=None, region="us-west-2"),
        kept=None,
    )
    with pytest.raises(EngineError) as caught:
        transfer_of({"errorDetail": {"message": said}, "error": said}, "r:t")
    told = explained_failure(plan, caught.value)
    assert isinstance(told, PushFailed)
    return str(told)


def test_rest_rows_172_and_173_a_tag_that_is_immutable() -> None:
    error = words.tag_is_immutable("r", "t")
    assert error.code == "TAG_INVALID"
    assert error.message == (
        "The image tag 't' already exists in the 'r' repository and cannot be overwritten because "
        "the tag is immutable."
    )


@pytest.mark.parametrize("what", ["repository", "tag"])
def test_rest_rows_172_and_173_what_a_push_says_then(what: str) -> None:
    said = (
        "tag invalid: The image tag 't' already exists in the 'r' repository and cannot be "
        f"overwritten because the {what} is immutable."
    )
    assert said in failure(said)
    assert "--tag" in failure(said)


def test_rest_row_174_a_push_without_the_permission() -> None:
    assert DENIED in failure(DENIED)
    assert "ask for that permission" in failure(DENIED)


def test_rest_row_176_an_image_that_was_not_pushed(local: Local) -> None:
    local.client("ecr").create_repository(repositoryName="empty")
    image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/empty:1"
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    with pytest.raises(ClientError) as caught:
        local.client("sagemaker").create_training_job(**local.job(AlgorithmSpecification=algorithm))
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith("Cannot find the requested image: ")
