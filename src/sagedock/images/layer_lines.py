"""The news of a push as lines: one for each layer's beginning and end, and some in between."""

import time
from collections.abc import Callable

from sagedock.engine import Transfer

__all__ = ["LayerLines"]

_EVERY_S = 5.0
_MB = 1_000_000
_BEGUN = "Pushing"
_ENDS = {
    "Pushed": "pushed",
    "Layer already exists": "is there already",
    "Mounted": "is there already",
}


class LayerLines:
    """Passes on what is worth a line."""

    def __init__(
        self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._clock = clock
        self._said: dict[str, float] = {}

    def __call__(self, name: str, news: Transfer) -> None:
        """Take a piece of news of the image ``name``."""
        if not news.layer:
            return
        if end := next(
            (word for begin, word in _ENDS.items() if news.status.startswith(begin)), ""
        ):
            self._say(f"{name}: layer {news.layer} {end}")
            return
        now = self._clock()
        if news.status == _BEGUN and now - self._said.get(news.layer, -_EVERY_S) >= _EVERY_S:
            self._said[news.layer] = now
            self._say(f"{name}: layer {news.layer} {_amount(news)}")


def _amount(news: Transfer) -> str:
    sent = (news.current or 0) / _MB
    if not news.total:
        return f"{sent:,.0f} MB sent"
    return f"{sent:,.0f} of {max(news.total / _MB, sent):,.0f} MB sent"
