"""The AWS CLI's `aws sagemaker` and `aws logs`: jobs made, awaited, listed, stopped, followed."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import ACCOUNT, IMAGE, REGION, ROLE
from tests.clients.shell import COMMAND_S, Shell

GROUP = "/aws/sagemaker/TrainingJobs"
BUCKET = "cli-training"


@pytest.fixture(scope="module")
def data(shell: Shell) -> str:
    """A bucket with the data that the jobs read."""
    shell.aws("s3", "mb", f"s3://{BUCKET}")
    shell.aws("s3", "cp", "-", f"s3://{BUCKET}/data/numbers.csv", given=b"1,2,3\n")
    return f"s3://{BUCKET}/data/"


def request(name: str, script: str, **changes: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/sh", "-c", script],
            "MetricDefinitions": [{"Name": "total", "Regex": "total=([0-9.]+)"}],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 5,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **changes,
    }


def create(shell: Shell, name: str, script: str, **changes: Any) -> str:
    """Create a job from a file of JSON; return its name."""
    file = shell.folder / f"{name}.json"
    file.write_text(json.dumps(request(name, script, **changes)))
    made = shell.asked(
        "sagemaker", "create-training-job", "--cli-input-json", f"file://{file.name}"
    )
    assert made == {"TrainingJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}"}
    return name


@pytest.fixture(scope="module")
def finished(shell: Shell, data: str) -> str:
    """A job made from a file of JSON, which has ended."""
    channel = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data}},
    }
    name = create(
        shell,
        "from-json",
        "cat /opt/ml/input/data/train/numbers.csv; echo total=6.5; echo m > /opt/ml/model/m",
        InputDataConfig=[channel],
        Tags=[{"Key": "team", "Value": "a"}],
    )
    shell.ended(name)
    return name


def test_a_job_from_a_file_is_awaited_and_described(
    shell: Shell, finished: str, tmp_path: Path
) -> None:
    job = ("--training-job-name", finished)
    assert shell.aws("sagemaker", "wait", "training-job-completed-or-stopped", *job) == ""
    described = shell.asked("sagemaker", "describe-training-job", *job)
    assert described["TrainingJobStatus"] == "Completed"
    assert described["FinalMetricDataList"][0]["Value"] == 6.5
    model = shell.aws(
        *("sagemaker", "describe-training-job", *job, "--output", "text"),
        *("--query", "ModelArtifacts.S3ModelArtifacts"),
    ).strip()
    assert model == f"s3://{BUCKET}/out/{finished}/output/model.tar.gz"
    shell.aws("s3", "cp", model, str(tmp_path / "model.tar.gz"))
    unpacked = subprocess.check_output(["tar", "-xzOf", tmp_path / "model.tar.gz", "m"])
    assert unpacked == b"m\n"
    tags = shell.asked("sagemaker", "list-tags", "--resource-arn", described["TrainingJobArn"])[
        "Tags"
    ]
    assert tags == [{"Key": "team", "Value": "a"}]


def test_a_job_from_options_fails_with_its_reason(shell: Shell, data: str) -> None:
    name = "from-options"
    algorithm = (
        f"TrainingImage={IMAGE},TrainingInputMode=File,"
        "ContainerEntrypoint=/bin/sh,-c,'cat /opt/ml/input/config/hyperparameters.json; exit 3'"
    )
    source = f"{{S3DataType=S3Prefix,S3Uri={data},S3DataDistributionType=FullyReplicated}}"
    shell.aws(
        *("sagemaker", "create-training-job", "--training-job-name", name, "--role-arn", ROLE),
        *("--algorithm-specification", algorithm),
        *("--hyper-parameters", "rate=0.5,label=a b"),
        *("--input-data-config", f"ChannelName=train,DataSource={{S3DataSource={source}}}"),
        *("--output-data-config", f"S3OutputPath=s3://{BUCKET}/out"),
        *("--resource-config", "InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=5"),
        *("--stopping-condition", "MaxRuntimeInSeconds=600"),
        *("--tags", "Key=team,Value=b"),
        *("--no-enable-network-isolation",),
    )
    described = shell.ended(name)
    assert described["TrainingJobStatus"] == "Failed"
    assert "exit code: 3" in described["FailureReason"]
    assert described["HyperParameters"] == {"rate": "0.5", "label": "a b"}
    waited = shell.run(
        *("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", name)
    )
    assert waited.code == 255
    assert "Waiter TrainingJobCompletedOrStopped failed" in waited.error


def test_a_job_is_followed_and_stopped(shell: Shell, data: str) -> None:
    name = create(
        shell,
        "to-be-stopped",
        "trap exit TERM; for i in $(seq 600); do echo tick $i; sleep 0.2; done",
    )
    shell.until(name, lambda described: described["SecondaryStatus"] == "Training")
    if shell.version[0] == 2:  # the CLI v1 has no `aws logs tail`
        assert "tick 3" in followed(shell, name, until="tick 3")
    shell.aws("sagemaker", "stop-training-job", "--training-job-name", name)
    assert shell.ended(name)["TrainingJobStatus"] == "Stopped"
    shell.aws(
        *("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", name)
    )


def followed(shell: Shell, job: str, until: str) -> str:
    """Return what `aws logs tail --follow` prints up to the line with ``until``."""
    command = shell.command(
        *("logs", "tail", GROUP, "--log-stream-name-prefix", f"{job}/"),
        *("--follow", "--format", "short"),
    )
    printed = ""
    with subprocess.Popen(
        command,
        env={**shell.environment, "PYTHONUNBUFFERED": "1"},  # or a pipe gets lines by the 8 KiB
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        ends = time.monotonic() + COMMAND_S
        for line in process.stdout:
            printed += line
            if line.rstrip().endswith(until) or time.monotonic() > ends:
                break
        process.terminate()
    return printed


def test_the_log_is_read_and_searched(shell: Shell, finished: str) -> None:
    prefix = ("--log-stream-name-prefix", f"{finished}/")
    (stream,) = shell.asked("logs", "describe-log-streams", "--log-group-name", GROUP, *prefix)[
        "logStreams"
    ]
    name = stream["logStreamName"]
    events = shell.asked(
        *("logs", "get-log-events", "--log-group-name", GROUP, "--log-stream-name", name),
        "--start-from-head",
    )["events"]
    assert [event["message"] for event in events] == ["1,2,3", "total=6.5"]
    found = shell.aws(
        *("logs", "filter-log-events", "--log-group-name", GROUP, *prefix),
        *("--filter-pattern", "total", "--query", "events[].message", "--output", "text"),
    )
    assert found.strip() == "total=6.5"
    groups = shell.asked("logs", "describe-log-groups", "--query", "logGroups[].logGroupName")
    assert GROUP in groups


def test_tail_shows_the_last_minutes(shell: Shell, finished: str) -> None:
    if shell.version[0] == 1:
        pytest.skip("the AWS CLI v1 has no `aws logs tail`")
    printed = shell.aws(
        *("logs", "tail", GROUP, "--log-stream-name-prefix", f"{finished}/", "--since", "1h"),
        *("--format", "short", "--filter-pattern", "total"),
    )
    assert printed.rstrip().endswith(" total=6.5")
    assert len(printed.splitlines()) == 1


def test_jobs_are_listed_in_pages_sorted_and_filtered(shell: Shell, finished: str) -> None:
    made = [create(shell, f"listed-{number}", "true") for number in range(3)]
    listed = (
        *("sagemaker", "list-training-jobs", "--name-contains", "listed-", "--sort-by", "Name"),
        *("--sort-order", "Ascending"),
    )
    names = ("--query", "TrainingJobSummaries[].TrainingJobName")
    assert shell.asked(*listed, *names) == made
    assert shell.asked(*listed, *names, "--page-size", "1") == made
    first = shell.asked(*listed, "--max-items", "2")
    assert [each["TrainingJobName"] for each in first["TrainingJobSummaries"]] == made[:2]
    rest = shell.asked(*listed, *names, "--starting-token", first["NextToken"])
    assert rest == made[2:]
    newest = shell.asked(*listed[:2], *names, "--max-results", "1", "--no-paginate")
    assert newest == made[-1:]
    assert shell.asked(*listed, *names, "--status-equals", "Failed") == []


def test_a_refusal_is_the_services_own(shell: Shell) -> None:
    absent = shell.run("sagemaker", "describe-training-job", "--training-job-name", "absent")
    assert absent.code == 254 or (shell.version[0] == 1 and absent.code == 255)
    assert (
        "An error occurred (ValidationException) when calling the DescribeTrainingJob operation: "
        "Requested resource not found." in absent.error
    )


def test_who_calls(shell: Shell) -> None:
    assert shell.asked("sts", "get-caller-identity")["Account"] == ACCOUNT
