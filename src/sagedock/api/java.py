"""How the service prints a value: Java's ``toString``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import isinf, isnan
from typing import Any

from sagedock.api.model import Shape
from sagedock.api.place import camel_case

__all__ = ["is_sensitive", "java_text", "quoted"]

#: Stands for a secret inside a larger value. The words are the Java SDK's own.
REDACTED = "***Sensitive Data Redacted***"


def is_sensitive(shape: Shape) -> bool:
    """Say whether the model marks ``shape`` as a secret."""
    return bool(shape.metadata.get("sensitive"))


def quoted(value: Any, shape: Shape) -> str:
    """Return what stands after "Value " in a message, with its trailing space.

    A null is bare, and a secret is left out altogether ("Value at 'body' failed ...", as
    sagemaker-runtime answered in aws/aws-sdk-js#4203).
    """
    if value is None:
        return "null "
    return "" if is_sensitive(shape) else f"'{java_text(value, shape)}' "


def java_text(value: Any, shape: Shape) -> str:
    """Return ``value`` as Java prints it: ``{a=b, c=d}``, ``[a, b]``, ``true``, ``null``.

    Maps are as in aws-answers rows 20 and 21; structures follow them, which is unverified.
    """
    if value is not None and is_sensitive(shape):
        return REDACTED
    match value:
        case Mapping():
            return _mapping_text(value, shape)
        case str():
            return value
        case bytes() | bytearray():
            size = len(value)
            return f"java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]"
        case Sequence():
            return f"[{', '.join(java_text(item, shape.member) for item in value)}]"
        case _:
            return _scalar_text(value)


def _mapping_text(value: Mapping[str, Any], shape: Shape) -> str:
    if shape.type_name == "map":
        pairs = [(key, item, shape.value) for key, item in value.items()]
    else:
        known = shape.members
        pairs = [(camel_case(key), value[key], known[key]) for key in value if key in known]
    return f"{{{', '.join(f'{key}={java_text(item, of)}' for key, item, of in pairs)}}}"


def _scalar_text(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float():
            return _double_text(value)
        case datetime():
            return value.strftime("%a %b %d %H:%M:%S UTC %Y")
        case _:
            return str(value)


def _double_text(value: float) -> str:
    """Return Java's ``Double.toString``: plain between 1e-3 and 1e7, else ``1.0E-6``."""
    if isnan(value) or isinf(value):
        return str(value).replace("nan", "NaN").replace("inf", "Infinity")
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:])) or "0"
    return f"{'-' * sign}{first}.{rest}E{int(exponent) + len(digits) - 1}"
