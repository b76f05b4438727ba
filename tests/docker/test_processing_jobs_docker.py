"""Processing jobs in real containers."""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from sagedock.engine import Engine
from sagedock.local.platform import HOME_LABEL, home_id
from tests.conftest import BUCKET, REGION
from tests.docker.conftest import HOLD, TRAINING_IMAGE, RealLocal, let_go
from tests.docker.test_local_process import home, kill, reach
from tests.unit.local.processing_world import FOLDER, Processing

__all__ = ["home"]

REGISTRY = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"


@pytest.fixture
def processing(real: RealLocal) -> Processing:
    return Processing(real, TRAINING_IMAGE)


def script(processing: Processing, text: str) -> dict[str, Any]:
    """Return the members of a job that runs a shell script, which travels in an input."""
    uri = processing.put("scripts/run.sh", text.encode())
    path = f"{FOLDER}/input/code"
    return {
        "AppSpecification": {
            "ImageUri": processing.image,
            "ContainerEntrypoint": ["/bin/bash", f"{path}/run.sh"],
        },
        "ProcessingInputs": [processing.input(uri, "input/code")],
    }


def run(processing: Processing, text: str, *inputs: dict[str, Any], **changes: Any) -> Any:
    """Run a shell script as a job, and return what Describe answers at its end."""
    made = script(processing, text)
    made["ProcessingInputs"] += inputs
    return processing.run(**made, **changes)


def test_two_hosts_share_keys_see_each_other_and_store_what_they_wrote(
    processing: Processing,
) -> None:
    for name in "abc":
        processing.put(f"in/{name}", name.encode())
    job = run(
        processing,
        "set -e; cd /opt/ml/processing; me=$(python3 -c 'import json; "
        'print(json.load(open("/opt/ml/config/resourceconfig.json"))["current_host"])\'); '
        "cat input/data/* > output/$me; ln -s /etc/passwd output/link; "
        'python3 -c \'import socket; print(len({socket.gethostbyname(f"algo-{n}") '
        "for n in (1, 2)}), socket.gethostname())'; "
        'echo -n "$me " > /opt/ml/output/message; echo more >> input/data/mine',
        processing.input(
            f"s3://{BUCKET}/in/", "input/data", S3DataDistributionType="ShardedByS3Key"
        ),
        ProcessingResources=processing.resources(2),
        ProcessingOutputConfig=processing.outputs("output"),
    )
    assert job["ProcessingJobStatus"] == "Completed", processing.log()
    assert processing.stored() == {"output/algo-1": b"ac", "output/algo-2": b"b"}
    assert processing.log() == ["2 aws", "2 aws"]
    assert job["ExitMessage"] == "algo-1 algo-2 "
    listed = processing.local.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="in/")
    assert [each["Key"] for each in listed["Contents"]] == ["in/a", "in/b", "in/c"]


def test_a_continuous_output_is_seen_before_the_end(
    processing: Processing, real: RealLocal
) -> None:
    outputs = [
        *processing.outputs("live/deep", mode="Continuous")["Outputs"],
        *processing.outputs("late")["Outputs"],
    ]
    made = script(
        processing,
        f"cd /opt/ml/processing; echo 1 > live/deep/a; echo 2 > late/b; ln late/b late/c; {HOLD}; "
        "echo 3 >> live/deep/a",
    )
    processing.create(**made, ProcessingOutputConfig={"Outputs": outputs})
    processing.await_that(lambda: processing.stored() == {"live/deep/a": b"1\n"})
    let_go(real.engine, real.server.settings.home)
    assert processing.ended()["ProcessingJobStatus"] == "Completed"
    assert processing.stored() == {"live/deep/a": b"1\n3\n", "late/b": b"2\n", "late/c": b"2\n"}


@pytest.fixture
def echoing(engine: Engine) -> Iterator[str]:
    """The name in ECR of an image whose program and arguments are its own."""
    client = docker.from_env()
    reference = f"{REGISTRY}/sagedock-test-echoing:1"
    made = client.containers.create("sagedock-training:cpu", command="never")
    made.commit(
        repository=reference.rpartition(":")[0],
        tag="1",
        changes=['ENTRYPOINT ["echo", "own"]', 'CMD ["default"]'],
    )
    made.remove()
    yield reference
    client.images.remove(reference, force=True)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "own default"),
        ({"ContainerArguments": ["a b", "$HOME"]}, "own a b $HOME"),
        ({"ContainerEntrypoint": ["echo", "mine"]}, "mine"),
        ({"ContainerEntrypoint": ["echo"], "ContainerArguments": ["x", "y"]}, "x y"),
    ],
    ids=["image", "arguments", "entrypoint", "both"],
)
def test_the_image_keeps_its_program_unless_the_request_has_another(
    processing: Processing, echoing: str, given: dict[str, Any], told: str
) -> None:
    job = processing.run(AppSpecification={"ImageUri": echoing, **given})
    assert job["ProcessingJobStatus"] == "Completed"
    assert processing.log() == [told]


def test_a_message_tells_why_a_job_failed(processing: Processing) -> None:
    job = run(processing, "echo no such column > /opt/ml/output/message; exit 4")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert job["ExitMessage"] == "no such column\n"


def test_a_message_that_is_no_text_fails_the_job(processing: Processing) -> None:
    job = run(processing, "printf '\\xff\\xfe' > /opt/ml/output/message")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")


def test_a_program_that_is_not_there(processing: Processing) -> None:
    application = {"ImageUri": processing.image, "ContainerEntrypoint": ["no-such-program"]}
    job = processing.run(AppSpecification=application)
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert any("no-such-program" in line for line in processing.log())


def test_a_stopped_job_has_time_to_save(processing: Processing) -> None:
    made = script(
        processing,
        "trap 'echo saved > /opt/ml/processing/output/a; exit 0' TERM; echo begun; "
        "while true; do sleep 0.1; done",
    )
    processing.create(**made, ProcessingOutputConfig=processing.outputs("output"))
    processing.until(lambda job: "ProcessingStartTime" in job)
    processing.await_that(lambda: bool(processing.log()))
    processing.sagemaker.stop_processing_job(ProcessingJobName="probe-1")
    assert processing.ended()["ProcessingJobStatus"] == "Stopped"
    assert processing.stored() == {"output/a": b"saved\n"}


def test_isolated_hosts_see_each_other_and_nothing_else(processing: Processing) -> None:
    connect = (
        "import os, socket, sys, time\n"
        "def reaches(*where):\n"
        "    try:\n"
        "        socket.create_connection(where, 2).close()\n"
        "    except OSError:\n"
        "        return False\n"
        "    return True\n"
        "server = socket.create_server(('', 9999))\n"
        "ends = time.monotonic() + 60\n"
        "while not all(reaches(f'algo-{n}', 9999) for n in (1, 2)):\n"
        "    assert time.monotonic() < ends\n"
        "time.sleep(3)\n"
        "print(reaches('1.1.1.1', 80), os.environ.get('AWS_ENDPOINT_URL'))\n"
    )
    uri = processing.put("code/connect.py", connect.encode())
    job = processing.run(
        AppSpecification={
            "ImageUri": processing.image,
            "ContainerEntrypoint": ["python3", f"{FOLDER}/code/connect.py"],
        },
        ProcessingInputs=[processing.input(uri, "code")],
        ProcessingResources=processing.resources(2),
        NetworkConfig={"EnableNetworkIsolation": True},
    )
    assert job["ProcessingJobStatus"] == "Completed", processing.log()
    assert processing.log() == ["False None", "False None"]


def test_a_job_reaches_the_local_s3(processing: Processing) -> None:
    code = (
        "import boto3\n"
        f"boto3.client('s3').put_object(Bucket='{BUCKET}', Key='out/mine', Body=b'1')\n"
    )
    uri = processing.put("code/put.py", code.encode())
    job = processing.run(
        AppSpecification={
            "ImageUri": processing.image,
            "ContainerEntrypoint": ["python3", f"{FOLDER}/code/put.py"],
        },
        ProcessingInputs=[processing.input(uri, "code")],
    )
    assert job["ProcessingJobStatus"] == "Completed", processing.log()
    assert processing.stored() == {"mine": b"1"}


def test_a_server_that_is_killed_takes_its_job_up_again(home: Path, engine: Engine) -> None:
    local = reach(home, engine)
    processing = Processing(local, TRAINING_IMAGE)
    outputs = [
        *processing.outputs("live", mode="Continuous")["Outputs"],
        *processing.outputs("late")["Outputs"],
    ]
    made = script(
        processing,
        f"echo begun; echo 1 > {FOLDER}/live/a; echo 2 > {FOLDER}/late/b; {HOLD}; echo done; "
        f"echo 3 > {FOLDER}/live/c; echo message > /opt/ml/output/message",
    )
    processing.create(
        **made,
        ProcessingOutputConfig={"Outputs": outputs},
        ProcessingResources=processing.resources(2),
    )
    processing.await_that(lambda: processing.stored() == {"live/a": b"1\n"})
    kill(home)
    let_go(engine, home)
    processing = Processing(reach(home, engine, bucket=False), TRAINING_IMAGE)
    job = processing.ended()
    assert job["ProcessingJobStatus"] == "Completed", processing.log()
    assert processing.stored() == {"live/a": b"1\n", "live/c": b"3\n", "late/b": b"2\n"}
    assert processing.log() == ["begun", "done"] * 2
    assert job["ExitMessage"] == "message\nmessage\n"


def test_a_server_that_is_killed_before_the_containers_start_begins_anew(
    home: Path, engine: Engine
) -> None:
    local = reach(home, engine)
    processing = Processing(local, TRAINING_IMAGE)
    for number in range(3):
        processing.create(ProcessingJobName=f"probe-{number}", **script(processing, "echo once"))
        kill(home)
        local = reach(home, engine, bucket=False)
        processing = Processing(local, TRAINING_IMAGE)
    for number in range(3):
        job = processing.ended(f"probe-{number}")
        assert job["ProcessingJobStatus"] == "Completed", job
        assert processing.log(f"probe-{number}") == ["once"]


@pytest.mark.slow
def test_a_server_that_is_killed_at_any_instant_loses_nothing(home: Path, engine: Engine) -> None:
    processing = Processing(reach(home, engine), TRAINING_IMAGE)
    outputs = processing.outputs("live", mode="Continuous")
    made = script(
        processing,
        f"cd {FOLDER}/live; for i in $(seq 1 60); do echo line $i; echo $i > $i; sleep 0.1; done",
    )
    processing.create(
        **made,
        ProcessingOutputConfig=outputs,
        ProcessingResources=processing.resources(2),
    )
    instants = random.Random(7)
    for _ in range(5):
        time.sleep(instants.uniform(0.05, 1.2))
        kill(home)
        processing = Processing(reach(home, engine, bucket=False), TRAINING_IMAGE)
    assert processing.ended()["ProcessingJobStatus"] == "Completed", processing.log()
    assert processing.log() == [f"line {number}" for number in range(1, 61)] * 2
    assert processing.stored() == {
        f"live/{number}": f"{number}\n".encode() for number in range(1, 61)
    }


def test_nothing_is_left_of_a_job_with_several_hosts(real: RealLocal) -> None:
    processing = Processing(real, TRAINING_IMAGE)
    run(processing, "true", ProcessingResources=processing.resources(2))
    processing.await_that(lambda: not left_of_jobs(real))


def left_of_jobs(local: RealLocal) -> list[str]:
    """Return what the engine has of processing jobs."""
    home = home_id(local.server.settings.home)
    labels = {HOME_LABEL: home, "sagedock.processing": ""}
    engine: Any = local.engine
    found = [each.name for each in engine.containers(labels)]
    return [*found, *engine.networks(labels), *engine.volumes(labels)]
