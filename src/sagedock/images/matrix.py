"""``containers/images.toml``: the images there are."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sagedock.errors import InvalidRequest
from sagedock.images.image import Image
from sagedock.images.schema import table_problems

__all__ = ["find_matrix", "load_images", "own_images"]


def find_matrix(folder: Path | None = None) -> Path:
    """Return ``containers/images.toml`` below ``folder`` (the working directory by default)."""
    root = folder or Path.cwd()
    path = root / "containers" / "images.toml"
    if not path.is_file():
        raise InvalidRequest(
            [
                f"{root}: holds no containers/images.toml: go to the folder of a project that has "
                "one, such as a checkout of sagedock (the Dockerfiles are not in the package)"
            ]
        )
    return path


def own_images() -> tuple[Image, ...]:
    """Return the images of the project that one is in; none outside of one."""
    try:
        path = find_matrix()
    except InvalidRequest:  # a folder without images.toml: names are the engine's
        return ()
    return load_images(path)


def load_images(path: Path) -> tuple[Image, ...]:
    """Return the images of an images.toml, or raise InvalidRequest with every problem in it."""
    tables = _tables(path)
    problems = [problem for table in tables for problem in table_problems(table, path.parent)]
    problems += [*_repeated(tables, "name"), *_repeated(tables, "repository", "tag")]
    problems += _circles(tables)
    if problems:
        raise InvalidRequest([f"{path}: {problem}" for problem in problems])
    return tuple(_image(table) for table in tables)


def _image(table: dict[str, Any]) -> Image:
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    return Image(**{**table, **lists})


def _tables(path: Path) -> list[dict[str, Any]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequest([f"{path}: cannot be read ({error.strerror})"]) from error
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError
        raise InvalidRequest([f"{path}: is not TOML ({error}): mend it there"]) from error
    tables = document.get("image")
    whole = isinstance(tables, list) and all(isinstance(table, dict) for table in tables)
    if document.keys() != {"image"} or not whole:
        raise InvalidRequest([f"{path}: must hold [[image]] tables, and nothing else"])
    return list(document["image"])


def _repeated(tables: list[dict[str, Any]], *keys: str) -> Iterator[str]:
    seen: set[tuple[str, ...]] = set()
    for table in tables:
        value = tuple(str(table.get(key)) for key in keys)
        if value in seen:
            yield f"{':'.join(keys)} {':'.join(value)!r} is there twice: give each image its own"
        seen.add(value)


def _circles(tables: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the images that stand, over one or several others, on themselves."""
    bases = {f"{table.get('repository')}:{table.get('tag')}": table.get("base") for table in tables}
    for table in tables:
        own = f"{table.get('repository')}:{table.get('tag')}"
        base, seen = bases[own], {own}
        while isinstance(base, str) and base in bases and base not in seen:
            seen.add(base)
            base = bases[base]
        if base == own:
            yield (
                f"image {table.get('name')!r}: base {table.get('base')!r} starts from this image "
                "itself: name another base"
            )
