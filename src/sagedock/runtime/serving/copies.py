"""How many copies of a model fit a container's memory."""

import os
from pathlib import Path

__all__ = ["copies_that_fit"]

#: What a process takes beside its model: the interpreter, and the library that runs the model.
_BESIDE_BYTES = 256 * 1024 * 1024
#: The rest is for the front, for bodies, and for what models need while they work.
_SHARE = 0.8


def copies_that_fit(model: Path, memory_bytes: int) -> int:
    """Return how many processes may each hold the model in a folder; at least one may.

    A model is taken to be as large in memory as it is on disk.
    """
    copy_bytes = _BESIDE_BYTES + sum(
        os.lstat(Path(folder, name)).st_size
        for folder, _, names in os.walk(model)
        for name in names
    )
    return max(1, int(_SHARE * memory_bytes) // copy_bytes)
