"""torchrun where it is asked for; what is not there is refused by name."""

from dataclasses import replace
from pathlib import Path

import pytest

from sagedock.errors import InvalidRequest
from sagedock.runtime.banner import banner
from sagedock.runtime.distribution import (
    refuse_unsupported,
    torchrun_command,
    torchrun_variables,
)
from sagedock.runtime.entry_point import Kind
from sagedock.runtime.toolkit import Environment

JOB = Environment(
    program="train.py",
    source=None,
    arguments=("--epochs", "3"),
    variables={"SM_NUM_CPUS": "8", "SM_NUM_GPUS": "4", "SM_NUM_NEURONS": "0"},
    hyperparameters={"epochs": 3, "api_key": "abcdefgh", "note": "x" * 100},
    framework_parameters={},
    framework_module=None,
    s3_output=None,
    channels=("test", "train"),
    hosts=("algo-1", "algo-2"),
    distribution_hosts=("algo-1", "algo-2"),
    current_host="algo-2",
    master_host="algo-1",
    instance_type="ml.g5.12xlarge",
    network_interface="eth0",
    processes_per_host=4,
    log_level=20,
)


def test_several_hosts_meet_at_the_first() -> None:
    assert torchrun_command(JOB, "train.py")[1:] == [
        *("-m", "torch.distributed.run", "--nnodes=2", "--nproc_per_node=4"),
        *("--master_addr=algo-1", "--master_port=7777", "--node_rank=1"),
        *("train.py", "--epochs", "3"),
    ]


def test_one_host_stands_alone() -> None:
    command = torchrun_command(replace(JOB, distribution_hosts=("algo-2",)), "train.py")
    assert "--standalone" in command
    assert not any(argument.startswith("--master") for argument in command)


def test_the_interface_is_named_only_where_it_exists(tmp_path: Path) -> None:
    (tmp_path / "eth0").mkdir()
    assert torchrun_variables(JOB, tmp_path)["NCCL_SOCKET_IFNAME"] == "eth0"
    assert torchrun_variables(replace(JOB, network_interface="ethwe"), tmp_path) == {}
    assert torchrun_variables(replace(JOB, distribution_hosts=("algo-2",)), tmp_path) == {}


def test_other_launchers_are_refused_by_name() -> None:
    refuse_unsupported(
        {"sagemaker_mpi_enabled": False, "sagemaker_instance_type": "x"}, Kind.SCRIPT
    )
    with pytest.raises(InvalidRequest, match=r"sagemaker_mpi_enabled: .* does not start MPI"):
        refuse_unsupported({"sagemaker_mpi_enabled": True}, Kind.SCRIPT)
    with pytest.raises(InvalidRequest, match="the entry point is a command"):
        refuse_unsupported({"sagemaker_torch_distributed_enabled": True}, Kind.COMMAND)


def test_banner_names_the_job_and_hides_secrets() -> None:
    text = banner(JOB, "train.py", {"TRAINING_JOB_NAME": "digits-1"})
    assert text.splitlines()[:2] == [
        "digits-1 on algo-2 of 2 (ml.g5.12xlarge, 8 CPUs, 4 GPUs)",
        "channels: test, train",
    ]
    assert "api_key=***, epochs=3, note=xxx" in text
    assert "abcdefgh" not in text
    assert max(map(len, text.splitlines())) < 120
