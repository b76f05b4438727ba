"""Requests made from the service's model: none breaks the server, none right is refused, none wrong
is carried out.

``PROPERTY_EXAMPLES=20000 pytest tests/unit/local/test_local_properties.py`` tries that many others.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sagedock import LocalSageMaker
from sagedock.api.model import input_shape
from sagedock.testing import Container, FakeEngine
from tests.conftest import BUCKET, IMAGE, REGION, Local
from tests.laws.model_requests import Defect, defects, valid
from tests.unit.local.property_jobs import LOCAL_ONLY, jobs, mended
from tests.unit.local.property_world import (
    GROUP,
    NAMES,
    OWN,
    RUNNING,
    TERMINAL,
    Answer,
    World,
    as_read,
    echoes,
    examples,
    prepare,
)

#: What ValidationException is called.
REFUSED = {
    "sagemaker": "ValidationException",
    "logs": "InvalidParameterException",
    "ecr": "InvalidParameterException",
}
CANNOT = "The local SageMaker cannot carry out: "

#: What makes a DeploymentConfig that the model allows a wrong one.
DEPLOYMENT = (
    *("Only one of BlueGreenUpdatePolicy", "CanarySize must be", "LinearStepSize must be"),
    *("MaximumBatchSize must be", "RollbackMaximumBatchSize must be"),
    "MaximumExecutionTimeoutInSeconds (",
)
#: What is said of a package, or a group, that is not there.
PACKAGE = ("ModelPackage ", "ModelPackageGroup ", "ARN should be scoped to correct region")
#: What makes an inference specification that the model allows a wrong one.
SPECIFICATION = (
    *("A container definition cannot provide both", "Names of additional inference"),
    *("Requested image", "Using non-ECR image", "Access denied for bucket", CANNOT),
)
#: What is said of an expression that the model allows.
SEARCHED = (
    *("A SearchExpression", "Unknown property name", "Value", "Operator", "'CONTAINS' operator"),
    *("Invalid pagination token because", CANNOT),
)
NO_ENTITY = ("Experiment '", "Trial '", "Trial component '")
NO_LINEAGE = ("Artifact '", "Action '", "Context '", "Lineage entity '", "Association from")
#: What is said of a repository, a policy or an image that is not there, and of other accounts.
REPOSITORY = (
    *("The repository with name", "Invalid parameter at", "Lifecycle policy does not exist"),
    *("Repository policy does not exist", "The image with imageId"),
)
OF_ECR = (
    *("BatchDeleteImage", "BatchGetImage", "CreateRepository", "DeleteLifecyclePolicy"),
    *("DeleteRepository", "DeleteRepositoryPolicy", "DescribeImageScanFindings", "DescribeImages"),
    *("DescribeRepositories", "GetAuthorizationToken", "GetLifecyclePolicy", "GetRepositoryPolicy"),
    *("ListImageReferrers", "ListImages", "ListTagsForResource", "PutImage"),
    "PutImageScanningConfiguration",
    *("PutImageTagMutability", "PutLifecyclePolicy", "SetRepositoryPolicy", "StartImageScan"),
    *("TagResource", "UntagResource"),
)
#: Operations beside CreateTrainingJob, and what a right request may be answered for what is there.
OPERATIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("sagemaker", "DescribeTrainingJob"): ("Requested resource not found.",),
    ("sagemaker", "ListTrainingJobs"): ("Invalid pagination token because",),
    ("sagemaker", "StopTrainingJob"): ("Requested resource not found.", "The request was rejected"),
    ("sagemaker", "DeleteTrainingJob"): ("Requested resource not found.", "The request was rej"),
    ("sagemaker", "UpdateTrainingJob"): (
        "Requested resource not found.",
        "The request was rejected",
    ),
    ("sagemaker", "DescribeTransformJob"): ("Could not find requested job",),
    ("sagemaker", "ListTransformJobs"): ("Invalid pagination token because",),
    ("sagemaker", "StopTransformJob"): ("Could not find job to update with name",),
    ("sagemaker", "CreateProcessingJob"): (
        *("Invalid image URI", "Exactly one of", "SelectedInstance", "InputName must be unique"),
        *("OutputName must be unique", "FeatureStoreOutput of", "LocalPath", "S3CompressionType"),
        *("No S3 objects found", "Job name must be unique", "aws: prefixed", CANNOT),
    ),
    ("sagemaker", "DescribeProcessingJob"): ("Could not find requested job",),
    ("sagemaker", "ListProcessingJobs"): ("Invalid pagination token because",),
    ("sagemaker", "StopProcessingJob"): ("Could not find job to update", "The request was rej"),
    ("sagemaker", "DeleteProcessingJob"): ("Could not find requested job", "The request was rej"),
    ("sagemaker", "CreateHyperParameterTuningJob"): (CANNOT, "aws: prefixed"),
    ("sagemaker", "DescribeHyperParameterTuningJob"): ("Amazon SageMaker can't find a tuning job",),
    ("sagemaker", "ListHyperParameterTuningJobs"): ("Invalid pagination token because",),
    ("sagemaker", "ListTrainingJobsForHyperParameterTuningJob"): (
        "Amazon SageMaker can't find a tuning job",
    ),
    ("sagemaker", "StopHyperParameterTuningJob"): ("Amazon SageMaker can't find a tuning job",),
    ("sagemaker", "DeleteHyperParameterTuningJob"): ("Amazon SageMaker can't find a tuning job",),
    ("sagemaker", "AddTags"): ("Requested resource not found.",),
    ("sagemaker", "ListTags"): ("Requested resource not found.", "Invalid pagination token"),
    ("sagemaker", "DeleteTags"): ("Requested resource not found.",),
    ("sagemaker", "CreateModel"): (
        *("You must provide", "Each container", "A container", "S3Uri", "CompressionType"),
        *("ContainerHostname must be", "More than one container in", "ChannelName"),
        *("Could not find model data", "Requested image", "Using non-ECR image"),
        *("The local SageMaker cannot carry out: ", "aws: prefixed", *PACKAGE),
    ),
    ("sagemaker", "DescribeModel"): ("Could not find model",),
    ("sagemaker", "DeleteModel"): ("Could not find model",),
    ("sagemaker", "ListModels"): ("Invalid pagination token because",),
    ("sagemaker", "CreateEndpointConfig"): (
        *("Variant", "ManagedInstanceScaling is", "Could not find model", "aws: prefixed"),
        *("Multiple variants are", "Serverless variants are", "Not supported for serverless"),
        *("MemorySizeInMB of variant", "ProvisionedConcurrency of variant"),
        *("ExecutionRoleArn is required for", "Serverless variant", "With ShadowProduction"),
        "The local SageMaker cannot carry out: ",
    ),
    ("sagemaker", "DescribeEndpointConfig"): ("Could not find endpoint configuration",),
    ("sagemaker", "DeleteEndpointConfig"): ("Could not find endpoint configuration",),
    ("sagemaker", "ListEndpointConfigs"): ("Invalid pagination token because",),
    ("sagemaker", "CreateEndpoint"): (
        *("Could not find endpoint configuration", "aws: prefixed", *DEPLOYMENT),
    ),
    ("sagemaker", "DescribeEndpoint"): ("Could not find endpoint",),
    ("sagemaker", "DeleteEndpoint"): ("Could not find endpoint",),
    ("sagemaker", "ListEndpoints"): ("Invalid pagination token because",),
    ("sagemaker", "UpdateEndpoint"): ("Could not find endpoint", *DEPLOYMENT),
    ("sagemaker", "UpdateEndpointWeightsAndCapacities"): (
        *("Could not find endpoint", "Each variant", CANNOT),
    ),
    ("sagemaker", "CreateInferenceComponent"): (
        *("You must provide", "A Specification must have", "The Container of a Specification"),
        *("MaxMemoryRequiredInMb must not", "Inference components copy count"),
        *("Could not find endpoint", "Inference Components are not supported", "aws: prefixed"),
        CANNOT,
    ),
    ("sagemaker", "DescribeInferenceComponent"): ("Could not find inference component",),
    ("sagemaker", "DeleteInferenceComponent"): ("Could not find inference component",),
    ("sagemaker", "ListInferenceComponents"): ("Invalid pagination token because",),
    ("sagemaker", "UpdateInferenceComponent"): (
        *("You must", "A Specification must have", "The Container of a Specification"),
        *("MaxMemoryRequiredInMb must not", "Could not find inference component", CANNOT),
    ),
    ("sagemaker", "UpdateInferenceComponentRuntimeConfig"): (
        *("Could not find inference component", CANNOT),
    ),
    ("sagemaker", "CreateModelPackageGroup"): (
        *("Model Package Group already exists", "aws: prefixed", CANNOT),
    ),
    ("sagemaker", "DescribeModelPackageGroup"): PACKAGE,
    ("sagemaker", "ListModelPackageGroups"): ("Invalid pagination token because",),
    ("sagemaker", "DeleteModelPackageGroup"): PACKAGE,
    ("sagemaker", "PutModelPackageGroupPolicy"): (*PACKAGE, "Resource policy for"),
    ("sagemaker", "GetModelPackageGroupPolicy"): (*PACKAGE, "Cannot find resource policy"),
    ("sagemaker", "DeleteModelPackageGroupPolicy"): (*PACKAGE, "Cannot find resource policy"),
    ("sagemaker", "CreateModelPackage"): (
        *("Missing ARN", "Both ModelPackageName", "1 validation errors detected:Environment"),
        *("ModelApprovalStatus cannot", "Tags cannot", "CertifyForMarketplace cannot"),
        *("Only one of InferenceSpecification", "Supported", "Model Package already exists"),
        *("aws: prefixed", "SourceUri", *PACKAGE, *SPECIFICATION),
    ),
    ("sagemaker", "DescribeModelPackage"): PACKAGE,
    ("sagemaker", "BatchDescribeModelPackage"): (),
    ("sagemaker", "ListModelPackages"): (*PACKAGE, "Invalid pagination token because"),
    ("sagemaker", "UpdateModelPackage"): (*PACKAGE, *SPECIFICATION),
    ("sagemaker", "DeleteModelPackage"): PACKAGE,
    ("sagemaker", "Search"): SEARCHED,
    ("sagemaker", "GetSearchSuggestions"): (),
    ("sagemaker", "CreateExperiment"): ("Experiment names must be unique", "aws: prefixed"),
    ("sagemaker", "DescribeExperiment"): NO_ENTITY,
    ("sagemaker", "UpdateExperiment"): NO_ENTITY,
    ("sagemaker", "DeleteExperiment"): NO_ENTITY,
    ("sagemaker", "ListExperiments"): ("Invalid pagination token because",),
    ("sagemaker", "CreateTrial"): (*NO_ENTITY, "Trial names must be unique", "aws: prefixed"),
    ("sagemaker", "DescribeTrial"): NO_ENTITY,
    ("sagemaker", "UpdateTrial"): NO_ENTITY,
    ("sagemaker", "DeleteTrial"): NO_ENTITY,
    ("sagemaker", "ListTrials"): (*NO_ENTITY, "Invalid pagination token because"),
    ("sagemaker", "CreateTrialComponent"): (
        *("Trial component names must be unique", "aws: prefixed"),
    ),
    ("sagemaker", "DescribeTrialComponent"): NO_ENTITY,
    ("sagemaker", "UpdateTrialComponent"): NO_ENTITY,
    ("sagemaker", "DeleteTrialComponent"): NO_ENTITY,
    ("sagemaker", "ListTrialComponents"): (
        *(*NO_ENTITY, "Only one of these filters", "Invalid pagination token because"),
    ),
    ("sagemaker", "AssociateTrialComponent"): NO_ENTITY,
    ("sagemaker", "DisassociateTrialComponent"): NO_ENTITY,
    ("sagemaker", "CreateArtifact"): ("Artifact with source", "aws: prefixed"),
    ("sagemaker", "DescribeArtifact"): NO_LINEAGE,
    ("sagemaker", "UpdateArtifact"): NO_LINEAGE,
    ("sagemaker", "DeleteArtifact"): (*NO_LINEAGE, "DeleteArtifact needs one of"),
    ("sagemaker", "ListArtifacts"): ("Invalid pagination token because",),
    ("sagemaker", "CreateAction"): ("Action names must be unique", "aws: prefixed"),
    ("sagemaker", "DescribeAction"): NO_LINEAGE,
    ("sagemaker", "UpdateAction"): NO_LINEAGE,
    ("sagemaker", "DeleteAction"): NO_LINEAGE,
    ("sagemaker", "ListActions"): ("Invalid pagination token because",),
    ("sagemaker", "CreateContext"): ("Context names must be unique", "aws: prefixed"),
    ("sagemaker", "DescribeContext"): NO_LINEAGE,
    ("sagemaker", "UpdateContext"): NO_LINEAGE,
    ("sagemaker", "DeleteContext"): NO_LINEAGE,
    ("sagemaker", "ListContexts"): ("Invalid pagination token because",),
    ("sagemaker", "AddAssociation"): NO_LINEAGE,
    ("sagemaker", "DeleteAssociation"): NO_LINEAGE,
    ("sagemaker", "ListAssociations"): ("Invalid pagination token because",),
    ("sagemaker", "QueryLineage"): (*NO_LINEAGE, "Invalid pagination token because"),
    ("logs", "DescribeLogGroups"): ("The specified nextToken is invalid."),
    ("logs", "DescribeLogStreams"): ("The specified",),
    ("logs", "GetLogEvents"): ("The specified",),
    ("logs", "FilterLogEvents"): ("The specified", "Invalid filter pattern"),
    **{("ecr", name): REPOSITORY for name in OF_ECR},
}
every_operation = pytest.mark.parametrize(("service", "operation"), OPERATIONS)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    over = threading.Event()

    def program(container: Container) -> int:
        container.print("loss=0.5")
        if container.spec.environment.get("TRAINING_JOB_NAME") == RUNNING:
            while not (over.is_set() or container.terminated.wait(0.05)):
                pass
        return 0

    engine = FakeEngine(program, images=[IMAGE])
    home = tmp_path_factory.mktemp("properties") / "home"
    # A job of many hosts must not wait for the one that stays.
    patched = pytest.MonkeyPatch()
    patched.setenv("SAGEDOCK_MAX_CONTAINERS", "100")
    with LocalSageMaker(
        home=home, engine=engine, check_answers=True, shutdown_grace_s=0.2
    ) as server:
        patched.undo()
        local = Local(server=server, engine=engine)
        local.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield prepare(local)
        over.set()


@pytest.fixture(autouse=True)
def quiet(world: World) -> None:
    """Begin each test when no job goes on by itself: what was there is compared with what is."""
    world.await_quiet()


@cache
def requests(service: str, operation: str) -> st.SearchStrategy[Any]:
    """Right requests of an operation."""
    if operation == "CreateTrainingJob":
        return jobs()
    drawn = valid(input_shape(service, operation), {**OWN, **NAMES})
    return drawn.map(lambda request: mended(operation, request))


@st.composite
def broken(draw: st.DrawFn, service: str, operation: str) -> tuple[Any, Defect | None]:
    """Draw a right request, and a single defect for it, each kind as often as the others."""
    request = draw(requests(service, operation))
    by_kind: dict[Any, list[Defect]] = {}
    for found in defects(input_shape(service, operation), request):
        by_kind.setdefault(found.kind, []).append(found)
    if not by_kind:
        return request, None
    return request, draw(st.sampled_from(by_kind[draw(st.sampled_from(list(by_kind)))]))


def is_refused_for(answer: Answer, defect: Defect, service: str) -> None:
    """Assert that the answer is the service's refusal of that defect, where it is."""
    assert answer.status == 400, answer
    if defect.kind is None:
        assert answer.code == "SerializationException", answer
        return
    assert answer.code == REFUSED[service], answer
    assert " validation error" in answer.message
    assert f" at '{defect.path}' failed to satisfy constraint: " in answer.message, answer.message


@examples(50)
@given(request=st.deferred(jobs))
def test_a_right_job_is_carried_out_to_its_end(world: World, request: Any) -> None:
    answer = world.call("sagemaker", "CreateTrainingJob", request)
    if answer.message.startswith(CANNOT):
        wishes = answer.message.removeprefix(CANNOT).split("; ")
        assert all(wish.startswith(tuple(LOCAL_ONLY)) for wish in wishes), answer.message
        return
    assert answer.status == 200, answer
    name = request["TrainingJobName"]
    job = world.ended(name)
    assert job["TrainingJobStatus"] in TERMINAL
    assert "InternalServerError" not in job.get("FailureReason", "")
    for member, sent in as_read(request).items():
        if member in job:
            assert echoes(job[member], sent), (member, sent, job[member])
    assert world.call("sagemaker", "DeleteTrainingJob", {"TrainingJobName": name}).status == 200


@examples(90)
@given(drawn=broken("sagemaker", "CreateTrainingJob"))
def test_a_job_with_a_defect_is_refused_and_leaves_nothing(world: World, drawn: Any) -> None:
    request, defect = drawn
    before = world.state()
    answer = world.call("sagemaker", "CreateTrainingJob", defect.spoil(request))
    is_refused_for(answer, defect, "sagemaker")
    assert world.state() == before


@every_operation
def test_a_right_request_is_answered(world: World, service: str, operation: str) -> None:
    may_say = OPERATIONS[service, operation]

    @examples(12)
    @given(request=requests(service, operation))
    def holds(request: Any) -> None:
        answer = world.call(service, operation, request)
        assert answer.status == 200 or answer.message.startswith(may_say), answer

    holds()


@every_operation
def test_a_request_with_a_defect_is_refused(world: World, service: str, operation: str) -> None:
    @examples(15)
    @given(drawn=broken(service, operation))
    def holds(drawn: Any) -> None:
        request, defect = drawn
        assume(defect is not None)
        spoilt = defect.spoil(request)
        assume(is_ours(service, spoilt))
        before = world.state()
        is_refused_for(world.call(service, operation, spoilt), defect, service)
        assert world.state() == before

    holds()


def is_ours(service: str, request: Any) -> bool:
    """Say whether moto does not answer it: it has all log groups but SageMaker's."""
    body = json.dumps(request)
    return service != "logs" or GROUP in body or "logGroup" not in body


BODIES = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"[" * 5000, b'{"a":' * 5000, b'{"MaxResults": ' + b"9" * 5000 + b"}"]),
)


@pytest.mark.parametrize(
    ("service", "operation"), [("sagemaker", "CreateTrainingJob"), *OPERATIONS]
)
def test_any_body_is_answered_in_the_services_form(
    world: World, service: str, operation: str
) -> None:
    @examples(10)
    @given(body=BODIES)
    def holds(body: bytes) -> None:
        answer = world.send(service, operation, body)
        assert answer.status in (200, 400), answer

    holds()


@examples(60)
@given(request=st.deferred(jobs), data=st.data())
def test_a_damaged_body_is_answered_in_the_services_form(
    world: World, request: Any, data: st.DataObject
) -> None:
    body = bytearray(json.dumps(request).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    answer = world.send("sagemaker", "CreateTrainingJob", bytes(body))
    assert answer.status in (200, 400), answer
