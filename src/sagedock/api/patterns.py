"""The models' patterns: Java regular expressions, matched whole, run by Python's engine.

Two tables. ``TRANSLATED`` holds what Python writes differently. ``SPELLED`` holds the patterns
that the service prints otherwise than the model has them.
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

__all__ = ["SPELLED", "TRANSLATED", "compiled", "matches", "printed", "to_python"]

# Unicode's general categories as members of a Python class. A letter or number is what \w means
# without re.ASCII; the space separators are few.
_SEPARATORS = r"\x20\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_WORDS = rf"\w{_SEPARATORS}"
# Control, format, surrogate and private use. Unassigned characters are let through: which ones
# are unassigned depends on the Unicode version of the service's Java.
_CONTROLS = (
    r"\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ud800-\uf8ff\ufeff\ufff9-\ufffb\U000e0001-\U000e007f\U000f0000-\U0010ffff"
)
# The symbols that people type, and the blocks that hold little else.
_SYMBOLS = (
    r"$+<=>\^`|~\xa2-\xa6\xa8\xa9\xac\xae-\xb1\xb4\xb8\xd7\xf7\u20a0-\u20c0\u2190-\u22ff"
    r"\u2300-\u2307\u230c-\u2328\u232b-\u23ff\u2500-\u2767\u2794-\u27c4\U0001f000-\U0001faff"
)
# What Java's dot does not match.
_LINE_ENDS = r"\n\r\x85\u2028\u2029"

#: Patterns that Python cannot compile, reads differently, or would take for ever over.
TRANSLATED: Mapping[str, str] = MappingProxyType(
    {
        r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)": rf"(?u:[{_WORDS}.:/=+\-@]*)",
        r"([\p{L}\p{Z}\p{N}_.:/=+\-]*)": rf"(?u:[{_WORDS}.:/=+\-]*)",
        r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$": rf"(?u:[{_WORDS}.:/=+\-@]*)",
        r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$": rf"(?u:[{_WORDS}.:/=+\-@]+)",
        r"^!?\*?([\p{L}\p{Z}\p{N}_.:/=+\-@]*)\*?$": rf"!?\*?(?u:[{_WORDS}.:/=+\-@]*)\*?",
        # A count on the anchor $ is legal in Java, and says nothing.
        r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}": rf"(?u:[{_WORDS}.:/=+\-@]*)",
        r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,256}": rf"(?u:[{_WORDS}.:/=+\-@]*)",
        r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+": rf"[^{_CONTROLS}{_SEPARATORS}]+",
        r"[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]*": rf"[^{_CONTROLS}]*",
        r"[\p{L}\p{M}\p{Z}\p{N}\p{P}]{0,1024}": rf"[^{_CONTROLS}{_SYMBOLS}]{{0,1024}}",
        r"arn:[\p{Alnum}\-]+:lambda:[\p{Alnum}\-]+:[0-9]{12}:function:.*": (
            r"arn:[a-zA-Z0-9\-]+:lambda:[a-zA-Z0-9\-]+:[0-9]{12}:function:"
            rf"[^{_LINE_ENDS}]*"
        ),
        r"\p{ASCII}*": r"[\x00-\x7f]*",
        r"\A\S[\p{Print}]*\z": r"\S[\x20-\x7e]*",
        # Java joins the two halves of a surrogate pair.
        r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*": (
            r"[\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF\t]*"
        ),
        r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*": (
            r"[\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF\r\n\t]*"
        ),
        r"\p{Print}+": r"[\x20-\x7e]+",
        r"[\w-_]*": r"[\w\-_]*",
        # The rest would take exponential or cubic time to refuse a text; each is said here in a
        # form that takes one pass, and means the same.
        r".*(?:[ \r\n\t].*)*": r"[^\x85\u2028\u2029]*",
        r".*(?:[ \r\n\t].*)*.*": r"[^\x85\u2028\u2029]*",
        r"[a-z0-9]([-a-z0-9]*[a-z0-9]){0,39}?": r"[a-z0-9]([-a-z0-9]*[a-z0-9])?",
        r"(?!((^[ ]+.*)|(.*([\u0000-\u001f]|[\u007f-\u009f]|[:/|])+.*)|(.*[ ]+$))).+": (
            r"(?! )[^\x00-\x1f\x7f-\x9f:/|\u2028\u2029]+(?<! )"
        ),
        r".*[0-9a-z]+.*": rf"(?=[^0-9a-z{_LINE_ENDS}]*[0-9a-z])[^{_LINE_ENDS}]*",
        r"[0-9]*.[0-9]*.[0-9]*": rf"(?=..)[0-9]*(?:[^0-9{_LINE_ENDS}][0-9]*){{0,2}}",
        r"https://([.\-_a-zA-Z0-9]+/?){3,1016}": (
            r"https://(?=(?:/?[.\-_a-zA-Z0-9]){3})[.\-_a-zA-Z0-9]+(?:/[.\-_a-zA-Z0-9]+)*/?"
        ),
    }
)

#: Patterns that the service was seen to print with an anchor that the model leaves out.
SPELLED: Mapping[str, str] = MappingProxyType(
    {
        # aws-answers row 2 (2023); notebookInstanceName and modelName in older answers too.
        r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}": r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        r"[a-zA-Z0-9](-*[a-zA-Z0-9])*": r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*",
        # aws-answers row 20 of the rest (2021): ModelName, which the model wrote so then.
        r"[a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?": r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*",
    }
)

#: Of a text longer than its limit, so much more is looked at: matching may take time that grows
#: with the square of the length, and the text is refused for its length anyway.
_BEYOND_LIMIT = 1000

#: An escape or a class, which stay, or a bare dot.
_DOTS = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\.", re.DOTALL)


def printed(pattern: str) -> str:
    """Return ``pattern`` as the service writes it in a message."""
    return SPELLED.get(pattern, pattern)


def to_python(pattern: str) -> str:
    """Return ``pattern`` in Python's dialect. Java's dot matches no line end of any kind."""
    return TRANSLATED.get(pattern) or _DOTS.sub(
        lambda found: found[1] or f"[^{_LINE_ENDS}]", pattern
    )


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    r"""Return ``pattern`` ready to match; ``\d``, ``\w`` and ``\s`` are ASCII, as in Java."""
    return re.compile(to_python(pattern), re.ASCII)


def matches(pattern: str, text: str, longest: int | None = None) -> bool:
    """Say whether the whole of ``text`` matches, as the service demands.

    ``longest`` is the length that the shape allows, in characters; of a text far beyond it only
    the beginning is judged.
    """
    head = text if longest is None else text[: longest + _BEYOND_LIMIT]
    return compiled(pattern).fullmatch(head) is not None
