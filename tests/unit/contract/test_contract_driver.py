"""Drivers by their age, GPUs by the driver's names for them."""

import pytest

from sagedock.contract.accelerators import GPUS, of_data_centres
from sagedock.contract.driver import is_older


@pytest.mark.parametrize(
    ("version", "than", "older"),
    [
        ("550.54.15", "580.95.05", True),
        ("580.95.05", "580.95.05", False),
        ("580.105.08", "580.95.05", False),  # by number
        ("580.95", "580.95.05", True),
        ("590.1", "580.95.05", False),
    ],
)
def test_drivers_are_compared_by_number(version: str, than: str, older: bool) -> None:
    assert is_older(version, than) is older


#: What the driver calls the GPUs of each row, by its first family. The older ones are Teslas.
NAMES = {
    "p2": "Tesla K80",
    "p3": "Tesla V100-SXM2-16GB",
    "p3dn": "Tesla V100-SXM2-32GB",
    "g4dn": "Tesla T4",
    "p4d": "NVIDIA A100-SXM4-40GB",
    "p4de": "NVIDIA A100-SXM4-80GB",
    "g5": "NVIDIA A10G",
    "g6": "NVIDIA L4",
    "g6e": "NVIDIA L40S",
    "p5": "NVIDIA H100 80GB HBM3",
    "p5e": "NVIDIA H200",
    "p6-b200": "NVIDIA B200",
    "p6e-gb200": "NVIDIA GB200",
    "p6-b300": "NVIDIA B300 SXM6 AC",
    "g7": "NVIDIA RTX PRO 4500 Blackwell Server Edition",
    "g7e": "NVIDIA RTX PRO 6000 Blackwell Server Edition",
}


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.families[0])
def test_each_gpu_of_sagemaker_is_one_of_data_centres(gpu) -> None:
    assert of_data_centres([NAMES[gpu.families[0]]])


def test_every_row_is_known_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by another row's: a row that is misspelt would lose its GPU."""
    for gpu in GPUS:
        same = {each.families[0] for each in GPUS if each.name == gpu.name}
        monkeypatch.setattr("sagedock.contract.accelerators.GPUS", (gpu,))
        known = {family for family, name in NAMES.items() if of_data_centres([name])}
        assert known == same, gpu.name


@pytest.mark.parametrize(
    ("models", "true"),
    [
        (["Tesla T4"], True),
        (["Tesla V100-SXM2-32GB"] * 8, True),
        (["NVIDIA A100-SXM4-40GB"], True),
        (["NVIDIA H100 80GB HBM3"], True),
        (["NVIDIA GeForce RTX 4090"], False),
        (["NVIDIA H100 80GB HBM3", "NVIDIA GeForce RTX 4090"], False),
        (["NVIDIA RTX PRO 4500 Blackwell"], False),  # the workstation's
        (["NVIDIA L400"], False),
        ([], False),
    ],
)
def test_gpus_by_the_drivers_names(models: list[str], true: bool) -> None:
    assert of_data_centres(models) is true
