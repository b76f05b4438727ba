"""Lineage: artifacts, actions, contexts, and what is associated with what."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, REGION, Local
from tests.unit.local.hosting.test_hosting_models import refused

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"


def artifact(local: Local, uri: str, kind: str = "DataSet", **more: Any) -> str:
    answer = local.client("sagemaker").create_artifact(
        Source={"SourceUri": uri}, ArtifactType=kind, **more
    )
    return str(answer["ArtifactArn"])


def not_found(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**request)
    error = raised.value.response["Error"]
    assert error["Code"] == "ResourceNotFound"
    return str(error["Message"])


@pytest.fixture
def chain(local: Local) -> dict[str, str]:
    """Data, which contributed to a step, which produced a model, which an action deployed."""
    sagemaker = local.client("sagemaker")
    made = {
        "data": artifact(local, "s3://b/data", ArtifactName="data"),
        "step": sagemaker.create_trial_component(TrialComponentName="step")["TrialComponentArn"],
        "model": artifact(local, "s3://b/model.tar.gz", "Model", Properties={"auc": "0.9"}),
        "deployment": sagemaker.create_action(
            ActionName="deployed", ActionType="ModelDeployment", Source={"SourceUri": "endpoint"}
        )["ActionArn"],
    }
    for source, destination, kind in (
        ("data", "step", "ContributedTo"),
        ("step", "model", "Produced"),
        ("model", "deployment", "ContributedTo"),
    ):
        sagemaker.add_association(
            SourceArn=made[source], DestinationArn=made[destination], AssociationType=kind
        )
    return made


def test_an_artifact_is_known_by_its_source(local: Local) -> None:
    sagemaker = local.client("sagemaker")
    arn = artifact(local, "s3://b/data", ArtifactName="data", Properties={"a": "1", "b": "2"})
    assert arn.startswith(f"{ARN}artifact/")
    told = refused(
        sagemaker.create_artifact, Source={"SourceUri": "s3://b/data"}, ArtifactType="DataSet"
    )
    assert told == "Artifact with source (s3://b/data) already exists."
    sagemaker.update_artifact(
        ArtifactArn=arn, Properties={"c": "3"}, PropertiesToRemove=["a"], ArtifactName="better"
    )
    found = sagemaker.describe_artifact(ArtifactArn=arn)
    assert found["Properties"] == {"b": "2", "c": "3"}
    assert found["ArtifactName"] == "better"
    assert found["Source"] == {"SourceUri": "s3://b/data"}
    artifact(local, "s3://b/other", "Model")
    (listed,) = sagemaker.list_artifacts(ArtifactType="Model")["ArtifactSummaries"]
    assert listed["Source"]["SourceUri"] == "s3://b/other"
    (listed,) = sagemaker.list_artifacts(SourceUri="s3://b/data")["ArtifactSummaries"]
    assert listed["ArtifactArn"] == arn
    assert sagemaker.delete_artifact(Source={"SourceUri": "s3://b/data"})["ArtifactArn"] == arn
    assert not_found(sagemaker.describe_artifact, ArtifactArn=arn) == (
        f"Artifact '{arn}' does not exist."
    )
    assert refused(sagemaker.delete_artifact).startswith("DeleteArtifact needs one of")


def test_actions_and_contexts_have_names(local: Local) -> None:
    sagemaker = local.client("sagemaker")
    asked = {"Source": {"SourceUri": "x"}, "Description": "why"}
    sagemaker.create_action(ActionName="Act", ActionType="Approval", Status="InProgress", **asked)
    sagemaker.create_context(ContextName="Con_1", ContextType="Endpoint", **asked)
    sagemaker.update_action(ActionName="Act", Status="Completed")
    assert sagemaker.describe_action(ActionName="act")["Status"] == "Completed"
    found = sagemaker.describe_context(ContextName=f"{ARN}context/con_1")
    assert (found["ContextName"], found["ContextType"]) == ("Con_1", "Endpoint")
    told = refused(sagemaker.create_context, ContextName="con_1", ContextType="E", **asked)
    assert told.endswith("Context with name (con_1) already exists.")
    names = [each["ContextName"] for each in sagemaker.list_contexts()["ContextSummaries"]]
    assert names == ["Con_1"]
    sagemaker.delete_context(ContextName="Con_1")
    assert sagemaker.list_contexts()["ContextSummaries"] == []


def test_associations_are_listed_and_removed(local: Local, chain: dict[str, str]) -> None:
    sagemaker = local.client("sagemaker")
    (found,) = sagemaker.list_associations(DestinationArn=chain["step"])["AssociationSummaries"]
    assert found["SourceArn"] == chain["data"]
    assert (found["SourceType"], found["SourceName"]) == ("DataSet", "data")
    assert found["AssociationType"] == "ContributedTo"
    produced = sagemaker.list_associations(AssociationType="Produced")["AssociationSummaries"]
    assert [each["DestinationArn"] for each in produced] == [chain["model"]]
    ends = {"SourceArn": chain["data"], "DestinationArn": chain["step"]}
    assert refused(sagemaker.add_association, **ends).endswith("already exists.")
    told = refused(sagemaker.delete_artifact, ArtifactArn=chain["data"])
    assert told.endswith("cannot be deleted: it still has associations.")
    sagemaker.delete_association(**ends)
    assert "does not exist" in not_found(sagemaker.delete_association, **ends)
    sagemaker.delete_artifact(ArtifactArn=chain["data"])
    unknown = f"{ARN}artifact/none"
    told = not_found(sagemaker.add_association, SourceArn=unknown, DestinationArn=chain["step"])
    assert told == f"Lineage entity '{unknown}' does not exist."


def test_a_query_goes_along_the_associations(local: Local, chain: dict[str, str]) -> None:
    sagemaker = local.client("sagemaker")

    def reached(start: str, **asked: Any) -> list[str]:
        answer = sagemaker.query_lineage(StartArns=[chain[start]], **asked)
        return [each["Arn"] for each in answer["Vertices"]]

    assert reached("deployment", Direction="Ascendants") == [
        *(chain["model"], chain["step"], chain["data"]),
    ]
    assert reached("deployment", Direction="Ascendants", MaxDepth=1) == [chain["model"]]
    assert reached("data", Direction="Descendants", Filters={"LineageTypes": ["Artifact"]}) == [
        chain["model"]
    ]
    assert reached("step", Filters={"Types": ["DataSet", "ModelDeployment"]}) == [
        *(chain["data"], chain["deployment"]),
    ]
    assert reached("step", Filters={"Properties": {"auc": "0.9", "x": "y"}}) == [chain["model"]]
    assert reached("model", Direction="Descendants") == [chain["deployment"]]
    answer = sagemaker.query_lineage(StartArns=[chain["data"]], MaxResults=1)
    assert [each["LineageType"] for each in answer["Vertices"]] == ["TrialComponent"]
    assert len(answer["Edges"]) == 3
    rest = sagemaker.query_lineage(
        StartArns=[chain["data"]], NextToken=answer["NextToken"], IncludeEdges=False
    )
    assert len(rest["Vertices"]) == 2
    assert "Edges" not in rest
