"""Processor and ScriptProcessor against a local SageMaker whose containers are Python functions."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock import (
    InvalidRequest,
    JobFailed,
    ProcessingInput,
    ProcessingOutput,
    Processor,
    SagedockError,
    ScriptProcessor,
)
from sagedock.testing import Container
from tests.conftest import BUCKET, IMAGE, ROLE
from tests.unit.client.conftest import Client

FOLDER = "/opt/ml/processing"


def given(client: Client, **changes: Any) -> dict[str, Any]:
    return {
        "image_uri": IMAGE,
        "role": ROLE,
        "instance_type": "ml.m5.large",
        "session": client.session,
        "show": client.lines.append,
        **changes,
    }


def processor(client: Client, **changes: Any) -> Processor:
    return Processor(**given(client, **changes))


def script_processor(client: Client, **changes: Any) -> ScriptProcessor:
    return ScriptProcessor(**given(client, **changes))


def copying(container: Container) -> int:
    """A program that prints its command and copies its inputs to its output."""
    spec = container.spec
    container.print(" ".join([*(spec.entrypoint or ()), *(spec.command or ())]))
    for path, content in [*container.files.items()]:
        if path.startswith(f"{FOLDER}/input/"):
            name = path.removeprefix(f"{FOLDER}/input/").replace("/", "_")
            container.files[f"{FOLDER}/output/{name}"] = content
    container.files["/opt/ml/output/message"] = b"copied"
    return 0


def files_at(client: Client, uri: str, folder: Path) -> dict[str, str]:
    """Return the objects below ``uri``, by their names there."""
    found = client.session.download(uri, folder)
    return {str(each.relative_to(folder)): each.read_text() for each in found}


def test_an_image_is_run_over_a_folder(client: Client, folder: Path, tmp_path: Path) -> None:
    client.local.engine.program = copying
    (folder / "a.csv").write_text("1")
    result = processor(client, entrypoint=["python3", "x.py"], base_job_name="mine").run(
        inputs=[ProcessingInput(source=str(folder), destination=f"{FOLDER}/input")],
        outputs=[ProcessingOutput(source=f"{FOLDER}/output")],
        arguments=["--a", "b"],
    )
    assert result.status == "Completed"
    assert result.name.startswith("mine-")
    assert result.exit_message == "copied"
    assert files_at(client, result.outputs["output-1"], tmp_path / "got") == {"a.csv": "1"}
    assert "python3 x.py --a b" in client.lines
    assert f"created the processing job {result.name}" in client.lines


def test_a_script_is_uploaded_and_run(client: Client, folder: Path, tmp_path: Path) -> None:
    client.local.engine.program = copying
    code = folder / "clean.py"
    code.write_text("pass")
    result = script_processor(client, command=["python3", "-u"]).run(
        code,
        outputs=[ProcessingOutput(source=f"{FOLDER}/output", destination=f"s3://{BUCKET}/mine")],
        arguments=["x"],
    )
    assert result.outputs == {"output-1": f"s3://{BUCKET}/mine"}
    assert files_at(client, f"s3://{BUCKET}/mine", tmp_path / "got") == {"code_clean.py": "pass"}
    assert f"python3 -u {FOLDER}/input/code/clean.py x" in client.lines


def test_a_folder_of_code_goes_without_what_tools_left(
    client: Client, folder: Path, tmp_path: Path
) -> None:
    client.local.engine.program = copying
    for name in ("main.py", "lib/part.py", "__pycache__/x.pyc"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    result = script_processor(client).run(
        "main.py", source_dir=folder, outputs=[ProcessingOutput(source=f"{FOLDER}/output")]
    )
    got = files_at(client, result.outputs["output-1"], tmp_path / "got")
    assert got == {"code_main.py": "main.py", "code_lib_part.py": "lib/part.py"}
    assert f"python3 {FOLDER}/input/code/main.py" in client.lines


def test_a_script_in_s3_is_run_from_there(client: Client, folder: Path) -> None:
    client.local.engine.program = copying
    (folder / "clean.py").write_text("pass")
    client.session.upload(folder / "clean.py", "code", bucket=BUCKET)
    script_processor(client).run(f"s3://{BUCKET}/code/clean.py")
    assert f"python3 {FOLDER}/input/code/clean.py" in client.lines


def test_a_job_that_fails_is_told_with_its_message(client: Client) -> None:
    def program(container: Container) -> int:
        container.files["/opt/ml/output/message"] = b"no such column"
        return 1

    client.local.engine.program = program
    with pytest.raises(JobFailed) as failed:
        processor(client).run()
    assert failed.value.status == "Failed"
    assert failed.value.reason == (
        "AlgorithmError: See job logs for more information; no such column"
    )


def test_a_job_goes_on_without_waiting_and_is_stopped(client: Client) -> None:
    def program(container: Container) -> int:
        container.terminated.wait(60)
        return 0

    client.local.engine.program = program
    running = processor(client)
    result = running.run(wait=False, job_name="probe-1")
    assert (result.name, result.status) == ("probe-1", "InProgress")
    running.stop()
    with pytest.raises(JobFailed) as stopped:
        running.wait(logs=False)
    assert stopped.value.status == "Stopped"


def test_without_a_job_it_says_what_to_do(client: Client) -> None:
    with pytest.raises(SagedockError, match=r"call run\(\) first"):
        processor(client).wait()


def test_hosts_are_named_where_there_are_several(client: Client) -> None:
    def program(container: Container) -> int:
        container.print("hello")
        return 0

    client.local.engine.program = program
    processor(client, instance_count=2).run()
    assert {"algo-1 | hello", "algo-2 | hello"} <= {*client.lines}


@pytest.mark.parametrize(
    ("changes", "run", "told"),
    [
        (
            {"image_uri": "python:3.11"},
            {},
            "image_uri: Invalid image URI python:3.11. Please provide a valid Amazon Elastic "
            "Container Registry path of the Docker image to run: write the image as a name in "
            "ECR",
        ),
        ({"role": "me"}, {}, "role: 'me'"),
        ({"instance_type": "m5.large"}, {}, "instance_type: 'm5.large' is no SageMaker"),
        ({"max_runtime_in_seconds": 0}, {}, "max_runtime_in_seconds: '0'"),
        ({"env": {"1": "x"}}, {}, "env: "),
        (
            {},
            {"inputs": [ProcessingInput(source="s3://b/in", destination="/data")]},
            "inputs, outputs: LocalPath must begin with /opt/ml/processing/, and that of input-1 "
            "is /data",
        ),
        (
            {},
            {"inputs": [ProcessingInput(source="absent", destination=f"{FOLDER}/a")]},
            "inputs['input-1'].source: absent: no such file or folder",
        ),
        (
            {},
            {
                "outputs": [
                    ProcessingOutput(source=f"{FOLDER}/a", destination="out", output_name="mine")
                ]
            },
            "outputs['mine'].destination: 'out'",
        ),
        ({"extra": {"Nonsense": 1}}, {}, "extra: CreateProcessingJob has no Nonsense"),
    ],
)
def test_problems_are_told_in_the_users_words_before_anything_is_sent(
    client: Client, changes: dict[str, Any], run: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidRequest) as wrong:
        processor(client, **changes).run(**run)
    assert any(each.startswith(told) for each in wrong.value.problems), wrong.value.problems
    found = client.local.client("sagemaker").list_processing_jobs()
    assert found["ProcessingJobSummaries"] == []


@pytest.mark.parametrize(
    ("code", "source_dir", "told"),
    [
        ("absent.py", None, "code: absent.py: no such file: check the path"),
        ("main.py", "absent", "source_dir: absent: no such folder: check the path"),
    ],
)
def test_code_that_is_not_there(
    client: Client, code: str, source_dir: str | None, told: str
) -> None:
    with pytest.raises(InvalidRequest) as wrong:
        script_processor(client).run(code, source_dir=source_dir)
    assert wrong.value.problems == (told,)


def test_code_that_leads_out_of_its_folder(client: Client, folder: Path) -> None:
    (folder / "outside.py").write_text("pass")
    inner = folder / "inner"
    inner.mkdir()
    (inner / "main.py").write_text("pass")
    with pytest.raises(InvalidRequest, match="leads out of source_dir"):
        script_processor(client).run("../outside.py", source_dir=inner)


def test_what_is_said_in_api_casing_wins(client: Client) -> None:
    seen = []

    def program(container: Container) -> int:
        seen.append(container.spec)
        return 0

    client.local.engine.program = program
    network = {"NetworkConfig": {"EnableNetworkIsolation": True}}
    processor(client, extra=network, tags={"a": "b"}).run(job_name="probe-1")
    assert seen[0].network == "none"
    job = client.local.client("sagemaker").describe_processing_job(ProcessingJobName="probe-1")
    assert job["NetworkConfig"] == {"EnableNetworkIsolation": True}


@pytest.mark.parametrize("member", ["command", "arguments"])
def test_a_text_is_no_list_of_words(client: Client, folder: Path, member: str) -> None:
    (folder / "work.py").write_text("")
    given = {"arguments": "--a 1"} if member == "arguments" else {}
    made = script_processor(client, **({"command": "python3 -u"} if member == "command" else {}))
    with pytest.raises(InvalidRequest, match=f"{member}: '.*' is one text: give a list of words"):
        made.run(folder / "work.py", **given)
    with pytest.raises(InvalidRequest, match="entrypoint: 'python3 -V' is one text"):
        processor(client, entrypoint="python3 -V").job()
    assert client.lines == []


def test_a_script_needs_a_command(client: Client, folder: Path) -> None:
    (folder / "work.py").write_text("")
    with pytest.raises(InvalidRequest, match="command: is empty"):
        script_processor(client, command=[]).run(folder / "work.py")


def test_a_service_that_is_busy_is_asked_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker = client.session.client("sagemaker")
    describe, refusals = sagemaker.describe_processing_job, [2]

    def busy(**named: Any) -> Any:
        if refusals[0]:
            refusals[0] -= 1
            error = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
            raise ClientError(error, "DescribeProcessingJob")
        return describe(**named)

    client.local.engine.program = lambda _: 0
    made = processor(client)
    made.run(wait=False)
    monkeypatch.setattr(sagemaker, "describe_processing_job", busy)
    assert made.wait().status == "Completed"
    assert sum("asking again" in each for each in client.lines) == 2


def test_what_aws_forbids_is_told_without_a_traceback(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbid(**_: Any) -> None:
        error = {"Error": {"Code": "AccessDeniedException", "Message": "not allowed"}}
        raise ClientError(error, "CreateProcessingJob")

    monkeypatch.setattr(client.session.client("sagemaker"), "create_processing_job", forbid)
    with pytest.raises(SagedockError, match=r"^CreateProcessingJob: not allowed \(AccessDenied"):
        processor(client).run()
