"""The service of many models: loaded and unloaded by the platform, each with workers of its own."""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sagedock.contract import variables
from sagedock.errors import InvalidRequest
from sagedock.runtime import memory
from sagedock.runtime.serving import packages
from sagedock.runtime.serving.front.invocation import Invocations
from sagedock.runtime.serving.front.metrics import Metrics
from sagedock.runtime.serving.front.model_routes import ModelRoutes, NotLoaded
from sagedock.runtime.serving.one_model import pool_limits, worker_variables
from sagedock.runtime.serving.options import Options
from sagedock.runtime.serving.pool.pool import Pool
from sagedock.runtime.serving.pool.process import Launcher

__all__ = ["ManyModels"]

#: How workers say that there was no memory.
_NO_MEMORY = ("MemoryError", "OutOfMemoryError", "can't allocate memory", "Cannot allocate memory")
#: A model that is unloaded answers first what it has accepted, for at most so long.
_UNLOAD_S = 60.0


@dataclass(kw_only=True)
class _Loaded:
    """One model: where it lies, its workers, and the packages of its own."""

    url: str
    pool: Pool
    ready: bool = False
    packages: Path | None = None
    variables: dict[str, str] = field(default_factory=dict)


class ManyModels:
    """The models that the platform has loaded, by name."""

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
        self._options = options
        self._launcher = launcher
        self._say = say
        own_code = variables.SAGEMAKER_SUBMIT_DIRECTORY.name  # one folder cannot be many models'
        self._env = {name: value for name, value in env.items() if name != own_code}
        self._models: dict[str, _Loaded] = {}
        self._numbers = count()
        self._tasks: set[asyncio.Task[None]] = set()
        self.application = ModelRoutes(models=self, invocations=invocations, metrics=metrics)

    # --- what the routes ask ---------------------------------------------------------------------

    @property
    def urls(self) -> Mapping[str, str]:
        """The loaded models: name to folder, in the order in which they were loaded."""
        return {name: model.url for name, model in self._models.items() if model.ready}

    @property
    def pools(self) -> Mapping[str, Pool]:
        """The loaded models' pools, by name."""
        return {name: model.pool for name, model in self._models.items() if model.ready}

    def pool(self, name: str) -> Pool | None:
        """Return a loaded model's pool; None where there is none."""
        model = self._models.get(name)
        return model.pool if model and model.ready else None

    async def load(self, name: str, url: str) -> None:
        """Load a model. Raises NotLoaded, with the status that the platform expects."""
        if name in self._models:
            raise NotLoaded(409, f"model {name} is loaded already")
        if not Path(url).is_dir():
            raise NotLoaded(404, f"model {name}: there is no folder at its url")
        model = self._models[name] = self._new(url)
        kills = memory.kernel_kills()
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._end, model)
            undo.callback(self._models.pop, name)  # before it ends
            try:
                cause = await self._start(model)
            except InvalidRequest as error:
                cause = str(error)
            if cause is None:
                model.pool.failed.add_done_callback(lambda _: self._on_failed(name, model))
                undo.pop_all()
                return
        self._say(f"model {name} cannot be loaded: {cause}")
        if memory.kernel_kills() > kills or any(word in cause for word in _NO_MEMORY):
            raise NotLoaded(507, f"model {name}: there is not enough memory to load it")
        raise NotLoaded(500, f"model {name} cannot be loaded: {cause}")

    async def unload(self, name: str) -> None:
        """Unload a model: its memory is free on return. Raises NotLoaded where there is none."""
        if self.pool(name) is None:
            raise NotLoaded(404, f"model {name} is not loaded")
        model = self._models.pop(name)
        await model.pool.drain(_UNLOAD_S)
        await self._end(model)

    # --- one model -------------------------------------------------------------------------------

    def _new(self, url: str) -> _Loaded:
        first_gpu = next(self._numbers)
        own = dict(self._env)
        launch = self._launcher(
            lambda number: worker_variables(first_gpu + number, self._options, own), url
        )
        pool = Pool(launch=launch, limits=pool_limits(self._options, loads=1), say=self._say)
        return _Loaded(url=url, pool=pool, variables=own)

    async def _start(self, model: _Loaded) -> str | None:
        """Start the workers; return why the model cannot be loaded, None where it is."""
        code = Path(model.url) / packages.CODE
        model.packages = await packages.install(code, model.variables, self._say, apart=True)
        if model.packages:
            model.variables |= packages.importable(model.packages, model.variables)
        model.pool.start()
        cause = await model.pool.up()
        model.ready = cause is None
        return cause

    async def _end(self, model: _Loaded) -> None:
        await model.pool.close()
        if model.packages:
            shutil.rmtree(model.packages, ignore_errors=True)

    def _on_failed(self, name: str, model: _Loaded) -> None:
        """Forget a model whose workers cannot load it again: the platform may load it anew."""
        if self._models.get(name) is not model:
            return
        del self._models[name]
        cause = model.pool.failed.exception() or model.pool.failed.result()
        self._say(f"model {name} is unloaded, its workers cannot load it again: {cause}")
        task = asyncio.create_task(self._end(model))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- the server's life -----------------------------------------------------------------------

    async def live(self) -> None:
        """Serve until cancelled."""
        await asyncio.Event().wait()

    async def drain(self, patience_s: float) -> bool:
        """Wait until every accepted request is answered; return False after ``patience_s``."""
        drains = [model.pool.drain(patience_s) for model in self._models.values()]
        return all(await asyncio.gather(*drains))

    async def close(self) -> None:
        """End every worker."""
        ends = [self._end(model) for model in self._models.values()]
        await asyncio.gather(*self._tasks, *ends)
