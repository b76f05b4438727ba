"""What each kind of endpoint excludes of models."""

from typing import Any

import pytest

from sagedock.local.hosting.kinds import unfit_model

ASYNC = {"AsyncInferenceConfig": {"OutputConfig": {}}}
SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
VARIANT: dict[str, Any] = {"VariantName": "v", "ModelName": "m"}


def model(**members: Any) -> dict[str, Any]:
    return {"ModelName": "m", "PrimaryContainer": {"Image": "i"}, **members}


SEVERAL = {"ModelName": "m", "Containers": [{"Image": "i"}, {"Image": "j"}]}
MANY = model(PrimaryContainer={"Image": "i", "Mode": "MultiModel"})
SOURCE = {"S3DataSource": {"S3Uri": "s3://b/m/", "S3DataType": "S3Prefix"}}


@pytest.mark.parametrize(
    ("config", "kind", "model_", "said"),
    [
        (ASYNC, {}, SEVERAL, "cannot carry out: AsyncInferenceConfig with m"),
        (ASYNC, {}, MANY, "cannot carry out: AsyncInferenceConfig with m"),
        ({}, SERVERLESS, SEVERAL, "cannot have: several containers"),
        ({}, SERVERLESS, MANY, "cannot have: multi-model containers"),
        (
            {},
            SERVERLESS,
            model(PrimaryContainer={"Image": "i", "ModelDataSource": SOURCE}),
            "Model with containers that use ModelDataSource",
        ),
        ({}, SERVERLESS, model(), None),
        (ASYNC, {}, model(), None),
        ({}, {}, SEVERAL, None),
    ],
)
def test_what_a_model_may_have(
    config: dict[str, Any], kind: dict[str, Any], model_: dict[str, Any], said: str | None
) -> None:
    refusal = unfit_model(config, {**VARIANT, **kind}, model_)
    if said is None:
        assert refusal is None
    else:
        assert refusal is not None
        assert said in str(refusal.message)
