"""The layers of an image, put together of its history and its list of layers.

The history has an entry for every instruction, also for those that made no layer, and says of none
whether it did. So entries with bytes are layers, and as many of those that can make an empty one as
there are layers left.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sagedock.engine.spec import ImageLayer

__all__ = ["image_layers"]

_MAKES_A_LAYER = re.compile(r"(?:RUN|COPY|ADD|WORKDIR)\b")
#: What BuildKit and the classic builder put around an instruction's own words.
_SHELL = re.compile(r"(?:RUN )?(?:\|\d+ .*?)?/bin/(?:ba)?sh -\S*c (?P<words>.*)", re.DOTALL)
_NO_LAYER, _BUILDKIT = "#(nop) ", " # buildkit"


def image_layers(
    history: Sequence[Mapping[str, Any]], diff_ids: Sequence[str]
) -> tuple[ImageLayer, ...]:
    """Return the layers, the lowest first, of the API's history (the newest first) and RootFS.

    Where the two do not fit, entries with bytes count, and ``diff_id`` is None.
    """
    entries = [(_words(each), int(each.get("Size") or 0)) for each in reversed(history)]
    with_bytes = [entry for entry in entries if entry[1]]
    for found in (with_bytes, [each for each in entries if each[1] or _can_be_empty(each[0])]):
        if len(found) == len(diff_ids):
            return tuple(
                ImageLayer(made_by=words, size=size, diff_id=diff_id)
                for (words, size), diff_id in zip(found, diff_ids, strict=True)
            )
    return tuple(ImageLayer(made_by=words, size=size, diff_id=None) for words, size in with_bytes)


def _can_be_empty(words: str) -> bool:
    return _MAKES_A_LAYER.match(words) is not None


def _words(entry: Mapping[str, Any]) -> str:
    """Return the instruction that made an entry, or the comment of one that was imported."""
    said = str(entry.get("CreatedBy") or "").strip().removesuffix(_BUILDKIT)
    if found := _SHELL.fullmatch(said):
        words = found["words"].strip()
        bare = words.removeprefix(_NO_LAYER).strip()
        said = bare if words.startswith(_NO_LAYER.strip()) else f"RUN {words}"
    return said or str(entry.get("Comment") or "") or "the base"
