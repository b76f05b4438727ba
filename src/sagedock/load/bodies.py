"""Bodies of requests from files and texts, with the content type that each is sent as."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from sagedock.errors import InvalidRequest
from sagedock.load.target import Body

__all__ = ["bodies_of"]

_UNKNOWN = "application/octet-stream"
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".csv": "text/csv",
        ".json": "application/json",
        ".jsonl": "application/jsonlines",
        ".npy": "application/x-npy",
        ".npz": "application/x-npz",
        ".txt": "text/plain",
    }
)


def bodies_of(
    files: Sequence[Path], texts: Sequence[str | bytes], content_type: str | None
) -> tuple[Body, ...]:
    """Return a body for each file and text, in this order; ``{}`` where there is neither.

    Without ``content_type`` a file's is that of its ending, a text's JSON. Raises InvalidRequest
    with every file that cannot be read.
    """
    found = [Body(data=_data(text), content_type=content_type or _TYPES[".json"]) for text in texts]
    bodies, problems = [], []
    for file in files:
        try:
            data = file.read_bytes()
        except OSError as error:
            problems.append(f"data: {file}: {error.strerror}: give a file that can be read")
        else:
            kind = content_type or _TYPES.get(file.suffix.lower(), _UNKNOWN)
            bodies.append(Body(data=data, content_type=kind))
    if problems:
        raise InvalidRequest(problems)
    return (*bodies, *found) or (Body(data=b"{}", content_type=content_type or _TYPES[".json"]),)


def _data(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
