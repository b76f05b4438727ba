"""Tags, wherever they are given: CreateTrainingJob and AddTags."""

from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule, repeated
from sagedock.api.rules.sources import API

__all__ = ["ADDED", "CREATED"]


def _repeated_tags(request: Request) -> Finding:
    return repeated(tag["Key"] for tag in request.get("Tags") or ())


def _reserved_tags(request: Request) -> Finding:
    reserved = any(tag["Key"].lower().startswith("aws:") for tag in request.get("Tags") or ())
    return BROKEN if reserved else None


#: Added one after the other: of two tags with the same key the last one stays.
ADDED: tuple[Rule, ...] = (
    Rule(
        fields=("Tags",),
        finding=_reserved_tags,
        # The words of other services; SageMaker's own were not seen.
        message="aws: prefixed tag key names are not allowed for external use.",
        source="https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html",
        verified=False,
    ),
)
CREATED: tuple[Rule, ...] = (
    Rule(
        fields=("Tags",),
        finding=_repeated_tags,
        message="Tag keys must be unique. Duplicate tag keys: [{names}]",
        source=API + "API_Tag.html",
        verified=False,
    ),
    *ADDED,
)
