"""What arguments are made of beside plain JSON: ``Get``, ``Std:Join`` and ``Std:JsonGet``.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-properties.html and the
SDKs' ``sagemaker.workflow.functions``.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["EXPERIMENT", "Reference", "Scope", "Unresolved", "references", "resolved"]

_GET, _JOIN, _JSON_GET = "Get", "Std:Join", "Std:JsonGet"
_PROPERTY_FILES = "PropertyFiles"
#: What references to the names of the experiment and of the trial begin with. Source: the SDKs'
#: ``PipelineExperimentConfigProperties``.
EXPERIMENT = "PipelineExperimentConfig"


class Unresolved(Exception):
    """An expression has no value; the text says why."""


class Scope(Protocol):
    """What expressions are about, in one step of one execution."""

    def parameter(self, name: str) -> Any:
        """Return a parameter's value."""
        ...

    def variable(self, name: str) -> Any:
        """Return an execution's variable."""
        ...

    def experiment(self, name: str) -> Any:
        """Return the name of the execution's experiment (ExperimentName) or trial (TrialName)."""
        ...

    def property(self, step: str, path: str) -> Any:
        """Return what a step's job is described with. Raises Unresolved."""
        ...

    def json_of(self, step: str, file: str) -> Any:
        """Return the JSON of a step's property file. Raises Unresolved."""
        ...

    def json_at(self, uri: str) -> Any:
        """Return the JSON of an object in S3. Raises Unresolved."""
        ...

    def json_value(self, document: Any, path: str) -> Any:
        """Return what ``path`` leads to in JSON. Raises Unresolved."""
        ...


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One ``Get``: of a parameter, of a variable of the execution, of what its experiment or its
    trial is called, or of a step.
    """

    kind: str
    name: str
    path: str = ""

    @classmethod
    def of(cls, text: Any) -> "Reference":
        """Return what ``text`` refers to, or raise ValueError."""
        kind, _, rest = str(text).partition(".")
        name, _, path = rest.partition(".")
        if kind in ("Parameters", "Execution") and name and not path:
            return cls(kind=kind, name=name)
        if kind == EXPERIMENT and name in ("ExperimentName", "TrialName") and not path:
            return cls(kind=kind, name=name)
        if kind == "Steps" and name and path:
            return cls(kind=kind, name=name, path=path)
        raise ValueError(f"{text!r} refers to nothing: begin with Parameters, Execution or Steps")

    @property
    def property_file(self) -> str | None:
        """The name of the property file that is meant, or None."""
        head, _, name = self.path.partition(".")
        if head == _PROPERTY_FILES:
            return name
        if self.path.startswith(f"{_PROPERTY_FILES}['"):
            return self.path[len(_PROPERTY_FILES) + 2 : -2]
        return None


def _expression(value: Any) -> str | None:
    """Return which expression ``value`` is, or None for plain JSON."""
    if isinstance(value, dict) and len(value) == 1:
        (name,) = value
        if name in (_GET, _JOIN, _JSON_GET):
            return str(name)
    return None


def references(value: Any) -> Iterator[Reference]:
    """Yield everything that ``value`` refers to, at any depth. Raises ValueError."""
    if _expression(value) == _GET:
        yield Reference.of(value[_GET])
    elif isinstance(value, dict):
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def resolved(value: Any, scope: Scope) -> Any:
    """Return ``value`` with every expression replaced by its value. Raises Unresolved."""
    match _expression(value):
        case "Get":
            return _got(Reference.of(value[_GET]), scope)
        case "Std:Join":
            return _joined(value[_JOIN], scope)
        case "Std:JsonGet":
            return _from_json(value[_JSON_GET], scope)
    if isinstance(value, dict):
        return {name: resolved(each, scope) for name, each in value.items()}
    if isinstance(value, list):
        return [resolved(each, scope) for each in value]
    return value


def _got(reference: Reference, scope: Scope) -> Any:
    if reference.kind == "Parameters":
        return scope.parameter(reference.name)
    if reference.kind == "Execution":
        return scope.variable(reference.name)
    if reference.kind == EXPERIMENT:
        return scope.experiment(reference.name)
    return scope.property(reference.name, reference.path)


def _joined(arguments: Mapping[str, Any], scope: Scope) -> str:
    separator = str(arguments.get("On", ""))
    return separator.join(_text(resolved(each, scope)) for each in arguments["Values"])


def _text(value: Any) -> str:
    """Return a value within text. Source of ``false`` in lower case: row 161."""
    return value if isinstance(value, str) else json.dumps(value)


def _from_json(arguments: Mapping[str, Any], scope: Scope) -> Any:
    if "S3Uri" in arguments:
        document = scope.json_at(_text(resolved(arguments["S3Uri"], scope)))
    else:
        reference = Reference.of(arguments["PropertyFile"][_GET])
        document = scope.json_of(reference.name, reference.property_file or "")
    return scope.json_value(document, _text(resolved(arguments["Path"], scope)))
