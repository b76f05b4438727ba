"""How data reaches real containers: input modes, what a channel holds, and for which hosts."""

import gzip
import json
import os
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker
from tests.conftest import BUCKET, REGION
from tests.docker.conftest import RealLocal

PIPE = {"InputMode": "Pipe"}
#: Waits for a FIFO, as AWS asks scripts to: the next epoch's may not be there yet.
WAIT = 'wait_for() { until [ -p "$1" ]; do sleep 0.02; done; }; cd /opt/ml/input/data; '
THREE = {"InstanceType": "ml.m5.large", "InstanceCount": 3, "VolumeSizeInGB": 1}
ME = (
    'me=$(python3 -c "import json; '
    "print(json.load(open('/opt/ml/input/config/resourceconfig.json'))['current_host'])\"); "
)


def records(stream: bytes) -> list[bytes]:
    """Take RecordIO apart, as a reader does."""
    found, at = [], 0
    while at < len(stream):
        magic, size = struct.unpack_from("<II", stream, at)
        assert magic == 0xCED7230A
        found.append(stream[at + 8 : at + 8 + size])
        at += 8 + size + (-size % 4)
    assert at == len(stream)
    return found


def feeding() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("feed ")]


def with_seed(channel: dict[str, Any], seed: int) -> dict[str, Any]:
    return {**channel, "ShuffleConfig": {"Seed": seed}}


def of_type(channel: dict[str, Any], **members: Any) -> dict[str, Any]:
    source = {**channel["DataSource"]["S3DataSource"], **members}
    return {**channel, "DataSource": {"S3DataSource": source}}


def test_a_pipe_has_a_fifo_for_each_epoch(real: RealLocal) -> None:
    real.put("data/a", b"one ")
    real.put("data/b", b"two\n")
    job = real.run_script(
        f"{WAIT} stat -c %F train_0; cat train_0; "
        "wait_for train_1; cat train_1; wait_for train_2; head -c 3 train_2; echo; "
        "wait_for train_3; cat train_3; test -e train_0 || echo gone; "
        "touch here 2> /dev/null || echo read-only",
        InputDataConfig=[real.channel(f"s3://{BUCKET}/data/", **PIPE)],
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert real.log("probe-1") == [
        *("fifo", "one two", "one two", "one", "one two", "gone", "read-only"),
    ]
    assert feeding() == []


def test_a_reader_may_leave_a_large_epoch_early_and_channels_are_independent(
    real: RealLocal,
) -> None:
    real.put("large/a", os.urandom(8_000_000))
    real.put("small/a", b"small\n")
    job = real.run_script(
        f"{WAIT} exec 3< train_0; head -c 100000 <&3 | wc -c; test -e train_1 && echo early; "
        "exec 3<&-; for epoch in 1 2; do wait_for train_$epoch; "
        "head -c 100000 train_$epoch | wc -c; done; "
        "for epoch in 0 1; do wait_for test_$epoch; cat test_$epoch; done; "
        "wait_for train_3; cat train_3 | wc -c",
        InputDataConfig=[
            real.channel(f"s3://{BUCKET}/large", "train", **PIPE),
            real.channel(f"s3://{BUCKET}/small", "test", **PIPE),
        ],
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert real.log("probe-1") == [*["100000"] * 3, "small", "small", "8000000"]


def test_what_a_container_is_told_of_its_channels(real: RealLocal) -> None:
    real.put("data/a", b"a")
    job = real.run_script(
        "cat /opt/ml/input/config/inputdataconfig.json; echo",
        InputDataConfig=[
            real.channel(
                f"s3://{BUCKET}/data", **PIPE, ContentType="text/csv", RecordWrapperType="RecordIO"
            ),
            of_type(
                real.channel(f"s3://{BUCKET}/data", "sharded"),
                S3DataDistributionType="ShardedByS3Key",
            ),
        ],
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    told = json.loads(real.log("probe-1")[0])
    assert told["train"] == {
        "TrainingInputMode": "Pipe",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "RecordIO",
        "ContentType": "text/csv",
    }
    assert told["sharded"]["S3DistributionType"] == "ShardedByS3Key"


def test_records_are_wrapped_and_gzip_is_unpacked(real: RealLocal) -> None:
    bodies = [b"first", b"", b"third one", bytes(100_001)]
    for number, body in enumerate(bodies):
        real.put(f"data/{number}.gz", gzip.compress(body))
    job = real.run_script(
        f"{WAIT} cat train_0 > /opt/ml/model/stream",
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out", "CompressionType": "NONE"},
        InputDataConfig=[
            real.channel(
                f"s3://{BUCKET}/data/",
                **PIPE,
                CompressionType="Gzip",
                RecordWrapperType="RecordIO",
            )
        ],
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert records(real.get(f"{job['ModelArtifacts']['S3ModelArtifacts']}stream")) == bodies


def test_an_augmented_manifest_sends_the_attributes_in_the_order_asked_for(
    real: RealLocal,
) -> None:
    lines = [
        {"is-a-cat": number, "image-ref": real.put(f"images/{number}", b"image %d" % number)}
        for number in range(3)
    ]
    manifest = real.put("a.manifest", b"\n".join(json.dumps(line).encode() for line in lines))
    channel = of_type(
        real.channel(manifest, **PIPE, RecordWrapperType="RecordIO"),
        S3DataType="AugmentedManifestFile",
        AttributeNames=["image-ref", "is-a-cat"],
    )
    job = real.run_script(
        f"{WAIT} cat train_0 > /opt/ml/model/stream",
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out", "CompressionType": "NONE"},
        InputDataConfig=[channel],
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    sent = records(real.get(f"{job['ModelArtifacts']['S3ModelArtifacts']}stream"))
    assert sent == [b"image 0", b"0", b"image 1", b"1", b"image 2", b"2"]


def test_fast_file_is_the_buckets_own_files_read_only(real: RealLocal) -> None:
    real.put("data/deep/a.csv", b"1,2\n")
    file = real.server.settings.home / "s3/buckets" / BUCKET / "data/deep/a.csv"
    job = real.run_script(
        "cd /opt/ml/input/data/train && cat deep/a.csv && stat -c %i deep/a.csv; "
        "touch new deep/new 2> /dev/null || echo read-only; rm -f deep/a.csv 2> /dev/null; "
        "echo x 2> /dev/null > deep/a.csv; cat deep/a.csv; "
        'grep -o \'"TrainingInputMode": "[A-Za-z]*"\' ../../config/inputdataconfig.json | head -1',
        InputDataConfig=[real.channel(f"s3://{BUCKET}/data/", InputMode="FastFile")],
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert real.log("probe-1") == [
        *("1,2", str(file.stat().st_ino), "read-only", "1,2", '"TrainingInputMode": "File"'),
    ]


@pytest.mark.parametrize("mode", ["File", "Pipe"])
def test_a_manifest_names_the_objects(real: RealLocal, mode: str) -> None:
    for name in ("a", "deep/b", "left-out"):
        real.put(f"data/{name}", f"{name}\n".encode())
    entries = [{"prefix": f"s3://{BUCKET}/data/"}, "deep/b", "a"]
    manifest = real.put("lists/one.manifest", json.dumps(entries).encode())
    read = (
        "cd /opt/ml/input/data/train; find . -type f | sort"
        if mode == "File"
        else f"{WAIT} cat train_0"
    )
    job = real.run_script(
        read,
        InputDataConfig=[
            of_type(real.channel(manifest, InputMode=mode), S3DataType="ManifestFile")
        ],
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert real.log("probe-1") == (["./a", "./deep/b"] if mode == "File" else ["deep/b", "a"])


def test_pipes_are_sharded_across_hosts_and_shuffled_anew_in_each_epoch(real: RealLocal) -> None:
    names = [f"{number:02d}" for number in range(12)]
    for name in names:
        real.put(f"data/{name}", f"{name}\n".encode())
    channel = of_type(
        with_seed(real.channel(f"s3://{BUCKET}/data/", **PIPE), 7),
        S3DataDistributionType="ShardedByS3Key",
    )
    job = real.run_script(
        f"{ME} {WAIT} for epoch in 0 1; do wait_for train_$epoch; "
        'echo "$epoch $me" $(cat train_$epoch); done',
        ResourceConfig=THREE,
        InputDataConfig=[channel],
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    epochs: dict[str, list[str]] = {"0": [], "1": []}
    for line in sorted(real.log("probe-1")):
        epoch, _, *items = line.split()
        assert len(items) == 4
        epochs[epoch] += items
    assert sorted(epochs["0"]) == sorted(epochs["1"]) == names
    assert names != epochs["0"] != epochs["1"] != names


def test_a_channel_of_one_instance_group_is_that_groups_alone(real: RealLocal) -> None:
    for number in range(4):
        real.put(f"data/{number}", b"%d" % number)
    groups = [
        {"InstanceGroupName": "one", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
        {"InstanceGroupName": "two", "InstanceType": "ml.m5.large", "InstanceCount": 2},
    ]
    train = of_type(
        real.channel(f"s3://{BUCKET}/data"),
        InstanceGroupNames=["two"],
        S3DataDistributionType="ShardedByS3Key",
    )
    request = real.script(
        f"{ME} cd /opt/ml/input; grep -o '\"train\"' config/inputdataconfig.json; "
        "echo $me $(ls data) $(ls data/train 2> /dev/null)",
        ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 1},
        InputDataConfig=[train],
    )
    code = request["InputDataConfig"][-1]
    request["InputDataConfig"][-1] = of_type(code, InstanceGroupNames=["one", "two"])
    job = real.ended(real.start(request))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert sorted(real.log("probe-1")) == [
        *('"train"', '"train"', "algo-1 code", "algo-2 code train 0 2", "algo-3 code train 1 3"),
    ]


def test_a_pipe_that_nobody_opens_keeps_nothing_alive(real: RealLocal) -> None:
    real.put("data/a", b"a")
    job = real.run_script(
        "echo hello", InputDataConfig=[real.channel(f"s3://{BUCKET}/data", **PIPE)]
    )
    assert job["TrainingJobStatus"] == "Completed"
    assert feeding() == []
    real.client("sagemaker").delete_training_job(TrainingJobName="probe-1")  # when all is gone
    assert open_below(real.server.settings.home / "jobs") == []


def open_below(folder: Path) -> list[str]:
    """Return this process's open files below a folder."""
    links = list(Path("/proc/self/fd").iterdir())
    return [
        str(link.readlink())
        for link in links
        if link.is_symlink() and link.readlink().is_relative_to(folder)
    ]


def test_a_job_is_stopped_while_its_pipe_is_full(real: RealLocal) -> None:
    real.put("data/a", bytes(8_000_000))
    name = real.start(
        real.script(
            f"trap 'exit 0' TERM; {WAIT} exec 3< train_0; head -c 10 <&3 | wc -c; "
            "while true; do sleep 0.1; done",
            InputDataConfig=[real.channel(f"s3://{BUCKET}/data", **PIPE)],
        )
    )
    real.until(name, lambda _: feeding() and (real_log(real, name) == ["10"]))
    real.client("sagemaker").stop_training_job(TrainingJobName=name)
    assert real.ended(name)["TrainingJobStatus"] == "Stopped"
    assert feeding() == []


def real_log(real: RealLocal, name: str) -> list[str]:
    logs = real.client("logs")
    try:
        return real.log(name)
    except logs.exceptions.ResourceNotFoundException:
        return []


def test_data_that_breaks_in_the_middle_of_a_pipe_fails_the_job(real: RealLocal) -> None:
    real.put("data/a.gz", gzip.compress(b"fine\n"))
    real.put("data/b.gz", b"no gzip at all")
    job = real.run_script(
        f"{WAIT} cat train_0; sleep 60",
        InputDataConfig=[
            real.channel(f"s3://{BUCKET}/data/", **PIPE, CompressionType="Gzip"),
        ],
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        "ClientError: Data download failed:Failed to download data. "
        f"S3 key: s3://{BUCKET}/data/b.gz is no gzip file: "
    )
    assert feeding() == []


def test_file_systems_are_folders_of_this_machine(engine: Any, tmp_path: Path) -> None:
    efs, fsx = tmp_path / "efs", tmp_path / "fsx"
    for folder in (efs / "digits", fsx / "mount"):
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text(f"{folder.name}\n")
    with LocalSageMaker(
        home=tmp_path / "home", file_systems={"fs-01234567": efs, "fs-89abcdef": fsx}
    ) as server:
        real = RealLocal(server=server, engine=engine)
        real.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        job = real.run_script(
            "cd /opt/ml/input/data; cat train/a.csv writable/a.csv; "
            "touch train/new 2> /dev/null || echo read-only; echo kept > writable/new",
            VpcConfig={"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
            InputDataConfig=[
                on_file_system("train", "fs-01234567", "/digits", "ro"),
                on_file_system("writable", "fs-89abcdef", "/mount", "rw"),
            ],
        )
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        assert real.log("probe-1") == ["digits", "mount", "read-only"]
    assert (fsx / "mount/new").read_text() == "kept\n"


def on_file_system(name: str, system: str, path: str, mode: str) -> dict[str, Any]:
    source = {
        "FileSystemId": system,
        "FileSystemType": "EFS",
        "DirectoryPath": path,
        "FileSystemAccessMode": mode,
    }
    return {"ChannelName": name, "DataSource": {"FileSystemDataSource": source}}
