"""Training jobs in real containers: the layout, the data, the artefacts, the ways to fail."""

import io
import json
import os
import tarfile
import time

import pytest

from sagedock.engine import Engine
from tests.docker.conftest import TRAINING_IMAGE, RealLocal, leftovers


def members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {
            member.name: tar.extractfile(member).read()  # type: ignore[union-attr]
            for member in tar
            if member.isreg()
        }


def test_the_layout_of_opt_ml(real: RealLocal) -> None:
    data = real.put("data/deep/a.csv", b"1,2\n")
    job = real.run_script(
        'cd /opt/ml && python3 -c "import json, os; print(json.dumps({'
        "'hp': json.load(open('input/config/hyperparameters.json')),"
        "'idc': json.load(open('input/config/inputdataconfig.json')),"
        "'rc': json.load(open('input/config/resourceconfig.json')),"
        "'files': sorted(os.path.join(d, f) for d, _, fs in os.walk('input/data') for f in fs),"
        "'dirs': sorted(os.listdir('.')),"
        "'env': {k: v for k, v in os.environ.items()"
        " if k.startswith(('TRAINING_', 'AWS_REG', 'OWN'))}"
        '}))"',
        HyperParameters={"epochs": "3", "lr": "0.1"},
        Environment={"OWN": "value"},
        InputDataConfig=[real.channel(data.rpartition("/deep")[0], ContentType="text/csv")],
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    seen = real.printed_json("probe-1")
    assert seen["hp"] == {"epochs": "3", "lr": "0.1"}
    common = {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    assert seen["idc"] == {"train": {**common, "ContentType": "text/csv"}, "code": common}
    assert seen["rc"] == {
        "current_host": "algo-1",
        "current_instance_type": "ml.m5.large",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1"],
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "ml.m5.large",
                "hosts": ["algo-1"],
            }
        ],
        "network_interface_name": "eth0",
    }
    assert seen["files"] == ["input/data/code/run.sh", "input/data/train/deep/a.csv"]
    assert seen["dirs"] == ["input", "model", "output"]
    assert seen["env"] == {
        "TRAINING_JOB_NAME": "probe-1",
        "TRAINING_JOB_ARN": job["TrainingJobArn"],
        "AWS_REGION": "us-west-2",
        "OWN": "value",
    }


def test_a_channel_may_be_written_and_the_bucket_never_changes(real: RealLocal) -> None:
    uri = real.put("data/a.csv", b"original")
    job = real.run_script(
        "cd /opt/ml/input/data/train && echo damaged > a.csv && echo new > b.csv && cat *.csv",
        InputDataConfig=[real.channel(uri.rpartition("/")[0])],
    )
    assert job["TrainingJobStatus"] == "Completed"
    assert real.log("probe-1") == ["damaged", "new"]
    assert real.get(uri) == b"original"
    keys = [
        each["Key"] for each in real.client("s3").list_objects_v2(Bucket="probe-bucket")["Contents"]
    ]
    assert keys == ["data/a.csv", "scripts/run.sh"]


def test_artefacts_of_the_model_and_of_the_output_folder(real: RealLocal) -> None:
    job = real.run_script(
        "mkdir -p /opt/ml/model/code && echo w > /opt/ml/model/weights.bin && "
        "echo c > /opt/ml/model/code/inference.py && echo m > /opt/ml/output/data/metrics.json"
    )
    model = members(real.get(job["ModelArtifacts"]["S3ModelArtifacts"]))
    assert model == {"weights.bin": b"w\n", "code/inference.py": b"c\n"}
    output = real.get("s3://probe-bucket/out/probe-1/output/output.tar.gz")
    assert members(output) == {"metrics.json": b"m\n"}


@pytest.mark.parametrize("code", [1, 42])
def test_a_script_that_fails(real: RealLocal, code: int) -> None:
    job = real.run_script(f"echo 'the cause' > /opt/ml/output/failure; exit {code}")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == f"AlgorithmError: the cause, exit code: {code}"


def test_an_image_without_train(real: RealLocal, engine: object) -> None:
    algorithm = {
        "TrainingImage": TRAINING_IMAGE,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["no-such-program"],
    }
    name = real.start(real.job(AlgorithmSpecification=algorithm))
    job = real.ended(name)
    assert job["FailureReason"] == "AlgorithmError: , exit code: 1"
    assert real.log(name) == ['exec: "no-such-program": executable file not found in $PATH']


def test_stop_is_sigterm_and_what_was_saved_is_kept(real: RealLocal) -> None:
    name = real.start(
        real.script(
            "trap 'echo caught; echo saved > /opt/ml/model/state; exit 0' TERM; echo ready; "
            "while true; do sleep 0.1; done"
        )
    )
    real.until(name, lambda _: real_log_has(real, name, "ready"))
    real.client("sagemaker").stop_training_job(TrainingJobName=name)
    job = real.ended(name)
    assert job["TrainingJobStatus"] == "Stopped"
    assert real.log(name) == ["ready", "caught"]
    assert members(real.get(job["ModelArtifacts"]["S3ModelArtifacts"])) == {"state": b"saved\n"}


def real_log_has(real: RealLocal, name: str, line: str) -> bool:
    logs = real.client("logs")
    try:
        return line in real.log(name)
    except logs.exceptions.ResourceNotFoundException:
        return False


def test_max_runtime(real: RealLocal) -> None:
    job = real.run_script(
        "trap 'exit 0' TERM; while true; do sleep 0.1; done",
        StoppingCondition={"MaxRuntimeInSeconds": 2},
    )
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_100_000_lines_none_lost_or_out_of_order(real: RealLocal) -> None:
    job = real.run_script("seq 1 100000", timeout_s=120)
    assert job["TrainingJobStatus"] == "Completed"
    assert real.log("probe-1") == [str(number) for number in range(1, 100_001)]


def test_a_line_of_a_megabyte_and_bytes_that_are_no_utf_8(real: RealLocal) -> None:
    job = real.run_script(
        "head -c 1000000 /dev/zero | tr '\\0' x; echo; printf 'caf\\351 \\377\\n'; echo 'acc=0.5;'",
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "acc", "Regex": "acc=([0-9.]+);"}]},
    )
    assert job["TrainingJobStatus"] == "Completed"
    log = real.log("probe-1")
    assert "".join(log[:-2]) == "x" * 1_000_000
    assert log[-2:] == ["caf\ufffd \ufffd", "acc=0.5;"]
    assert job["FinalMetricDataList"][0]["Value"] == 0.5


def test_a_job_without_network(real: RealLocal) -> None:
    job = real.run_script("getent hosts algo-1 && ls /sys/class/net", EnableNetworkIsolation=True)
    assert job["TrainingJobStatus"] == "Completed"
    assert real.log("probe-1")[-1] == "lo"


def test_two_hosts_find_each_other_and_their_models_are_merged(real: RealLocal) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = real.run_script(
        'me=$(python3 -c "import json; '
        "print(json.load(open('/opt/ml/input/config/resourceconfig.json'))['current_host'])\"); "
        "for i in $(seq 50); do getent hosts algo-1 && getent hosts algo-2 && break; sleep 0.1; "
        "done; echo $me > /opt/ml/model/$me; getent hosts algo-1 algo-2 | wc -l",
        ResourceConfig=resources,
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert members(real.get(job["ModelArtifacts"]["S3ModelArtifacts"])) == {
        "algo-1": b"algo-1\n",
        "algo-2": b"algo-2\n",
    }


def test_a_hosts_name_resolves_until_the_whole_job_has_ended(real: RealLocal) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = real.run_script(
        'grep -q \'"current_host": "algo-1"\' /opt/ml/input/config/resourceconfig.json && '
        "exit 0; sleep 4; getent hosts algo-1 && getent hosts algo-2 && hostname -I",
        ResourceConfig=resources,
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    first, second, own = real.log("probe-1")
    assert first.split()[0] != second.split()[0] == own.strip()


def test_a_hosts_address_has_a_name_in_ipv6s_form_too(real: RealLocal) -> None:
    # As torch asks for it; where no name server answers, every connection would wait for one.
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = real.run_script(
        "address=$(getent hosts algo-2 | cut -d' ' -f1); "
        'python3 -c "import socket, sys; print(socket.getnameinfo((sys.argv[1], 1), 8)[0])" '
        '"::ffff:$address"; getent ahosts algo-2 | cut -d" " -f1 | sort -u | wc -l',
        ResourceConfig=resources,
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert real.log("probe-1") == ["ip6-algo-2", "1"] * 2  # on both hosts


def test_two_hosts_that_write_the_same_name_clash(real: RealLocal) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = real.run_script("echo x > /opt/ml/model/weights", ResourceConfig=resources)
    assert job["TrainingJobStatus"] == "Failed"
    assert "several hosts wrote /opt/ml/model/weights" in job["FailureReason"]


def test_the_container_reaches_the_local_s3(real: RealLocal) -> None:
    uri = real.put("data/a", b"over http")
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    real.run_script(
        "python3 -c \"import boto3; print(boto3.client('s3').get_object("
        f"Bucket='{bucket}', Key='{key}')['Body'].read().decode())\""
    )
    assert real.log("probe-1") == ["over http"]


def test_no_root_owned_files_are_left(real: RealLocal) -> None:
    real.put("data/a", b"1")
    real.run_script(
        "echo x > /opt/ml/input/data/train/new; echo y > /opt/ml/model/y",
        InputDataConfig=[real.channel("s3://probe-bucket/data")],
    )
    home = real.server.settings.home
    deadline = time.monotonic() + 60
    while any((home / "jobs").glob("*/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    owners = {path.stat().st_uid for path in home.rglob("*")}
    assert owners == {os.getuid()}
    assert not list((home / "jobs").glob("*/*"))


def test_json_numbers_stay_strings(real: RealLocal) -> None:
    real.run_script(
        "cat /opt/ml/input/config/hyperparameters.json; echo",
        HyperParameters={"quoted": '"resnet"', "shell": "x; touch /tmp/pwn $(id)"},
    )
    assert json.loads(real.log("probe-1")[0]) == {
        "quoted": '"resnet"',
        "shell": "x; touch /tmp/pwn $(id)",
    }


def test_an_image_by_digest(real: RealLocal, engine: Engine) -> None:
    digest = engine.image("sagedock-training:cpu").id
    algorithm = {
        "TrainingImage": f"{TRAINING_IMAGE.partition(':')[0]}@{digest}",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["echo", "by digest"],
    }
    real.ended(real.start(real.job(AlgorithmSpecification=algorithm)))
    assert real.log("probe-1") == ["by digest"]


def test_a_script_that_ignores_sigterm_is_killed_after_the_grace(
    real: RealLocal, engine: Engine
) -> None:
    name = real.start(real.script("trap '' TERM; echo deaf; while true; do sleep 0.1; done"))
    real.until(name, lambda _: real_log_has(real, name, "deaf"))
    began = time.monotonic()
    real.server.stop()  # gives running jobs one second here, as StopTrainingJob gives 120
    assert time.monotonic() - began < 30
    assert leftovers(engine, real.server) == []
