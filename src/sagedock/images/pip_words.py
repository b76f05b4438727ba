"""What pip prints, read for a failure: its last words, and what to do."""

import re
from collections.abc import Sequence

__all__ = ["pip_failure"]

_TAIL_LINES, _LINE_CHARACTERS = 15, 300
_INDEXES = "docs/how-to/private-index-and-certificates.md"
#: The warning before the last attempt; pip itself then says only that it found no version.
_LAST_ATTEMPT = re.compile(r"WARNING: Retrying \(Retry\(total=0\b.*?\)\) after (?P<words>.*)")
_UNREACHABLE = (
    "the package index could not be reached: name one that can be in PIP_INDEX_URL or pip.conf, or "
    f"your proxy in HTTPS_PROXY ({_INDEXES}). pip's last attempt:"
)
_UNTRUSTED = (
    "the package index has a certificate that pip does not trust: name your bundle in PIP_CERT "
    f"({_INDEXES}). pip's last attempt:"
)
_OTHER_HASH = (
    "the package index serves other files than those that were locked: where you trust it, pin "
    "from it again with `make lock` (pip-compile, for a lock of your own)"
)


def pip_failure(said: Sequence[str], code: int) -> str:
    """Return why pip ended with ``code`` once it ``said`` this, and what to do where that is
    known, in lines.
    """
    plain = [line for line in said if "WARNING:" not in line][-_TAIL_LINES:]
    lines = [line[:_LINE_CHARACTERS] for line in (*_advice(said), *plain)]
    return "\n".join(lines) or f"pip ended with {code}"


def _advice(said: Sequence[str]) -> tuple[str, ...]:
    if any("DO NOT MATCH THE HASHES" in line for line in said):
        return (_OTHER_HASH,)
    broken = [found["words"] for line in said if (found := _LAST_ATTEMPT.fullmatch(line))]
    if not broken:
        return ()
    is_untrusted = "certificate verify failed" in broken[-1].lower()
    return (_UNTRUSTED if is_untrusted else _UNREACHABLE, broken[-1])
