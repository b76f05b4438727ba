"""Content types as clients write them: parameters, lists, wishes of different weight."""

from collections.abc import Iterable
from email.message import Message

__all__ = [
    "ANY",
    "CSV",
    "JSON",
    "JSON_LINES",
    "NPY",
    "NPZ",
    "OCTETS",
    "TEXT",
    "UTF8",
    "accepted",
    "charset",
    "media_type",
]

JSON = "application/json"
JSON_LINES = "application/jsonlines"
CSV = "text/csv"
NPY = "application/x-npy"
NPZ = "application/x-npz"
TEXT = "text/plain"
OCTETS = "application/octet-stream"
ANY = "*/*"
#: What AWS's toolkit gives to an ``input_fn`` as str, everything else as bytes.
UTF8 = frozenset({JSON, CSV})
#: Other names of the same formats.
_ALIASES = {
    "application/x-jsonlines": JSON_LINES,
    "application/jsonl": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/csv": CSV,
    "text/json": JSON,
}


def media_type(header: str) -> str:
    """Return a content type without its parameters, in lower case, by its usual name."""
    bare = header.partition(";")[0].strip().lower()
    return _ALIASES.get(bare, bare)


def charset(header: str) -> str:
    """Return the charset that a content type names, else utf-8."""
    if ";" not in header:
        return "utf-8"
    message = Message()
    message["content-type"] = header
    return message.get_content_charset() or "utf-8"


def accepted(header: str, offered: Iterable[str]) -> str | None:
    """Return the type among ``offered`` that an Accept header likes most, None where none is.

    The first of ``offered`` is taken where the client takes any.
    """
    offers = list(offered)
    for wish in _wishes(header):
        fitting = [offer for offer in offers if _fits(offer, wish)]
        if fitting:
            return fitting[0]
    return None


def _wishes(header: str) -> list[str]:
    weighed = []
    for part in header.split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        if name and (liking := _number(weight)) > 0:
            weighed.append((-liking, media_type(name)))
    return [name for _, name in sorted(weighed, key=lambda wish: wish[0])]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def _fits(offer: str, wish: str) -> bool:
    if wish in (ANY, offer):
        return True
    return wish.endswith("/*") and offer.startswith(wish[:-1])
