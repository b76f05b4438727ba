"""The beginning of a request to a container."""

import re
from collections.abc import Mapping

__all__ = ["head"]

#: Source: row 121 of the fidelity corpus.
_USER_AGENT = "Go-http-client/1.1"


def head(
    method: str, path: str, address: tuple[str, int], headers: Mapping[str, str | None]
) -> bytes:
    """Return the head of a request without its last lines, which tell of the body; ``headers`` that
    are empty are left out.
    """
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address[0]}:{address[1]}"]
    lines.append(f"User-Agent: {_USER_AGENT}")
    # A control character would end the line, and begin a header of its own.
    lines += [f"{name}: {re.sub(r'[^ -~]', '', value)}" for name, value in headers.items() if value]
    return "".join(f"{line}\r\n" for line in lines).encode()
