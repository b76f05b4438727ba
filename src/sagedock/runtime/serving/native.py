"""The model server: one front, pools of model workers, and the order of their lives."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sagedock.contract import limits
from sagedock.runtime.log import say
from sagedock.runtime.serving.front.access_log import AccessLog
from sagedock.runtime.serving.front.invocation import Invocations
from sagedock.runtime.serving.front.listener import listen
from sagedock.runtime.serving.front.metrics import Metrics
from sagedock.runtime.serving.front.server import Server
from sagedock.runtime.serving.many_models import ManyModels
from sagedock.runtime.serving.one_model import OneModel
from sagedock.runtime.serving.options import Options
from sagedock.runtime.serving.pool.process import OwnWorkers, Workers

__all__ = ["serve"]

_FLUSH_S = 0.1
#: Left of the platform's grace for what comes after the last answer.
_RESERVE_S = 4
_GRACE_S = int(limits.SERVING_STOP_GRACE_S) - _RESERVE_S
_STOPS = (signal.SIGTERM, signal.SIGINT)


#: Says where workers come from.
Source = Callable[[Options, Mapping[str, str]], Workers]


def serve(env: Mapping[str, str] = os.environ, source: Source = lambda *_: OwnWorkers()) -> None:
    """Serve until SIGTERM. Raises SagedockError where the model cannot be served."""
    options = Options.read(env)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(options, env, source))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(options: Options, env: Mapping[str, str], source: Source) -> None:
    listener = listen(options.port)
    workers = source(options, env)
    log, metrics = AccessLog(), Metrics()
    invocations = Invocations(max_payload_mb=options.max_payload_mb, log=log, metrics=metrics)
    kind = ManyModels if options.multi_model else OneModel
    service = kind(
        options=options,
        env=env,
        launcher=workers.launcher,
        invocations=invocations,
        metrics=metrics,
        say=say,
    )
    server = Server(service.application, invocations, say, _GRACE_S)
    say(f"listening on {options.port}; {options.workers} worker(s) for each model")
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    lives = (workers.live(), service.live(), _tick(invocations, log))
    duties = [serving, *map(asyncio.create_task, lives)]
    try:
        with _stop_signal() as stopped:
            await _first(stopped, *duties)
        say("stopping: no more connections are taken")
        await server.stop(listener)
        if not await service.drain(_GRACE_S - 1):
            say("some requests took longer than the grace: they are not answered")
        await serving
    finally:
        for duty in duties:
            duty.cancel()
        await asyncio.gather(*duties, return_exceptions=True)
        server.hang_up()  # or a request may begin that the end of the loop would tear
        await service.close()
        await workers.close()
        log.flush()


@contextmanager
def _stop_signal() -> "Iterator[asyncio.Task[bool]]":
    """Yield what is done once SIGTERM or SIGINT has come; a second one changes nothing."""
    stop = asyncio.Event()
    for number in _STOPS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    task = asyncio.create_task(stop.wait())
    try:
        yield task
    finally:
        task.cancel()


async def _first(stopped: "asyncio.Task[bool]", *duties: "asyncio.Task[None]") -> None:
    """Wait for the stop. Raises what a duty raises: none of them ends before."""
    await asyncio.wait([stopped, *duties], return_when=asyncio.FIRST_COMPLETED)
    for duty in duties:
        if duty.done():
            duty.result()


async def _tick(invocations: Invocations, log: AccessLog) -> None:
    while True:
        await asyncio.sleep(_FLUSH_S)
        invocations.watch()
        log.flush()
