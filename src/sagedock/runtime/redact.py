"""Secrets are kept out of the log and of the failure file.

A value is taken for a secret by its name (``api_key``, ``db_password``, ``aws_session_token``) or
by its look (an AWS access key id, a token of a known service, a private key, a URL with a
password). Plain numbers under a name such as ``max_tokens`` are no secrets.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

__all__ = [
    "HIDDEN",
    "hide_arguments",
    "hide_nested",
    "hide_values",
    "secret_values",
    "shown",
    "shown_text",
]

HIDDEN = "***"
#: Shorter secrets are hidden where they are named, not searched for in texts: `"1"` is no needle.
_SHORTEST_NEEDLE = 6

_ALWAYS = re.compile(r"secret|passw|pwd|credential|private", re.IGNORECASE)
_UNLESS_NUMBER = re.compile(r"token(?!iz)|key|auth(?!or)", re.IGNORECASE)
_AWS = re.compile(r"^aws_(?!(default_)?region$|endpoint_url|profile$)", re.IGNORECASE)
_NUMBER = re.compile(
    r"\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*|true|false|null|none", re.IGNORECASE
)
_LOOKS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}"
    r"|\bhf_[A-Za-z0-9]{20,}"
    r"|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
)


def _named_secret(name: str, value: str) -> bool:
    if _ALWAYS.search(name) or _AWS.search(name):
        return True
    return bool(_UNLESS_NUMBER.search(name)) and not _NUMBER.fullmatch(value)


def shown(name: str, value: str) -> str:
    """Return ``value`` as the log may show it under ``name``: with its secrets hidden."""
    return HIDDEN if _named_secret(name, value) else shown_text(value)


def shown_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` without the given secret values and without what looks like a secret."""
    return _LOOKS.sub(HIDDEN, hide_values(text, secrets))


def hide_values(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` with each of the secret values replaced, longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def secret_values(*named: Mapping[str, Any]) -> frozenset[str]:
    """Return the values whose names say that they are secrets, long enough to be searched for."""
    return frozenset(
        value
        for pairs in named
        for name, value in _flat(pairs)
        if len(value) >= _SHORTEST_NEEDLE and _named_secret(name, value)
    )


def _flat(named: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in named.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        else:
            yield name, str(value)


def hide_nested(name: str, value: Any) -> Any:
    """Return a decoded hyperparameter with its secrets hidden, those inside objects too."""
    if isinstance(value, Mapping):
        return {inner: hide_nested(inner, held) for inner, held in value.items()}
    safe = shown(name, str(value))
    return value if safe == str(value) else safe


def hide_arguments(arguments: Sequence[str]) -> list[str]:
    """Return command-line arguments (``--name value``, ``--name=value``) as a log may show them."""
    safe: list[str] = []
    name = ""  # of the option whose value comes next
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if name:
            safe.append(shown(name, argument))
            name = ""
        elif equals:
            safe.append(f"{option}={shown(option.lstrip('-'), value)}")
        else:
            safe.append(shown_text(argument))
            name = argument.lstrip("-") if argument.startswith("-") else ""
    return safe
