"""Bases that a remote build may not find, told with its plan: it is not this machine."""

import re
from collections.abc import Iterator

from sagedock.engine import Engine
from sagedock.errors import EngineError
from sagedock.images.choice import chosen_images
from sagedock.images.image import Image
from sagedock.images.plan import own_base
from sagedock.images.remote.wanted import Wanted, is_registry

__all__ = ["base_warnings"]

_TAG = re.compile(r":[^:/]*$")


def base_warnings(wanted: Wanted, engine: Engine | None) -> tuple[str, ...]:
    """Return a warning for each base in ECR that nobody logs in for, and for each that the
    ``engine`` has, and no registry that it knows of; without an engine the latter are not told.
    """
    images = wanted.matrix or wanted.images
    built = chosen_images([each.name for each in wanted.images], images, lambda _: False)
    own = {each.reference for each in built}
    return tuple(
        warning
        for each in built
        if each.base not in own and own_base(each) is None
        for warning in _warnings(each, wanted, engine)
    )


def _warnings(image: Image, wanted: Wanted, engine: Engine | None) -> Iterator[str]:
    host = image.base.partition("/")[0]
    if is_registry(host):
        if host not in wanted.registries:
            yield (
                f"{image.name}: its base {image.base} is in ECR, and nobody logs in there: add "
                f"--login-registry {host}"
            )
    elif engine is not None and _is_here_alone(engine, image.base):
        yield (
            f"{image.name}: its base {image.base} is known in this machine's engine alone, which "
            f"the build does not see: push it (`sagedock push {image.base} --target aws`) and give "
            "`base` that name in ECR, or make it an image of containers/images.toml"
        )


def _is_here_alone(engine: Engine, base: str) -> bool:
    """Say whether the engine has an image that no registry is known to have by that name."""
    try:
        digests = engine.image(base).digests
    except EngineError:  # it has none, or does not tell
        return False
    repository = _TAG.sub("", base.partition("@")[0])
    known = (each.partition("@")[0] for each in digests)
    return not any(repository == each or repository.endswith(f"/{each}") for each in known)
