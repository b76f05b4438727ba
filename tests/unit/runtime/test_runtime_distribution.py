"""Who starts the script, on which hosts, with what; what is not there is refused by name."""

from dataclasses import replace
from pathlib import Path

import pytest

from sagedock.errors import InvalidRequest
from sagedock.runtime.banner import banner
from sagedock.runtime.cluster import interface_of, network_variables, with_job_name
from sagedock.runtime.distribution import Launcher, launcher_of, processes_per_host, refuse
from sagedock.runtime.entry_point import Kind
from sagedock.runtime.mpi import command as mpi
from sagedock.runtime.script_environment import unless_set
from sagedock.runtime.toolkit import Environment
from sagedock.runtime.torchrun import command as torchrun_command

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
    gpus=4,
    neuron_cores=0,
    log_level=20,
)


def asking(**parameters: object) -> Environment:
    return replace(JOB, framework_parameters=parameters)


def test_several_hosts_meet_at_the_first() -> None:
    assert torchrun_command(JOB, "train.py", {})[1:] == [
        *("-m", "torch.distributed.run", "--nnodes=2", "--nproc_per_node=4"),
        *("--master_addr=algo-1", "--master_port=7777", "--node_rank=1"),
        *("train.py", "--epochs", "3"),
    ]


def test_one_host_stands_alone() -> None:
    command = torchrun_command(replace(JOB, distribution_hosts=("algo-2",)), "train.py", {})
    assert "--standalone" in command
    assert not any(argument.startswith("--master") for argument in command)


def test_neurons_graphs_are_compiled_ahead_where_the_job_says_so() -> None:
    command = torchrun_command(JOB, "train.py", {"RUN_NEURON_PARALLEL_COMPILE": "1"})
    assert command[0] == "neuron_parallel_compile"


@pytest.mark.parametrize(
    ("parameters", "launcher"),
    [
        ({}, Launcher.PROCESS),
        ({"sagemaker_mpi_enabled": False, "sagemaker_instance_type": "x"}, Launcher.PROCESS),
        ({"sagemaker_torch_distributed_enabled": True}, Launcher.TORCHRUN),
        ({"sagemaker_pytorch_ddp_enabled": True}, Launcher.TORCHRUN),
        ({"sagemaker_mpi_enabled": True}, Launcher.MPI),
    ],
)
def test_who_starts_the_script(parameters: dict[str, object], launcher: Launcher) -> None:
    assert launcher_of(asking(**parameters)) is launcher


def test_a_host_outside_the_distributions_groups_runs_the_script_plainly() -> None:
    job = replace(asking(sagemaker_mpi_enabled=True), distribution_hosts=("algo-1",))
    assert launcher_of(job) is Launcher.PROCESS


def test_processes_of_a_host() -> None:
    assert processes_per_host(JOB) == 4
    assert processes_per_host(replace(JOB, gpus=0, neuron_cores=32)) == 32
    assert processes_per_host(replace(JOB, gpus=0)) == 1
    assert processes_per_host(asking(sagemaker_mpi_num_of_processes_per_host="2")) == 2


@pytest.mark.parametrize("said", ["two", "-1", 0.5])
def test_a_bad_number_of_processes_is_named(said: object) -> None:
    with pytest.raises(InvalidRequest, match=r"sagemaker_mpi_num_of_processes_per_host: "):
        processes_per_host(asking(sagemaker_mpi_num_of_processes_per_host=said))


def test_the_interface_is_the_named_one_where_it_exists(tmp_path: Path) -> None:
    (tmp_path / "lo").mkdir()
    assert interface_of(JOB, tmp_path) is None
    (tmp_path / "ens5").mkdir()
    assert interface_of(JOB, tmp_path) == "ens5"
    (tmp_path / "eth0").mkdir()
    assert interface_of(JOB, tmp_path) == "eth0"


def test_several_hosts_are_told_the_interface_and_efa(tmp_path: Path) -> None:
    (tmp_path / "eth0").mkdir()
    assert network_variables(JOB, tmp_path) == {  # g5.12xlarge
        "FI_PROVIDER": "efa",
        "FI_EFA_FORK_SAFE": "1",
        "NCCL_PROTO": "simple",
        "NCCL_SOCKET_IFNAME": "eth0",
        "GLOO_SOCKET_IFNAME": "eth0",
    }
    alone = replace(JOB, distribution_hosts=("algo-2",), instance_type="ml.m5.large")
    assert network_variables(alone, tmp_path) == {}


def test_the_hosts_name_is_preloaded_only_where_the_library_can_read_it(tmp_path: Path) -> None:
    library = tmp_path / "gethostname.so"
    assert with_job_name({}, library) == {}  # it would crash every program


def test_a_preload_of_the_jobs_own_is_kept_behind_ours() -> None:
    ours = {"LD_PRELOAD": "/x/gethostname.so:/my/jemalloc.so", "NCCL_PROTO": "simple", "A": "1"}
    set_by_job = {"LD_PRELOAD": "/my/jemalloc.so", "NCCL_PROTO": "LL128"}
    assert unless_set(ours, set_by_job) == {"LD_PRELOAD": ours["LD_PRELOAD"], "A": "1"}


def test_other_launchers_are_refused_by_name() -> None:
    refuse({"sagemaker_parameter_server_enabled": False}, Kind.SCRIPT)
    with pytest.raises(InvalidRequest, match=r"sagemaker_parameter_server_enabled: .* parameter"):
        refuse({"sagemaker_parameter_server_enabled": True}, Kind.SCRIPT)
    with pytest.raises(InvalidRequest, match="the entry point is a command"):
        refuse({"sagemaker_torch_distributed_enabled": True}, Kind.COMMAND)


def test_mpi_names_hosts_slots_and_programs() -> None:
    job = asking(
        sagemaker_mpi_num_of_processes_per_host=2,
        sagemaker_mpi_custom_mpi_options="--NCCL_DEBUG=WARN -x TOKEN='a b' --verbose",
    )
    command = mpi.command(job, "train.py", Kind.SCRIPT, Path("/x/ssh_config"))
    assert command[:5] == ["mpirun", "--host", "algo-1:2,algo-2:2", "-np", "4"]
    assert "ssh -F /x/ssh_config" in command
    assert command[-9:-6] == ["-x", "TOKEN=a b", "--verbose"]
    assert command[-5:] == ["-m", "mpi4py", "train.py", "--epochs", "3"]
    assert mpi.launch_variables(job, {})["NCCL_DEBUG"] == "WARN"


def test_mpi_runs_a_package_by_its_module_and_a_command_as_it_is() -> None:
    package = mpi.command(asking(), "pkg/train.py", Kind.PACKAGE, None)
    assert package[-6:] == ["-m", "mpi4py", "-m", "pkg.train", "--epochs", "3"]
    assert mpi.command(asking(), "run.sh", Kind.COMMAND, None)[-3:] == ["./run.sh", "--epochs", "3"]


def test_mpis_number_of_all_processes_wins() -> None:
    command = mpi.command(asking(sagemaker_mpi_num_processes=3), "t.py", Kind.SCRIPT, None)
    assert command[3:5] == ["-np", "3"]


def test_options_of_mpi_that_cannot_be_split_are_named() -> None:
    job = asking(sagemaker_mpi_custom_mpi_options="-x 'A=1")
    with pytest.raises(
        InvalidRequest, match=r"sagemaker_mpi_custom_mpi_options: .* close its quot"
    ):
        mpi.refuse(job, Kind.COMMAND)


def test_banner_names_the_job_and_hides_secrets() -> None:
    text = banner(JOB, "train.py", {"TRAINING_JOB_NAME": "digits-1"})
    assert text.splitlines()[:2] == [
        "digits-1 on algo-2 of 2 (ml.g5.12xlarge, 8 CPUs, 4 GPUs)",
        "channels: test, train",
    ]
    assert "api_key=***, epochs=3, note=xxx" in text
    assert "abcdefgh" not in text
    assert max(map(len, text.splitlines())) < 120
