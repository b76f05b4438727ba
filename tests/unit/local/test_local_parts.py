"""The pure parts of the local SageMaker."""

from pathlib import Path
from typing import Any

import pytest

from sagedock.errors import ImageNotFound, InvalidRequest, LocalServerError
from sagedock.local.caller import caller_of
from sagedock.local.ecr import EcrUri, find_image
from sagedock.local.home import Home
from sagedock.local.settings import Settings, default_home
from sagedock.local.training import layout
from sagedock.local.training.channels import relative_path
from sagedock.local.uris import S3Uri
from sagedock.testing import FakeEngine

ECR = "123456789012.dkr.ecr.us-west-2.amazonaws.com"


@pytest.mark.parametrize(
    ("prefix", "key", "path"),
    [
        ("", "a/b.csv", "a/b.csv"),
        ("data", "data/a.csv", "a.csv"),
        ("data/", "data/deep/a.csv", "deep/a.csv"),
        ("data/a.csv", "data/a.csv", "a.csv"),
        ("data/tr", "data/train.csv", "train.csv"),
        ("da", "data/a.csv", "data/a.csv"),
    ],
)
def test_where_an_object_lies_in_its_channel(prefix: str, key: str, path: str) -> None:
    assert relative_path(prefix, key) == path


def request(**algorithm: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "j",
        "AlgorithmSpecification": algorithm,
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2},
    }


@pytest.mark.parametrize(
    ("algorithm", "entrypoint", "arguments"),
    [
        ({}, None, ("train",)),
        ({"ContainerEntrypoint": ["python3", "x.py"]}, ("python3", "x.py"), ()),
        ({"ContainerArguments": ["--a"]}, None, ("--a",)),
        (
            {"ContainerEntrypoint": ["sh"], "ContainerArguments": ["-c", "x"]},
            ("sh",),
            ("-c", "x"),
        ),
    ],
)
def test_what_a_container_runs(algorithm: Any, entrypoint: Any, arguments: Any) -> None:
    found = layout.command(request(**algorithm))
    assert (found.entrypoint, found.arguments) == (entrypoint, arguments)


def test_heterogeneous_clusters_number_their_hosts_across_groups() -> None:
    asked = request()
    asked["ResourceConfig"] = {
        "InstanceGroups": [
            {"InstanceGroupName": "cpu", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
            {"InstanceGroupName": "gpu", "InstanceType": "ml.g5.xlarge", "InstanceCount": 2},
        ]
    }
    assert [(g.name, g.hosts) for g in layout.host_groups(asked)] == [
        ("cpu", ("algo-1",)),
        ("gpu", ("algo-2", "algo-3")),
    ]


def test_eleven_hosts_are_sorted_as_the_platform_sorts_them() -> None:
    asked = request()
    asked["ResourceConfig"]["InstanceCount"] = 11
    content = layout.config_files(asked, "algo-10")["/opt/ml/input/config/resourceconfig.json"]
    assert content.index(b'"algo-10", "algo-11"') > content.index(b'"hosts": ["algo-1"')


def test_ecr_names_find_local_images() -> None:
    digest = "sha256:" + "a" * 64
    engine = FakeEngine(None, ["probe:1", "plain:latest", digest, "other:2"])
    assert find_image(engine, f"{ECR}/probe:1").tags == ("probe:1",)
    assert find_image(engine, f"{ECR}/plain").tags == ("plain:latest",)
    assert find_image(engine, f"{ECR}/anything@{digest}").tags == (digest,)
    assert find_image(engine, "other:2").tags == ("other:2",)
    with pytest.raises(ImageNotFound, match="tag one probe:2"):
        find_image(engine, f"{ECR}/probe:2")


@pytest.mark.parametrize(
    ("image", "parsed"),
    [
        (f"{ECR}/team/x:1", ("team/x", "1", None)),
        (f"{ECR}/x@sha256:{'0' * 64}", ("x", None, f"sha256:{'0' * 64}")),
        ("docker.io/library/x:1", None),
        (f"{ECR}/x:1; rm -rf /", None),
    ],
)
def test_the_parts_of_an_ecr_name(image: str, parsed: Any) -> None:
    found = EcrUri.parse(image)
    assert (found and (found.repository, found.tag, found.digest)) == parsed


def test_who_calls_by_header_by_query_and_unsigned() -> None:
    scope = "Credential=AKIA/20260101/eu-west-1/sagemaker/aws4_request"
    signed = {"authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}
    defaults: Any = {"default_region": "us-west-2", "account": "1"}
    found = caller_of(signed, "", **defaults)
    assert (found.region, found.service) == ("eu-west-1", "sagemaker")
    query = "X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Expires=1"
    found = caller_of({}, query, **defaults)
    assert (found.region, found.service) == ("us-east-1", "s3")
    assert caller_of({}, "", **defaults).service is None


def test_s3_uris() -> None:
    assert str(S3Uri.parse("s3://b/out/") / "job") == "s3://b/out/job"
    assert str(S3Uri.parse("s3://b") / "job") == "s3://b/job"


@pytest.mark.parametrize(
    "uri",
    [
        "https://s3.amazonaws.com/b.c/k/l",
        "https://s3-us-west-2.amazonaws.com/b.c/k/l",
        "https://s3.us-west-2.amazonaws.com/b.c/k/l",
        "https://b.c.s3.amazonaws.com/k/l",
        "https://b.c.s3.dualstack.us-west-2.amazonaws.com/k/l",
        "https://b.c.s3.cn-north-1.amazonaws.com.cn/k/l",
    ],
)
def test_s3_uris_may_be_addresses(uri: str) -> None:
    assert S3Uri.parse(uri) == S3Uri(bucket="b.c", key="k/l")


def test_where_the_state_lies() -> None:
    assert default_home({"SAGEDOCK_HOME": "/x"}) == Path("/x")
    assert default_home({"XDG_STATE_HOME": "/state"}) == Path("/state/sagedock")


def test_settings_that_are_no_numbers_are_named() -> None:
    with pytest.raises(InvalidRequest, match="SAGEDOCK_PORT: 'x' is not a whole number"):
        Settings.from_environment({"SAGEDOCK_PORT": "x"})
    with pytest.raises(InvalidRequest, match="container memory: 1 MiB"):
        Settings.from_environment({"SAGEDOCK_CONTAINER_MEMORY_MIB": "1"})


def test_a_home_has_one_server(tmp_path: Path) -> None:
    first, second = Home(tmp_path / "h"), Home(tmp_path / "h")
    first.claim()
    with pytest.raises(LocalServerError, match="already runs on"):
        second.claim()
    first.release()
    second.claim()
    second.release()
