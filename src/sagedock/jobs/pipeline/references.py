"""Values that a pipeline's steps have only when it runs, typed; each writes SageMaker's JSON.

Source of the forms: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-properties.html
and the schema that AWS publishes for pipeline definitions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

__all__ = [
    "Execution",
    "Join",
    "JsonGet",
    "Parameter",
    "Property",
    "Reference",
    "emitted",
    "references_in",
    "text_of",
]

ParameterType = Literal["String", "Integer", "Float", "Boolean"]
_TYPES: Mapping[type, ParameterType] = {
    bool: "Boolean",
    int: "Integer",
    float: "Float",
    str: "String",
}


class Reference:
    """A value that is known when the pipeline runs. It may stand wherever a job has a value."""

    def expression(self) -> dict[str, Any]:
        """Return the reference as the definition has it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Parameter(Reference):
    """What an execution may be given. Its type is the default's, or ``type``.

    One without a default must be given. ``choices`` are all that it may be.
    """

    name: str
    default: str | int | float | bool | None = None
    type: ParameterType | None = None
    choices: Sequence[str | int | float] = ()

    @property
    def kind(self) -> ParameterType:
        """The type, as the definition names it."""
        return self.type or _TYPES.get(type(self.default), "String")

    def declaration(self) -> dict[str, Any]:
        """Return what the definition declares."""
        declared: dict[str, Any] = {"Name": self.name, "Type": self.kind}
        if self.default is not None:
            declared["DefaultValue"] = self.default
        if self.choices:
            declared["EnumValues"] = list(self.choices)
        return declared

    def expression(self) -> dict[str, Any]:
        """Return ``Get`` of the parameter."""
        return {"Get": f"Parameters.{self.name}"}


class Execution(Reference, Enum):
    """A variable of the execution."""

    START_DATE_TIME = "StartDateTime"
    CURRENT_DATE_TIME = "CurrentDateTime"
    PIPELINE_NAME = "PipelineName"
    PIPELINE_ARN = "PipelineArn"
    PIPELINE_EXECUTION_ID = "PipelineExecutionId"
    PIPELINE_EXECUTION_ARN = "PipelineExecutionArn"
    TRAINING_JOB_NAME = "TrainingJobName"
    PROCESSING_JOB_NAME = "ProcessingJobName"

    def expression(self) -> dict[str, Any]:
        """Return ``Get`` of the variable."""
        return {"Get": f"Execution.{self.value}"}


@dataclass(frozen=True)
class Property(Reference):
    """What a step's job is described with, at ``path``: ``ModelArtifacts.S3ModelArtifacts``."""

    step: str
    path: str

    def expression(self) -> dict[str, Any]:
        """Return ``Get`` of the step's property."""
        return {"Get": f"Steps.{self.step}.{self.path}"}


@dataclass(frozen=True)
class Join(Reference):
    """Text of values, with ``on`` between them."""

    values: Sequence[Any]
    on: str = ""

    def expression(self) -> dict[str, Any]:
        """Return ``Std:Join``."""
        return {"Std:Join": {"On": self.on, "Values": [emitted(each) for each in self.values]}}


@dataclass(frozen=True)
class JsonGet(Reference):
    """A value in a property file of a step: JSON that its job wrote; ``path`` is ``a.b[0].c``."""

    step: str
    file: str
    path: str

    def expression(self) -> dict[str, Any]:
        """Return ``Std:JsonGet``."""
        file = {"Get": f"Steps.{self.step}.PropertyFiles.{self.file}"}
        return {"Std:JsonGet": {"PropertyFile": file, "Path": self.path}}


def text_of(value: Any) -> Any:
    """Return ``value``; a reference that may be no text, as text when the pipeline runs: SageMaker
    converts no number where text is due. Source of the form: SDK v2's ``to_string``.
    """
    if not isinstance(value, Reference) or isinstance(value, Execution | Join):
        return value
    is_text = isinstance(value, Parameter) and value.kind == "String"
    return value if is_text else Join([value])


def emitted(value: Any) -> Any:
    """Return a value, at any depth, with every reference as the definition has it."""
    if isinstance(value, Reference):
        return value.expression()
    if isinstance(value, Mapping):
        return {name: emitted(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [emitted(each) for each in value]
    return value


def references_in(value: Any) -> Iterator[Reference]:
    """Yield the references in a value, at any depth, those within texts too."""
    if isinstance(value, Reference):
        yield value
        if isinstance(value, Join):
            yield from references_in(list(value.values))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from references_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from references_in(each)
