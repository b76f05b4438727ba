"""The query protocol: a form comes in, XML goes out."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from sagedock.api.model import Shape, output_shape, service_model

__all__ = ["read_query", "write_query"]

#: A form as a tree: ``Dimensions.member.1.Name`` is a path.
Tree = dict[str, Any]

#: XML 1.0 cannot carry these.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: Where a node keeps its own text; no step of a path holds a dot.
_TEXT = "."


def read_query(shape: Shape, form: Mapping[str, str]) -> dict[str, Any]:
    """Return the JSON request that ``form`` holds; a value of a wrong type stays a string."""
    tree: Tree = {}
    for path, text in form.items():
        node = tree
        for step in path.split("."):
            node = node.setdefault(step, {})
        node[_TEXT] = text
    return dict(_members(shape, tree))


def _members(shape: Shape, tree: Tree) -> Iterator[tuple[str, Any]]:
    for name, member in shape.members.items():
        if name in tree:
            yield name, _value(member, tree[name])


def _value(shape: Shape, tree: Tree) -> Any:
    match shape.type_name:
        case "structure":
            return dict(_members(shape, tree))
        case "list":
            items = tree.get("member", {})
            return [_value(shape.member, items[key]) for key in sorted(items, key=_place)]
        case "map":
            entries = tree.get("entry", {}).values()
            return {
                each["key"][_TEXT]: _value(shape.value, each["value"])
                for each in entries
                if "key" in each and "value" in each
            }
        case kind:
            return _leaf(kind, tree.get(_TEXT, ""))


def _place(key: str) -> tuple[int, str]:
    return (int(key) if key.isdecimal() else 0, key)


def _leaf(kind: str, text: str) -> Any:
    from botocore.utils import parse_timestamp

    try:
        match kind:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "boolean" if text in ("true", "false"):
                return text == "true"
            case "timestamp":
                return parse_timestamp(text).timestamp()
    except (ValueError, OverflowError):
        pass
    return text


def write_query(
    operation: str, answer: Mapping[str, Any], request: str, error: tuple[str, str] | None
) -> bytes:
    """Return the XML of an answer in JSON, or of an error: its code with whose fault it is
    (``InvalidParameterValue;Sender``), and its text.
    """
    namespace = service_model("cloudwatch").metadata["xmlNamespace"]
    if error is not None:
        code, _, fault = error[0].partition(";")
        inside = _element("Type", fault) + _element("Code", code) + _element("Message", error[1])
        body = f"<Error>{inside}</Error>{_element('RequestId', request)}"
        return f'<ErrorResponse xmlns="{namespace}">{body}</ErrorResponse>'.encode()
    shape = output_shape("cloudwatch", operation)
    result = (
        "" if shape is None else f"<{operation}Result>{_xml(shape, answer)}</{operation}Result>"
    )
    metadata = f"<ResponseMetadata>{_element('RequestId', request)}</ResponseMetadata>"
    name = f"{operation}Response"
    return f'<{name} xmlns="{namespace}">{result}{metadata}</{name}>'.encode()


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(_CONTROLS.sub('?', text))}</{name}>"


def _xml(shape: Shape, value: Any) -> str:
    match shape.type_name:
        case "structure":
            return "".join(
                f"<{name}>{_xml(member, value[name])}</{name}>"
                for name, member in shape.members.items()
                if name in value
            )
        case "list":
            return "".join(f"<member>{_xml(shape.member, item)}</member>" for item in value)
        case "map":
            return "".join(
                f"<entry>{_element('key', key)}<value>{_xml(shape.value, item)}</value></entry>"
                for key, item in value.items()
            )
        case "timestamp":
            return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
        case "boolean":
            return str(value).lower()
        case _:
            return escape(_CONTROLS.sub("?", str(value)))
