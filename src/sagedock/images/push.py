"""An image, pushed to ECR: AWS's, or the local SageMaker's, by the same calls.

The engine's API pushes, and not a docker client: what logs in travels with that one request, and is
written into no file, so that nothing of it is left where a push ends in between. The user's own
Docker configuration is neither changed nor needed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sagedock.engine import Engine, GivenNames, Transfer
from sagedock.errors import EngineError, PushFailed
from sagedock.images.ecr import Login
from sagedock.images.push_plan import Planned
from sagedock.images.push_words import explained_failure

__all__ = ["PushedImage", "push_image"]

#: Told of every piece of news: of which image, and what.
Progress = Callable[[Planned, Transfer], None]


@dataclass(frozen=True, kw_only=True)
class PushedImage:
    """One image in ECR. ``size`` is in bytes, compressed; ``already`` says that it was there, and
    nothing was sent; ``created`` that its repository is new.
    """

    image: str
    repository: str
    tag: str
    region: str
    digest: str
    size: int
    uri: str
    already: bool
    created: bool

    @property
    def image_uri(self) -> str:
        """What a job names: the image by its digest, which means this one for ever."""
        return f"{self.uri}@{self.digest}"


def push_image(
    engine: Engine,
    planned: Planned,
    *,
    names: GivenNames,
    progress: Progress,
    say: Callable[[str], None],
) -> PushedImage:
    """Push one image to one region, unless it is there. Raises PushFailed with what to do.

    ``names`` is where the name is written down that the image has in the engine meanwhile.
    Layers that a push before has sent, also one that was interrupted, are not sent again.
    """
    wanted, registry = planned.wanted, planned.registry
    repository = registry.ensure_repository(wanted.repository)
    if repository.created:
        say(f"{wanted.repository}: made the repository in {registry.region}")
    elif repository.mutability == "MUTABLE":
        say(f"{wanted.repository}: its tags may move: sagedock moves none, others may")
    kept = planned.kept
    if kept is not None:
        say(f"{planned.name}: is there already in {registry.region}: nothing to do")
        digest = kept.digest
    else:
        say(f"{planned.name}: pushing {wanted.image} to {registry.region}")
        digest = _sent(engine, planned, names, registry.login(), progress)
        _verify(planned, digest)
    return PushedImage(
        image=wanted.image,
        repository=wanted.repository,
        tag=wanted.tag,
        region=registry.region,
        digest=digest,
        size=registry.size(wanted.repository, digest),
        uri=repository.uri,
        already=kept is not None,
        created=repository.created,
    )


def _sent(
    engine: Engine, planned: Planned, names: GivenNames, login: Login, progress: Progress
) -> str:
    """Send an image, and return the digest that the engine says it has there.

    It is called what a push needs while it is sent, and no longer: an older image of that name
    would come before the one that is built next.
    """
    wanted = planned.wanted
    reference = f"{login.host}/{wanted.repository}:{wanted.tag}"
    digest = None
    try:
        with names.lent(engine, planned.image.id, reference):
            for news in engine.push(reference, user=login.user, password=login.password):
                digest = news.digest or digest
                progress(planned, news)
    except EngineError as error:
        raise explained_failure(planned, error) from error
    if digest is None:
        raise PushFailed(f"{planned.name}: the engine did not say what it pushed: push it again")
    return digest


def _verify(planned: Planned, digest: str) -> None:
    """Raise PushFailed unless the tag means in ECR what the engine pushed."""
    wanted = planned.wanted
    kept = planned.registry.image(wanted.repository, wanted.tag)
    if kept is None or kept.digest != digest:
        raise PushFailed(
            f"{planned.name}: ECR in {planned.registry.region} has "
            f"{kept.digest if kept else 'no image'} under that tag, and {digest} was pushed: "
            "somebody else pushes the same tag; push this image with another --tag"
        )
