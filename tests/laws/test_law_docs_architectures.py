"""The reference of the training image lists the code that each GPU of SageMaker takes."""

import re

import pytest

from sagedock.contract.accelerators import GPUS, Gpu
from tests.laws.tree import ROOT

REFERENCE = (ROOT / "docs" / "reference" / "training-image.md").read_text(encoding="utf-8")
TABLE = REFERENCE.partition("### GPU code by instance family")[2].partition("\n### ")[0]


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.families[0])
def test_each_gpu_is_told_with_its_code(gpu: Gpu) -> None:
    major, minor = gpu.capability
    cells = (
        ", ".join(gpu.families),
        gpu.name.removeprefix("NVIDIA "),
        f"`sm_{major}{minor}`",
        f"`{major}.{minor}`",
        ".".join(map(str, gpu.first_cuda)) + (f" to {gpu.last_cuda}.x" if gpu.last_cuda else ""),
    )
    assert f"| {' | '.join(cells)} |\n" in TABLE


def test_no_other_is() -> None:
    assert len(re.findall(r"`sm_\d+`", TABLE)) == len(GPUS)
