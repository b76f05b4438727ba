"""What a workbench tells, in words."""

from collections.abc import Iterator

from sagedock.workbench.events import (
    Edited,
    Ended,
    Event,
    Refused,
    Removed,
    Serving,
    Slow,
    Starting,
    Waiting,
)

__all__ = ["words_of"]

_MOST_NAMES = 5


def words_of(event: Event) -> Iterator[str]:
    """Yield an event in lines of words."""
    match event:
        case Removed():
            yield f"removed {event.container}, which a killed `sagedock serve` had left"
        case Starting():
            yield f"starting {event.image} as {event.container}"
        case Serving():
            yield f"serving on {event.url} after {event.took_s:.1f} s; try:"
            yield f"  curl {event.url} -H 'Content-Type: application/json' -d '[[1, 2, 3]]'"
        case Slow():
            yield f"/ping has not answered 200 for {event.after_s:.0f} s: SageMaker would give up"
        case Edited():
            how = "a new container, for what pip installs" if event.anew else "starting again"
            yield f"{'; '.join(_files(event))}: {how}"
        case Refused():
            yield from event.problems
        case Waiting():
            yield "nothing serves until the source is changed"
        case Ended():
            memory = " (its memory had run out)" if event.out_of_memory else ""
            last = event.last_lines[-1] if event.last_lines else "it said nothing"
            yield f"the container ended with code {event.code}{memory}: {last}"


def _files(event: Edited) -> Iterator[str]:
    told = {"changed": event.changed, "new": event.added, "gone": event.removed}
    for word, names in told.items():
        if names:
            more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            yield f"{word}: {', '.join(names[:_MOST_NAMES])}{more}"
