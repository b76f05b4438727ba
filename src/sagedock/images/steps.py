"""The steps of a build, read from BuildKit's plain progress and told to people, a line each.

Steps of several stages run at once, and BuildKit tells those of its cache in an order of its own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Begun", "StepLines", "begun"]

#: What comes before the words of a step: ``#9 [builder 2/4] RUN ...``.
_BEGUN = re.compile(r"#(?P<number>\d+) \[(?P<label>[^\]]*)\] (?P<words>.*)")
#: An instruction with BuildKit's own options; those of the program that it runs follow that.
_OPTIONS = re.compile(r"^(ADD|COPY|FROM|RUN)(?: +--[\w-]+(?:=\S+)?)+ +")
#: ``builder 2/4``; without a name where there is one stage, behind a platform where it is foreign.
_OF_STAGE = re.compile(r"(?:\S+ )??(?:(?P<stage>\S+) )?(?P<place>\d+)/\d+")
_NEWS = re.compile(
    r"#(?P<number>\d+) (?:(?P<cached>CACHED)|DONE (?P<seconds>[\d.]+)s|(?P<failed>ERROR: .*)"
    r"|(?P<canceled>CANCELED)|(?P<said>\d+\.\d+ .*))"
)


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The line that a step begins with: its number, its label (``builder 2/4``), its instruction
    without BuildKit's own options.
    """

    number: str
    label: str
    words: str


def begun(line: str) -> Begun | None:
    """Return the step that a line begins, None where it begins none."""
    found = _BEGUN.fullmatch(line)
    if found is None:
        return None
    words = _OPTIONS.sub(r"\1 ", found["words"])
    return Begun(number=found["number"], label=found["label"], words=words)


@dataclass
class _Waiting:
    """A step that was not told yet; ``how`` is what became of it by now."""

    step: Begun
    stage: str
    place: int
    is_cached: bool = False
    how: str = ""

    def line(self) -> str:
        if self.is_cached:
            return f"[{self.step.label}] cached: {self.step.words}"
        return f"[{self.step.label}] {self.step.words}{self.how}"


class StepLines:
    """Returns the lines to tell of what is read: for a step that runs one as it begins and one as
    it ends, for one that is over at once or came from the cache one in all.

    ``stages`` are those of the Dockerfile, in its order, which is that of lines that come at once.
    """

    def __init__(self, stages: Sequence[str] = ()) -> None:
        self._ranks = {stage.lower(): rank for rank, stage in enumerate(stages)}
        self._labels: set[str] = set()
        self._waiting: dict[str, _Waiting] = {}
        self._running: dict[str, Begun] = {}

    def read(self, line: str) -> list[str]:
        """Take a line. Whether a step runs is seen by what follows: see ``settle``."""
        if step := begun(line):
            self._await(step)
        elif found := _NEWS.fullmatch(line):
            if found["number"] in self._waiting:
                return self._became(self._waiting[found["number"]], found)
            if found["number"] in self._running:
                return self.settle() + list(self._ended(found))
        return []

    def settle(self) -> list[str]:
        """Tell what waits, as nothing came for a while, or another step goes on."""
        last = len(self._ranks)
        waiting = sorted(
            self._waiting.values(),
            key=lambda each: (self._ranks.get(each.stage, last), each.stage, each.place),
        )
        self._running |= {
            each.step.number: each.step for each in waiting if not (each.is_cached or each.how)
        }
        self._waiting.clear()
        return [each.line() for each in waiting]

    def _await(self, step: Begun) -> None:
        found = _OF_STAGE.fullmatch(step.label)
        if found is None or step.label in self._labels:  # BuildKit's own, or told again
            return
        self._labels.add(step.label)
        stage, place = (found["stage"] or "").lower(), int(found["place"])
        self._waiting[step.number] = _Waiting(step=step, stage=stage, place=place)

    def _became(self, step: _Waiting, news: re.Match[str]) -> list[str]:
        if news["cached"]:
            step.is_cached = True
        elif news["said"]:
            return self.settle()
        else:
            step.how = f" ({news['seconds']} s)" if news["seconds"] else f" ({_ending(news)})"
        return []

    def _ended(self, news: re.Match[str]) -> Iterator[str]:
        if news["said"]:
            return
        how = f"done in {news['seconds']} s" if news["seconds"] else _ending(news)
        yield f"[{self._running.pop(news['number']).label}] {how}"


def _ending(news: re.Match[str]) -> str:
    words = ("cached", "canceled", "failed")
    return next(word for word in words if news[word])
