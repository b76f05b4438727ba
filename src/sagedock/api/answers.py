"""The strict check of an answer against the model: a fake must be held to the real shape."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sagedock.api.check import problems_in_value
from sagedock.api.constraints import Kind
from sagedock.api.model import Shape, output_shape
from sagedock.api.place import TOP, Place
from sagedock.api.strict import unknown_in_value
from sagedock.api.walk import children

__all__ = ["problems_in_answer"]

#: The Python types of each scalar, bool apart: a bool is an int in Python, and never in JSON.
_TYPES: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "string": (str,),
        "character": (str,),
        "integer": (int,),
        "long": (int,),
        "float": (int, float),
        "double": (int, float),
        "boolean": (bool,),
        "timestamp": (datetime, int, float),
        "blob": (bytes, bytearray, str),
        "structure": (Mapping,),
        "map": (Mapping,),
        "list": (list, tuple),
    }
)

#: Members that the model requires and that the service leaves out: ModelArtifacts until a job has
#: ended, ModelPackageName of a versioned package. Sources: the Describe answers kept in
#: aws-controllers-k8s/sagemaker-controller (2021), the developer guide's model-registry-details.
_LEFT_OUT: Mapping[tuple[str, str], frozenset[str]] = MappingProxyType(
    {
        ("sagemaker", "DescribeModelPackage"): frozenset({"ModelPackageName"}),
        ("sagemaker", "DescribeTrainingJob"): frozenset({"ModelArtifacts"}),
    }
)

#: Lists that the service answers empty, though the model, which has one shape for requests and
#: answers, demands a member. Source: the CLI's reference of list-images and batch-delete-image.
_EMPTY: Mapping[tuple[str, str], frozenset[str]] = MappingProxyType(
    {
        ("ecr", "BatchDeleteImage"): frozenset({"imageIds"}),
        ("ecr", "ListImages"): frozenset({"imageIds"}),
    }
)


def problems_in_answer(
    service: str,
    operation: str,
    answer: Mapping[str, Any],
    *,
    allow: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    """Return everything about ``answer`` that the output shape forbids, one line each.

    Unknown members, wrong types, missing required members, and every enum, pattern, length and
    range. Timestamps may be datetimes with a timezone, or numbers. ``allow`` is enum values to
    accept beyond the model's.
    """
    shape = output_shape(service, operation)
    if shape is None:
        return tuple(f"{name}: {operation} answers nothing" for name in answer)
    unknown = (f"{name}: not in the model" for name in unknown_in_value(shape, answer, TOP))
    left_out = _LEFT_OUT.get((service, operation), frozenset())
    empty = {
        name for name in _EMPTY.get((service, operation), frozenset()) if answer.get(name) == []
    }
    wrong = (
        f"{found.member}: {found.constraint}"
        for found in problems_in_value(shape, answer, allow)
        if not (found.kind is Kind.REQUIRED and found.member in left_out)
        and found.member not in empty
    )
    return (*unknown, *_wrong_types(shape, answer, TOP), *wrong)


def _wrong_types(shape: Shape, value: Any, place: Place) -> Iterator[str]:
    if value is None:
        return
    if not _is_of_type(shape.type_name, value):
        yield f"{place.member}: {type(value).__name__} where the model has {shape.type_name}"
        return
    if isinstance(value, datetime) and value.tzinfo is None:
        yield f"{place.member}: a datetime without a timezone"
    for child, item, where in children(shape, value, place):
        yield from _wrong_types(child, item, where)


def _is_of_type(type_name: str, value: object) -> bool:
    if isinstance(value, bool):
        return type_name == "boolean"
    return isinstance(value, _TYPES[type_name])
