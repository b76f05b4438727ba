"""Refusals of Search. As in ``messages``: each names its source, and ``unverified`` marks words
that nobody was seen to receive.
"""

from sagedock.api.messages import not_carried_out, validation
from sagedock.api.service_error import ServiceError

__all__ = [
    "contains_too_often",
    "no_list_property",
    "not_a_value",
    "search_elsewhere",
    "text_not_comparable",
    "unknown_property",
    "value_missing",
]


def unknown_property(name: str, resource: str) -> ServiceError:
    """A filter, or SortBy, names no property of a resource. That it is refused: the model's words
    on Filter.Name ("You must specify a valid property for the resource"); the words are unverified.
    """
    return validation(f"Unknown property name: {name} is no property of {resource}.")


def no_list_property(name: str, resource: str) -> ServiceError:
    """NestedPropertyName, or a filter of it, is none of a list. Unverified."""
    return validation(f"{name} is no property of a list of {resource} that can be nested.")


def value_missing(name: str, operator: str) -> ServiceError:
    """A filter whose operator compares, without a Value. Unverified."""
    return validation(f"Value must be provided for filter {name} with operator {operator}.")


def not_a_value(name: str, value: str, kind: str) -> ServiceError:
    """A Value that is none of its property's kind. That numbers and times must be: the model's
    words on Filter.Value; the words are unverified.
    """
    return validation(f"Value {value} of filter {name} is not a valid {kind}.")


def text_not_comparable(name: str, operator: str) -> ServiceError:
    """An order of texts, or a part of what is no text. That neither is supported: the model's words
    on Filter.Operator; the words are unverified.
    """
    return validation(f"Operator {operator} is not supported for property {name}.")


def contains_too_often() -> ServiceError:
    """Contains is used more than once. Source: the model's words on Filter.Operator."""
    return validation("'CONTAINS' operator usage limit of 1 exceeded.")


def search_elsewhere(what: str) -> ServiceError:
    """What AWS would search by, and nothing here does. The words are ours; unverified is nothing,
    for AWS never says this.
    """
    return not_carried_out(what, "Leave it out locally, or search on AWS.")
