"""A workbench that runs in a thread, on fake containers that answer with their code."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sagedock.errors import SagedockError
from sagedock.testing import Call, Container, FakeEngine, Reply, serving
from sagedock.workbench import Event, Handler, Workbench
from sagedock.workbench.events import Serving

IMAGE = "sagedock-serving:cpu"
CODE = "/opt/ml/model/code"
Kind = TypeVar("Kind", bound=Event)


def answer_code(call: Call) -> Reply:
    """Answer the handler's text."""
    if call.path == "/ping":
        return Reply()
    return Reply(body=call.container.on_host(f"{CODE}/inference.py").read_bytes())


def program(container: Container) -> int:
    """Serve, unless the code is broken."""
    code = container.on_host(f"{CODE}/inference.py").read_text()
    container.print(f"loading {code}", "stderr")
    if "broken" in code:
        container.print("Traceback: it is broken", "stderr")
        return 1
    return serving(answer_code)(container)


class Bench:
    """What a workbench tells, and its end."""

    def __init__(self, handler: Handler, engine: FakeEngine, **options: Any) -> None:
        self.engine = engine
        self.source = handler.source
        self.events: list[Event] = []
        self.error: BaseException | None = None
        self._stop = threading.Event()
        options = {"port": 0, "reload": True, **options}
        self._workbench = Workbench(handler, engine=engine, tell=self.events.append, **options)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._workbench.run(self._stop)
        except SagedockError as error:
            self.error = error

    def all(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.events if isinstance(event, kind)]

    def until(self, kind: type[Kind], count: int = 1) -> Kind:
        """Wait until so many events of a kind were told, and return the last one."""
        ends = time.monotonic() + 60
        while len(found := self.all(kind)) < count:
            assert self.error is None, self.error
            assert self._thread.is_alive()
            assert time.monotonic() < ends, self.events
            time.sleep(0.01)
        return found[count - 1]

    def write(self, text: str, name: str = "inference.py") -> None:
        (self.source / name).write_text(text)

    @property
    def url(self) -> str:
        return self.until(Serving).url

    def ask(self) -> tuple[int, str]:
        request = urllib.request.Request(self.url, b"x" * 1_000_000)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def container(self) -> Container:
        """Return the only container."""
        (found,) = self.engine.all.values()
        return found

    def end(self) -> None:
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive()


@contextmanager
def running(handler: Handler, engine: FakeEngine | None = None, **options: Any) -> Iterator[Bench]:
    """Run a workbench; nothing of it is left afterwards."""
    bench = Bench(handler, engine or FakeEngine(program, images=[IMAGE]), **options)
    try:
        yield bench
    finally:
        bench.end()
    if engine is None:
        assert not bench.engine.all
        assert not bench.engine.all_networks


def handler_of(folder: Path, text: str = "one", **members: Any) -> Handler:
    """Return a handler whose file holds ``text``."""
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "inference.py").write_text(text)
    return Handler(source=source, **members)
