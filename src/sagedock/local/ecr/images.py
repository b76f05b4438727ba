"""Images by their names in ECR: those that the engine has, and those that were pushed."""

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from sagedock.engine import ContainerSpec, Engine, GivenNames, Image
from sagedock.errors import ImageNotFound
from sagedock.local.ecr.names import EcrUri, repository_uri
from sagedock.local.ecr.pushed import Place, Pushed, PushedImages
from sagedock.local.ecr.tokens import USER, Tokens

__all__ = ["Images", "find_image"]

_log = logging.getLogger(__name__)

_DIGEST_CHARACTERS = 71
_STOP_POLL_S = 0.1


def _never() -> None:
    """Stop nothing."""


def find_image(engine: Engine, image: str) -> Image:
    """Return the engine's image that ``image`` means, or raise ImageNotFound.

    An ECR name means the local image of that very name; else the one of that repository and tag
    (``latest`` where none is given); else, by digest, the image whose digest or id that is. Any
    other name means itself.
    """
    uri = EcrUri.parse(image)
    if uri is None:
        return engine.image(image)
    for candidate in _candidates(image, uri):
        try:
            return engine.image(candidate)
        except ImageNotFound:
            continue
    raise ImageNotFound(
        f"no local image is {image}: build or pull it, tag one "
        f"{uri.repository}:{uri.tag or 'latest'}, or push one with `sagedock push`"
    )


@dataclass(frozen=True, kw_only=True)
class Images:
    """What an image's name means here. ``registry`` is the address of the local ECR's registry, as
    the engine reaches it: ``127.0.0.1:PORT``. ``names`` are those that pulled images have by us.
    """

    engine: Engine
    pushed: PushedImages
    tokens: Tokens
    registry: str
    account: str
    names: GivenNames
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pulls: dict[str, "Future[str]"] = field(default_factory=dict)

    def find(self, image: str) -> Image:
        """Return the image that ``image`` means, or raise ImageNotFound.

        It is the engine's, as ``find_image`` says; else, by its name in ECR, the one that was
        pushed: with ``create`` the engine gets it when it is needed.
        """
        try:
            return find_image(self.engine, image)
        except ImageNotFound:
            found = self._pushed(image)
            if found is None:
                raise
            return found

    def create(self, spec: ContainerSpec, check_stop: Callable[[], object] = _never) -> str:
        """Have the engine create a container, and return its id. An image that the engine lacks,
        and that was pushed, is pulled first.

        ``check_stop`` is called while it is: what it raises is raised. The pull itself goes on, for
        whoever needs the image next.
        """
        return self.engine.create(replace(spec, image=self.fetched(spec.image, check_stop)))

    def fetched(self, image: str, check_stop: Callable[[], object] = _never) -> str:
        """Return the engine's id of an image that ``find`` returned the id of; it is pulled if the
        engine lacks it. ``check_stop`` is as for ``create``.
        """
        try:
            return self.engine.image(image).id
        except ImageNotFound:
            pull = self._pulling(image)
        while True:
            try:
                return pull.result(_STOP_POLL_S)
            except TimeoutError:
                if pull.done():  # it is the pull that took too long, not this wait
                    raise
                check_stop()

    def _pulling(self, image: str) -> "Future[str]":
        """Return the pull of an image that goes on: one, for all containers that begin."""
        with self._lock:
            if (pull := self._pulls.get(image)) is None:
                pull = self._pulls[image] = Future()
                thread = threading.Thread(
                    target=self._pull_for, args=(image, pull), name=f"pull {image}", daemon=True
                )
                thread.start()
        return pull

    def _pull_for(self, image: str, pull: "Future[str]") -> None:
        try:
            result = self._pulled(image)
        except Exception as error:  # noqa: BLE001 - whoever waits for the pull raises it
            _log.warning("pulling %s: %s", image, error)  # nobody may wait any more
            pull.set_exception(error)
        else:
            pull.set_result(result)
        finally:
            with self._lock:
                del self._pulls[image]

    def _pulled(self, image: str) -> str:
        try:
            return self.engine.image(image).id  # another pull ended just now
        except ImageNotFound:
            if not (found := self.pushed.by_id(image)):
                raise
            return self._pull(found)

    def _pushed(self, image: str) -> Image | None:
        uri = EcrUri.parse(image)
        if uri is None or uri.account != self.account:
            return None
        reference = uri.digest or uri.tag or "latest"
        found = self.pushed.of(uri.region, uri.repository, reference)
        if found is None:
            return None
        name = repository_uri(self.account, uri.region, uri.repository)
        for own in (found.image_id, found.digest):
            with contextlib.suppress(ImageNotFound):  # the engine has it, by another name
                return replace(self.engine.image(own), digests=(f"{name}@{found.digest}",))
        return _as_image(found, name)

    def _pull(self, places: Sequence[Place]) -> str:
        """Pull an image by its digest, and give it names that say which it is: one for each place
        that it was pushed to, for nobody says here which of them was asked for.

        It does not get its tags in ECR as names: those would come before the image that is built
        next, and before another that is pushed under such a tag.
        """
        first = places[0]
        password, _ = self.tokens.new(first.region)
        reference = f"{self.registry}/{first.repository}@{first.image.digest}"
        _log.info("pulling %s", reference)
        with self.names.expected(self.engine, reference):
            pulled = self.engine.pull(reference, user=USER, password=password)
            for each in places:
                name = repository_uri(self.account, each.region, each.repository)
                own = f"{name}:{each.image.digest.replace(':', '-')}"
                self.names.give(self.engine, pulled.id, own)
        return pulled.id


def _as_image(pushed: Pushed, name: str) -> Image:
    labels: Mapping[str, str] = pushed.labels
    return Image(
        id=pushed.image_id,
        tags=(),
        digests=(f"{name}@{pushed.digest}",),
        size=pushed.size,
        architecture=pushed.architecture,
        labels=labels,
        media_type=pushed.media_type,
    )


def _candidates(image: str, uri: EcrUri) -> list[str]:
    if uri.digest is None:
        return [image, f"{uri.repository}:{uri.tag or 'latest'}"]
    candidates = [image, f"{uri.repository}@{uri.digest}"]
    if len(uri.digest) == _DIGEST_CHARACTERS:
        candidates.append(uri.digest)
    return candidates
