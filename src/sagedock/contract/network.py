"""Host names, the interface, and the ports on which the hosts of a job find each other."""

__all__ = [
    "INTERFACE",
    "INVOCATIONS_PATH",
    "MASTER_PORT",
    "MPI_PORT",
    "PING_PATH",
    "SERVING_PORT",
    "SSH_PORT",
    "hosts",
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
#: Where a serving container listens, and what it answers: GET PING_PATH, POST INVOCATIONS_PATH
#: (source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html).
SERVING_PORT = 8080
PING_PATH = "/ping"
INVOCATIONS_PATH = "/invocations"


def hosts(count: int) -> tuple[str, ...]:
    """Return the names of ``count`` training hosts, in the platform's lexicographic order.

    Source: RUNNING ("hosts: the list of names of all containers ... sorted lexicographically").
    """
    return tuple(sorted(f"algo-{number}" for number in range(1, count + 1)))
