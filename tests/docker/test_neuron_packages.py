"""The Neuron image's stages, from a repository and a folder of wheels of the test's own: what
neuron.toml names, of that version, if the key is the one it knows; nothing else remains.
"""

import hashlib
import json
import os
import shutil
import tomllib
import uuid
import zipfile
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

    def build(
        self, tag: str, address: str, target: str = "system-neuron", locks: tuple[str, ...] = ()
    ) -> None:
        image = Image(
            name="training-neuron",
            kind="training",
            device="neuron",
            neuron=PINS["sdk"],
            dockerfile="training/Dockerfile",
            target=target,
            repository="neuron-test",
            tag=tag,
            base="sagedock/base:bookworm-py3.11",
            args={"DEVICE": "neuron", "NEURON_APT": address},
            locks=locks,
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


def neuron_wheels(folder: Path) -> str:
    """Make an empty wheel for each of pip's packages, all tagged as AWS tags its own, which no
    index has; return their lock.

    Nothing imports them. The build takes a library of torch's into its hands: any will do.
    """
    lock = []
    for name, pin in PINS["pip"].items():
        version, plain = f"{pin}+f524f7f8", name.replace("-", "_")
        file = folder / f"{plain}-{version}-py3-none-linux_x86_64.whl"
        about = f"{plain}-{version}.dist-info"
        with zipfile.ZipFile(file, "w") as archive:
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            archive.writestr(f"{about}/METADATA", metadata)
            tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-linux_x86_64\n"
            archive.writestr(f"{about}/WHEEL", tag)
            archive.writestr(f"{about}/RECORD", "")
            if name == "torch":
                archive.write("/bin/true", "torch/lib/libtorch_cpu.so")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        lock.append(f"{name}=={version} --hash=sha256:{digest}\n")
    return "".join(lock)


@pytest.mark.slow
def test_the_whole_target_builds_with_empty_packages_of_neuron(
    repository: Repository,
    context: Context,
    tag: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    training = context.folder / "containers" / "training"
    (training / "neuron.lock").write_text(neuron_wheels(shelf))
    for name in ("build.lock", "requirements.lock"):
        shutil.copy(ROOT / "containers" / "training" / name, training)
    for name in ("trim-gpu.sh", "train"):
        shutil.copy(ROOT / "containers" / "training" / name, training)
    shutil.copytree(ROOT / "containers" / "training" / "neuron-cache", training / "neuron-cache")
    shutil.copytree(ROOT / "src", context.folder / "src")
    places = f"{os.environ.get('PIP_FIND_LINKS', '')} {shelf}"
    monkeypatch.setenv("PIP_FIND_LINKS", places.strip())
    context.versions(key=KEY, fingerprint=repository.fingerprint)
    names = ("build", "requirements", "neuron")
    with served(repository.folder) as address:
        context.build(tag, address, "neuron", tuple(f"training/{name}.lock" for name in names))
    client = docker.from_env()
    asked = "aws-neuronx-tools; echo $LD_LIBRARY_PATH; ls /opt/sagedock/neuron-compile-cache"
    asked += "; python3 -m pip list --format json"
    said = client.containers.run(f"neuron-test:{tag}", ["sh", "-c", asked], remove=True)
    client.close()
    tools, libraries, shipped, packages = said.decode().splitlines()
    assert tools == f"{PINS['apt']['aws-neuronx-tools']}-452cba8de"  # on PATH
    assert libraries.split(":")[0] == "/opt/aws/neuron/lib"
    assert shipped == "README"
    there = {each["name"].replace("_", "-"): each["version"] for each in json.loads(packages)}
    assert there["torch-neuronx"] == f"{PINS['pip']['torch-neuronx']}+f524f7f8"
    assert there["neuronx-cc"] == f"{PINS['pip']['neuronx-cc']}+f524f7f8"
