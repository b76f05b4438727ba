"""Images pushed to the local ECR by `sagedock push`, and pulled from it by jobs."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock import LocalSageMaker
from sagedock.engine import GivenNames
from sagedock.errors import EngineError, ImageNotFound, InvalidRequest
from sagedock.images.ecr import EcrRegistry
from sagedock.images.logins import logged_in
from sagedock.images.push import push_image
from sagedock.images.push_plan import Planned, ToPush, plan_push
from sagedock.local import Home
from sagedock.local.ecr import find_program
from tests.conftest import ACCOUNT, BUCKET, REGION, Local
from tests.docker.built_project import project_in
from tests.docker.conftest import RealLocal
from tests.docker.tiny_images import TinyImages, tiny_images

pytestmark = pytest.mark.skipif(
    find_program() is None, reason="no docker-registry: `make registry` gets it"
)

#: What SageMaker's CreateModel takes; it refuses OCI's.
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MIB = 1024 * 1024
PUSH = (
    sys.executable,
    "-c",
    "import sys; from sagedock.cli import main; sys.exit(main())",
    "push",
)


@pytest.fixture
def tiny(engine: Any) -> Iterator[TinyImages]:
    """A maker of small images, which are removed afterwards."""
    with tiny_images() as made:
        yield made


def environment(real: Local, home: Path) -> dict[str, str]:
    return {**os.environ, **real.server.environment(), "HOME": str(home)}


def push(real: Local, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*PUSH, *words],
        cwd=folder,
        env=environment(real, folder),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def tags(engine: Any, name: str) -> tuple[str, ...]:
    found: tuple[str, ...] = engine.image(name).tags
    return found


def job_of(real: RealLocal, image: str, name: str) -> dict[str, Any]:
    """Return a request whose container writes a file with the shell of a tiny image."""
    return real.job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/sh", "-c", "echo trained > /opt/ml/model/weights"],
        },
    )


def manifest_type(real: RealLocal, repository: str) -> str:
    (image,) = real.client("ecr").describe_images(
        repositoryName=repository, filter={"tagStatus": "TAGGED"}
    )["imageDetails"]
    return str(image["imageManifestMediaType"])


def names_of(real: Local) -> GivenNames:
    return Home(real.server.settings.home).given_names


def planned(real: Local, engine: Any, name: str) -> Planned:
    repository, _, tag = name.partition(":")
    (found,) = plan_push(
        engine,
        [ToPush(image=name, repository=repository, tag=tag)],
        [EcrRegistry(client=real.client("ecr"), region=REGION)],
    )
    return found


def test_what_is_built_is_stored_with_a_manifest_that_sagemaker_takes(
    real: RealLocal, tmp_path: Path
) -> None:
    with project_in(tmp_path / "project") as project:
        reference = project.image("a", "RUN echo a > /a\n")
        built = project.build("a")
        assert built.returncode == 0, built.stderr
        done = push(real, project.folder, "a")
        assert done.returncode == 0, done.stderr
        assert manifest_type(real, reference.partition(":")[0]) == MANIFEST


def test_what_was_pushed_is_pulled_cold_and_trains(
    real: RealLocal, engine: Any, tiny: TinyImages, tmp_path: Path
) -> None:
    config = tmp_path / ".docker" / "config.json"
    config.parent.mkdir()
    config.write_text('{"auths": {"example.com": {"auth": "dTpw"}}}')
    os.utime(config, ns=(1, 1))
    name = tiny.make(MIB)
    repository = name.partition(":")[0]

    done = push(real, tmp_path, name)

    assert done.returncode == 0, done.stderr
    uri = done.stdout.splitlines()[-1]
    assert uri.startswith(f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}@sha256:")
    assert "pushed" in done.stderr
    assert tags(engine, name) == (name,)  # the name that the push needed is gone
    assert (config.read_text(), config.stat().st_mtime_ns) == (
        '{"auths": {"example.com": {"auth": "dTpw"}}}',
        1,
    )
    assert [each.name for each in config.parent.iterdir()] == ["config.json"]
    (record,) = (tmp_path / "build" / "pushed").rglob("*.json")
    assert json.loads(record.read_text())["image_uri"] == uri

    assert manifest_type(real, repository) == MANIFEST

    tiny.remove(name)
    with pytest.raises(ImageNotFound):
        engine.image(name)
    job = real.client("sagemaker").create_training_job(**job_of(real, uri, "by-digest"))
    assert job["TrainingJobArn"]
    ended = real.ended("by-digest")
    assert ended["TrainingJobStatus"] == "Completed", ended.get("FailureReason")
    assert real.get(ended["ModelArtifacts"]["S3ModelArtifacts"])

    tagged = f"{uri.partition('@')[0]}:{uri.partition('@')[2].replace(':', '-')}"
    assert tags(engine, tagged) == (tagged,)
    tiny.remove(tagged)
    real.client("sagemaker").create_training_job(
        **job_of(real, f"{uri.partition('@')[0]}:1", "by-tag")
    )
    assert real.ended("by-tag")["TrainingJobStatus"] == "Completed"


def test_a_second_push_does_nothing_and_a_tag_keeps_its_meaning(
    real: RealLocal, tiny: TinyImages, tmp_path: Path
) -> None:
    name, other = tiny.make(), tiny.make()
    first = push(real, tmp_path, name)
    again = push(real, tmp_path, name)
    assert (first.returncode, again.returncode) == (0, 0), again.stderr
    assert again.stdout == first.stdout
    assert "nothing to do" in again.stderr
    assert "layer" not in again.stderr

    repository = name.partition(":")[0]
    changed = push(real, tmp_path, other, "--repository", repository, "--tag", "1")
    assert changed.returncode == 2
    assert "another image already" in changed.stderr
    assert "--tag" in changed.stderr
    (found,) = real.client("ecr").describe_images(
        repositoryName=repository, filter={"tagStatus": "TAGGED"}
    )["imageDetails"]
    assert found["imageDigest"] == first.stdout.strip().partition("@")[2]
    assert found["imageTags"] == ["1"]
    assert found["imageSizeInBytes"] > MIB


def test_only_the_password_of_the_token_logs_in(
    real: RealLocal, engine: Any, tiny: TinyImages
) -> None:
    name = tiny.make()
    ecr = real.client("ecr")
    repository = name.partition(":")[0]
    ecr.create_repository(repositoryName=repository)
    (data,) = ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    reference = f"{data['proxyEndpoint'].partition('//')[2]}/{name}"
    engine.tag(name, reference)
    for login in ((user, f"{password}0"), ("me", password), (user, "secret")):
        with pytest.raises(EngineError, match="unauthorized"):
            list(engine.push(reference, user=login[0], password=login[1]))
    assert ecr.list_images(repositoryName=repository)["imageIds"] == []
    list(engine.push(reference, user=user, password=password))
    assert len(ecr.list_images(repositoryName=repository)["imageIds"]) == 1
    engine.untag(reference)


def test_the_registry_itself_refuses_what_ecr_would(
    real: RealLocal, engine: Any, tiny: TinyImages
) -> None:
    name, other = tiny.make(), tiny.make()
    made = planned(real, engine, name)
    push_image(engine, made, names=names_of(real), progress=lambda *_: None, say=print)
    login = made.registry.login()
    reference = f"{login.host}/{name}"
    engine.tag(other, reference)
    # Rows 172 and 173 of the fidelity corpus.
    words = (
        f"tag invalid: The image tag '1' already exists in the '{made.wanted.repository}' "
        "repository and cannot be overwritten because the tag is immutable."
    )
    with pytest.raises(EngineError) as caught:
        list(engine.push(reference, user=login.user, password=login.password))
    assert words in str(caught.value)
    engine.untag(reference)

    absent = f"{login.host}/never-made:1"
    engine.tag(other, absent)
    with pytest.raises(EngineError, match=r"never-made.* does not exist"):
        list(engine.push(absent, user=login.user, password=login.password))
    engine.untag(absent)


def test_images_outlive_the_server(engine: Any, tiny: TinyImages, tmp_path: Path) -> None:
    name = tiny.make(MIB)
    home = tmp_path / "home"
    with LocalSageMaker(home=home, check_answers=True) as server:
        first = RealLocal(server=server, engine=engine)
        pushed = push_image(
            engine,
            planned(first, engine, name),
            names=names_of(first),
            progress=lambda *_: None,
            say=print,
        )
    tiny.remove(name)
    with LocalSageMaker(home=home, check_answers=True) as server:
        second = RealLocal(server=server, engine=engine)
        second.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        second.client("sagemaker").create_training_job(**job_of(second, pushed.image_uri, "later"))
        assert second.ended("later")["TrainingJobStatus"] == "Completed"


def test_what_was_deleted_is_not_found(real: RealLocal, engine: Any, tiny: TinyImages) -> None:
    name = tiny.make()
    pushed = push_image(
        engine,
        planned(real, engine, name),
        names=names_of(real),
        progress=lambda *_: None,
        say=print,
    )
    tiny.remove(name)
    gone = real.client("ecr").batch_delete_image(
        repositoryName=pushed.repository, imageIds=[{"imageTag": "1"}]
    )
    assert gone["imageIds"] == [{"imageDigest": pushed.digest, "imageTag": "1"}]
    with pytest.raises(ClientError, match="Cannot find the requested image"):
        real.client("sagemaker").create_training_job(**job_of(real, pushed.image_uri, "gone"))


def test_findings_hold_an_image_back(real: RealLocal, tiny: TinyImages, tmp_path: Path) -> None:
    name = tiny.make()
    good = push(real, tmp_path, name, "--fail-on", "high")
    assert good.returncode == 0, good.stderr
    assert "0 found, 0 held back (ECR: The local ECR looks into no image" in good.stderr


def test_the_wrong_architecture_is_refused(real: RealLocal, engine: Any, tiny: TinyImages) -> None:
    name = tiny.make()
    wanted = ToPush(image=name, repository="probe", tag="1")
    registry = EcrRegistry(client=real.client("ecr"), region=REGION)
    with pytest.raises(InvalidRequest, match="is for amd64, and arm64 is wanted: build it"):
        plan_push(engine, [wanted], [registry], architecture="arm64")
    assert real.client("ecr").describe_repositories()["repositories"] == []


def test_an_unmodified_docker_client_logs_in_pushes_and_pulls(
    real: RealLocal, tiny: TinyImages, tmp_path: Path
) -> None:
    name = tiny.make()
    ecr = real.client("ecr")
    ecr.create_repository(repositoryName=name.partition(":")[0])
    (data,) = ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    host = data["proxyEndpoint"].partition("//")[2]

    def docker(*words: str, said: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["docker", "--config", str(tmp_path / "docker"), *words],
            input=said,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    wrong = docker("login", "--username", user, "--password-stdin", host, said=f"{password}0")
    assert wrong.returncode != 0
    assert "unauthorized" in wrong.stderr.lower()
    assert (
        docker("login", "--username", user, "--password-stdin", host, said=password).returncode == 0
    )
    docker("tag", name, f"{host}/{name}")
    pushed = docker("push", f"{host}/{name}")
    assert pushed.returncode == 0, pushed.stderr
    (found,) = ecr.describe_images(repositoryName=name.partition(":")[0])["imageDetails"]
    assert found["imageDigest"] in pushed.stdout
    tiny.remove(name)
    pulled = docker("pull", f"{host}/{name}")
    assert pulled.returncode == 0, pulled.stderr
    assert found["imageDigest"] in pulled.stdout


def test_a_build_s_docker_client_is_logged_in_by_a_configuration_of_its_own(
    real: RealLocal, engine: Any, tiny: TinyImages, tmp_path: Path
) -> None:
    name = tiny.make()
    made = planned(real, engine, name)
    pushed = push_image(engine, made, names=names_of(real), progress=lambda *_: None, say=print)
    login = made.registry.login()
    base = f"{login.host}/{pushed.repository}@{pushed.digest}"

    def pull(environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        words = ["docker", "pull", base]
        return subprocess.run(words, env=environ, capture_output=True, text=True, check=False)

    own = {**os.environ, "DOCKER_CONFIG": str(tmp_path)}
    assert pull(own).returncode != 0
    with logged_in([login], own) as environ:
        done = pull(environ)
        assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("*.json")) == []
    engine.untag(base)
