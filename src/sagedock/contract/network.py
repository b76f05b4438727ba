"""Host names, the interface, and the ports on which the hosts of a job find each other."""

__all__ = [
    "INTERFACE",
    "MASTER_PORT",
    "MPI_PORT",
    "SAFE_PORTS",
    "SAFE_PORTS_EACH",
    "SSH_PORT",
    "host",
]

#: The interface that resourceconfig.json names (source: RUNNING). It must exist in the container:
#: locally it is Docker's first one.
INTERFACE = "eth0"
#: Where torchrun's first host listens for the others (source: TOOLKIT, torch_distributed.py).
MASTER_PORT = 7777
#: Where a job's hosts take mpirun's connections (source: TOOLKIT, mpi.py).
SSH_PORT = 22
#: Where the first host of an MPI job waits for the others: our launcher's own.
MPI_PORT = 7778
#: The ports of SAGEMAKER_SAFE_PORT_RANGE: the first container's first one, and how many each has.
#: AWS's numbers are not told (unverified); these are below those that Linux hands out.
SAFE_PORTS = 17_000
SAFE_PORTS_EACH = 1_000


def host(number: int) -> str:
    """Return the name of a training host; the first one is number 1 (source: RUNNING)."""
    return f"algo-{number}"
