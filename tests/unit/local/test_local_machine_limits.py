"""A container's share of the machine."""

from pathlib import Path

from botocore.session import get_session

from sagedock.contract.instances import INSTANCES
from sagedock.engine import Machine
from sagedock.local.settings import Settings
from sagedock.local.training.machine_limits import share_of

SMALL = Machine(cpus=2, memory_mib=8192)
LARGE = Machine(cpus=64, memory_mib=256 * 1024, gpus=2)


def settings(**changes: object) -> Settings:
    return Settings(home=Path("/nowhere"), **changes)  # type: ignore[arg-type]


def test_a_type_smaller_than_the_machine_is_limited_to_what_it_has() -> None:
    share = share_of("ml.m5.xlarge", LARGE, settings())
    assert (share.cpus, share.memory_mib, share.shm_mib) == (4, 16 * 1024, 8 * 1024)
    assert share.warnings == ()


def test_a_type_larger_than_the_machine_is_not_limited() -> None:
    share = share_of("ml.m5.24xlarge", SMALL, settings())
    assert (share.cpus, share.memory_mib, share.shm_mib) == (None, None, 4096)


def test_settings_win() -> None:
    asked = settings(container_memory_mib=100, container_shm_mib=64)
    share = share_of("ml.m5.large", LARGE, asked)
    assert (share.memory_mib, share.shm_mib) == (100, 64)
    share = share_of("ml.m5.large", LARGE, settings(instance_limits=False))
    assert (share.cpus, share.memory_mib) == (None, None)


def test_gpus_are_handed_over_as_far_as_there_are_any(tmp_path: Path) -> None:
    share = share_of("ml.g5.12xlarge", LARGE, settings(), tmp_path)
    assert share.gpus == 2
    assert share.warnings == (
        "ml.g5.12xlarge has 4 GPUs; this machine has 2 that containers can get: the job runs with "
        "2",
    )
    share = share_of("ml.g5.xlarge", SMALL, settings(), tmp_path)
    assert share.gpus == 0
    assert share.warnings[0].startswith("ml.g5.xlarge has 1 GPU; this machine has none")


def test_neuron_devices_are_handed_over(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"neuron{number}").touch()
    share = share_of("ml.trn1.2xlarge", LARGE, settings(), tmp_path)
    assert share.devices == (str(tmp_path / "neuron0"),)
    assert share.warnings == ()


def test_a_type_that_nobody_described_has_no_limits() -> None:
    share = share_of("ml.g9.xlarge", LARGE, settings())
    assert (share.cpus, share.memory_mib, share.gpus, share.warnings) == (None, None, 0, ())


def test_the_table_has_the_types_of_the_service_and_no_others() -> None:
    model = get_session().get_service_model("sagemaker")
    types = set(model.shape_for("TrainingInstanceType").enum)
    hosting = set(model.shape_for("ProductionVariantInstanceType").enum)
    assert set(INSTANCES) <= types | hosting
    assert {each.split(".")[1] for each in types - set(INSTANCES)} == {"g7"}
