"""Model.register, ModelPackageGroup and ModelPackage: versions, approval, deployment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock import InvalidRequest, ModelPackage, ModelPackageGroup
from tests.conftest import Local
from tests.unit.client.deploying import Deployer
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import archive

TYPE = "ml.m5.large"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with started(tmp_path / "home") as made:
        yield made


@pytest.fixture
def deployer(local: Local) -> Deployer:
    return Deployer(local)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(archive({"weights.bin": b"1"}))
    return path


def group_of(deployer: Deployer, name: str = "digits") -> ModelPackageGroup:
    return ModelPackageGroup(name=name, **deployer.own)


def test_a_model_is_registered_approved_and_deployed(deployer: Deployer, data: Path) -> None:
    model = deployer.model(model_data=data, environment={"A": "1"})
    package = model.register(
        "digits",
        description="first",
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=[TYPE],
        metadata={"auc": "0.9"},
    )
    assert (package.group, package.version, package.approval) == (
        *("digits", 1, "PendingManualApproval"),
    )
    found = package.describe()
    assert found["CustomerMetadataProperties"] == {"auc": "0.9"}
    (container,) = found["InferenceSpecification"]["Containers"]
    assert container["Environment"] == {"A": "1"}
    assert container["ModelDataUrl"].endswith("/model.tar.gz")
    with pytest.raises(InvalidRequest, match="must be Approved"):
        package.deploy(1, TYPE, role=model.role)
    for kind in ("models", "endpoint_configs", "endpoints"):
        assert deployer.there(kind) == []
    package.approve("looks well")
    assert package.approval == "Approved"
    assert package.describe()["ApprovalDescription"] == "looks well"
    predictor = package.deploy(1, TYPE, role=model.role, endpoint_name="ov")
    assert predictor.predict(b"1,2") == b"1,2"
    assert "digits, version 1: Approved" in deployer.lines
    predictor.endpoint.delete(models=True)


def test_versions_are_listed_and_the_latest_is_found(deployer: Deployer, data: Path) -> None:
    group = group_of(deployer)
    model = deployer.model(model_data=data)
    for _ in range(3):
        group.register(model)
    assert [each.version for each in group.versions()] == [3, 2, 1]
    with pytest.raises(InvalidRequest, match="digits has no version that is Approved"):
        group.latest()
    group.versions()[1].approve()
    group.versions()[0].reject("no")
    assert group.latest().version == 2
    assert group.latest(None).version == 3
    assert [each.version for each in group.versions("Rejected")] == [3]
    with pytest.raises(InvalidRequest, match="approval: 'approved': give Approved or"):
        group.versions("approved")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="ConflictException") as raised:
        group.delete()
    assert "digits" in str(raised.value)
    group.delete(versions=True)
    with pytest.raises(InvalidRequest, match="does not exist"):
        group.versions()


def test_properties_are_set_and_removed(deployer: Deployer, data: Path) -> None:
    package = deployer.model(model_data=data).register("digits", metadata={"a": "1", "b": "2"})
    package.update_metadata(a=None, c="3")
    assert package.describe()["CustomerMetadataProperties"] == {"b": "2", "c": "3"}


def test_what_is_wrong_is_told_before_anything_is_made(deployer: Deployer, data: Path) -> None:
    model = deployer.model(model_data=data, mode="MultiModel")
    with pytest.raises(InvalidRequest) as raised:
        model.register("not a name", approval="yes")  # type: ignore[arg-type]
    told = "\n".join(raised.value.problems)
    assert "mode: MultiModel" in told
    assert "group: 'not a name'" in told
    assert "approval: 'yes'" in told
    sagemaker = deployer.session.client("sagemaker")
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    with pytest.raises(TypeError, match=r"register\(\) has no 'descripton': did you mean descr"):
        deployer.model(model_data=data).register("digits", descripton="x")


def test_a_package_without_version_says_so(deployer: Deployer) -> None:
    arn = "arn:aws:sagemaker:us-west-2:123456789012:model-package/alone"
    with pytest.raises(InvalidRequest, match="has no version"):
        _ = ModelPackage(arn=arn, **deployer.own).version


def test_a_version_that_is_refused_leaves_no_group(deployer: Deployer) -> None:
    sagemaker = deployer.session.client("sagemaker")
    model = deployer.model(model_data="s3://bucket/no-such/model.tar.gz")
    with pytest.raises(InvalidRequest):
        model.register("digits")
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    sagemaker.create_model_package_group(ModelPackageGroupName="digits")
    with pytest.raises(InvalidRequest):
        model.register("digits")
    assert len(sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]) == 1
