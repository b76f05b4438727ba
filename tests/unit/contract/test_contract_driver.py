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


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.families[0])
def test_each_gpu_of_sagemaker_is_one_of_data_centres(gpu) -> None:
    assert of_data_centres([gpu.name])


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
