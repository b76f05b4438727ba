"""How a build of several images ended: what is built, what failed, and what was not tried."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

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

    An image that is larger than its budget is in both: it is built, and stays.
    """

    chosen: "Sequence[Image]"
    built: "list[tuple[BuiltImage, SizeReport]]" = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    ended_by: "SagedockError | None" = None

    def add(self, found: "BuiltImage", report: "SizeReport") -> None:
        """Take the next image, which is built."""
        from sagedock.errors import BuildFailed
        from sagedock.images.size_report import over_budget

        image = self.chosen[len(self.built)]
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

    @property
    def not_tried(self) -> list[str]:
        """The names of those that nothing was done for."""
        tried = len(self.built) + (self.ended_by is not None)
        return [image.name for image in self.chosen[tried:]]

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
