"""Uncompressed output of real containers: every file an object, links and odd names included."""

from tests.conftest import BUCKET
from tests.docker.conftest import RealLocal

OUTPUT = {"S3OutputPath": f"s3://{BUCKET}/out", "CompressionType": "NONE"}
TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
ME = (
    'me=$(python3 -c "import json; '
    "print(json.load(open('/opt/ml/input/config/resourceconfig.json'))['current_host'])\"); "
)


def below(real: RealLocal, prefix: str) -> dict[str, bytes]:
    listed = real.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {
        each["Key"].removeprefix(prefix): real.get(f"s3://{BUCKET}/{each['Key']}")
        for each in listed
    }


def test_files_links_and_odd_names_become_objects(real: RealLocal) -> None:
    job = real.run_script(
        "cd /opt/ml/model && mkdir -p deep empty && echo w > deep/w && ln deep/w hard && "
        "ln -s deep/w soft && ln -s /etc/passwd away && ln -s deep folder && mkfifo pipe && "
        "echo n > $'new\\nline' && echo u > 'ä ü' && "
        "echo m > /opt/ml/output/data/metrics.json",
        OutputDataConfig=OUTPUT,
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/out/probe-1/output/model/"
    assert below(real, "out/probe-1/output/") == {
        "data/metrics.json": b"m\n",
        "model/deep/w": b"w\n",
        "model/hard": b"w\n",
        "model/soft": b"w\n",
        "model/new\nline": b"n\n",
        "model/ä ü": b"u\n",
    }


def test_files_of_several_hosts_lie_together(real: RealLocal) -> None:
    job = real.run_script(
        f"{ME} mkdir /opt/ml/model/shards && echo $me > /opt/ml/model/shards/$me; "
        "head -c 20000000 /dev/zero > /opt/ml/model/$me.bin",
        OutputDataConfig=OUTPUT,
        ResourceConfig=TWO,
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    found = below(real, "out/probe-1/output/model/")
    assert {name: len(body) for name, body in found.items()} == {
        "algo-1.bin": 20_000_000,
        "algo-2.bin": 20_000_000,
        "shards/algo-1": 7,
        "shards/algo-2": 7,
    }


def test_files_of_the_same_name_clash(real: RealLocal) -> None:
    job = real.run_script("echo x > /opt/ml/model/w", OutputDataConfig=OUTPUT, ResourceConfig=TWO)
    assert job["TrainingJobStatus"] == "Failed"
    assert "several hosts wrote /opt/ml/model/w: names must not clash" in job["FailureReason"]
    assert below(real, "out/probe-1/") == {}
