"""A handler served until somebody ends it, started again when its source is changed."""

import threading
from collections.abc import Callable
from contextlib import ExitStack

from sagedock.engine import Engine
from sagedock.errors import ImageNotFound, InvalidRequest
from sagedock.workbench.events import Event, Removed
from sagedock.workbench.handler import Handler
from sagedock.workbench.layout import Layout
from sagedock.workbench.leftovers import own_folder, sweep
from sagedock.workbench.relay import Relay, listen
from sagedock.workbench.served import Served
from sagedock.workbench.sitting import Sitting

__all__ = ["Workbench"]

_MODEL = "model"


class Workbench:
    """Serves one handler on ``port`` of the loopback (0: any); ``tell`` gets every event.

    With ``reload`` a change of the source starts the container again, and one that ends is told
    and its source's next change awaited; without, its end is the workbench's.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        engine: Engine,
        port: int,
        reload: bool,
        tell: Callable[[Event], None],
    ) -> None:
        self._handler = handler
        self._engine = engine
        self._port = port
        self._reload = reload
        self._tell = tell

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set; nothing of it is left then.

        Raises InvalidRequest with every problem, EngineError, or ContractBroken where the container
        ends and no change of its source is awaited.
        """
        self._check()
        for found in sweep(self._engine):
            self._tell(Removed(container=found.name))
        with ExitStack() as stack:
            relay = stack.enter_context(Relay(stack.enter_context(listen(self._port))))
            folder = stack.enter_context(own_folder())
            layout = Layout(folder / _MODEL, self._handler)
            layout.lay_out_model()
            served = Served(self._engine, self._handler, layout, self._tell)
            stack.callback(served.end)
            sitting = Sitting(
                handler=self._handler,
                is_watched=self._reload,
                tell=self._tell,
                relay=relay,
                layout=layout,
                served=served,
                folder=folder,
            )
            sitting.run(stop)

    def _check(self) -> None:
        if problems := self._handler.problems():
            raise InvalidRequest(problems)
        try:
            self._engine.image(self._handler.image)
        except ImageNotFound as error:
            raise ImageNotFound(
                f"{error}: `make build` in a checkout of sagedock makes sagedock-serving:cpu, "
                "`docker pull` fetches one from a registry"
            ) from error
