"""Graphs that the Neuron compiler compiled: carried over whole, without what a dead process left.

A job that is interrupted while it compiles leaves a lock that later ones wait on forever, and a
failure that later ones take for final: both travel to S3 and back with the checkpoints.
"""

import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sagedock.contract import neuron

__all__ = ["copy_missing", "entries", "mend", "unpacked"]

#: ``neuronxcc-2.25.3371.0+f524f7f8``, and a graph in it: names that lead nowhere else.
_COMPILER = re.compile(r"neuronxcc-[A-Za-z0-9._+-]+")
_GRAPH = re.compile(r"MODULE_[A-Za-z0-9._+-]+")
_NAMES = (_COMPILER, _GRAPH, re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*"))
_UNFINISHED = ".sagedock-new-"
_ARCHIVES = (".tar.gz", ".tgz")


def entries(folder: Path) -> dict[str, Path]:
    """Return the graphs somewhere below ``folder``, by compiler and graph; links are passed over.

    The first one in the order of their paths counts where a graph is there several times.
    """
    found: dict[str, Path] = {}
    for top, below, _ in os.walk(folder):
        here = Path(top)
        below[:] = sorted(name for name in below if not (here / name).is_symlink())
        if _COMPILER.fullmatch(here.name):
            for name in filter(_GRAPH.fullmatch, below):
                found.setdefault(f"{here.name}/{name}", here / name)
            below.clear()
    return found


def mend(folder: Path) -> int:
    """Remove locks, failures and half-compiled graphs; return how many graphs lost something.

    No compiler may be running: whoever held a lock is gone.
    """
    return sum(_mend(entry) for entry in entries(folder).values())


def _mend(entry: Path) -> bool:
    spoiled = [each for each in entry.iterdir() if each.name.endswith(neuron.LOCK)]
    compiled = [entry / name for name in neuron.COMPILED]
    if not all(file.is_file() for file in compiled):
        spoiled += [file for file in (*compiled, entry / neuron.FAILED) if file.exists()]
    for file in spoiled:
        file.unlink()
    return bool(spoiled)


def copy_missing(graphs: dict[str, Path], folder: Path) -> int:
    """Copy the graphs that ``folder`` does not have compiled at its top; return how many.

    Each appears there whole or not at all, under its own name.
    """
    wanted = [
        key
        for key, entry in sorted(graphs.items())
        if _is_compiled(entry) and not _is_compiled(folder / key)
    ]
    for key in wanted:
        _copy(graphs[key], folder / key)
    return len(wanted)


def _is_compiled(entry: Path) -> bool:
    return all((entry / name).is_file() for name in neuron.COMPILED)


def _copy(entry: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=target.parent) as unfinished:
        new = Path(unfinished, "graph")
        new.mkdir()
        for file in entry.iterdir():
            if file.is_file() and not file.is_symlink() and not file.name.endswith(neuron.LOCK):
                shutil.copyfile(file, new / file.name)
        shutil.rmtree(target, ignore_errors=True)
        new.rename(target)


def unpacked(folders: Iterable[Path], into: Path, say: Callable[[str], None]) -> Iterator[Path]:
    """Yield each folder that is there, and the graphs that archives at its top hold, unpacked below
    ``into``. An archive that cannot be read is told of, and passed over.
    """
    for number, folder in enumerate(each for each in folders if each.is_dir()):
        yield folder
        for archive in sorted(each for each in folder.iterdir() if each.name.endswith(_ARCHIVES)):
            target = into / f"{number}-{archive.name}"
            try:
                _unpack(archive, target)
            except (OSError, tarfile.TarError) as error:
                say(f"{archive} cannot be unpacked, and its compiled graphs are missed: {error}")
            else:
                yield target


def _unpack(archive: Path, target: Path) -> None:
    """Unpack the files of graphs, and nothing else: no name in an archive can lead out of it."""
    with tarfile.open(archive) as opened:
        for member in opened:
            content = opened.extractfile(member) if member.isfile() else None
            names = member.name.split("/")[-3:]
            if content is not None and _is_of_a_graph(names):
                file = target.joinpath(*names)
                file.parent.mkdir(parents=True, exist_ok=True)
                with content, file.open("wb") as unpacked_file:
                    shutil.copyfileobj(content, unpacked_file)


def _is_of_a_graph(names: list[str]) -> bool:
    return len(names) == len(_NAMES) and all(map(re.Pattern.fullmatch, _NAMES, names))
