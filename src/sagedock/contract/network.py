"""Host names, the interface, and the port of torchrun."""

__all__ = ["INTERFACE", "MASTER_PORT", "hosts"]

#: The interface that resourceconfig.json names (source: RUNNING). It must exist in the container:
#: locally it is Docker's first one.
INTERFACE = "eth0"
#: Where torchrun's first host listens for the others (source: TOOLKIT, torch_distributed.py).
MASTER_PORT = 7777


def hosts(count: int) -> tuple[str, ...]:
    """Return the names of ``count`` training hosts, in the platform's lexicographic order.

    Source: RUNNING ("hosts: the list of names of all containers ... sorted lexicographically").
    """
    return tuple(sorted(f"algo-{number}" for number in range(1, count + 1)))
