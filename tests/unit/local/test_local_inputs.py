"""Channels of every kind, from the request to what a container is given, or why it is not."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock import LocalSageMaker
from sagedock.errors import InvalidRequest
from sagedock.local.settings import Settings
from sagedock.local.training.containers import Cluster
from sagedock.testing import Container, FakeEngine
from tests.conftest import BUCKET, IMAGE, REGION, Local, succeed

DATA = f"s3://{BUCKET}/data/"
VPC = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
FAILED = "ClientError: Data download failed:"


def of_type(channel: dict[str, Any], **members: Any) -> dict[str, Any]:
    source = {**channel["DataSource"]["S3DataSource"], **members}
    return {**channel, "DataSource": {"S3DataSource": source}}


def put(local: Local, **objects: bytes) -> None:
    for key, body in objects.items():
        local.client("s3").put_object(Bucket=BUCKET, Key=f"data/{key}", Body=body)


def manifest(local: Local, content: Any, name: str = "lists/m", **changes: Any) -> dict[str, Any]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    local.client("s3").put_object(Bucket=BUCKET, Key=name, Body=body)
    channel = local.channel(f"s3://{BUCKET}/{name}", **changes)
    return of_type(channel, S3DataType="ManifestFile")


def data_seen(local: Local, **changes: Any) -> list[dict[str, bytes]]:
    """Return, host by host, what lies below the channels' folder."""
    seen: dict[str, dict[str, bytes]] = {}

    def program(container: Container) -> int:
        start = "/opt/ml/input/data/"
        found = {k.removeprefix(start): v for k, v in container.files.items() if start in k}
        seen[container.spec.name] = found
        return 0

    job = local.run(program, **changes)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return [seen[name] for name in sorted(seen)]


def test_a_manifests_objects_lie_where_it_says(local: Local) -> None:
    put(local, a=b"1", b=b"2", c=b"3")
    channel = manifest(local, [{"prefix": f"s3://{BUCKET}/da"}, "ta/a", "ta/c", "ta/a"])
    assert data_seen(local, InputDataConfig=[channel]) == [
        {"train/data/a": b"1", "train/data/c": b"3"}
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no JSON", f"S3 key: s3://{BUCKET}/lists/m is no manifest: it is no JSON array"),
        ([{"prefix": DATA}, "absent"], f"S3 key: {DATA}absent does not exist"),
        ([{"prefix": DATA}, "../../../etc/passwd"], "cannot be read: Couldn't parse the specified"),
        ([{"prefix": "s3://no-such-bucket/"}, "a"], "The specified bucket does not exist"),
        ([{"prefix": "s3://../"}, "a"], "S3 key: s3://../ cannot be read: "),
        ([{"prefix": DATA}, f"s3://{BUCKET}/data/a"], "does not exist"),
        ([{"prefix": DATA}, "a" * 2000], "cannot be read: Your key is too long"),
        ([{"prefix": "s3://far-away-bucket/"}, "a"], "far-away-bucket/, a bucket in eu-west-1"),
    ],
)
def test_a_manifest_that_cannot_be_carried_out_fails_the_job(
    local: Local, content: Any, says: str
) -> None:
    put(local, a=b"1")
    local.client("s3", "eu-west-1").create_bucket(
        Bucket="far-away-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    job = local.run(InputDataConfig=[manifest(local, content)])
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(FAILED)
    assert says in job["FailureReason"]
    local.client("sagemaker").delete_training_job(TrainingJobName="probe-1")  # when all is gone
    assert not list(local.server.settings.home.glob("jobs/*/*"))


def test_a_manifest_that_is_not_there_is_refused(local: Local) -> None:
    """Though there are objects whose names begin with its name."""
    put(local, m1=b"x", m2=b"y")
    channel = of_type(local.channel(f"{DATA}m"), S3DataType="ManifestFile")
    with pytest.raises(ClientError, match=f'No S3 objects found under S3 URL "{DATA}m" given in'):
        local.run(InputDataConfig=[channel])
    assert data_seen(local, InputDataConfig=[local.channel(f"{DATA}m")])[0]["train/m1"] == b"x"


def test_shards_and_groups_in_folders(local: Local) -> None:
    put(local, a=b"1", b=b"2", c=b"3")
    groups = [
        {"InstanceGroupName": "one", "InstanceType": "ml.m5.large", "InstanceCount": 1},
        {"InstanceGroupName": "two", "InstanceType": "ml.m5.large", "InstanceCount": 2},
    ]
    sharded = {"S3DataDistributionType": "ShardedByS3Key"}
    assert data_seen(
        local,
        ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 1},
        InputDataConfig=[
            of_type(local.channel(DATA, "all"), InstanceGroupNames=["one", "two"]),
            of_type(local.channel(DATA, "two"), InstanceGroupNames=["two"], **sharded),
        ],
    ) == [
        {"all/a": b"1", "all/b": b"2", "all/c": b"3"},
        {"all/a": b"1", "all/b": b"2", "all/c": b"3", "two/a": b"1", "two/c": b"3"},
        {"all/a": b"1", "all/b": b"2", "all/c": b"3", "two/b": b"2"},
    ]


def test_a_shuffled_folder_is_dealt_out_otherwise_and_whole(local: Local) -> None:
    names = [f"{number:02d}" for number in range(10)]
    put(local, **dict.fromkeys(names, b"x"))
    channel = of_type(
        local.channel(DATA, ShuffleConfig={"Seed": 3}), S3DataDistributionType="ShardedByS3Key"
    )
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    first, second = data_seen(local, ResourceConfig=resources, InputDataConfig=[channel])
    assert len(first) == len(second) == 5
    assert sorted({*first, *second}) == [f"train/{name}" for name in names]
    assert sorted(first) != [f"train/{name}" for name in names[::2]]


def test_fast_file_needs_a_whole_folders_name(local: Local) -> None:
    put(local, a=b"1")
    fast = {"InputMode": "FastFile"}
    for uri in (DATA, DATA.rstrip("/"), f"{DATA}a"):
        name = f"probe-{len(uri)}"
        channel = local.channel(uri, **fast)
        assert data_seen(local, TrainingJobName=name, InputDataConfig=[channel]) == [
            {"train/a": b"1"}
        ]
    job = local.run(InputDataConfig=[local.channel(f"s3://{BUCKET}/dat", **fast)])
    assert job["FailureReason"] == (
        f"{FAILED}FastFile mode needs an S3 prefix that names a whole folder, which "
        f"s3://{BUCKET}/dat does not: end it with a slash"
    )


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["train", ".."], r"InputDataConfig\[1\].ChannelName \.\."),
        (["train", "train_0"], r"InputDataConfig\[1\].ChannelName train_0"),
    ],
)
def test_names_that_no_folder_can_have_are_refused(
    local: Local, names: list[str], says: str
) -> None:
    put(local, a=b"1")
    channels = [local.channel(DATA, name) for name in names]
    channels[0]["InputMode"] = "Pipe"
    with pytest.raises(ClientError, match=says):
        local.run(InputDataConfig=channels)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            {
                "DatasetSource": {
                    "DatasetArn": f"arn:aws:sagemaker:{REGION}:aws:hub-content/hub/DataSet/x"
                }
            },
            r"InputDataConfig\[0\].DataSource other than S3DataSource and FileSystemDataSource",
        ),
        (
            {"S3DataSource": {"S3DataType": "Converse", "S3Uri": DATA}},
            r"InputDataConfig\[0\].DataSource.S3DataSource.S3DataType Converse",
        ),
    ],
)
def test_sources_that_are_not_carried_out_are_refused(
    local: Local, source: dict[str, Any], says: str
) -> None:
    put(local, a=b"1")
    with pytest.raises(ClientError, match=says):
        local.run(InputDataConfig=[{"ChannelName": "train", "DataSource": source}])


def on_file_system(path: str, system: str = "fs-0123abcd", mode: str = "ro") -> dict[str, Any]:
    source = {
        "FileSystemId": system,
        "FileSystemType": "FSxLustre",
        "DirectoryPath": path,
        "FileSystemAccessMode": mode,
    }
    return {"ChannelName": "train", "DataSource": {"FileSystemDataSource": source}}


@pytest.fixture
def shared(tmp_path: Path) -> Any:
    """A local SageMaker in which the folder ``shared`` stands for a file system."""
    folder = tmp_path / "shared"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a").write_bytes(b"1")
    (folder / "out").symlink_to(tmp_path)
    (folder / "circle").symlink_to(folder / "circle")
    (folder / "inside").symlink_to("deep")
    engine = FakeEngine(succeed, images=[IMAGE])
    with LocalSageMaker(
        home=tmp_path / "home",
        engine=engine,
        check_answers=True,
        file_systems={"fs-0123abcd": folder},
    ) as server:
        made = Local(server=server, engine=engine)
        made.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield made


@pytest.mark.parametrize("path", ["/deep", "deep", "/deep/", "/inside", "/out/shared/deep"])
@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_a_file_system_is_a_folder_that_the_settings_name(
    shared: Local, path: str, mode: str
) -> None:
    specs = []

    def program(container: Container) -> int:
        specs.append(container.spec)
        assert container.files["/opt/ml/input/data/train/a"] == b"1"
        told = json.loads(container.files["/opt/ml/input/config/inputdataconfig.json"])
        assert told["train"]["S3DistributionType"] == "FullyReplicated"
        return 0

    job = shared.run(program, VpcConfig=VPC, InputDataConfig=[on_file_system(path, mode=mode)])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    ((bind,),) = [spec.binds for spec in specs]
    assert (bind.source.name, bind.read_only) == ("deep", mode == "ro")


@pytest.mark.parametrize(
    "path",
    ["/out", "/..", "/../shared2", "/deep/../../home", "/absent", "/deep/a", "/circle", "/\0"],
)
def test_what_leads_out_of_a_file_system_or_nowhere_is_refused(shared: Local, path: str) -> None:
    with pytest.raises(ClientError, match=r"DirectoryPath .* which is no folder of .*/shared"):
        shared.run(VpcConfig=VPC, InputDataConfig=[on_file_system(path)])
    assert not shared.engine.all


def test_a_file_system_that_nothing_stands_for_is_refused_with_the_remedy(shared: Local) -> None:
    with pytest.raises(ClientError) as error:
        shared.run(VpcConfig=VPC, InputDataConfig=[on_file_system("/", "fs-ffffffff")])
    assert error.value.response["Error"]["Message"] == (
        "The local SageMaker cannot carry out: InputDataConfig[0].DataSource.FileSystemDataSource "
        "of file system fs-ffffffff, which stands for no folder of this machine (start it with "
        "SAGEDOCK_FILE_SYSTEMS=fs-ffffffff=/path/of/a/folder). Leave it out locally, or run the "
        "job on AWS."
    )


def test_a_file_system_that_went_meanwhile_fails_the_job(
    shared: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out = Cluster.lay_out

    def lay_out_then_remove(cluster: Cluster, host: str) -> None:
        lay_out(cluster, host)
        (tmp_path / "shared/deep").rename(tmp_path / "gone")

    monkeypatch.setattr(Cluster, "lay_out", lay_out_then_remove)
    job = shared.run(VpcConfig=VPC, InputDataConfig=[on_file_system("/deep")])
    assert job["FailureReason"].startswith(f"{FAILED}Failed to mount DirectoryPath '/deep', which")


def test_file_systems_come_from_the_environment() -> None:
    read = Settings.from_environment({"SAGEDOCK_FILE_SYSTEMS": "fs-0123abcd=/a, fs-89abcdef=/b,"})
    assert read.file_systems == {"fs-0123abcd": Path("/a"), "fs-89abcdef": Path("/b")}
    assert Settings.from_environment({}).file_systems == {}
    with pytest.raises(InvalidRequest) as error:
        Settings.from_environment({"SAGEDOCK_FILE_SYSTEMS": "fs-0123abcd=a,/b,fs-x=/c"})
    assert [problem.partition(" names")[0] for problem in error.value.problems] == [
        "SAGEDOCK_FILE_SYSTEMS: 'fs-0123abcd=a'",
        "SAGEDOCK_FILE_SYSTEMS: '/b'",
        "SAGEDOCK_FILE_SYSTEMS: 'fs-x=/c'",
    ]
