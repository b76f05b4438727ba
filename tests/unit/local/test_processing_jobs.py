"""Processing jobs from their request to their end, in containers that are Python functions."""

import json
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from sagedock.engine import Usage
from sagedock.testing import Container
from tests.conftest import BUCKET, IMAGE, REGION, ROLE, Local
from tests.unit.local.processing_world import FOLDER, Processing, holding


@pytest.fixture
def processing(local: Local) -> Processing:
    return Processing(local)


def test_describe_tells_the_request_and_the_course(processing: Processing) -> None:
    uri = processing.put("in/a", b"1")
    job = processing.run(
        ProcessingJobName="Probe-1",
        ProcessingInputs=[processing.input(uri)],
        ProcessingOutputConfig=processing.outputs("output"),
        Environment={"A": "b"},
        NetworkConfig={"EnableNetworkIsolation": True},
    )
    assert job["ProcessingJobName"] == "Probe-1"
    assert job["ProcessingJobArn"].endswith(":processing-job/probe-1")
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ProcessingInputs"] == [{**processing.input(uri), "AppManaged": False}]
    (output,) = job["ProcessingOutputConfig"]["Outputs"]
    assert output == {**processing.outputs("output")["Outputs"][0], "AppManaged": False}
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert (job["Environment"], job["RoleArn"]) == ({"A": "b"}, ROLE)
    assert job["NetworkConfig"] == {"EnableNetworkIsolation": True}
    moments = [job[f"{each}Time"] for each in ("Creation", "ProcessingStart", "ProcessingEnd")]
    assert moments == sorted(moments)
    assert "FailureReason" not in job
    assert "ExitMessage" not in job


@pytest.mark.parametrize(
    ("given", "entrypoint", "command"),
    [
        ({}, None, None),
        ({"ContainerEntrypoint": ["python3", "-v"]}, ("python3", "-v"), ()),
        ({"ContainerArguments": ["a", "b"]}, None, ("a", "b")),
        ({"ContainerEntrypoint": ["x"], "ContainerArguments": ["a"]}, ("x",), ("a",)),
    ],
    ids=["image", "entrypoint", "arguments", "both"],
)
def test_the_command_is_the_images_unless_the_request_has_another(
    processing: Processing,
    given: dict[str, list[str]],
    entrypoint: Sequence[str] | None,
    command: Sequence[str] | None,
) -> None:
    specs = []

    def program(container: Container) -> int:
        specs.append(container.spec)
        return 0

    processing.run(program, AppSpecification={"ImageUri": IMAGE, **given})
    (spec,) = specs
    assert (spec.entrypoint, spec.command) == (entrypoint, command)


def test_each_host_is_told_of_the_job_and_of_the_hosts(processing: Processing) -> None:
    told: dict[str, Any] = {}
    uri = processing.put("in/a", b"1")

    def program(container: Container) -> int:
        hosts = json.loads(container.files["/opt/ml/config/resourceconfig.json"])
        job = json.loads(container.files["/opt/ml/config/processingjobconfig.json"])
        told[hosts["current_host"]] = (hosts, job)
        return 0

    request = processing.request(
        ProcessingInputs=[processing.input(uri)],
        ProcessingResources=processing.resources(2),
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    processing.run(program, **request)
    assert sorted(told) == ["algo-1", "algo-2"]
    hosts, job = told["algo-2"]
    assert hosts == {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]}
    assert job == {
        "ProcessingJobArn": f"arn:aws:sagemaker:{REGION}:123456789012:processing-job/probe-1",
        "ProcessingJobName": "probe-1",
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": None,
            "ContainerArguments": None,
        },
        "Environment": {},
        "ProcessingInputs": request["ProcessingInputs"],
        "ProcessingOutputConfig": {"Outputs": [], "KmsKeyId": None},
        "ProcessingResources": {
            "ClusterConfig": {
                **request["ProcessingResources"]["ClusterConfig"],
                "VolumeKmsKeyId": None,
            }
        },
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def seen_by(processing: Processing, **changes: Any) -> dict[str, dict[str, bytes]]:
    """Run a job, and return what its hosts saw below /opt/ml/processing."""
    found: dict[str, dict[str, bytes]] = {}

    def program(container: Container) -> int:
        found[container.spec.labels["sagedock.host"]] = {
            path.removeprefix(f"{FOLDER}/"): content
            for path, content in container.files.items()
            if path.startswith(FOLDER)
        }
        return 0

    job = processing.run(program, **changes)
    assert job["ProcessingJobStatus"] == "Completed", job
    return found


@pytest.mark.parametrize("first", [0, 1])
def test_inputs_lie_at_their_paths_also_inside_one_another(
    processing: Processing, first: int
) -> None:
    processing.put("in/a", b"1")
    processing.put("in/code/b", b"2")
    code = processing.put("x/run.py", b"3")
    inputs = [
        processing.input(f"s3://{BUCKET}/in/", "input"),
        processing.input(code, "input/code"),
    ]
    found = seen_by(processing, ProcessingInputs=[inputs[first], inputs[1 - first]])
    assert found == {"algo-1": {"input/a": b"1", "input/code/b": b"2", "input/code/run.py": b"3"}}


def test_keys_are_dealt_out_or_replicated(processing: Processing) -> None:
    for name in "abc":
        processing.put(f"in/{name}", name.encode())
    sharded = processing.input(f"s3://{BUCKET}/in/", S3DataDistributionType="ShardedByS3Key")
    whole = processing.input(f"s3://{BUCKET}/in/b", "all")
    found = seen_by(
        processing,
        ProcessingInputs=[sharded, whole],
        ProcessingResources=processing.resources(2),
    )
    assert found == {
        "algo-1": {"input/a": b"a", "input/c": b"c", "all/b": b"b"},
        "algo-2": {"input/b": b"b", "all/b": b"b"},
    }


def test_a_manifest_names_the_objects(processing: Processing) -> None:
    processing.put("in/x/1", b"1")
    processing.put("in/x/2", b"2")
    listed = json.dumps([{"prefix": f"s3://{BUCKET}/in/"}, "x/2"]).encode()
    uri = processing.put("lists/m", listed)
    manifest = processing.input(uri, S3DataType="ManifestFile")
    assert seen_by(processing, ProcessingInputs=[manifest]) == {"algo-1": {"input/x/2": b"2"}}


def test_an_application_manages_its_own_data(processing: Processing) -> None:
    source = {"S3Uri": "s3://elsewhere/in", "S3DataType": "S3Prefix"}
    target = {"S3Uri": "s3://elsewhere/out", "S3UploadMode": "EndOfJob"}
    found = seen_by(
        processing,
        ProcessingInputs=[{"InputName": "a", "AppManaged": True, "S3Input": source}],
        ProcessingOutputConfig={
            "Outputs": [{"OutputName": "b", "AppManaged": True, "S3Output": target}]
        },
    )
    assert found == {"algo-1": {}}


def test_outputs_are_stored_at_the_end_of_all_hosts(processing: Processing) -> None:
    seen: list[bool] = []

    def program(container: Container) -> int:
        host = container.spec.labels["sagedock.host"]
        container.files[f"{FOLDER}/output/deep/{host}"] = host.encode()
        container.files[f"{FOLDER}/output/same"] = b"x"
        container.files[f"{FOLDER}/report/r"] = b"r"
        container.files[f"{FOLDER}/other"] = b"not stored"
        seen.append(bool(processing.stored()))
        return 0

    job = processing.run(
        program,
        ProcessingResources=processing.resources(2),
        ProcessingOutputConfig=processing.outputs("output", "report"),
    )
    assert job["ProcessingJobStatus"] == "Completed"
    assert seen == [False, False]
    assert processing.stored() == {
        "output/deep/algo-1": b"algo-1",
        "output/deep/algo-2": b"algo-2",
        "output/same": b"x",
        "report/r": b"r",
    }


def test_continuous_outputs_are_stored_while_the_job_runs(processing: Processing) -> None:
    go = threading.Event()

    def program(container: Container) -> int:
        container.files[f"{FOLDER}/live/early"] = b"1"
        container.files[f"{FOLDER}/late/early"] = b"2"
        assert go.wait(60)
        container.files[f"{FOLDER}/live/at-the-end"] = b"3"
        return 0

    processing.local.engine.program = program
    outputs = [
        *processing.outputs("live", mode="Continuous")["Outputs"],
        *processing.outputs("late")["Outputs"],
    ]
    processing.create(ProcessingOutputConfig={"Outputs": outputs})
    processing.await_that(lambda: processing.stored() == {"live/early": b"1"})
    go.set()
    processing.ended()
    assert processing.stored() == {
        "live/early": b"1",
        "live/at-the-end": b"3",
        "late/early": b"2",
    }


def test_an_output_that_cannot_be_stored_fails_the_job(processing: Processing) -> None:
    def program(container: Container) -> int:
        container.files[f"{FOLDER}/output/a"] = b"1"
        return 0

    config = processing.outputs("output")
    config["Outputs"][0]["S3Output"]["S3Uri"] = "s3://no-such-bucket/out/"
    job = processing.run(program, ProcessingOutputConfig=config)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "ClientError: Failed to upload data. The specified bucket does not exist: "
        "s3://no-such-bucket/out/"
    )


@pytest.mark.parametrize("code", [0, 3])
def test_the_message_of_all_hosts_is_told_however_they_end(
    processing: Processing, code: int
) -> None:
    def program(container: Container) -> int:
        host = container.spec.labels["sagedock.host"]
        container.files["/opt/ml/output/message"] = f"said by {host}\n".encode()
        return code if host == "algo-2" else 0

    job = processing.run(program, ProcessingResources=processing.resources(2))
    assert job["ExitMessage"] == "said by algo-1\nsaid by algo-2\n"
    (listed,) = processing.sagemaker.list_processing_jobs()["ProcessingJobSummaries"]
    assert listed["ExitMessage"] == job["ExitMessage"]


def test_a_message_is_cut_to_a_kilobyte_between_two_characters(processing: Processing) -> None:
    def program(container: Container) -> int:
        container.files["/opt/ml/output/message"] = b"x" + "ä".encode() * 1000
        return 0

    message = processing.run(program)["ExitMessage"]
    assert message == "x" + "ä" * 511


def test_a_message_that_is_no_text_fails_the_job(processing: Processing) -> None:
    def program(container: Container) -> int:
        container.files["/opt/ml/output/message"] = b"\xff\xfe"
        return 0

    job = processing.run(program)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert "ExitMessage" not in job


def test_one_host_that_fails_fails_the_job_and_stops_the_others(processing: Processing) -> None:
    def program(container: Container) -> int:
        if container.spec.labels["sagedock.host"] == "algo-1":
            return 7
        return holding(container)

    job = processing.run(program, ProcessingResources=processing.resources(2))
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"


def test_what_cannot_be_started_is_told_in_the_log(processing: Processing) -> None:
    processing.local.engine.program = None
    job = processing.ended(processing.create())
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert processing.log() == ["exec: no such program"]


def test_the_output_is_in_a_stream_of_each_host(processing: Processing) -> None:
    def program(container: Container) -> int:
        container.print(f"I am {container.spec.labels['sagedock.host']}")
        return 0

    job = processing.run(program, ProcessingResources=processing.resources(2))
    created = int(job["CreationTime"].timestamp())
    assert processing.streams() == [f"probe-1/algo-1-{created}", f"probe-1/algo-2-{created}"]
    assert processing.log() == ["I am algo-1", "I am algo-2"]


def test_variables_are_the_platforms_and_the_users(processing: Processing) -> None:
    specs = []

    def program(container: Container) -> int:
        specs.append(container.spec)
        return 0

    processing.run(program, Environment={"MINE": "1", "AWS_REGION": "mine-too"})
    processing.run(
        program,
        ProcessingJobName="isolated",
        NetworkConfig={"EnableNetworkIsolation": True},
    )
    open_, isolated = specs
    assert open_.environment["MINE"] == "1"
    assert open_.environment["AWS_REGION"] == "mine-too"
    assert open_.environment["AWS_DEFAULT_REGION"] == REGION
    assert "AWS_ENDPOINT_URL" in open_.environment
    assert "AWS_ENDPOINT_URL" not in isolated.environment
    assert (isolated.network, isolated.hostname) == ("none", "aws")


def test_hosts_have_the_share_of_their_type(processing: Processing) -> None:
    specs = []

    def program(container: Container) -> int:
        specs.append(container.spec)
        return 0

    cluster = processing.resources(InstanceType="ml.g5.xlarge")
    processing.run(program, ProcessingResources=cluster)
    assert "sagedock: ml.g5.xlarge has 1 GPU" in processing.log()[0]
    assert specs[0].gpus == 0
    assert specs[0].shm_size_mib == 4096


def test_what_containers_use_is_published(processing: Processing) -> None:
    def program(container: Container) -> int:
        now = time.time()
        container.usage = Usage(
            at_s=now,
            started_at_s=now - 2,
            cpu_s=1.0,
            cpus=2,
            memory_bytes=1,
            memory_limit_bytes=4,
        )
        assert container.measured.wait(60)
        return 0

    processing.run(program)
    asked = {
        "Namespace": "/aws/sagemaker/ProcessingJobs",
        "Dimensions": [{"Name": "Host", "Value": "probe-1/algo-1"}],
    }
    cloudwatch = processing.local.client("cloudwatch")
    found = [each["MetricName"] for each in cloudwatch.list_metrics(**asked)["Metrics"]]
    assert sorted(found) == ["CPUUtilization", "MemoryUtilization"]
    processing.sagemaker.delete_processing_job(ProcessingJobName="probe-1")
    assert cloudwatch.list_metrics(**asked)["Metrics"] == []
