"""The Neuron image installs what neuron.toml names, each package of one version; nothing else."""

import re
import tomllib
from pathlib import Path

import pytest

from sagedock.errors import BuildFailed
from sagedock.images import find_matrix, load_images
from sagedock.images.unlocked import refuse_unlocked
from sagedock.images.wheels import gather
from tests.unit.images.test_images_locks import NEURON, pins

ROOT = Path(__file__).resolve().parents[3]
CONTAINERS = ROOT / "containers"
TRAINING = CONTAINERS / "training"
PINS = tomllib.loads((TRAINING / "neuron.toml").read_text())
IMAGES = {image.name: image for image in load_images(find_matrix(ROOT))}
#: Every name that a package of Neuron begins with, in pip's index and in apt's repository.
NAMES = re.compile(
    r"\b(?:(?:torch|jax|tensorflow|vllm|optimum|transformers|libtorch)[-_]neuron(?:x|-lite)?"
    r"|neuronx?[-_](?:cc|distributed|hwm|runtime)[a-z_-]*|libneuronxla|nki|aws-neuronx?-[a-z-]+)\b"
)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def build_files() -> list[Path]:
    """Return all that a build of any image runs or reads: the wheels and graphs aside."""
    found = [*CONTAINERS.glob("*"), *CONTAINERS.glob("*/*")]
    return sorted(path for path in found if path.is_file() and path.name != ".gitignore")


def test_nothing_but_the_versions_file_names_a_package_of_neuron() -> None:
    named = {
        str(path.relative_to(CONTAINERS)): set(NAMES.findall(path.read_text(errors="replace")))
        for path in build_files()
    }
    free = {"training/neuron.toml", "training/neuron.lock"}
    assert {path: names for path, names in named.items() if names and path not in free} == {}


def test_the_rule_would_find_one(tmp_path: Path) -> None:
    for line in (
        "RUN pip install torch-neuronx",
        "apt-get install aws-neuronx-tools=2.*",
        "neuronx_distributed==0.19",
        "libneuronxla",
        "nki==0.4.0",
        "neuronx-cc>=2.0",
    ):
        assert NAMES.search(line), line
    assert not NAMES.search("FROM mpi AS system-neuron # neuron-debs.py neuron.toml neuronxcc-")


def test_each_package_is_of_one_version() -> None:
    every = {**PINS["pip"], **PINS["apt"]}
    assert [version for version in every.values() if not re.fullmatch("[0-9.]+", version)] == []
    assert set(PINS["apt"]) == {
        *("aws-neuronx-collectives", "aws-neuronx-runtime-lib", "aws-neuronx-tools")
    }
    assert {"torch-neuronx", "neuronx-cc", "neuronx_distributed", "nki"} <= set(PINS["pip"])
    assert re.fullmatch(r"[0-9A-F]{40}", PINS["repository"]["fingerprint"])


def test_the_lock_pins_what_the_versions_file_names() -> None:
    """A version may go on in AWS's build, after a plus. Without its index the lock is empty."""
    locked = {name: version.partition("+")[0] for name, version in pins(NEURON).items()}
    wanted = {canonical(name): version for name, version in PINS["pip"].items()}
    assert not locked or locked.items() >= wanted.items()


def test_the_matrix_tells_the_same_release_of_the_sdk() -> None:
    assert {IMAGES[name].neuron for name in ("training-neuron", "training-xla")} == {PINS["sdk"]}
    assert IMAGES["training-neuron"].target == IMAGES["training-xla"].target == "neuron"


def test_what_stands_in_for_it_has_the_same_torch() -> None:
    stand_in = pins(TRAINING / "torch-xla.lock")
    assert {name: stand_in[name] for name in ("torch", "torch-xla")} == {
        name: PINS["pip"][name] for name in ("torch", "torch-xla")
    }


def test_an_image_that_is_not_locked_is_refused_with_all_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    for lock in IMAGES["training-neuron"].locks:
        (tmp_path / lock).write_text("# nothing\n" if "neuron" in lock else "wheel==1.0\n")
    with pytest.raises(BuildFailed) as refused:
        gather(IMAGES["training-neuron"], tmp_path, print, log=tmp_path / "log")
    lock, repository = str(refused.value).splitlines()
    assert lock.startswith(f"training-neuron: {tmp_path}/training/neuron.lock pins no package")
    assert "run `make lock`" in lock
    assert repository.startswith("training-neuron: args.NEURON_APT in images.toml is empty")
    assert not (tmp_path / "wheels").exists()


def test_every_other_image_is_locked() -> None:
    for name, image in IMAGES.items():
        if name != "training-neuron":
            refuse_unlocked(image, CONTAINERS)
