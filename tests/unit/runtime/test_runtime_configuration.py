"""The platform's files are read robustly."""

import json
from pathlib import Path

import pytest

from sagedock.errors import ContractBroken
from sagedock.runtime.configuration import check, complete_resources

FULL = {
    "current_host": "algo-1",
    "hosts": ["algo-1", "algo-2"],
    "network_interface_name": "eth0",
    "current_group_name": "homogeneousCluster",
    "instance_groups": [
        {"instance_group_name": "homogeneousCluster", "instance_type": "t", "hosts": ["algo-1"]}
    ],
    "future_key": {"any": 1},
}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    config = tmp_path / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text("{}")
    (config / "inputdataconfig.json").write_text("{}")
    (config / "resourceconfig.json").write_text(json.dumps(FULL))
    return tmp_path


def test_complete_ones_are_left_as_they_are(base: Path) -> None:
    assert check({"SAGEMAKER_BASE_DIR": str(base)}) == FULL


def test_local_modes_three_keys() -> None:
    found = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}
    assert complete_resources(found) == found


def test_hosts_and_current_host_stand_in_for_each_other() -> None:
    assert complete_resources({"hosts": ["a", "b"]})["current_host"] == "a"
    assert complete_resources({"current_host": "a"})["hosts"] == ["a"]
    with pytest.raises(ContractBroken, match="neither 'hosts' nor 'current_host'"):
        complete_resources({})


def test_groups_without_name_or_hosts() -> None:
    groups = [{"instance_group_name": "g"}, {"hosts": ["a"]}]
    completed = complete_resources({"hosts": ["a"], "instance_groups": groups})
    assert completed["instance_groups"] == [{"instance_group_name": "g", "hosts": []}]


def test_every_unusable_file_is_named(base: Path) -> None:
    config = base / "input" / "config"
    (config / "hyperparameters.json").unlink()
    (config / "inputdataconfig.json").write_text("{oops")
    (config / "resourceconfig.json").write_text("[1]")
    with pytest.raises(ContractBroken) as raised:
        check({"SAGEMAKER_BASE_DIR": str(base)})
    missing, broken, wrong = str(raised.value).splitlines()
    assert "hyperparameters.json is missing" in missing
    assert "inputdataconfig.json is not JSON" in broken
    assert "resourceconfig.json must hold a JSON object, not list" in wrong
