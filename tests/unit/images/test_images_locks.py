"""The locks pin every package by version and hash, and name no place that packages come from."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = sorted(
    [
        *ROOT.glob("containers/**/*.lock"),
        *ROOT.glob("requirements*.lock"),
        *ROOT.glob("tests/clients/*/requirements.lock"),
    ]
)
LOCKS = [lock for lock in LOCKS if "wheels" not in lock.parts]
#: Where its index is out of reach, it says so, and the build refuses it.
NEURON = ROOT / "containers" / "training" / "neuron.lock"
HASHES = r"(?:\\\n +--hash=sha256:[0-9a-f]{64} *)+"
PIN = re.compile(r"(?P<name>[a-z0-9-]+)={2,3}(?P<version>[^\s;\\]+)[^\\\n]*" + HASHES)


def pins(lock):
    return {found["name"]: found["version"] for found in PIN.finditer(lock.read_text())}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_a_lock_holds_pins_with_hashes_and_nothing_else(lock):
    text = "\n".join(line for line in lock.read_text().splitlines() if not line.startswith("#"))
    assert PIN.sub("", text).strip() == ""
    assert pins(lock) or lock == NEURON


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_a_lock_names_no_place(lock):
    text = lock.read_text()
    assert "://" not in text
    assert "/" not in text.replace("`make lock`", "")
    assert not re.search(r"(?m)^-|\.(org|com|io)\b", text)


def test_there_are_locks_to_check():
    found = {lock.name for lock in LOCKS}
    assert {"requirements.lock", "build.lock", "torch-cpu.lock", "torch-cuda.lock"} <= found


def test_cpu_and_cuda_are_the_same_torch():
    folder = ROOT / "containers" / "training"
    versions = {
        device: re.search(r"(?m)^torch=+([0-9.]+)", (folder / f"torch-{device}.lock").read_text())
        for device in ("cpu", "cuda")
    }
    assert versions["cpu"].group(1) == versions["cuda"].group(1)


def test_a_package_in_two_locks_of_one_image_is_the_same_version():
    folder = ROOT / "containers" / "training"
    shared = pins(folder / "requirements.lock")
    for device in ("cpu", "cuda", "xla"):
        torch = pins(folder / f"torch-{device}.lock")
        assert "torch" in torch
        assert {
            name: torch[name] for name in shared.keys() & torch.keys()
        }.items() <= shared.items()


def test_the_toolkit_is_one_that_runs_no_shell_on_hyperparameters():
    text = (ROOT / "containers" / "training" / "requirements.lock").read_text()
    version = re.search(r"(?m)^sagemaker-training==([0-9.]+)", text).group(1)
    assert tuple(map(int, version.split("."))) >= (5, 1, 4)
