"""Tags, in the API's form."""

from collections.abc import Mapping, Sequence

__all__ = ["Tags", "tag_list"]

Tags = Mapping[str, str] | Sequence[Mapping[str, str]]


def tag_list(tags: Tags) -> list[dict[str, str]]:
    """Return tags as the API takes them; they may be that list already."""
    if isinstance(tags, Mapping):
        return [{"Key": key, "Value": value} for key, value in tags.items()]
    return [dict(tag) for tag in tags]
