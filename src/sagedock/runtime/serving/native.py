"""The native model server: one front, a pool of model workers, and the order of their lives."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

from sagedock.contract import limits
from sagedock.errors import InvalidRequest
from sagedock.runtime.log import say
from sagedock.runtime.serving import packages
from sagedock.runtime.serving.front.access_log import AccessLog
from sagedock.runtime.serving.front.application import Application
from sagedock.runtime.serving.front.invocation import Invocations
from sagedock.runtime.serving.front.metrics import Metrics
from sagedock.runtime.serving.front.server import Server, listen
from sagedock.runtime.serving.options import Options
from sagedock.runtime.serving.pool.pool import Pool, PoolLimits
from sagedock.runtime.serving.pool.process import launcher

__all__ = ["serve"]

_FLUSH_S = 0.1
#: Left of the platform's grace for what comes after the last answer.
_RESERVE_S = 4
_STOPS = (signal.SIGTERM, signal.SIGINT)


def serve(env: Mapping[str, str] = os.environ) -> None:
    """Serve until SIGTERM. Raises SagedockError where the model cannot be served."""
    options = Options.read(env)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(options, env))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(options: Options, env: Mapping[str, str]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPS:
        loop.add_signal_handler(number, stop.set)
    variables = dict(env)
    pool = Pool(
        launch=launcher(lambda number: _worker_variables(number, options, variables)),
        limits=_pool_limits(options),
        say=say,
    )
    log = AccessLog()
    application = Application(pool=pool, options=options, log=log, metrics=Metrics())
    grace_s = int(limits.SERVING_STOP_GRACE_S) - _RESERVE_S
    server = Server(application, application.invocations, say, grace_s)
    listener = listen(options.port)
    say(f"listening on {options.port}; loading the model in {options.workers} worker(s)")
    duties = [
        loop.create_task(server.serve(sockets=[listener])),
        loop.create_task(_tick(application.invocations, log)),
    ]
    try:
        await _until_stopped(pool, variables, stop)
        say("stopping: no more connections are taken")
        await server.stop()
        if not await pool.drain(grace_s - 1):
            say("some requests took longer than the grace: they are not answered")
        await duties[0]
    finally:
        log.flush()
        for duty in duties:
            duty.cancel()
        await asyncio.gather(*duties, return_exceptions=True)
        await pool.close()
        log.flush()


def _pool_limits(options: Options) -> PoolLimits:
    return PoolLimits(
        workers=options.workers,
        waiting=options.queue_size,
        waiting_bytes=max(1 << 29, 4 * options.max_payload_bytes),
        timeout_s=options.timeout_s,
        stream_timeout_s=max(options.timeout_s, float(int(limits.STREAM_TIMEOUT_S))),
        startup_timeout_s=options.startup_timeout_s,
        batch_size=options.batch_size,
    )


async def _until_stopped(pool: Pool, variables: dict[str, str], stop: asyncio.Event) -> None:
    """Install what the model asks for, start the workers, and wait for the stop.

    Raises InvalidRequest where the model cannot be served.
    """
    stopped: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
    starting: asyncio.Future[Any] = asyncio.ensure_future(_start(pool, variables))
    await asyncio.wait([stopped, starting], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        return
    starting.result()
    await asyncio.wait([stopped, pool.failed], return_when=asyncio.FIRST_COMPLETED)
    if not stopped.done():
        stopped.cancel()
        raise InvalidRequest([f"the model cannot be loaded: {pool.failed.result()}"])


async def _start(pool: Pool, variables: dict[str, str]) -> None:
    folder = await packages.install(variables, say)
    if folder:
        others = variables.get("PYTHONPATH")
        variables["PYTHONPATH"] = f"{folder}:{others}" if others else str(folder)
    pool.start()


async def _tick(invocations: Invocations, log: AccessLog) -> None:
    while True:
        await asyncio.sleep(_FLUSH_S)
        invocations.watch()
        log.flush()


def _worker_variables(
    number: int, options: Options, variables: Mapping[str, str]
) -> Mapping[str, str]:
    """Return a worker's environment: its share of the processors, and its GPU."""
    threads = {"OMP_NUM_THREADS": str(options.threads), "MKL_NUM_THREADS": str(options.threads)}
    gpu = options.gpus[number % len(options.gpus)] if options.gpus else None
    device = {"CUDA_VISIBLE_DEVICES": gpu} if gpu else {}
    return {**threads, **variables, **device}
