"""Each rule of CreateTransformJob: broken by one change, kept by a good request."""

from typing import Any

import pytest

from sagedock import api

CSV = {"TransformInput": {"ContentType": "text/csv"}, "TransformOutput": {"Accept": "text/csv"}}
LINES = {
    "TransformInput": {"ContentType": "application/jsonlines"},
    "TransformOutput": {"Accept": "application/jsonlines"},
}


def messages(*changes: dict[str, Any]) -> list[str]:
    """Return what a good request breaks with ``changes`` laid over it."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/p"}}
    request: dict[str, Any] = {
        "TransformJobName": "job",
        "ModelName": "model",
        "TransformInput": {"DataSource": source, "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": "s3://b/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    for each in changes:
        for member, value in each.items():
            is_laid_over = isinstance(request.get(member), dict)
            request[member] = {**request[member], **value} if is_laid_over else value
    assert not api.problems_in_request("sagemaker", "CreateTransformJob", request)
    return [
        broken.message for broken in api.rule_problems("sagemaker", "CreateTransformJob", request)
    ]


def processing(**asked: str) -> dict[str, Any]:
    return {"DataProcessing": asked}


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [{"MaxPayloadInMB": 100, "MaxConcurrentTransforms": 1}],
        [{"MaxPayloadInMB": 0, "MaxConcurrentTransforms": 50}],
        [{"MaxConcurrentTransforms": 1000}],
        [{"TransformResources": {"InstanceCount": 100}}],
        [{"BatchStrategy": "MultiRecord"}, {"TransformInput": {"SplitType": "None"}}],
        [CSV, processing(InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")],
        [CSV, processing(InputFilter="$[*]", OutputFilter="$[ 0 , 5: ]")],
        [
            LINES,
            processing(
                InputFilter="$.features",
                JoinSource="Input",
                OutputFilter="$['id','SageMakerOutput']",
            ),
        ],
        # Rows in, JSON out: AutoGluon's own example.
        [
            CSV,
            {"TransformOutput": {"Accept": "application/json"}},
            processing(InputFilter="$[:14]", OutputFilter="$['class']"),
        ],
        [{"TransformInput": {"SplitType": "RecordIO"}}, processing(InputFilter="$")],
        [processing(InputFilter="$", OutputFilter="$", JoinSource="None")],
    ],
)
def test_a_good_request_breaks_none(changes: list[dict[str, Any]]) -> None:
    assert messages(*changes) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            [{"MaxPayloadInMB": 101}],
            "MaxPayloadInMB cannot be greater than 100 MB, and it is 101",
        ),
        (
            [{"MaxPayloadInMB": 51, "MaxConcurrentTransforms": 2}],
            "MaxConcurrentTransforms * MaxPayloadInMB cannot be greater than 100 MB, and it is "
            "2 * 51",
        ),
        (
            [{"TransformResources": {"InstanceCount": 101}}],
            "InstanceCount cannot be greater than 100, and it is 101",
        ),
        (
            [LINES, processing(OutputFilter="$['account_id','SageMakerOutput']")],
            "Invalid OutputFilter: \"$['account_id','SageMakerOutput']\". Unexpected \"_\" in "
            "JsonPath. Supported operators for \"application/jsonlines\" are ['$', '[', ']', "
            "'*', '.', ' ', ',', ':', '-', ''']",
        ),
        (
            [CSV, processing(InputFilter="$.id")],
            'Invalid InputFilter: "$.id". Unexpected "." in JsonPath. Supported operators for '
            "\"text/csv\" are ['$', '[', ']', '*', ' ', ',', ':', '-']",
        ),
        (
            [CSV, processing(InputFilter="1:")],
            'Invalid InputFilter: "1:". A JsonPath must begin with $',
        ),
        (
            [LINES, processing(OutputFilter="SageMakerOutput")],
            'Invalid OutputFilter: "SageMakerOutput". A JsonPath must begin with $',
        ),
        (
            [processing(JoinSource="Input")],
            "DataProcessing needs TransformInput.ContentType to be one of text/csv, "
            'application/json, application/jsonlines, and it is ""',
        ),
        (
            [CSV, {"TransformOutput": {"Accept": "text/plain"}}, processing(JoinSource="Input")],
            "DataProcessing needs TransformOutput.Accept to be one of text/csv, "
            'application/json, application/jsonlines, and it is "text/plain"',
        ),
        (
            [CSV, {"TransformInput": {"SplitType": "TFRecord"}}, processing(JoinSource="Input")],
            "DataProcessing is only supported for CSV and JSON, not with SplitType TFRecord",
        ),
        (
            [{"Tags": [{"Key": "aws:x", "Value": ""}]}],
            "aws: prefixed tag key names are not allowed for external use.",
        ),
    ],
)
def test_a_bad_request_breaks_one(changes: list[dict[str, Any]], said: str) -> None:
    assert messages(*changes) == [said]


@pytest.mark.parametrize("data_type", ["AugmentedManifestFile", "Converse"])
def test_data_is_a_prefix_or_a_manifest(data_type: str) -> None:
    source = {"S3DataSource": {"S3DataType": data_type, "S3Uri": "s3://b/p"}}
    assert messages({"TransformInput": {"DataSource": source}}) == [
        f"S3DataType {data_type} is not supported for transform jobs"
    ]
