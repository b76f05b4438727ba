"""How many processes a job runs on this host, and who starts them.

One process, or torchrun. The other kinds that SageMaker's SDKs can ask for are refused by name:
running one process instead, as the toolkit's `train` does, would train something else in silence.
"""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

from sagedock.contract import network
from sagedock.errors import InvalidRequest
from sagedock.runtime.entry_point import Kind
from sagedock.runtime.toolkit import Environment

__all__ = ["refuse_unsupported", "torchrun_command", "torchrun_variables", "wants_torchrun"]

_TORCHRUN = "sagemaker_torch_distributed_enabled"
_UNSUPPORTED = {
    "sagemaker_mpi_enabled": "MPI",
    "sagemaker_distributed_dataparallel_enabled": "SageMaker's data parallel library",
    "sagemaker_pytorch_ddp_enabled": "PyTorch DDP through AWS's framework module",
    "sagemaker_pytorch_xla_multi_worker_enabled": "PyTorch/XLA workers",
    "sagemaker_parameter_server_enabled": "parameter servers",
    "sagemaker_multi_worker_mirrored_strategy_enabled": "TensorFlow's mirrored strategy",
}


def wants_torchrun(parameters: Mapping[str, object]) -> bool:
    """Return whether the job asks for ``distribution={"torch_distributed": {"enabled": True}}``."""
    return bool(parameters.get(_TORCHRUN))


def refuse_unsupported(parameters: Mapping[str, object], kind: Kind) -> None:
    """Raise InvalidRequest where the job asks for a launcher that this image does not have."""
    problems = [
        f"{name}: this image does not start {what}; torch_distributed (torchrun) it does"
        for name, what in _UNSUPPORTED.items()
        if parameters.get(name)
    ]
    if wants_torchrun(parameters):
        problems += _torchrun_problems(kind)
    if problems:
        raise InvalidRequest(problems)


def _torchrun_problems(kind: Kind) -> list[str]:
    if kind is not Kind.SCRIPT:
        return [f"{_TORCHRUN}: torchrun starts Python scripts; the entry point is a {kind}"]
    if importlib.util.find_spec("torch") is None:
        return [f"{_TORCHRUN}: this image has no torch"]
    return []


def torchrun_command(job: Environment, program: str) -> list[str]:
    """Return the torchrun command of this host: a process per GPU, else per Neuron core, else one.

    The first host of the distribution is the master, as with the toolkit.
    """
    hosts = job.distribution_hosts
    options = [f"--nnodes={len(hosts)}", f"--nproc_per_node={job.processes_per_host}"]
    if len(hosts) > 1:
        options += [
            f"--master_addr={job.master_host}",
            f"--master_port={network.MASTER_PORT}",
            f"--node_rank={hosts.index(job.current_host)}",
        ]
    else:
        options += ["--standalone"]
    return [sys.executable, "-m", "torch.distributed.run", *options, program, *job.arguments]


def torchrun_variables(
    job: Environment, interfaces: Path = Path("/sys/class/net")
) -> dict[str, str]:
    """Return what NCCL and gloo need to find each other: the interface, where it exists here."""
    name = job.network_interface
    if len(job.distribution_hosts) < 2 or not (interfaces / name).exists():
        return {}
    return {"NCCL_SOCKET_IFNAME": name, "GLOO_SOCKET_IFNAME": name}
