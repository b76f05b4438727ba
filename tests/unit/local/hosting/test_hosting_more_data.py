"""ModelDataSource and AdditionalModelDataSources: what lies where in a container."""

from typing import Any

import pytest

from tests.conftest import BUCKET, IMAGE, Local
from tests.unit.local.hosting.hosting_local import (
    archive,
    create_config,
    create_endpoint,
    settled,
)
from tests.unit.local.hosting.test_hosting_models import refused


def test_further_data_lies_by_channel_beside_the_model(local: Local) -> None:
    s3 = local.client("s3")
    s3.put_object(Bucket=BUCKET, Key="draft/config.json", Body=b"{}")
    s3.put_object(Bucket=BUCKET, Key="draft/deep/w.bin", Body=b"w")
    s3.put_object(Bucket=BUCKET, Key="packed.tar.gz", Body=archive({"p.txt": b"p"}))
    s3.put_object(Bucket=BUCKET, Key="one/weights.bin", Body=b"o")

    def source(key: str, kind: str, compression: str = "None", **more: Any) -> dict[str, Any]:
        where = {"S3Uri": f"s3://{BUCKET}/{key}", "S3DataType": kind}
        return {"S3DataSource": {**where, "CompressionType": compression, **more}}

    accepted = {"ModelAccessConfig": {"AcceptEula": True}}
    more = [
        {"ChannelName": "draft", **source("draft/", "S3Prefix", **accepted)},
        {"ChannelName": "packed", **source("packed.tar.gz", "S3Object", "Gzip")},
    ]
    local.client("sagemaker").create_model(
        ModelName="model-1",
        PrimaryContainer={
            "Image": IMAGE,
            "ModelDataSource": source("one/weights.bin", "S3Object"),
            "AdditionalModelDataSources": more,
        },
    )
    create_config(local)
    create_endpoint(local)
    assert settled(local)["EndpointStatus"] == "InService"
    (made,) = local.engine.all.values()
    below = "/opt/ml/additional-model-data-sources"
    assert made.files == {
        "/opt/ml/model/weights.bin": b"o",
        f"{below}/draft/config.json": b"{}",
        f"{below}/draft/deep/w.bin": b"w",
        f"{below}/packed/p.txt": b"p",
    }
    assert all(bind.read_only for bind in made.spec.binds)
    described = local.client("sagemaker").describe_model(ModelName="model-1")["PrimaryContainer"]
    assert described["AdditionalModelDataSources"] == more


@pytest.mark.parametrize(
    ("names", "change", "begins"),
    [
        (["a", "a"], {}, "ChannelName must be unique within AdditionalModelDataSources: a"),
        ([".."], {}, 'ChannelName ".." can be no folder of its own.'),
        (["a"], {"S3Uri": "s3://none/x/"}, "Could not find model data at s3://none/x/."),
        (
            ["a"],
            {"ManifestS3Uri": "s3://a/b"},
            "The local SageMaker cannot carry out: "
            "PrimaryContainer.AdditionalModelDataSources[0].S3DataSource.ManifestS3Uri",
        ),
    ],
)
def test_further_data_that_cannot_be(
    local: Local, names: list[str], change: dict[str, str], begins: str
) -> None:
    where = {"S3Uri": f"s3://{BUCKET}/x/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    more = [{"ChannelName": name, "S3DataSource": {**where, **change}} for name in names]
    told = refused(
        local.client("sagemaker").create_model,
        ModelName="m",
        PrimaryContainer={"Image": IMAGE, "AdditionalModelDataSources": more},
    )
    assert told.startswith(begins)
