"""The data of accelerators: each row has a page, and fits the types that SageMaker has."""

import re
from datetime import date

import pytest

from sagedock.contract import accelerators
from sagedock.contract.instances import INSTANCES

ROWS = (
    *(*accelerators.GPUS, *accelerators.DRIVERS, *accelerators.AMIS),
    *(*accelerators.CUDA_DRIVERS, *accelerators.NEURON),
)
ACCELERATED = [name for name, each in INSTANCES.items() if each.gpus]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_each_row_names_its_page(row):
    assert re.fullmatch(r"https://[a-z0-9.-]+/\S+", row.source)


def test_the_day_is_one():
    assert date.fromisoformat(accelerators.AS_OF)


@pytest.mark.parametrize("instance_type", ACCELERATED)
def test_each_type_with_gpus_has_its_gpu(instance_type):
    gpu = accelerators.gpu_of(instance_type)
    assert gpu is not None
    assert gpu.memory_gb > 0


def test_each_type_with_neuron_devices_has_its_chip():
    families = {family for row in accelerators.NEURON for family in row.families}
    with_devices = {name for name, each in INSTANCES.items() if each.neuron_devices}
    assert {accelerators.family_of(name) for name in with_devices} <= families


def test_a_family_has_one_row_for_each_use():
    rows = [(row.use, family) for row in accelerators.DRIVERS for family in row.families]
    assert len(rows) == len(set(rows))
    gpus = [family for row in accelerators.GPUS for family in row.families]
    assert len(gpus) == len(set(gpus))


def test_newer_drivers_know_newer_cuda():
    known = list(accelerators.BRANCH_CUDA.items())
    assert known == sorted(known)
    assert [cuda for _, cuda in known] == sorted(cuda for _, cuda in known)


def test_no_instance_type_has_a_driver_that_training_states():
    assert accelerators.driver_of("ml.p4d.24xlarge", "training") is None
    stated = accelerators.driver_of("ml.p4d.24xlarge", "serving")
    assert stated is not None
    assert stated.branch == 470


@pytest.mark.parametrize(
    ("ptx", "cuda"), [((7, 8), (11, 8)), ((8, 4), (12, 4)), ((8, 7), (12, 8)), ((9, 0), (13, 0))]
)
def test_which_cuda_brought_a_ptx_version(ptx, cuda):
    assert accelerators.cuda_of_ptx(ptx) == cuda


@pytest.mark.parametrize(
    ("name", "family", "arm"),
    [
        ("ml.p4d.24xlarge", "p4d", False),
        ("ml.c7g.large", "c7g", True),
        ("nonsense", "nonsense", False),
    ],
)
def test_families(name, family, arm):
    assert (accelerators.family_of(name), accelerators.is_arm(name)) == (family, arm)
