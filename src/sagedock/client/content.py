"""Names that the contents of files give: what is uploaded for a step has the same place as long
as it is the same, so that earlier results of the step are found.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

__all__ = ["named_by_content"]

_PIECE = 1 << 20
_DIGITS = 12


def named_by_content(base: str, paths: Iterable[Path]) -> str:
    """Return ``base`` with a digest of files, and of folders' files with their names in them."""
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(each for each in path.rglob("*") if each.is_file())
        for file in [path] if path.is_file() else files:
            name = file.name if file == path else str(file.relative_to(path))
            digest.update(f"{name}\0{file.stat().st_size}\0".encode())
            with file.open("rb") as content:
                while piece := content.read(_PIECE):
                    digest.update(piece)
    return f"{base}-{digest.hexdigest()[:_DIGITS]}"
