"""How many processes a job runs on this host, and who starts them.

One process, torchrun, or mpirun. The other kinds that SageMaker's SDKs can ask for are refused by
name: running one process instead, as the toolkit's `train` does, would train something else in
silence.
"""

import importlib.util
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from sagedock.contract import variables
from sagedock.errors import InvalidRequest
from sagedock.runtime.entry_point import Kind
from sagedock.runtime.toolkit import Environment

__all__ = ["Backend", "Launcher", "backend_of", "launcher_of", "processes_per_host", "refuse"]

_TORCHRUN = "sagemaker_torch_distributed_enabled"
#: SDK v2's ``pytorchddp``. AWS's module starts it by mpirun and smddprun, which sets the variables
#: that torchrun sets: RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR.
_PYTORCH_DDP = "sagemaker_pytorch_ddp_enabled"
_MPI = "sagemaker_mpi_enabled"
#: The toolkit takes it for torchrun as well.
_PROCESSES = "sagemaker_mpi_num_of_processes_per_host"
_UNSUPPORTED = {
    "sagemaker_distributed_dataparallel_enabled": "SageMaker's data parallel library",
    "sagemaker_pytorch_xla_multi_worker_enabled": "the workers of PyTorch/XLA on GPUs",
    "sagemaker_parameter_server_enabled": "parameter servers",
    "sagemaker_multi_worker_mirrored_strategy_enabled": "TensorFlow's mirrored strategy",
}


class Launcher(StrEnum):
    """Who starts the script."""

    PROCESS = "process"
    TORCHRUN = "torchrun"
    MPI = "mpirun"


class Backend(StrEnum):
    """What ``torch.distributed`` talks through."""

    GLOO = "gloo"
    NCCL = "nccl"
    XLA = "xla"


def launcher_of(job: Environment) -> Launcher:
    """Return who starts the script on this host.

    Of a heterogeneous cluster, hosts outside the distribution's groups run the script plainly.
    """
    if job.current_host not in job.distribution_hosts:
        return Launcher.PROCESS
    return _wanted(job.framework_parameters)


def _wanted(parameters: Mapping[str, object]) -> Launcher:
    if parameters.get(_MPI):
        return Launcher.MPI
    if parameters.get(_TORCHRUN) or parameters.get(_PYTORCH_DDP):
        return Launcher.TORCHRUN
    return Launcher.PROCESS


def processes_per_host(job: Environment) -> int:
    """Return the processes of this host: what the job says, else its GPUs, Neuron cores, or one."""
    said = job.framework_parameters.get(_PROCESSES)
    if not said:
        return job.gpus or job.neuron_cores or 1
    try:
        count = int(str(said))
    except ValueError:
        count = 0
    if count < 1:
        raise InvalidRequest([f"{_PROCESSES}: {said!r} is no number of processes: give 1 or more"])
    return count


def backend_of(job: Environment, env: Mapping[str, str]) -> Backend:
    """Return the backend that fits the host's device and the image's torch.

    PJRT_DEVICE names the device of PyTorch/XLA where the image has no Neuron core: a CPU.
    """
    if job.gpus and _torch_has_cuda():
        return Backend.NCCL
    on_xla = job.neuron_cores or variables.PJRT_DEVICE.name in env
    if on_xla and importlib.util.find_spec("torch_xla") is not None:
        return Backend.XLA
    return Backend.GLOO


def _torch_has_cuda() -> bool:
    """Look at the files: importing torch takes seconds."""
    found = importlib.util.find_spec("torch")
    folders = (found.submodule_search_locations or []) if found else []
    return any(Path(folder, "lib", "libtorch_cuda.so").exists() for folder in folders)


def refuse(parameters: Mapping[str, object], kind: Kind) -> None:
    """Raise InvalidRequest where the job asks for a launcher that this image does not have."""
    problems = [
        f"{name}: this image does not start {what}; torch_distributed (torchrun) and mpi it does"
        for name, what in _UNSUPPORTED.items()
        if parameters.get(name)
    ]
    if _wanted(parameters) is Launcher.TORCHRUN:
        problems += _torchrun_problems(kind)
    if problems:
        raise InvalidRequest(problems)


def _torchrun_problems(kind: Kind) -> list[str]:
    if kind is not Kind.SCRIPT:
        return [f"{_TORCHRUN}: torchrun starts Python scripts; the entry point is a {kind}"]
    if importlib.util.find_spec("torch") is None:
        return [f"{_TORCHRUN}: this image has no torch: add it to requirements.txt or the image"]
    return []
