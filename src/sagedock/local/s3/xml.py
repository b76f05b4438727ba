"""S3's XML, written and read."""

import re
from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, ParseError, XMLParser
from xml.sax.saxutils import escape

from sagedock.local.s3.errors import S3Error

__all__ = [
    "NAMESPACE",
    "Node",
    "element",
    "elements",
    "error_document",
    "parse",
    "text",
    "texts",
    "write",
]

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
#: XML 1.0 cannot carry these; S3 writes them as references all the same.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f]")

#: The content of an element: text, or named children in order (a name may come more than once).
Node = str | int | bool | Iterable[tuple[str, "Node"]]


def write(name: str, content: Node, *, namespace: str = NAMESPACE) -> bytes:
    """Write a whole document, as UTF-8."""
    attribute = f' xmlns="{namespace}"' if namespace else ""
    return f"{_DECLARATION}<{name}{attribute}>{_inside(content)}</{name}>".encode()


def error_document(error: S3Error, *, resource: str, request: str) -> bytes:
    """Write the document that S3 refuses a request with; any client can parse it."""
    fields: Mapping[str, str | int] = {
        "Code": error.code,
        "Message": error.message,
        **error.fields,
        "Resource": resource,
        "RequestId": request,
        "HostId": request,
    }
    shown = ((name, _CONTROLS.sub("?", str(value))) for name, value in fields.items())
    return write("Error", shown, namespace="")


def _inside(content: Node) -> str:
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, str | int):
        return _CONTROLS.sub(lambda found: f"&#x{ord(found[0]):X};", escape(str(content)))
    return "".join(f"<{name}>{_inside(inner)}</{name}>" for name, inner in content)


def parse(body: bytes, name: str) -> Element:
    """Read a request's document, whose root is called ``name``. Raises MalformedXML."""
    # A declared entity could expand without end; S3's documents declare none. UTF-16 has zeros.
    if b"<!DOCTYPE" in body or b"\0" in body:
        raise S3Error("MalformedXML")
    parser = XMLParser()  # noqa: S314 - see above
    try:
        parser.feed(body)
        root: Element = parser.close()
    except ParseError:
        raise S3Error("MalformedXML") from None
    if _local(root) != name:
        raise S3Error("MalformedXML")
    return root


def elements(parent: Element, name: str) -> list[Element]:
    """Return the children called ``name``, in any namespace."""
    return [child for child in parent if _local(child) == name]


def element(parent: Element, name: str) -> Element:
    """Return the first child called ``name``. Raises MalformedXML."""
    found = elements(parent, name)
    if not found:
        raise S3Error("MalformedXML")
    return found[0]


def text(parent: Element, name: str) -> str:
    """Return the text of the first child called ``name``, or an empty string."""
    found = elements(parent, name)
    return (found[0].text or "") if found else ""


def texts(parent: Element, *, start: str) -> dict[str, str]:
    """Return the texts of the children whose names begin with ``start``, by name."""
    return {_local(child): child.text or "" for child in parent if _local(child).startswith(start)}


def _local(node: Element) -> str:
    return node.tag.rpartition("}")[2]
