"""A script started by torchrun, over all hosts of the distribution."""

import sys
from collections.abc import Mapping

from sagedock.contract import network, variables
from sagedock.runtime.cluster import network_variables, with_job_name
from sagedock.runtime.distribution import Backend, backend_of, processes_per_host
from sagedock.runtime.neuron import under_compiler
from sagedock.runtime.toolkit import Environment

__all__ = ["MODULE", "command", "launch_variables"]

MODULE = "torch.distributed.run"


def command(job: Environment, program: str, env: Mapping[str, str]) -> list[str]:
    """Return the command of this host; the first host of the distribution is the master."""
    hosts = job.distribution_hosts
    options = [f"--nnodes={len(hosts)}", f"--nproc_per_node={processes_per_host(job)}"]
    if len(hosts) > 1:
        options += [
            f"--master_addr={job.master_host}",
            f"--master_port={network.MASTER_PORT}",
            f"--node_rank={hosts.index(job.current_host)}",
        ]
    else:
        options += ["--standalone"]
    run = (sys.executable, "-m", MODULE, *options, program, *job.arguments)
    return under_compiler(run, env)


def launch_variables(job: Environment, env: Mapping[str, str]) -> dict[str, str]:
    """Return what the workers need beside torchrun's own variables: backend, network, names."""
    backend = backend_of(job, env)
    found = {variables.SAGEDOCK_DISTRIBUTED_BACKEND.name: backend.value, **network_variables(job)}
    if backend is Backend.XLA:
        found[variables.PJRT_DEVICE.name] = "NEURON"
    if len(job.distribution_hosts) > 1:
        found |= with_job_name(env)
    return found
