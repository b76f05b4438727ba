"""Lambda steps: functions that are registered, and functions that Lambda was given."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.awslambda.models import lambda_backends
from moto.iam.models import iam_backends

from tests.conftest import ACCOUNT, BUCKET, IMAGE, Local
from tests.unit.local.pipelines.pipeline_world import World, condition, fail, get

_FUNCTION = """
def double(event, context):
    if event["number"] < 0:
        raise ValueError("below 0")
    if event["number"] == 0:
        return {"empty": set()}
    return {"doubled": 2 * event["number"], "name": context.function_name, "text": "one"}
"""


@pytest.fixture
def world(local: Local) -> World:
    return World(local)


def function(name: str, number: object, *outputs: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": "arn:aws:lambda:us-west-2:123456789012:function:double",
        "Arguments": {"number": number},
        "OutputParameters": [
            {
                "OutputName": each,
                "OutputType": "Integer" if each in ("doubled", "text") else "String",
            }
            for each in outputs
        ],
    }


def register(world: World, file: Path) -> None:
    file.write_text(_FUNCTION)
    object.__setattr__(world.local.server.settings, "lambdas", {"double": f"{file}:double"})


def test_a_function_is_called_and_its_answer_used(world: World, tmp_path: Path) -> None:
    register(world, tmp_path / "functions.py")
    doubled = get("Steps.double.OutputParameters['doubled']")
    execution, steps = world.run(
        function("double", 21, "doubled", "name"),
        condition(
            "check",
            {"Type": "Equals", "LeftValue": doubled, "RightValue": 42},
            then=[fail("right", {"Std:Join": {"On": "", "Values": ["it is ", doubled]}})],
        ),
    )
    assert steps["double"]["StepStatus"] == "Succeeded"
    assert steps["double"]["Metadata"]["Lambda"]["OutputParameters"] == [
        {"Name": "doubled", "Value": "42"},
        {"Name": "name", "Value": "double"},
    ]
    assert steps["right"]["FailureReason"] == "it is 42"
    assert execution["PipelineExecutionStatus"] == "Failed"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (function("f", -1, "doubled"), "below 0"),
        (function("f", 1, "tripled"), "the function did not return tripled"),
        ({**function("f", 1), "FunctionArn": "other"}, "SAGEDOCK_LAMBDAS=other=FILE:CALLABLE"),
        (function("f", 1, "text"), "the function did not return text of type Integer, but 'one'"),
        (function("f", 0), "Runtime.MarshalError: Unable to marshal response: Object of type set"),
    ],
    ids=["raises", "leaves out", "is not registered", "of another type", "no JSON"],
)
def test_a_function_that_fails_says_why(
    world: World, tmp_path: Path, step: dict[str, Any], said: str
) -> None:
    register(world, tmp_path / "functions.py")
    execution, steps = world.run(step)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert said in steps["f"]["FailureReason"]


ROLE_OF_FUNCTION = f"arn:aws:iam::{ACCOUNT}:role/service-role/nobody-made-it"


@pytest.fixture
def lambdas(world: World) -> Iterator[Any]:
    """A client of Lambda. moto's state belongs to the process: none is left for the next test."""
    yield world.local.client("lambda")
    for backends in (iam_backends, lambda_backends):
        backends.reset()


def packed(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def create_function(lambdas: Any, files: dict[str, str], **changes: Any) -> str:
    """Create the function ``double`` in Lambda; return its ARN."""
    request = {
        "FunctionName": "double",
        "Runtime": "python3.12",
        "Handler": "functions.double",
        "Role": ROLE_OF_FUNCTION,
        "Code": {"ZipFile": packed(files)},
        "Timeout": 120,
        **changes,
    }
    arn: str = lambdas.create_function(**request)["FunctionArn"]
    return arn


def test_a_function_that_lambda_was_given_is_called(world: World, lambdas: Any) -> None:
    """Its role need not be there, its code may be replaced, and nothing is left of a call."""
    files = {"of/functions.py": "from beside import double\n", "beside.py": _FUNCTION}
    arn = create_function(lambdas, files, Handler="of/functions.double")
    lambdas.update_function_code(FunctionName=arn, ZipFile=packed({**files, "more.py": ""}))
    assert lambdas.get_function(FunctionName="double")["Configuration"]["Role"] == ROLE_OF_FUNCTION
    step = {**function("f", 4, "doubled", "name"), "FunctionArn": arn}
    execution, steps = world.run(step)
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    assert steps["f"]["Metadata"]["Lambda"] == {
        "Arn": arn,
        "OutputParameters": [
            {"Name": "doubled", "Value": "8"},
            {"Name": "name", "Value": "double"},
        ],
    }
    assert list((world.local.server.settings.home / "scratch").iterdir()) == []


def test_a_function_may_have_its_code_in_s3(world: World, lambdas: Any) -> None:
    s3, text = (
        world.local.client("s3"),
        "def double(event, context):\n    return {'said': 'first'}\n",
    )
    in_s3 = {"S3Bucket": BUCKET, "S3Key": "code.zip"}
    with pytest.raises(ClientError) as caught:
        create_function(lambdas, {}, Code=in_s3)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"
    s3.put_object(Bucket=BUCKET, Key="code.zip", Body=packed({"functions.py": text}))
    create_function(lambdas, {}, Code=in_s3)
    changed = packed({"functions.py": text.replace("first", "second")})
    s3.put_object(Bucket=BUCKET, Key="code.zip", Body=changed)
    for said in ("first", "second"):
        _, steps = world.run(function("f", 1, "said"))
        outputs = steps["f"]["Metadata"]["Lambda"]["OutputParameters"]
        assert outputs == [{"Name": "said", "Value": said}]
        world.sagemaker.delete_pipeline(PipelineName="p", ClientRequestToken="x" * 32)
        lambdas.update_function_code(FunctionName="double", **in_s3)


def test_a_function_may_be_large(world: World, lambdas: Any) -> None:
    """More than other requests: its code is a zip file of 50 MB at most."""
    text = "def double(event, context):\n    return {'said': 'large'}\n"
    files = {"functions.py": text, "weights": "x" * (20 << 20)}
    create_function(lambdas, files)
    _, steps = world.run(function("f", 1, "said"))
    assert steps["f"]["StepStatus"] == "Succeeded"


@pytest.mark.parametrize("code", [{"ZipFile": b"no zip"}, {"ImageUri": f"{IMAGE}"}])
def test_code_that_is_no_zip_file_is_not_run(
    world: World, lambdas: Any, code: dict[str, Any]
) -> None:
    packaged = {"PackageType": "Image"} if "ImageUri" in code else {}
    create_function(lambdas, {}, Code=code, **packaged)
    _, steps = world.run(function("f", 1))
    assert "zip file" in steps["f"]["FailureReason"]


def test_a_function_has_its_variables(world: World, lambdas: Any) -> None:
    text = (
        "import os\n"
        "def double(event, context):\n"
        "    return {'said': os.environ['SAID'] + os.environ['AWS_LAMBDA_FUNCTION_NAME']}\n"
    )
    variables = {"Variables": {"SAID": "a "}}
    create_function(lambdas, {"functions.py": text}, Environment=variables)
    _, steps = world.run(function("f", 1, "said"))
    assert steps["f"]["Metadata"]["Lambda"]["OutputParameters"] == [
        {"Name": "said", "Value": "a double"}
    ]


def test_a_function_has_its_time(world: World, lambdas: Any) -> None:
    text = "import time\ndef double(event, context):\n    time.sleep(600)\n"
    create_function(lambdas, {"functions.py": text}, Timeout=1)
    _, steps = world.run(function("f", 1))
    assert steps["f"]["FailureReason"] == "ClientError: Task timed out after 1 seconds"


@pytest.mark.parametrize(
    ("files", "changes", "said"),
    [
        ({"other.py": ""}, {}, "Unable to import module 'functions': double has no functions.py"),
        ({"functions.py": ""}, {"Runtime": "nodejs22.x"}, "only Python in a zip file"),
    ],
)
def test_a_function_that_cannot_be_run_says_why(
    world: World, lambdas: Any, files: dict[str, str], changes: dict[str, Any], said: str
) -> None:
    create_function(lambdas, files, **changes)
    _, steps = world.run(function("f", 1))
    assert said in steps["f"]["FailureReason"]
