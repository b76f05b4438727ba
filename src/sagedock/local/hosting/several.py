"""An instance of several containers, or of one with many models: what a request meets there.

The containers of a serial pipeline get it one after the other, each the answer of the one before;
with direct invocation one of them gets it. Sources: the contract's PIPELINES page and
https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-direct.html
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from time import perf_counter

from sagedock.api import ServiceError, metrics
from sagedock.api import runtime_messages as words
from sagedock.api.container_names import PRIMARY
from sagedock.contract import limits, routes
from sagedock.local.hosting.calls import TimedOut, Unreachable, call
from sagedock.local.hosting.connection import Answer, Broken, Connection
from sagedock.local.hosting.loaded import Loaded
from sagedock.local.hosting.loaded_models import LoadedModels, NotLoaded, NotReady
from sagedock.local.hosting.measures import Measures
from sagedock.local.hosting.model_data import DataAbsent, DataBroken, DataUnusable
from sagedock.local.hosting.passing import Asked, passed_on
from sagedock.local.hosting.routes import Backend
from sagedock.local.hosting.target_model import object_of
from sagedock.local.refusal import Refused
from sagedock.local.uris import S3Uri

__all__ = ["Errand", "Member", "Reached", "Several", "reach"]

_MOST_BYTES = int(limits.INVOCATION_PAYLOAD_MB) * 1024 * 1024
_ERROR, _MISSING, _NO_ROOM = 400, 404, 507


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    """One invocation on its way: what is asked, of which content type, and the time that is left.

    ``most_bytes`` is as for ``Connection.ask``; ``awake`` has measures published.
    """

    asked: Asked
    body: bytes
    timeout_s: float
    most_bytes: int | None
    awake: Callable[[Measures], None]
    content_type: bytes | None = None
    is_last: bool = True

    def passed_on(self, path: str = routes.INVOCATIONS.path) -> bytes:
        """Return the request that a container gets."""
        return passed_on(
            self.asked, self.body, path=path, content_type=self.content_type, accepts=self.is_last
        )


@dataclass(frozen=True, slots=True)
class Reached:
    """What an instance answers, by which container, and how long the request waited for its model
    to be loaded (seconds).
    """

    connection: Connection
    answer: Answer
    container: str
    waited_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Member:
    """One of an instance's containers. ``models`` are those that one of many has now, and
    ``prefix`` where they are.
    """

    name: str
    backend: Backend
    measures: Measures
    models: LoadedModels | None = None
    prefix: S3Uri | None = None

    async def ask(self, errand: Errand) -> Reached:
        """Return what the container answers. Raises as ``calls.call`` does, and Refused."""
        if self.models is None or self.prefix is None:
            connection, answer = await call(
                self.backend,
                errand.passed_on(),
                timeout_s=errand.timeout_s,
                most_bytes=errand.most_bytes,
            )
            return Reached(connection, answer, self.name)
        self.models.awake = errand.awake
        return await self._ask_a_model(errand, self.models, self.prefix)

    async def _ask_a_model(self, errand: Errand, models: LoadedModels, prefix: S3Uri) -> Reached:
        begun = perf_counter()
        model = await self._borrowed(errand, models, prefix)
        waited_s = perf_counter() - begun
        try:
            async with asyncio.timeout(max(0.0, errand.timeout_s - waited_s)):
                reached = await self._asked(errand, models, model)
        except TimeoutError as error:
            raise TimedOut from error
        finally:
            models.give_back(model)
        return replace(reached, waited_s=waited_s)

    async def _borrowed(self, errand: Errand, models: LoadedModels, prefix: S3Uri) -> Loaded:
        target = errand.asked.members["TargetModel"]
        uri = object_of(prefix, target)
        if uri is None:
            raise Refused(words.no_target_model(target))
        try:
            return await models.borrow(target, errand.timeout_s)
        except NotReady as error:
            raise Refused(words.model_not_ready(target)) from error
        except DataUnusable as error:
            raise Refused(_of_data(error, uri, target)) from error

    async def _asked(self, errand: Errand, models: LoadedModels, model: Loaded) -> Reached:
        """Invoke a model; again where the container lost it, or has no room for what it does."""
        path = f"{routes.MODELS.path}/{model.folder.name}/invoke"
        was_lost = False
        while True:
            connection, answer = await call(
                self.backend,
                errand.passed_on(path),
                timeout_s=errand.timeout_s,
                most_bytes=errand.most_bytes,
            )
            with ExitStack() as undo:  # what is awaited here may be cut short
                undo.callback(connection.close)
                has_room = answer.status == _NO_ROOM and answer.complete
                has_room = has_room and await models.make_room(model)
                is_lost = answer.status == _MISSING and not was_lost
                is_lost = is_lost and await models.is_missing(model)
                undo.pop_all()
            if not (has_room or is_lost):
                return Reached(connection, answer, self.name)
            connection.release()
            if is_lost:
                was_lost = True
                await models.load_again(model)


@dataclass(eq=False, slots=True)
class Several(Backend):
    """An instance of several containers, or of many models: its containers while all of them
    serve, else none. With ``direct`` a request names the one that it is for.
    """

    members: tuple[Member, ...] = ()
    direct: bool = False

    async def ask(self, errand: Errand) -> Reached:
        """Return what the last container answers, or the first that answers an error.

        Raises as ``calls.call`` does, where Broken and TimedOut name the container; NotLoaded; and
        Refused, also where the request does not say what must be known here.
        """
        members = self.members
        if not members:
            raise Unreachable("one of its containers ended")
        if refusal := _unfit(members, errand.asked, direct=self.direct):
            raise Refused(refusal)
        if self.direct:
            name = errand.asked.members["TargetContainerHostname"]
            members = tuple(each for each in members if each.name == name)
        return await self._through(members, errand)

    async def _through(self, members: Sequence[Member], errand: Errand) -> Reached:
        ends, waited_s = perf_counter() + errand.timeout_s, 0.0
        for each in members[:-1]:
            reached = await self._step(each, replace(errand, most_bytes=_MOST_BYTES, is_last=False))
            waited_s += reached.waited_s
            if reached.answer.status >= _ERROR:
                return replace(reached, waited_s=waited_s)
            reached.connection.release()
            if not reached.answer.complete:
                raise Broken(taken=True, container=each.name)
            errand = _next(errand, reached.answer, ends - perf_counter())
        reached = await self._step(members[-1], errand)
        return replace(reached, waited_s=waited_s + reached.waited_s)

    async def _step(self, member: Member, errand: Errand) -> Reached:
        begun = perf_counter()
        try:
            reached = await member.ask(errand)
        except (Broken, TimedOut, NotLoaded) as error:
            error.container = member.name
            raise
        taken_s = perf_counter() - begun - reached.waited_s
        if len(self.members) > 1:
            self._measure(member, reached.answer.status, taken_s)
            errand.awake(member.measures)
        return reached

    def _measure(self, member: Member, status: int, taken_s: float) -> None:
        member.measures.add(metrics.CONTAINER_LATENCY, taken_s)
        if self.direct:
            for name, value in (
                (metrics.INVOCATIONS, True),
                (metrics.CLIENT_ERRORS, _ERROR <= status < 500),
                (metrics.SERVER_ERRORS, status >= 500),
            ):
                metric = metrics.Metric(name=name, unit=metrics.UNIT_OF_INVOCATIONS)
                member.measures.add(metric, float(value))


async def reach(backend: Backend, errand: Errand) -> Reached:
    """Return what an instance answers to a request that is fit for it. Raises as
    ``Several.ask`` does.
    """
    if isinstance(backend, Several):
        return await backend.ask(errand)
    if errand.asked.members and (refusal := _unfit_for_one(errand.asked)):
        raise Refused(refusal)
    connection, answer = await call(
        backend, errand.passed_on(), timeout_s=errand.timeout_s, most_bytes=errand.most_bytes
    )
    return Reached(connection, answer, PRIMARY)


def _unfit(members: Sequence[Member], asked: Asked, *, direct: bool) -> ServiceError | None:
    """Return the refusal of a request that does not say what must be known, or says what cannot be
    followed.
    """
    many = any(each.models is not None for each in members)
    host = asked.members.get("TargetContainerHostname")
    # The service's model gives TargetModel to no other operation.
    if many and ("TargetModel" not in asked.members or asked.operation != "InvokeEndpoint"):
        return words.missing_target_model(asked.request_id)
    if not many and "TargetModel" in asked.members:
        return words.no_multi_model_endpoint(asked.endpoint)
    if not direct:
        return None if host is None else words.no_direct_endpoint(asked.endpoint)
    if host is None:
        return words.missing_target_container(asked.request_id)
    known = any(each.name == host for each in members)
    return None if known else words.unknown_container(host, asked.endpoint)


def _unfit_for_one(asked: Asked) -> ServiceError | None:
    if "TargetModel" in asked.members:
        return words.no_multi_model_endpoint(asked.endpoint)
    if "TargetContainerHostname" in asked.members:
        return words.no_direct_endpoint(asked.endpoint)
    return None


def _next(errand: Errand, answer: Answer, left_s: float) -> Errand:
    """Return the errand to the container after the one that gave an answer."""
    return replace(
        errand,
        body=answer.body,
        content_type=answer.header(b"content-type") or b"",
        timeout_s=max(0.0, left_s),
    )


def _of_data(error: DataUnusable, uri: S3Uri, target: str) -> ServiceError:
    match error:
        case DataAbsent():
            return words.target_model_absent(uri.bucket, uri.key)
        case DataBroken():
            return words.target_model_broken(uri.bucket, uri.key)
        case _:
            return words.internal_dependency(target)
