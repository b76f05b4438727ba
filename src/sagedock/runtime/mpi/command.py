"""mpirun's command line, with the options of the training toolkit's MPI runner (OpenMPI 4)."""

import importlib.util
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from sagedock.errors import InvalidRequest
from sagedock.runtime import entry_point
from sagedock.runtime.cluster import interface_of, network_variables, with_job_name
from sagedock.runtime.distribution import processes_per_host
from sagedock.runtime.entry_point import Kind
from sagedock.runtime.mpi.keys import SSHD
from sagedock.runtime.toolkit import Environment

__all__ = ["LAUNCHERS", "command", "launch_variables", "refuse"]

#: What starts the ranks, and must not be told to stop before them.
LAUNCHERS = ("mpirun", "orted", "ssh")
_ENABLED = "sagemaker_mpi_enabled"
_OPTIONS = "sagemaker_mpi_custom_mpi_options"
_PROCESSES = "sagemaker_mpi_num_processes"
#: The one option of the toolkit's own among mpirun's.
_NCCL_DEBUG = "--NCCL_DEBUG"
#: mpirun tags each piece that a rank writes. Unbuffered, Python writes a line and its end apart;
#: on the terminal that mpirun gives a rank it then writes whole lines.
_WHOLE_LINES = "PYTHONUNBUFFERED="
_NO_NETWORK = "lo"


def refuse(job: Environment, kind: Kind) -> None:
    """Raise InvalidRequest naming each program of MPI that this image lacks, or a bad option."""
    programs = ["mpirun"]
    if len(job.distribution_hosts) > 1:
        programs += ["ssh", "ssh-keygen", str(SSHD)]
    missing = [program for program in programs if shutil.which(program) is None]
    if kind is not Kind.COMMAND and importlib.util.find_spec("mpi4py") is None:
        missing.append("mpi4py (Python)")
    problems = []
    if missing:
        problems.append(
            f"{_ENABLED}: this image lacks {', '.join(missing)}: install Debian's openmpi-bin,"
            " openssh-client and openssh-server, and mpi4py, or use torch_distributed"
        )
    try:
        _custom_options(job)
    except ValueError as error:
        problems.append(f"{_OPTIONS}: cannot be split into options ({error}): close its quotes")
    if problems:
        raise InvalidRequest(problems)


def command(job: Environment, program: str, kind: Kind, ssh_config: Path | None) -> list[str]:
    """Return mpirun's command on the first host; ``ssh_config`` reaches the others."""
    per_host = processes_per_host(job)
    hosts = [host if per_host == 1 else f"{host}:{per_host}" for host in job.distribution_hosts]
    total = job.framework_parameters.get(_PROCESSES) or per_host * len(hosts)
    custom, _ = _custom_options(job)
    return [
        *("mpirun", "--host", ",".join(hosts), "-np", str(total)),
        *("--allow-run-as-root", "--display-map", "--tag-output"),
        *_mca(_parameters(job, ssh_config)),
        *("-bind-to", "none", "-map-by", "slot", "-x", _WHOLE_LINES),
        *custom,
        *_program(program, kind, job.arguments),
    ]


def _parameters(job: Environment, ssh_config: Path | None) -> dict[str, str]:
    interface = interface_of(job) or _NO_NETWORK
    found = {
        "btl_tcp_if_include": interface,
        "oob_tcp_if_include": interface,
        "plm_rsh_no_tree_spawn": "1",
        "pml": "ob1",
        "btl": "^openib",
        "orte_abort_on_non_zero_status": "1",
        "btl_vader_single_copy_mechanism": "none",
    }
    return found | ({"plm_rsh_agent": f"ssh -F {ssh_config}"} if ssh_config else {})


def _mca(parameters: Mapping[str, str]) -> list[str]:
    return [word for name, value in parameters.items() for word in ("-mca", name, value)]


def _program(program: str, kind: Kind, arguments: Sequence[str]) -> list[str]:
    """Return the command of one rank. mpi4py ends all ranks where one raises."""
    command = entry_point.command(program, kind, arguments)
    if kind is Kind.COMMAND:
        return command
    python, *rest = command
    return [python, "-m", "mpi4py", *(rest[1:] if kind is Kind.SCRIPT else rest)]  # without `--`


def _custom_options(job: Environment) -> tuple[list[str], str | None]:
    """Return the job's own options of mpirun, and the value of --NCCL_DEBUG among them."""
    words = iter(shlex.split(str(job.framework_parameters.get(_OPTIONS) or "")))
    kept: list[str] = []
    nccl_debug = None
    for word in words:
        name, equals, value = word.partition("=")
        if name == _NCCL_DEBUG:
            nccl_debug = value if equals else next(words, None)
        else:
            kept.append(word)
    return kept, nccl_debug


def launch_variables(job: Environment, env: Mapping[str, str]) -> dict[str, str]:
    """Return what mpirun, its daemons and the ranks need in the environment of their host."""
    _, nccl_debug = _custom_options(job)
    found = {**network_variables(job), "NCCL_MIN_NRINGS": "4", **with_job_name(env)}
    return found | {"NCCL_DEBUG": nccl_debug or env.get("NCCL_DEBUG", "INFO")}
