"""The contract is data with readers: each row has a source and a reader, and is typed once."""

import ast
import dataclasses
import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.laws.tree import SOURCES, literals, nodes, room_of, short

MODULES = tuple(
    importlib.import_module(f"sagedock.contract.{name}")
    for name in (
        *("accelerators", "architectures", "driver", "fabric", "labels", "limits", "network"),
        *("neuron", "paths", "routes", "signals", "transform", "variables"),
    )
)
#: boto3 reads these on any machine, so our own code names them where it speaks to a client.
KNOWN_OUTSIDE_CONTAINERS = {"AWS_DEFAULT_REGION", "AWS_REGION"}
#: What users write tests with may spell the contract out.
FREE_ROOMS = ("contract", "testing")
OUTSIDE = [file for file in SOURCES if room_of(file) not in FREE_ROOMS]


def facts() -> list[tuple[ModuleType, str]]:
    """Return what the contract's modules publish, except the classes of rows."""
    return [
        (module, name)
        for module in MODULES
        for name in module.__all__
        if not inspect.isclass(getattr(module, name))
    ]


def label(part: object) -> str:
    """Return what pytest calls a fact: its module's last word, then its name."""
    return part.__name__.rpartition(".")[2] if isinstance(part, ModuleType) else str(part)


def rows() -> list[Any]:
    found = [getattr(module, name) for module, name in facts()]
    return [fact for fact in found if dataclasses.is_dataclass(fact)]


def reads(file: Path) -> set[tuple[str, str]]:
    """Return (module of the contract, name) of all that a file reads."""
    called: dict[str, str] = {}
    found: set[tuple[str, str]] = set()
    for node in nodes(file):
        if isinstance(node, ast.ImportFrom) and node.module == "sagedock.contract":
            called |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "sagedock.contract."
        ):
            found |= {((node.module or "").rpartition(".")[2], alias.name) for alias in node.names}
    for node in nodes(file):
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in called:
                found.add((called[module], name))
    return found


@cache
def read_outside() -> frozenset[tuple[str, str]]:
    """Return what all files outside the contract read of it."""
    return frozenset().union(*(reads(file) for file in SOURCES if room_of(file) != "contract"))


def test_there_are_rows() -> None:
    assert len(rows()) > 15


@pytest.mark.parametrize(
    ("module", "name"), facts(), ids=lambda each: getattr(each, "__name__", each)
)
def test_each_fact_is_read_outside_the_contract(module: ModuleType, name: str) -> None:
    assert (module.__name__.rpartition(".")[2], name) in read_outside(), (
        f"nobody reads {module.__name__}.{name}: wire it, or take it out until somebody does"
    )


@pytest.mark.parametrize("row", rows(), ids=str)
def test_each_row_names_its_source(row: Any) -> None:
    if str(row).startswith("SAGEDOCK_"):
        assert row.source == "sagedock"
        return
    page, _, version = row.source.partition(" ")
    assert re.fullmatch(r"https://[a-z0-9.-]+/\S+", page), row.source
    assert re.fullmatch(r"|\(\d+\.\d+\.\d+\)", version), row.source


@pytest.mark.parametrize("row", rows(), ids=str)
def test_rows_are_frozen(row: Any) -> None:
    first = dataclasses.fields(row)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(row, first, getattr(row, first))


def test_a_variables_row_is_called_as_the_variable_is() -> None:
    variables = importlib.import_module("sagedock.contract.variables")
    for module, name in facts():
        if module is variables:
            assert getattr(module, name).name == name


def contract_words() -> re.Pattern[str]:
    """Return what only the contract may type: /opt/ml, its variables, the interface."""
    paths = importlib.import_module("sagedock.contract.paths")
    network = importlib.import_module("sagedock.contract.network")
    variables = importlib.import_module("sagedock.contract.variables")
    names = set(variables.__all__) - {"Variable"} - KNOWN_OUTSIDE_CONTAINERS
    words = "|".join(sorted({*names, network.INTERFACE}))
    return re.compile(rf"{paths.RESERVED.path}(?![\w-])|(?<!\w)(?:{words})(?!\w)")


@pytest.mark.parametrize("file", OUTSIDE, ids=short)
def test_no_other_room_types_a_fact_of_the_contract(file: Path) -> None:
    typed = [(line, text) for line, text in literals(file) if contract_words().search(text)]
    assert typed == [], "read it from sagedock.contract"


def test_the_search_for_typed_facts_finds_one(tmp_path: Path) -> None:
    file = tmp_path / "typed.py"
    file.write_text('"""Reads /opt/ml/model."""\nx = "/opt/ml/model"\ny = f"{x} eth0"\n')
    found = [line for line, text in literals(file) if contract_words().search(text)]
    assert found == [2, 3]
