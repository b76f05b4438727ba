"""The beginning of a request to a container."""

import re
from collections.abc import Mapping

from sagedock.local import agents

__all__ = ["head"]


def head(
    method: str, path: str, address: tuple[str, int], headers: Mapping[str, str | None]
) -> bytes:
    """Return the head of a request without its last lines, which tell of the body; ``headers`` that
    are empty are left out.
    """
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address[0]}:{address[1]}"]
    lines.append(f"User-Agent: {agents.TRANSFORMS}")
    # A control character would end the line, and begin a header of its own.
    lines += [f"{name}: {re.sub(r'[^ -~]', '', value)}" for name, value in headers.items() if value]
    return "".join(f"{line}\r\n" for line in lines).encode()
