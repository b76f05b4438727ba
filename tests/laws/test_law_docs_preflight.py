"""The reference of the preflight lists the checks and the data that the source has."""

import re

import pytest

from sagedock.contract import accelerators
from sagedock.contract.accelerators import AMIS, DRIVERS, GPUS, Gpu, Use
from sagedock.contract.paths import RESERVED
from tests.laws.tree import PACKAGE, ROOT

REFERENCE = (ROOT / "docs" / "reference" / "preflight.md").read_text(encoding="utf-8")
CHECKS = PACKAGE / "images" / "preflight" / "checks"


def checks() -> set[str]:
    """Return the name of every check that the source makes a row of."""
    source = "\n".join(file.read_text(encoding="utf-8") for file in CHECKS.glob("*.py"))
    named = re.findall(r'check="([^"]+)"|_row\("([^"]+)"', source)
    return {RESERVED.path, *(name or other for name, other in named)}


def test_each_check_is_told_and_no_other() -> None:
    rows = REFERENCE.partition("## Rows of the image")[2].partition("## How things are found")[0]
    told = re.findall(r"^\| ([^|]+?) \|", rows, re.MULTILINE)
    assert sorted(set(told) - {"check", "---"}) == sorted(checks())
    assert len(checks()) > 20


def branch(gpu: Gpu, use: Use) -> str:
    found = {row.branch for row in DRIVERS if row.use == use and {*row.families} & {*gpu.families}}
    return str(found.pop()) if found else "not stated"


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.families[0])
def test_each_gpu_is_told_with_its_drivers(gpu: Gpu) -> None:
    cells = (
        ", ".join(gpu.families),
        gpu.name.removeprefix("NVIDIA "),
        ".".join(map(str, gpu.capability)),
        str(gpu.memory_gb),
        branch(gpu, "serving"),
        branch(gpu, "transform"),
    )
    assert f"| {' | '.join(cells)} |\n" in REFERENCE


def test_each_operating_system_is_told_with_its_driver_and_the_day_is() -> None:
    assert all(f"`{ami.name}` ({ami.branch})" in REFERENCE for ami in AMIS)
    assert accelerators.AS_OF in REFERENCE
