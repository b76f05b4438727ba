"""Paths of properties: ``ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri``."""

import re
from collections.abc import Iterator

__all__ = ["ELEMENT_NAMES", "path_parts"]

#: What names an element of a list, in the order tried. Source: the SDKs' properties, which name
#: the elements of these lists so.
ELEMENT_NAMES = (
    *("OutputName", "InputName", "MetricName", "ChannelName", "Name", "ContainerHostname"),
)
_PART = re.compile(r"\.?([A-Za-z0-9_\-:]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")


def path_parts(path: str) -> Iterator[str | int]:
    """Yield a path's parts: names of members and elements, and positions. Raises ValueError."""
    position = 0
    while position < len(path):
        found = _PART.match(path, position)
        if found is None:
            raise ValueError(f"{path!r} is no path of a property")
        member, index, single, double = found.groups()
        position = found.end()
        if index is not None:
            yield int(index)
        else:
            yield next(each for each in (member, single, double) if each is not None)
