"""Filter patterns of CloudWatch Logs, as far as unstructured log events go."""

import re
from collections.abc import Callable

from sagedock.api import ServiceError
from sagedock.local.refusal import Refused

__all__ = ["matcher"]

_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))')


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return whether a message matches ``pattern``: terms, "phrases", ?either ?or, -without.

    Patterns over JSON or columns ({...}, [...]) are refused: a container's lines are plain text.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    text = pattern.strip()
    if text.startswith(("{", "[", "%")):
        raise Refused(
            ServiceError(
                code="InvalidParameterException",
                message=f"Invalid filter pattern {text!r}: the local SageMaker knows terms, quoted "
                "phrases, ?optional and -excluded terms",
            )
        )
    terms = [(sign, quoted or plain) for sign, quoted, plain in _TERM.findall(text)]
    needed = [term for sign, term in terms if sign == ""]
    optional = [term for sign, term in terms if sign == "?"]
    excluded = [term for sign, term in terms if sign == "-"]

    def matches(message: str) -> bool:
        return (
            all(term in message for term in needed)
            and (not optional or bool(needed) or any(term in message for term in optional))
            and not any(term in message for term in excluded)
        )

    return matches
