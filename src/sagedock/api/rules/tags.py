"""Tags, wherever they are given: CreateTrainingJob and AddTags."""

from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule

__all__ = ["RULES"]


def _reserved_tags(request: Request) -> Finding:
    reserved = any(tag["Key"].lower().startswith("aws:") for tag in request.get("Tags") or ())
    return BROKEN if reserved else None


RULES: tuple[Rule, ...] = (
    Rule(
        fields=("Tags",),
        finding=_reserved_tags,
        # The words of other services; SageMaker's own were not seen.
        message="aws: prefixed tag key names are not allowed for external use.",
        source="https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html",
        verified=False,
    ),
)
