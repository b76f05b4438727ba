"""model.tar.gz with the user's program in it, as the inference toolkits look for it: code/."""

import gzip
import tarfile
from pathlib import Path
from typing import IO

from sagedock.client.source import Source
from sagedock.errors import InvalidRequest

__all__ = ["CODE_FOLDER", "write_model_archive"]

CODE_FOLDER = "code"


def write_model_archive(file: IO[bytes], model: Path | None, source: Source) -> None:
    """Write a model.tar.gz: the members of the archive ``model`` but its code/, and ``source``.

    Nothing is unpacked on the way. Raises InvalidRequest where ``model`` is no such archive.
    """
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        if model is not None:
            _copy(model, archive)
        source.add_to(archive, f"{CODE_FOLDER}/")


def _copy(model: Path, archive: tarfile.TarFile) -> None:
    try:
        with tarfile.open(model, mode="r:*") as given:
            for member in given:
                if _top(member.name) != CODE_FOLDER:
                    archive.addfile(member, given.extractfile(member) if member.isreg() else None)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise InvalidRequest(
            [
                f"model_data: {model.name} is no model.tar.gz, or is cut off: pack the model's "
                f"folder: tar -czf {model.name} -C FOLDER ."
            ]
        ) from error


def _top(name: str) -> str:
    """Return the first word of a member's name, which may begin with ``./``."""
    return name.removeprefix("./").partition("/")[0]
