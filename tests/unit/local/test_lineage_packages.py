"""The lineage of model packages, and of the training jobs that made what they are of."""

from typing import Any

from sagedock.testing import Container
from tests.conftest import ACCOUNT, BUCKET, IMAGE, REGION, Local

DATA = f"s3://{BUCKET}/in/"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


def trains(container: Container) -> int:
    container.files["/opt/ml/model/weights"] = b"w"
    return 0


def trained(local: Local, **changes: Any) -> Any:
    """Train on an object; return the job."""
    local.client("s3").put_object(Bucket=BUCKET, Key="in/a", Body=b"a")
    return local.run(trains, InputDataConfig=[local.channel(DATA)], **changes)


def register(local: Local, uri: str, **changes: Any) -> str:
    """Register a model; return the package's ARN."""
    container = {"Image": IMAGE, "ModelDataUrl": uri}
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
        "SupportedTransformInstanceTypes": ["ml.m5.large"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
    }
    arn: str = local.client("sagemaker").create_model_package(
        InferenceSpecification=specification, **changes
    )["ModelPackageArn"]
    return arn


def in_group(local: Local, uri: str, **changes: Any) -> str:
    return register(local, uri, ModelPackageGroupName="Made", **changes)


def artifact(local: Local, uri: str) -> str:
    """Return the ARN of the only artifact of a source."""
    (found,) = local.client("sagemaker").list_artifacts(SourceUri=uri)["ArtifactSummaries"]
    return str(found["ArtifactArn"])


def around(local: Local, arn: str) -> set[tuple[str, str, str]]:
    """Return what is associated with an entity: into it or out of it, of which type, and how."""
    sagemaker = local.client("sagemaker")
    into = sagemaker.list_associations(DestinationArn=arn)["AssociationSummaries"]
    out_of = sagemaker.list_associations(SourceArn=arn)["AssociationSummaries"]
    return {("in", each["SourceType"], each["AssociationType"]) for each in into} | {
        ("out", each["DestinationType"], each["AssociationType"]) for each in out_of
    }


def test_a_package_is_linked_to_the_job_that_trained_it(local: Local) -> None:
    """Source of types: a table of a pipeline's lineage that AWS published."""
    sagemaker = local.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="Made")
    job = trained(local)
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    package = in_group(local, uri, ModelApprovalStatus="Approved")
    of_package = artifact(local, package)
    assert around(local, of_package) == {
        ("in", "Model", "ContributedTo"),
        ("in", "Image", "ContributedTo"),
        ("in", "Approval", "ContributedTo"),
        ("out", "ModelGroup", "AssociatedWith"),
    }
    (component,) = sagemaker.list_trial_components(SourceArn=job["TrainingJobArn"])[
        "TrialComponentSummaries"
    ]
    assert around(local, component["TrialComponentArn"]) == {
        ("in", "DataSet", "ContributedTo"),
        ("in", "Image", "ContributedTo"),
        ("out", "Model", "Produced"),
    }
    (action,) = sagemaker.list_actions(SourceUri=package)["ActionSummaries"]
    assert action["ActionName"].startswith("Made-1-Approved-")
    assert (action["ActionType"], action["Status"]) == ("Approval", "Completed")
    found = sagemaker.query_lineage(
        StartArns=[of_package],
        Direction="Ascendants",
        Filters={"Types": ["DataSet", "TrainingJob"]},
    )["Vertices"]
    assert {each["Arn"] for each in found} == {
        artifact(local, DATA),
        component["TrialComponentArn"],
    }


def test_versions_share_what_is_the_same(local: Local) -> None:
    sagemaker = local.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="Made")
    uri = trained(local)["ModelArtifacts"]["S3ModelArtifacts"]
    packages = {in_group(local, uri), in_group(local, uri)}
    found = sagemaker.query_lineage(StartArns=[artifact(local, uri)], Direction="Descendants")
    groups = [each for each in found["Vertices"] if each["Type"] == "ModelGroup"]
    assert len(groups) == 1
    assert {artifact(local, each) for each in packages} <= {
        each["Arn"] for each in found["Vertices"]
    }
    group = sagemaker.list_contexts(SourceUri=f"{ARN}:model-package-group/Made")
    assert [each["ContextArn"] for each in group["ContextSummaries"]] == [groups[0]["Arn"]]


def test_a_model_that_no_job_made_has_no_job(local: Local) -> None:
    uri = f"s3://{BUCKET}/probe-1/model.tar.gz"
    local.client("s3").put_object(Bucket=BUCKET, Key="probe-1/model.tar.gz", Body=b"m")
    trained(local)
    package = register(local, uri, ModelPackageName="alone")
    assert around(local, artifact(local, package)) == {
        ("in", "Model", "ContributedTo"),
        ("in", "Image", "ContributedTo"),
    }
    assert around(local, artifact(local, uri)) == {("out", "Model", "ContributedTo")}
    components = local.client("sagemaker").list_trial_components()["TrialComponentSummaries"]
    assert components == []


def test_what_clients_made_is_used(local: Local) -> None:
    """There is one artifact of a source, and one component of a job."""
    sagemaker = local.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="mine")
    job = trained(local, ExperimentConfig={"ExperimentName": "mine"})
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    made = sagemaker.create_artifact(
        Source={"SourceUri": uri}, ArtifactType="Own", ArtifactName="weights"
    )["ArtifactArn"]
    package = register(local, uri, ModelPackageName="alone")
    assert artifact(local, uri) == made
    assert around(local, made) == {
        ("in", "SageMakerTrainingJob", "Produced"),
        ("out", "Model", "ContributedTo"),
    }
    assert len(sagemaker.list_trial_components()["TrialComponentSummaries"]) == 1
    sagemaker.delete_model_package(ModelPackageName=package)
    assert artifact(local, package)
