"""The job's source wins over code in the image, and stays in its place."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.docker.launcher_job import OURS, STOCK, Job, job

__all__ = ["job"]
pytestmark = pytest.mark.docker

SOURCE = "/opt/ml/input/data/code/sourcedir.tar.gz"


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def put_source(job: Job, content: bytes) -> None:
    file = Path(f"{job.opt_ml}{SOURCE.removeprefix('/opt/ml')}")
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    job.hyperparameters["sagemaker_submit_directory"] = SOURCE


def test_source_of_the_job_wins(job: Job) -> None:
    job.script("print('baked in')")
    put_source(job, archive(**{"train.py": "print('from the job')"}))
    stock = job.run(STOCK)  # first: it leaves the code as it is
    assert b"baked in\n" in stock.out
    ran = job.run(OURS)
    assert (ran.code, ran.out) == (0, b"from the job\n")
    assert f"the job's source replaces it: {SOURCE}" in ran.log


def test_hostile_archive_stays_in_its_folder(job: Job) -> None:
    hostile = archive(
        **{
            "train.py": "import pathlib; print(pathlib.Path('/opt/ml/pwned').exists())",
            "../pwned": "x",
            "/opt/ml/pwned": "x",
        }
    )
    put_source(job, hostile)
    job.hyperparameters["sagemaker_program"] = "train.py"
    ran = job.run(OURS)
    assert (ran.code, ran.out) == (0, b"False\n")


def test_broken_archive_is_named(job: Job) -> None:
    put_source(job, archive(**{"train.py": ""})[:40])
    job.hyperparameters["sagemaker_program"] = "train.py"
    ran = job.run(OURS)
    assert ran.code == 1
    assert SOURCE in ran.failure


def test_mounted_folder_is_never_emptied(job: Job, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "train.py").write_text("print('mine')")
    put_source(job, archive(**{"train.py": ""}))
    job.hyperparameters["sagemaker_program"] = "train.py"
    ran = job.run(OURS, volumes=[f"{precious}:/opt/ml/code"])
    assert ran.code == 1
    assert "mounted folder" in ran.failure
    assert (precious / "train.py").read_text() == "print('mine')"


@pytest.fixture
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "S3_ENDPOINT_URL"])
def test_source_from_s3(job: Job, s3: str, variable: str) -> None:
    credentials = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    client = boto3.client("s3", endpoint_url=s3, region_name="us-east-1", **credentials)
    client.create_bucket(Bucket="code")
    body = archive(**{"train.py": "print('from s3')"})
    client.put_object(Bucket="code", Key="job/source/sourcedir.tar.gz", Body=body)
    job.hyperparameters |= {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "s3://code/job/source/sourcedir.tar.gz",
    }
    names = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
    ran = job.run(OURS, network_mode="host", environment={**names, variable: s3})
    assert (ran.code, ran.out) == (0, b"from s3\n"), ran.log


def test_intermediate_output_goes_to_s3(job: Job, s3: str) -> None:
    """The toolkit's own upload, which hyperparameter sagemaker_s3_output asks for."""
    credentials = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    client = boto3.client("s3", endpoint_url=s3, region_name="us-east-1", **credentials)
    client.create_bucket(Bucket="out")
    job.script("open('/opt/ml/output/intermediate/part.txt', 'w').write('half')")
    job.hyperparameters["sagemaker_s3_output"] = "s3://out/jobs"
    names = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
    environment = {**names, "S3_ENDPOINT_URL": s3, "TRAINING_JOB_NAME": "j"}
    ran = job.run(OURS, network_mode="host", environment=environment)
    assert ran.code == 0, ran.log
    body = client.get_object(Bucket="out", Key="jobs/j/output/intermediate/part.txt")["Body"]
    assert body.read() == b"half"
