"""Rows 104 to 121 of the fidelity corpus, through a whole local SageMaker: what transform jobs are
refused with, what they fail with, and what their logs say.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from sagedock.local.faults import Refusals
from sagedock.testing import Call, Reply, serving
from tests.conftest import ACCOUNT, BUCKET, REGION, ROLE, Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import awaited, create_model

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"
GROUP = "/aws/sagemaker/TransformJobs"
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """A local SageMaker with a model, and an object to transform."""
    quotas: Any = {"ml.m5.large for transform job usage": 1}
    with started(tmp_path / "home", quotas=quotas) as made:
        made.client("s3").put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"1,2")
        create_model(made)
        yield made


def create(local: Local, uri: str = f"s3://{BUCKET}/in/", **changes: Any) -> str:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    request = {
        "TransformJobName": "Job-1",
        "ModelName": "model-1",
        "TransformInput": {"DataSource": source, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "ModelClientConfig": {"InvocationsMaxRetries": 0},
        **changes,
    }
    return str(local.client("sagemaker").create_transform_job(**request)["TransformJobArn"])


def run(local: Local, reply: Callable[[Call], Reply], **changes: Any) -> Any:
    """Run a job whose container answers so, and return what Describe answers at its end."""

    def answer(call: Call) -> Reply:
        if call.path == "/execution-parameters":
            return Reply(status=404)
        return Reply() if call.path == "/ping" else reply(call)

    local.engine.program = serving(answer)
    create(local, **changes)
    describe = local.client("sagemaker").describe_transform_job
    awaited(lambda: "TransformEndTime" in describe(TransformJobName="Job-1"))
    return describe(TransformJobName="Job-1")


def data_log(local: Local) -> list[str]:
    """Return the lines of the job's data log."""
    logs = local.client("logs")
    streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="Job-1/")
    (name,) = [
        each["logStreamName"]
        for each in streams["logStreams"]
        if each["logStreamName"].endswith("/data-log")
    ]
    events = logs.get_log_events(logGroupName=GROUP, logStreamName=name, startFromHead=True)
    return [each["message"] for each in events["events"]]


def said(lines: list[str]) -> list[str]:
    """Return lines without their time; each has one."""
    found = [re.fullmatch(f"{STAMP}:" + r"\[sagemaker logs\]: (.*)", line) for line in lines]
    return [each[1] for each in found if each]


def refused(call: Callable[[], Any]) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as raised:
        call()
    told: Any = raised.value.response
    status = told["ResponseMetadata"]["HTTPStatusCode"]
    return told["Error"]["Code"], status, told["Error"]["Message"]


def test_row_104_no_such_model(local: Local) -> None:
    told = refused(lambda: create(local, ModelName="Absent"))
    assert told == ("ValidationException", 400, f'Could not find model "{ARN}model/absent".')


def test_row_105_no_input(local: Local) -> None:
    uri = f"s3://{BUCKET}/none/"
    assert refused(lambda: create(local, uri)) == (
        "ValidationException",
        400,
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that '
        f"the bucket exists in the selected region ({REGION}), that objects exist under that S3 "
        f'prefix, and that the role "{ROLE}" has "s3:ListBucket" permissions on bucket '
        f'"{BUCKET}".',
    )


@pytest.mark.parametrize("deleted", [True, False])
def test_row_106_the_role_of_the_model_is_gone(local: Local, deleted: bool) -> None:
    iam_backends.reset()
    iam, trust = local.client("iam"), {"Version": "2012-10-17", "Statement": []}
    iam.create_role(RoleName="sagedock", AssumeRolePolicyDocument=json.dumps(trust))
    if deleted:
        iam.delete_role(RoleName="sagedock")
    told = refused(lambda: create(local))
    iam_backends.reset()
    assert told == (
        "ValidationException",
        400,
        f"Could not assume role {ROLE}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role.",
    )


def test_row_108_a_quota_is_used_up(local: Local) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    assert refused(lambda: create(local, TransformResources=resources)) == (
        "ResourceLimitExceeded",
        400,
        "The account-level service limit 'ml.m5.large for transform job usage' is 1 Instances, "
        "with current utilization of 0 Instances and a request delta of 2 Instances. Please use "
        "AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not "
        "available, contact AWS support to request an increase for this quota.",
    )


def test_rows_109_and_110_what_cannot_be_stopped(local: Local) -> None:
    stop = local.client("sagemaker").stop_transform_job
    code, status, message = refused(lambda: stop(TransformJobName="absent"))
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith("Could not find job to update with name")
    run(local, lambda call: Reply(body=call.body))
    assert refused(lambda: stop(TransformJobName="Job-1")) == (
        "ValidationException",
        400,
        "The request was rejected because the transform job is in status Completed.",
    )


@pytest.mark.parametrize(
    ("status", "blame", "first"),
    [
        pytest.param(400, "ClientError", "ClientError: 400", id="112-117"),
        pytest.param(415, "ClientError", "ClientError: 415", id="117-415"),
        pytest.param(413, "ClientError", "ClientError: 413", id="117-413"),
        pytest.param(
            500, "AlgorithmError", "Bad HTTP status received from algorithm: 500", id="113-118"
        ),
    ],
)
def test_rows_112_to_118_an_answer_that_is_none(
    local: Local, status: int, blame: str, first: str
) -> None:
    job = run(local, lambda _: Reply(status=status, body=b"one\ntwo"))
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == f"{blame}: See job logs for more information"
    at = f"{BUCKET}/in/a.csv: "
    lines = data_log(local)
    assert said(lines) == [
        "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD",
        *(f"{at}{first}", at, f"{at}Message:", f"{at}one", f"{at}two"),
    ]
    assert len({line[:23] for line in lines[1:]}) == 1


def test_row_116_what_the_container_says_that_it_takes(local: Local) -> None:
    parameters = {
        "MaxConcurrentTransforms": 64,
        "BatchStrategy": "SINGLE_RECORD",
        "MaxPayloadInMB": 1,
    }

    def answer(call: Call) -> Reply:
        if call.path == "/execution-parameters":
            return Reply(body=json.dumps(parameters).encode())
        return Reply(body=call.body)

    local.engine.program = serving(answer)
    create(local)
    describe = local.client("sagemaker").describe_transform_job
    awaited(lambda: "TransformEndTime" in describe(TransformJobName="Job-1"))
    assert said(data_log(local)) == [
        "MaxConcurrentTransforms=64, MaxPayloadInMB=1, BatchStrategy=SINGLE_RECORD"
    ]


def test_row_120_an_output_that_is_no_csv(local: Local) -> None:
    job = run(
        local,
        lambda _: Reply(body=b'"open'),
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/out", "Accept": "text/csv"},
        DataProcessing={"JoinSource": "Input", "OutputFilter": "$[0]"},
    )
    assert job["TransformJobStatus"] == "Failed"
    assert "Failed to parse output from the algorithm as CSV" in "".join(data_log(local))


def test_row_121_who_asks(local: Local) -> None:
    agents: dict[str, set[str]] = {}

    def program_answer(call: Call) -> Reply:
        agents.setdefault(call.path, set()).add(call.headers["user-agent"])
        return Reply(body=call.body) if call.method == "POST" else Reply(status=_status(call))

    local.engine.program = serving(program_answer)
    create(local)
    describe = local.client("sagemaker").describe_transform_job
    awaited(lambda: "TransformEndTime" in describe(TransformJobName="Job-1"))
    assert agents == {
        path: {"Go-http-client/1.1"} for path in ("/ping", "/execution-parameters", "/invocations")
    }


def _status(call: Call) -> int:
    return 200 if call.path == "/ping" else 404


def test_rest_row_30_a_caller_who_may_not_tag(local: Local) -> None:
    local.server.faults.add(Refusals(error="access-denied", operation="AddTags"))
    code, _, message = refused(lambda: create(local, Tags=[{"Key": "k", "Value": "v"}]))
    assert code == "AccessDeniedException"
    assert f"sagemaker:AddTags on resource: {ARN}transform-job/job-1 because no" in message
