"""The stages that install Neuron's runtime, from a repository of the test's own: what neuron.toml
names, of that version, if the key is the one it knows; and nothing of it remains but the packages.
"""

import os
import shutil
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from sagedock.errors import BuildFailed
from sagedock.images import build_image
from sagedock.images.image import Image
from tests.docker.apt_repository import KEY, Repository, served

ROOT = Path(__file__).parents[2]
PINS = tomllib.loads((ROOT / "containers" / "training" / "neuron.toml").read_text())


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """Each package of neuron.toml as AWS names its builds, and a newer one of each."""
    if missing := [name for name in ("gpg", "gpgconf", "dpkg-deb") if not shutil.which(name)]:
        pytest.skip(f"no {', '.join(missing)} on this machine")
    made = Repository(tmp_path / "apt" / "repository")
    for name, version in PINS["apt"].items():
        made.add(name, f"{version}-452cba8de")
        made.add(name, "9.9.9.0-452cba8de")
    made.publish(PINS["repository"]["suite"], PINS["repository"]["component"])
    yield made
    made.close()


@dataclass
class Context:
    """A folder with what the stages need of containers/."""

    folder: Path

    def versions(self, **changes: str) -> None:
        """Write neuron.toml, some of its values changed."""
        text = (ROOT / "containers" / "training" / "neuron.toml").read_text()
        for name, value in changes.items():
            text = text.replace(f'{name} = "{PINS["repository"][name]}"', f'{name} = "{value}"')
        (self.folder / "containers" / "training" / "neuron.toml").write_text(text)

    def build(self, tag: str, address: str) -> None:
        image = Image(
            name="neuron-test",
            kind="training",
            device="neuron",
            neuron=PINS["sdk"],
            dockerfile="training/Dockerfile",
            target="system-neuron",
            repository="neuron-test",
            tag=tag,
            base="sagedock/base:bookworm-py3.11",
            args={"DEVICE": "neuron", "NEURON_APT": address},
        )
        build_image(image, root=self.folder, progress=print, environ=os.environ)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    folder = tmp_path / "context"
    shutil.copytree(ROOT / "containers" / "base", folder / "containers" / "base")
    training = folder / "containers" / "training"
    training.mkdir()
    for name in ("Dockerfile", "neuron-debs.py"):
        shutil.copy(ROOT / "containers" / "training" / name, training)
    return Context(folder)


@pytest.fixture
def tag() -> Iterator[str]:
    name = uuid.uuid4().hex[:12]
    yield name
    client = docker.from_env()
    if client.images.list(f"neuron-test:{name}"):
        client.images.remove(f"neuron-test:{name}", force=True)
    client.close()


def test_the_packages_are_those_of_the_versions_file(
    repository: Repository, context: Context, tag: str
) -> None:
    context.versions(key=KEY, fingerprint=repository.fingerprint)
    with served(repository.folder) as address:
        context.build(tag, address)
    asked = "dpkg-query -W -f '${Package} ${Version}\\n' 'aws-neuronx-*'"
    leftovers = "find /debs /run/secrets /run/apt-install.sh 2>/dev/null || true"
    client = docker.from_env()
    said = client.containers.run(
        f"neuron-test:{tag}", ["sh", "-c", f"{asked}; {leftovers}"], remove=True
    )
    installed = sorted(said.decode().splitlines())
    assert installed == sorted(f"{name} {pin}-452cba8de" for name, pin in PINS["apt"].items())
    history = str(client.images.get(f"neuron-test:{tag}").history())
    client.close()
    assert repository.fingerprint not in history


def test_a_key_that_is_not_aws_own_installs_nothing(
    repository: Repository, context: Context, tag: str
) -> None:
    context.versions(key=KEY)
    with served(repository.folder) as address, pytest.raises(BuildFailed) as refused:
        context.build(tag, address)
    assert f"fingerprint is {repository.fingerprint}, not 00FA2C10" in str(refused.value)


def test_an_index_that_another_key_signed_installs_nothing(
    repository: Repository, context: Context, tag: str, tmp_path: Path
) -> None:
    other = Repository(tmp_path / "other" / "repository")
    try:
        shutil.copy(other.folder / KEY, repository.folder / KEY)
        context.versions(key=KEY, fingerprint=other.fingerprint)
        with served(repository.folder) as address, pytest.raises(BuildFailed) as refused:
            context.build(tag, address)
    finally:
        other.close()
    assert "neuron-debs: apt-get update failed" in str(refused.value)


def test_without_an_address_the_build_says_so(context: Context, tag: str) -> None:
    context.versions()
    with pytest.raises(BuildFailed, match="NEURON_APT: '' is no address of an apt repository"):
        context.build(tag, "")
