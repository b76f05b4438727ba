"""The service of one model: its packages, its pool, its routes."""

from collections.abc import Callable, Mapping

from sagedock.contract import limits, paths
from sagedock.errors import InvalidRequest
from sagedock.runtime.place import locate
from sagedock.runtime.serving import packages
from sagedock.runtime.serving.front.application import Application
from sagedock.runtime.serving.front.invocation import Invocations
from sagedock.runtime.serving.front.metrics import Metrics
from sagedock.runtime.serving.options import Options
from sagedock.runtime.serving.pool.pool import Pool, PoolLimits
from sagedock.runtime.serving.pool.process import Launcher

__all__ = ["OneModel", "pool_limits", "worker_variables"]


class OneModel:
    """The model of /opt/ml/model, from its start to its end."""

    def __init__(
        self,
        *,
        options: Options,
        env: Mapping[str, str],
        launcher: Launcher,
        invocations: Invocations,
        metrics: Metrics,
        say: Callable[[str], None],
    ) -> None:
        self._say = say
        self._variables = dict(env)
        self._pool = Pool(
            launch=launcher(lambda number: worker_variables(number, options, self._variables)),
            limits=pool_limits(options),
            say=say,
        )
        self.application = Application(
            pool=self._pool, options=options, invocations=invocations, metrics=metrics
        )

    async def live(self) -> None:
        """Serve until cancelled. Raises InvalidRequest where the model cannot be served."""
        code = locate(paths.MODEL, self._variables) / packages.CODE
        folder = await packages.install(code, self._variables, self._say)
        if folder:
            self._variables |= packages.importable(folder, self._variables)
        self._pool.start()
        cause = await self._pool.failed
        raise InvalidRequest([f"the model cannot be loaded: {cause}"])

    async def drain(self, patience_s: float) -> bool:
        """Wait until every accepted request is answered; return False after ``patience_s``."""
        self.application.conversations.finish()
        return await self._pool.drain(patience_s)

    async def close(self) -> None:
        """End the workers."""
        await self._pool.close()


def pool_limits(options: Options, loads: int = 3) -> PoolLimits:
    """Return a pool's limits; ``loads`` is how often a worker may fail to load the model."""
    return PoolLimits(
        workers=options.workers,
        waiting=options.queue_size,
        waiting_bytes=max(1 << 29, 4 * options.max_payload_bytes),
        timeout_s=options.timeout_s,
        stream_timeout_s=max(options.timeout_s, float(int(limits.STREAM_TIMEOUT_S))),
        startup_timeout_s=options.startup_timeout_s,
        batch_size=options.batch_size,
        answer_bytes=options.answer_bytes,
        loads=loads,
    )


def worker_variables(
    number: int, options: Options, variables: Mapping[str, str]
) -> Mapping[str, str]:
    """Return a worker's environment: its share of the processors, and its GPU."""
    threads = {"OMP_NUM_THREADS": str(options.threads), "MKL_NUM_THREADS": str(options.threads)}
    gpu = options.gpus[number % len(options.gpus)] if options.gpus else None
    device = {"CUDA_VISIBLE_DEVICES": gpu} if gpu else {}
    return {**threads, **variables, **device}
