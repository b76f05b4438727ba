"""A preflight, carried out: the engine's archive of an image is read once, then judged."""

import time

from sagedock.contract.accelerators import AS_OF, Use
from sagedock.engine import Engine
from sagedock.errors import InvalidRequest
from sagedock.images.preflight.checks import rows_of
from sagedock.images.preflight.facts import ImageFacts
from sagedock.images.preflight.row import Report
from sagedock.images.preflight.saved import Progress, read_saved
from sagedock.images.preflight.target import targets

__all__ = ["preflight"]


def _nowhere(_: int) -> None:
    pass


def preflight(
    engine: Engine,
    reference: str,
    instance_types: list[str],
    *,
    use: Use | None = None,
    count: int = 1,
    driver: int | None = None,
    progress: Progress = _nowhere,
) -> Report:
    """Return what is to be said of an image before it is pushed, for each of the instance types.

    ``use`` None takes what the image looks made for. Nothing of it is run, and nothing is made in
    the engine or on this machine's disk. ``progress`` is told 0 once what is asked for is known to
    be right, then how many bytes were read. Raises InvalidRequest, ImageNotFound, or EngineError
    where the engine's archive cannot be read.
    """
    asked = targets(instance_types, use or "training", count=count, driver=driver)
    if not asked:
        raise InvalidRequest(["--instance-type: none is given: give one such as ml.p4d.24xlarge"])
    image = engine.image(reference)
    progress(0)
    began = time.monotonic()
    facts = ImageFacts(read_saved(engine.saved(image.id), progress))
    reading_s = time.monotonic() - began
    meant = use or _looks_made_for(facts)
    where = targets(instance_types, meant, count=count, driver=driver)
    return Report(
        image=reference,
        id=image.id,
        use=meant,
        data_of=AS_OF,
        rows=tuple(rows_of(image, facts, where)),
        reading_s=reading_s,
    )


def _looks_made_for(facts: ImageFacts) -> Use:
    """Return serving where only `serve` is there, else training."""
    serves = facts.program("serve") is not None and facts.program("train") is None
    return "serving" if serves else "training"
