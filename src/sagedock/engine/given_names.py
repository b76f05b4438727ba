"""Names that we give images in the engine, written down until they are taken away again.

A name is written down before the engine has it, and forgotten after the engine has it no more:
whatever ends a program in between, who looks next knows what is left. A name that the user gave an
image, before or since, stays his.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sagedock.engine.interface import Engine
from sagedock.errors import EngineError, ImageNotFound, StorageError

__all__ = ["GivenNames"]


@dataclass(frozen=True, kw_only=True)
class _Given:
    """A name, the image that we gave it to (None: what a pull brings), and what it meant before."""

    reference: str
    image: str | None
    before: str | None


@dataclass(frozen=True)
class GivenNames:
    """The record: a folder with a file for each name. Raises StorageError where it cannot be."""

    folder: Path

    def every(self) -> tuple[str, ...]:
        """Return the names that the engine has by us, or may have."""
        files = sorted(self.folder.glob("*.json"))
        return tuple(sorted(given.reference for file in files if (given := _read(file))))

    def give(self, engine: Engine, image: str, reference: str) -> None:
        """Have a name mean the image of that id; one that it has already stays whose it is."""
        self.take(engine, reference)
        now = _meaning(engine, reference)
        if now != image:
            self._write(_Given(reference=reference, image=image, before=now))
            engine.tag(image, reference)

    def take(self, engine: Engine, reference: str) -> bool:
        """Have a name that we gave mean what it meant before; say whether that changed anything.

        Raises EngineError where a container keeps the engine from it: it stays written down.
        """
        given = _read(self._file(reference))
        if given is None:
            return False
        now = _meaning(engine, reference)
        is_ours = now is not None and given.image in (None, now)
        if is_ours:
            if given.before is not None and _meaning(engine, given.before):
                engine.tag(given.before, reference)
            else:
                engine.untag(reference)
        self._file(reference).unlink(missing_ok=True)
        return is_ours

    @contextmanager
    def lent(self, engine: Engine, image: str, reference: str) -> Iterator[None]:
        """Have a name mean an image for a while."""
        self.give(engine, image, reference)
        try:
            yield
        finally:
            self.take(engine, reference)

    @contextmanager
    def expected(self, engine: Engine, reference: str) -> Iterator[None]:
        """Take a name away afterwards that the engine gets inside, by a pull, and lacks before. One
        that the engine holds on to stays, and stays written down.
        """
        self._write(_Given(reference=reference, image=None, before=None))
        try:
            yield
        finally:
            with suppress(EngineError):
                self.take(engine, reference)

    def _file(self, reference: str) -> Path:
        return self.folder / f"{hashlib.sha256(reference.encode()).hexdigest()[:32]}.json"

    def _write(self, given: _Given) -> None:
        file = self._file(given.reference)
        new = file.with_suffix(f".{os.getpid()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            new.write_text(json.dumps(asdict(given)), encoding="utf-8")
            new.replace(file)
        except OSError as error:
            raise StorageError(
                f"{file}: {error.strerror}: set SAGEDOCK_HOME to a folder that can be written"
            ) from error


def _meaning(engine: Engine, reference: str) -> str | None:
    try:
        return engine.image(reference).id
    except ImageNotFound:
        return None


def _read(file: Path) -> _Given | None:
    try:
        return _Given(**json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):  # or another program took the name away
        return None
    except OSError as error:
        raise StorageError(f"{file}: {error.strerror}: make it readable") from error
    except (ValueError, TypeError) as error:
        raise StorageError(
            f"{file} is no record of an image's name: remove it, and see with `docker image ls` "
            "whether a name is left that begins with a registry's address"
        ) from error
