"""Secrets in a file's content, by what they look like. They are named, and never repeated."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import basename

__all__ = ["is_of_a_package", "secrets_in", "secrets_told"]


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A kind of secret. ``hint`` is in each of them: content without it is not searched.

    ``names`` are the files that may hold it, empty for all; ``anywhere`` says binary ones too.
    """

    what: str
    hint: bytes
    pattern: re.Pattern[bytes]
    names: frozenset[str] = frozenset()
    anywhere: bool = False


_TELLS_BINARY = 8 * 1024
_BREAK = rb"(?:\s|\\n|\\r)*"  # JSON has a key's line breaks as backslash and n
#: In AWS's own documentation, and in programs that quote it.
_EXAMPLE = re.compile(rb"EXAMPLE(?:KEY)?$")
_WITH_INDEX = frozenset(
    {
        *("pip.conf", "pip.ini", ".npmrc", ".condarc", ".gitconfig", "config", ".git-credentials"),
        *("uv.toml", "uv.lock", "pyproject.toml", "poetry.toml", "Pipfile", "Pipfile.lock"),
        *("environment.yml", "sources.list", "auth.conf", "requirements.txt", "direct_url.json"),
    }
)

_KINDS = (
    _Kind(
        what="a private key",
        hint=b"PRIVATE KEY-----",
        pattern=re.compile(
            rb"-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY-----"
            + _BREAK
            + rb"(?:[A-Za-z-]{4,20}: [^\n]{1,200}\n\s*){0,4}"
            + rb"(?:[A-Za-z0-9+/=]"
            + _BREAK
            + rb"){64}"
        ),
        anywhere=True,
    ),
    _Kind(
        what="an AWS access key",
        hint=b"AKIA",
        pattern=re.compile(rb"(?<![A-Za-z0-9+/])AKIA[A-Z2-7]{16}(?![A-Za-z0-9+/])"),
        anywhere=True,
    ),
    _Kind(
        what="a temporary AWS access key",
        hint=b"ASIA",
        pattern=re.compile(rb"(?<![A-Za-z0-9+/])ASIA[A-Z2-7]{16}(?![A-Za-z0-9+/])"),
        anywhere=True,
    ),
    *(
        _Kind(
            what="an AWS secret access key",
            hint=hint,
            pattern=re.compile(
                hint
                + rb"[\"']?\s{0,4}[=:]\s{0,4}[\"']?(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])"
            ),
        )
        for hint in (b"aws_secret_access_key", b"AWS_SECRET_ACCESS_KEY", b"SecretAccessKey")
    ),
    *(
        _Kind(what="a GitHub token", hint=hint, pattern=re.compile(hint + rb"[A-Za-z0-9]{36}\b"))
        for hint in (b"ghp_", b"gho_", b"ghs_", b"ghu_")
    ),
    _Kind(
        what="a GitHub token",
        hint=b"github_pat_",
        pattern=re.compile(rb"github_pat_[A-Za-z0-9_]{60,}"),
    ),
    _Kind(what="a Hugging Face token", hint=b"hf_", pattern=re.compile(rb"\bhf_[A-Za-z]{34}\b")),
    _Kind(
        what="credentials in a URL",
        hint=b"://",
        pattern=re.compile(
            rb"https?://[^\s/:@\"'${}<>]{1,200}:(?P<secret>[^\s/@\"'${}<>]{3,300})@[A-Za-z0-9]"
        ),
        names=_WITH_INDEX,
    ),
    _Kind(
        what="a password for a host",
        hint=b"password",
        pattern=re.compile(rb"\bmachine\s+\S+\s+login\s+\S+\s+password\s+(?P<secret>\S+)"),
        names=frozenset({".netrc", "_netrc", "netrc", "auth.conf"}),
    ),
    _Kind(
        what="credentials of a registry",
        hint=b'"auth"',
        pattern=re.compile(rb"\"auth\"\s{0,8}:\s{0,8}\"(?P<secret>[A-Za-z0-9+/=]{8,})\""),
        names=frozenset({"config.json", ".dockercfg"}),
    ),
    _Kind(
        what="a token of a registry",
        hint=b"_authToken",
        pattern=re.compile(rb"_authToken\s{0,4}=\s{0,4}(?P<secret>[^\s$]{8,})"),
        names=frozenset({".npmrc"}),
    ),
    _Kind(
        what="a password of a package index",
        hint=b"password",
        pattern=re.compile(rb"^\s*password\s{0,4}[=:]\s{0,4}(?P<secret>\S{3,})", re.MULTILINE),
        names=frozenset({".pypirc"}),
    ),
)
#: Where packages keep the keys that their own tests and examples use.
_OF_A_PACKAGE = re.compile(
    r"(?:.*/)?(?:site-packages|dist-packages)/.*|usr/share/.*|(?:usr/)?lib(?:64)?/.*\.so[.0-9]*"
    r"|etc/ssl/private/ssl-cert-snakeoil\.key"
)


def secrets_in(path: str, content: bytes) -> Iterator[str]:
    """Yield what kinds of secrets a file's content has, each once."""
    told: set[str] = set()
    name, is_binary = basename(path), b"\0" in content[:_TELLS_BINARY]
    for kind in _KINDS:
        if kind.what in told or (kind.names and name not in kind.names):
            continue
        if (kind.anywhere or not is_binary) and kind.hint in content and _has(kind, content):
            told.add(kind.what)
            yield kind.what


def is_of_a_package(path: str) -> bool:
    """Say whether a file came with an installed package, rather than from the image's author."""
    return _OF_A_PACKAGE.fullmatch(path) is not None


def secrets_told(text: str) -> tuple[str, ...]:
    """Return the kinds of secrets in a line of an image's history or environment."""
    data = text.encode("utf-8", "surrogateescape")
    return tuple(
        dict.fromkeys(kind.what for kind in _KINDS if kind.hint in data and _has(kind, data))
    )


def _has(kind: _Kind, content: bytes) -> bool:
    return any(not _EXAMPLE.search(found[0]) for found in kind.pattern.finditer(content))
