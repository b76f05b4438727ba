"""How a build of several images ended: what is built, what failed, and what was not tried."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

from sagedock.cli.signals import INTERRUPTED

if TYPE_CHECKING:
    from sagedock.errors import SagedockError
    from sagedock.images import BuiltImage, Image
    from sagedock.images.size_report import SizeReport

__all__ = ["Failure", "Outcome"]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What went wrong with an image. ``step`` is the one of its Dockerfile that failed, where one
    did; ``code`` is the command's exit code for this failure.
    """

    name: str
    step: str | None
    error: str
    code: int


@dataclass
class Outcome:
    """Of the images that were to be built, in their order: those that are, and what failed.

    An image that is larger than its budget is in both: it is built, and stays. ``doing`` is what
    the next one undergoes; ``again`` is the command that would go on after an interruption.
    """

    chosen: "Sequence[Image]" = ()
    built: "list[tuple[BuiltImage, SizeReport]]" = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    ended_by: "SagedockError | None" = None
    doing: Literal["build", "measuring"] = "build"
    again: str = "the same command"

    def add(self, found: "BuiltImage", report: "SizeReport") -> None:
        """Take the next image, which is built."""
        from sagedock.errors import BuildFailed
        from sagedock.images.size_report import over_budget

        image, self.doing = self.chosen[len(self.built)], "build"
        self.built.append((found, report))
        if report.over_budget:
            words, code = over_budget(image, report), BuildFailed.exit_code
            self.failed.append(Failure(name=image.name, step=None, error=words, code=code))

    def end(self, error: "SagedockError") -> None:
        """Take the error that ended all: the next image is not built, and no other is tried."""
        self.ended_by = error
        step = getattr(error, "step", None)
        name = self.chosen[len(self.built)].name
        self.failed.append(Failure(name=name, step=step, error=str(error), code=error.exit_code))

    def interrupt(self) -> None:
        """Take the interruption of all as the failure of the next image."""
        if len(self.built) < len(self.chosen):
            name, words = self.chosen[len(self.built)].name, self.interruption()
            self.failed.append(Failure(name=name, step=None, error=words, code=INTERRUPTED))

    def interruption(self) -> str:
        """Return what an interruption stopped, what is kept, and how to go on."""
        if len(self.built) == len(self.chosen):
            return f"sagedock: interrupted: {self._ready() or 'nothing was begun'}"
        name, ready = self.chosen[len(self.built)].name, self._ready()
        kept = "its finished steps stay in the engine's cache"
        if self.doing == "measuring":
            kept = f"{name} is built"
        return (
            f"sagedock: interrupted: the {self.doing} of {name} was stopped; {kept}"
            f"{ready and f', {ready}'}, and {self.again} goes on from there"
        )

    def _ready(self) -> str:
        names = [found.name for found, _ in self.built]
        return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} built" if names else ""

    @property
    def not_tried(self) -> list[str]:
        """The names of those that nothing was done for."""
        tried = {found.name for found, _ in self.built} | {each.name for each in self.failed}
        return [image.name for image in self.chosen if image.name not in tried]

    def as_json(self) -> str:
        """Return all of it as one JSON document."""
        whole = {
            "built": [{**asdict(found), **asdict(size)} for found, size in self.built],
            "failed": [asdict(each) for each in self.failed],
            "not_tried": self.not_tried,
        }
        return json.dumps(whole, indent=2)

    def lines(self) -> Iterator[str]:
        """Yield what is built, with its sizes, as lines of text."""
        from sagedock.images.size_report import size_lines

        for found, report in self.built:
            yield f"{found.name} {found.reference} {found.id}"
            yield from size_lines(report)

    def summary(self) -> str:
        """Return in one line what became of each; nothing where that is plain."""
        if self.ended_by is None or len(self.chosen) == 1:
            return ""
        told = {
            "built": [found.name for found, _ in self.built],
            "failed": [self.failed[-1].name],
            "not tried": self.not_tried,
        }
        return "; ".join(f"{word}: {', '.join(names) or 'none'}" for word, names in told.items())

    def error(self) -> "SagedockError | None":
        """Return the error that the command ends with, if anything failed."""
        from sagedock.errors import BuildFailed

        if self.ended_by is not None or not self.failed:
            return self.ended_by
        return BuildFailed("\n".join(each.error for each in self.failed))
