"""What a table of images.toml may hold: every problem of it, each naming its field."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, get_args

from sagedock.images.arguments import absent_stage, unused_arguments
from sagedock.images.device import device_problems
from sagedock.images.image import Device, Kind
from sagedock.images.names import LABEL_KEY, NAME, REFERENCE, REPOSITORY, TAG
from sagedock.images.preflight.target import unknown_type
from sagedock.images.starts import another_base

__all__ = ["table_problems"]

_PATTERNS = {
    "name": NAME,
    "repository": REPOSITORY,
    "tag": TAG,
    "base": REFERENCE,
    "python": r"3\.[0-9]+",
    "cuda": r"[0-9]+\.[0-9]+",
    "neuron": r"[0-9]+\.[0-9]+(?:\.[0-9]+)?",
    "instance_types": r"ml\.[a-z0-9-]+\.[a-z0-9]+",
}
_CHOICES = {"kind": get_args(Kind), "device": get_args(Device)}
_FREE_TEXT = ("dockerfile", "target")
_LISTS = ("locks", "instance_types")
_NUMBERS = ("budget_mb",)
_SWITCHES = ("on_request",)
_TABLES = ("instead", "args", "labels")
_REQUIRED = ("name", "kind", "device", "dockerfile", "target", "repository", "tag", "base")
#: The device that needs a version of its own, by the field which names that.
_VERSION_OF = {"cuda": "cuda", "neuron": "neuron"}
_KNOWN = {*_REQUIRED, "python", *_VERSION_OF, *_NUMBERS, *_SWITCHES, *_LISTS, *_TABLES}


def table_problems(table: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Yield the problems of one [[image]] table whose paths are relative to ``folder``."""
    where = f"image {table.get('name', '(without a name)')!r}"
    for problem in _problems(table, folder):
        yield f"{where}: {problem}"


def _problems(table: Mapping[str, Any], folder: Path) -> Iterator[str]:
    yield from (f"{key} is missing: add it" for key in _REQUIRED if key not in table)
    for key in sorted(table.keys() - _KNOWN):
        yield f"{key} is no field: use one of {', '.join(sorted(_KNOWN))}"
    for key, value in table.items():
        yield from _value_problems(key, value)
    yield from _version_problems(table)
    yield from _unused_replacements(table)
    yield from device_problems(table)
    wrong = [*_wrong_files(table, folder)]
    yield from wrong
    if not wrong:
        yield from _dockerfile_problems(table, folder)


def _value_problems(key: str, value: Any) -> Iterator[str]:
    if key in _LISTS:
        if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            yield f"{key} must be a list of strings, not {value!r}"
        elif key == "instance_types":
            yield from (problem for item in value for problem in _type_problems(item))
    elif key in _SWITCHES:
        if not isinstance(value, bool):
            yield f"{key} must be true or false, not {value!r}"
    elif key in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            yield f"{key} must be a whole number above 0, not {value!r}"
    elif key in _TABLES:
        if not (isinstance(value, dict) and all(isinstance(v, str) for v in value.values())):
            yield f"{key} must be a table of strings, not {value!r}"
        elif key == "labels":
            for label in value:
                if not re.fullmatch(LABEL_KEY, label):
                    yield f"labels: {label!r} is no key: leave out blanks, quotes and ="
    elif key in _KNOWN and not (isinstance(value, str) and value):
        yield f"{key} must be a string that is not empty, not {value!r}"
    elif key in _CHOICES and value not in _CHOICES[key]:
        yield f"{key} {value!r} is unknown: use one of {', '.join(_CHOICES[key])}"
    elif key in _PATTERNS:
        yield from _pattern_problems(key, value)


def _pattern_problems(key: str, value: str) -> Iterator[str]:
    if not re.fullmatch(_PATTERNS[key], value):
        yield f"{key} {value!r} does not match {_PATTERNS[key]}"


def _type_problems(name: str) -> Iterator[str]:
    bad = [*_pattern_problems("instance_types", name)]
    yield from bad
    if not bad and (problem := unknown_type(name)):
        yield f"instance_types {problem}"


def _version_problems(table: Mapping[str, Any]) -> Iterator[str]:
    asked = table.get("device")
    for device, field in _VERSION_OF.items():
        if asked == device and field not in table:
            yield f"{field} is missing: device {device!r} needs the version"
        if asked in _CHOICES["device"] and asked != device and field in table:
            yield f"{field} is for device {device!r}: remove it, or change device"


def _unused_replacements(table: Mapping[str, Any]) -> Iterator[str]:
    locks, instead = table.get("locks", []), table.get("instead")
    if isinstance(locks, list) and isinstance(instead, dict):
        for lock in instead:
            if lock not in locks:
                yield f"instead replaces {lock!r}, which locks do not name: add it there"


def _wrong_files(table: Mapping[str, Any], folder: Path) -> Iterator[str]:
    for key, name in _named_files(table):
        if not isinstance(name, str):
            continue  # told as a value of the wrong type
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            yield f"{key}: {name!r} leads out of {folder}: name a path below it"
        elif (folder / name).is_dir():
            yield f"{key}: {folder / name} is a folder: name a file in it"
        elif not (folder / name).is_file():
            yield f"{key}: {folder / name} is not there: correct the path"


def _dockerfile_problems(table: Mapping[str, Any], folder: Path) -> Iterator[str]:
    name, args, target = (table.get(key) for key in ("dockerfile", "args", "target"))
    if not isinstance(name, str):
        return
    text = (folder / name).read_text(encoding="utf-8", errors="replace")
    if isinstance(args, dict):
        yield from unused_arguments(args, text)
    if isinstance(target, str) and target:
        yield from absent_stage(target, text)
        yield from _base_problems(table, target, folder / name, text)


def _base_problems(table: Mapping[str, Any], target: str, file: Path, text: str) -> Iterator[str]:
    """Yield where the image does not start from the table's base, as its label would say."""
    base, args = table.get("base"), table.get("args", {})
    if not isinstance(base, str) or not isinstance(args, dict):
        return
    given = {key: value for key, value in args.items() if isinstance(value, str)}
    if found := another_base(base, target, given, text):
        line, said, start = found
        remedy = (
            "leave BASE out of args"
            if "BASE" in given and "BASE" in said
            else "write `ARG BASE` before the first FROM, and `FROM ${BASE}` there"
        )
        yield (
            f"base {base!r} is not what the image starts from: {file}, line {line}, has `{said}`, "
            f"which is {start or 'no image'}: {remedy}{start and f', or base = {start!r}'}"
        )


def _named_files(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "dockerfile" in table:
        yield "dockerfile", table["dockerfile"]
    locks, instead = table.get("locks"), table.get("instead")
    if isinstance(locks, list):
        yield from (("locks", lock) for lock in locks)
    if isinstance(instead, dict):
        yield from (("instead", lock) for pair in instead.items() for lock in pair)
