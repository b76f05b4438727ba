"""Estimator against the local SageMaker's real API; only the container is a Python function."""

import io
import json
import tarfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock import Estimator, InvalidRequest, JobFailed, SagedockError
from sagedock.client.refusals import with_remedy
from sagedock.contract import paths
from sagedock.jobs import Channel, FileSystemChannel
from sagedock.testing import Container
from tests.conftest import BUCKET, IMAGE, ROLE
from tests.unit.client.conftest import Client

MODEL = f"{paths.MODEL}/model.txt"


def hello(container: Container) -> int:
    container.print("hello")
    container.print("loss=0.25")
    container.files[MODEL] = b"weights"
    return 0


def fail(container: Container) -> int:
    container.print("about to fail")
    container.files[str(paths.FAILURE)] = b"ValueError: no data"
    return 1


def run_until_stopped(container: Container) -> int:
    container.print("running")
    container.terminated.wait(60)
    return 0


def hyperparameters(client: Client) -> dict[str, str]:
    """Return the hyperparameters that the latest job was created with."""
    sagemaker = client.local.client("sagemaker")
    name = sagemaker.list_training_jobs()["TrainingJobSummaries"][0]["TrainingJobName"]
    sent: dict[str, str] = sagemaker.describe_training_job(TrainingJobName=name)["HyperParameters"]
    return sent


def keys(client: Client) -> list[str]:
    found = client.local.client("s3").list_objects_v2(Bucket=BUCKET)
    return [one["Key"] for one in found.get("Contents", ())]


def test_fit_shows_states_and_lines_and_returns_the_result(client: Client) -> None:
    client.local.engine.program = hello
    estimator = client.estimator(
        metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}], base_job_name="digits"
    )
    result = estimator.fit()
    assert result.status == "Completed"
    assert result.name.startswith("digits-")
    assert result.metrics == {"loss": 0.25}
    assert result.seconds is not None
    assert result.model_data == f"s3://{BUCKET}/out/{result.name}/output/model.tar.gz"
    assert estimator.model_data == result.model_data
    shown = [line.split("] ")[-1] for line in client.lines]
    assert shown.count("hello") == 1
    assert shown.index("Starting - Starting the training job") < shown.index("hello")
    assert shown.index("loss=0.25") < shown.index("Completed - Training job completed")


def test_a_failed_job_raises_with_the_services_reason(client: Client) -> None:
    client.local.engine.program = fail
    with pytest.raises(JobFailed, match="ValueError: no data") as caught:
        client.estimator().fit()
    assert caught.value.status == "Failed"
    assert "about to fail" in client.lines


def test_lines_are_not_shown_where_they_are_not_asked_for(client: Client) -> None:
    client.local.engine.program = hello
    client.estimator().fit(logs=False)
    client.estimator().fit(logs="None")
    assert "hello" not in client.lines
    client.estimator().fit(logs="All")
    assert client.lines.count("hello") == 1


def test_all_problems_come_at_once_and_nothing_is_sent(client: Client, folder: Path) -> None:
    estimator = client.estimator(
        role="role",
        instance_type="local",
        entry_point="nowhere.py",
        hyperparameters={"a": object()},
        max_run="soon",
    )
    (folder / "empty").mkdir()
    with pytest.raises(InvalidRequest) as caught:
        estimator.fit({"train": "./nowhere", "test": folder / "empty"}, job_name="my job")
    words = {problem.split(":")[0] for problem in caught.value.problems}
    assert words == {
        "inputs['train']",
        "inputs['test']",
        "entry_point",
        "hyperparameters['a']",
        "max_run",
        "role",
        "instance_type",
        "job_name (or base_job_name)",
    }
    assert estimator.latest_training_job is None
    assert keys(client) == []
    assert client.local.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_what_the_service_refuses_is_said_in_its_words(client: Client) -> None:
    client.local.engine.program = hello
    client.estimator().fit(job_name="once")
    with pytest.raises(InvalidRequest, match="must be unique"):
        client.estimator().fit(job_name="once")


def test_a_source_folder_arrives_packed_and_is_named_to_the_toolkit(
    client: Client, folder: Path
) -> None:
    (folder / "train.py").write_text("print('hi')")
    estimator = client.estimator(
        entry_point="train.py",
        source_dir=str(folder),
        hyperparameters={"lr": 0.1, "optimizer": "adam"},
    )
    result = estimator.fit(wait=False)
    key = f"{result.name}/source/sourcedir.tar.gz"
    assert {name: json.loads(value) for name, value in hyperparameters(client).items()} == {
        "lr": 0.1,
        "optimizer": "adam",
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": f"s3://{BUCKET}/{key}",
        "sagemaker_container_log_level": 20,
        "sagemaker_job_name": result.name,
        "sagemaker_region": "us-west-2",
    }
    body = client.local.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.getnames() == ["train.py"]
    estimator.wait()


def test_paths_are_uploaded_and_uris_are_left_alone(client: Client, folder: Path) -> None:
    seen: dict[str, Any] = {}

    def look(container: Container) -> int:
        seen.update(json.loads(container.files[str(paths.INPUT_DATA_CONFIG)]))
        return 0

    client.local.engine.program = look
    (folder / "deep").mkdir()
    (folder / "deep" / "a.csv").write_text("1")
    client.local.client("s3").put_object(Bucket=BUCKET, Key="there/b.csv", Body=b"2")
    result = client.estimator().fit(
        {
            "folder": folder,
            "file": f"file://{folder}/deep/a.csv",
            "uri": f"s3://{BUCKET}/there/",
            "channel": Channel(s3_data=str(folder / "deep"), content_type="text/csv"),
        }
    )
    assert sorted(keys(client)) == [
        f"{result.name}/input/channel/a.csv",
        f"{result.name}/input/file/a.csv",
        f"{result.name}/input/folder/deep/a.csv",
        "there/b.csv",
    ]
    assert seen["channel"]["ContentType"] == "text/csv"
    assert set(seen) == {"folder", "file", "uri", "channel"}


def test_a_manifest_of_this_machine_is_uploaded_and_named_itself(
    client: Client, folder: Path
) -> None:
    client.local.client("s3").put_object(Bucket=BUCKET, Key="data/a", Body=b"1")
    path = folder / "some.manifest"
    path.write_text(json.dumps([{"prefix": f"s3://{BUCKET}/data/"}, "a"]))
    seen: dict[str, bytes] = {}

    def program(container: Container) -> int:
        seen.update(container.files)
        return 0

    client.local.engine.program = program
    client.estimator().fit(Channel(s3_data=str(path), s3_data_type="ManifestFile"), job_name="j")
    assert "j/input/training/some.manifest" in keys(client)
    assert seen[f"{paths.CHANNELS}/training/a"] == b"1"


def test_a_file_system_is_a_channel_that_is_not_uploaded(client: Client) -> None:
    files = FileSystemChannel(
        file_system_id="fs-0123abcd", file_system_type="EFS", directory_path="/digits"
    )
    estimator = client.estimator(subnets=["subnet-1"], security_group_ids=["sg-1"])
    with pytest.raises(InvalidRequest, match="SAGEDOCK_FILE_SYSTEMS=fs-0123abcd="):
        estimator.fit(files)
    assert keys(client) == []


def test_an_uncompressed_model_is_a_folder(client: Client) -> None:
    client.local.engine.program = hello
    estimator = client.estimator(disable_output_compression=True)
    result = estimator.fit()
    assert estimator.model_data == f"s3://{BUCKET}/out/{result.name}/output/model/"
    assert keys(client) == [f"out/{result.name}/output/model/model.txt"]
    attached = Estimator.attach(result.name, session=client.session, show=client.lines.append)
    assert attached.disable_output_compression


def test_one_input_is_the_channel_training_as_in_sdk_v2(client: Client) -> None:
    client.local.client("s3").put_object(Bucket=BUCKET, Key="there/b.csv", Body=b"2")
    estimator = client.estimator()
    estimator.fit(f"s3://{BUCKET}/there/")
    assert estimator.latest_training_job is not None
    (channel,) = estimator.latest_training_job.describe()["InputDataConfig"]
    assert channel["ChannelName"] == "training"


def test_without_an_output_path_the_sdks_default_bucket_is_made(client: Client) -> None:
    result = client.estimator(output_path=None).fit()
    assert result.output_path == "s3://sagemaker-us-west-2-123456789012/"
    assert "made the bucket sagemaker-us-west-2-123456789012" in client.lines


def test_stop_ends_a_job_that_then_has_not_completed(client: Client) -> None:
    client.local.engine.program = run_until_stopped
    estimator = client.estimator()
    estimator.fit(wait=False)
    estimator.stop()
    with pytest.raises(JobFailed) as caught:
        estimator.wait()
    assert caught.value.status == "Stopped"


def test_an_attached_estimator_knows_the_job_and_can_run_it_again(
    client: Client, folder: Path
) -> None:
    (folder / "train.py").write_text("")
    first = client.estimator(
        entry_point="train.py",
        source_dir=str(folder),
        hyperparameters={"lr": 0.1, "word": "adam"},
        environment={"A": "b"},
        max_run=600,
        volume_size=7,
        metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
    )
    name = first.fit().name
    again = Estimator.attach(name, session=client.session, show=client.lines.append)
    assert again.model_data == first.model_data
    assert again.hyperparameters == {"lr": 0.1, "word": "adam"}
    assert (again.max_run, again.volume_size) == (600, 7)
    assert again.metric_definitions == first.metric_definitions
    assert again.fit().status == "Completed"
    assert hyperparameters(client)["sagemaker_submit_directory"] == json.dumps(
        f"s3://{BUCKET}/{name}/source/sourcedir.tar.gz"
    )


def test_attaching_to_no_job_is_refused(client: Client) -> None:
    with pytest.raises(InvalidRequest, match="Requested resource not found"):
        Estimator.attach("nothing", session=client.session)


@pytest.mark.parametrize(
    ("image", "remedy"),
    [
        (IMAGE.replace("probe:1", "absent:1"), "docker tag IMAGE REPOSITORY:TAG"),
        (IMAGE.replace("probe:1", "absent:1"), "`sagedock push IMAGE --repository REPOSITORY"),
        (
            IMAGE.replace("probe:1", f"probe@sha256:{'0' * 64}"),
            r"`sagedock push IMAGE`, whose last line is the name to give: by (?!.*docker tag)",
        ),
        ("absent:1", "write the image as a name in ECR"),
    ],
)
def test_an_image_that_cannot_be_had_is_refused_with_the_remedy(
    client: Client, image: str, remedy: str
) -> None:
    with pytest.raises(InvalidRequest, match=remedy) as caught:
        client.estimator(image_uri=image).fit()
    assert len(caught.value.problems) == 1


def test_no_local_remedy_is_given_for_aws() -> None:
    refusal = f"Cannot find the requested image: {IMAGE}"
    assert with_remedy(refusal, "aws") == refusal


def test_ctrl_c_stops_the_job_and_says_what_is_left(client: Client) -> None:
    client.local.engine.program = run_until_stopped

    def interrupt_at_first_line(line: str) -> None:
        client.lines.append(line)
        if line == "running":
            raise KeyboardInterrupt

    estimator = client.estimator(show=interrupt_at_first_line)
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(job_name="long")
    asked = "Ctrl-C: stopping the training job long: its containers have up to 120 s to end. "
    assert sum(line.startswith(asked) for line in client.lines) == 1
    assert client.lines[-1].startswith("the training job long ended Stopped")
    assert client.lines.count("running") == 1
    assert estimator.latest_training_job is not None
    assert estimator.latest_training_job.result().status == "Stopped"


def test_who_loses_the_service_is_told_that_the_job_goes_on(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator = client.estimator()
    estimator.fit(wait=False, job_name="long")
    run = estimator.latest_training_job
    assert run is not None
    first = run.describe()
    answers = iter([first])

    def describe(**_: Any) -> Any:
        for answer in answers:
            return answer
        raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "old"}}, "Describe")

    monkeypatch.setattr(client.session.client("sagemaker"), "describe_training_job", describe)
    with pytest.raises(SagedockError, match="sign in again"):
        run.wait()
    assert client.lines[-1] == (
        "long goes on as long as its local SageMaker runs. "
        "Follow it: Estimator.attach('long').wait(); stop it: Estimator.attach('long').stop()"
    )


@pytest.mark.parametrize(("own", "told"), [(True, 1), (False, 0)])
def test_who_does_not_wait_is_told_if_the_job_ends_with_the_program(
    client: Client, own: bool, told: int
) -> None:
    client.session.place = replace(client.session.place, ends_with_program=own)
    client.estimator().fit(wait=False)
    assert sum("no local SageMaker outlives this program" in line for line in client.lines) == told


def test_many_lines_arrive_complete_and_soon(client: Client) -> None:
    lines = [f"line {number}" for number in range(12_000)]

    def chatter(container: Container) -> int:
        container.write("".join(f"{line}\n" for line in lines).encode())
        return 0

    client.local.engine.program = chatter
    client.estimator().fit()
    assert [line for line in client.lines if line.startswith("line ")] == lines


def test_several_hosts_are_told_apart(client: Client) -> None:
    barrier = threading.Barrier(2)

    def speak(container: Container) -> int:
        barrier.wait(60)
        container.print("here")
        return 0

    client.local.engine.program = speak
    client.estimator(instance_count=2).fit()
    assert {"algo-1 | here", "algo-2 | here"} <= set(client.lines)


def test_hyperparameters_can_be_set_later(client: Client) -> None:
    estimator = client.estimator(hyperparameters={"a": 1, "b": 2})
    estimator.set_hyperparameters(b=3, c=True)
    estimator.fit()
    assert hyperparameters(client) == {"a": "1", "b": "3", "c": "True"}


@pytest.mark.parametrize("use", [lambda e: e.model_data, lambda e: e.stop(), lambda e: e.wait()])
def test_an_estimator_without_a_job_says_so(use: Any) -> None:
    with pytest.raises(SagedockError, match="call fit\\(\\) first"):
        use(Estimator(image_uri=IMAGE, role=ROLE, instance_type="ml.m5.large"))


def test_a_model_that_is_not_there_yet_is_said(client: Client) -> None:
    client.local.engine.program = fail
    estimator = client.estimator()
    with pytest.raises(JobFailed):
        estimator.fit()
    with pytest.raises(SagedockError, match="has no model: it is Failed"):
        _ = estimator.model_data
