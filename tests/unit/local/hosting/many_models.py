"""A container that serves many models, as a Python function; and an endpoint of it."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sagedock.contract import labels
from sagedock.testing import Call, Container, Reply, serving
from tests.conftest import BUCKET, IMAGE, ROLE, Local
from tests.unit.local.hosting.hosting_local import (
    archive,
    create_config,
    create_endpoint,
    invoke,
    settled,
    variant,
)

PREFIX = f"s3://{BUCKET}/many/"
#: The file of a model that says what it answers.
ANSWER = "answer.txt"


@dataclass
class ManyModels:
    """The container side. ``room`` is how many models it holds; ``before_load`` may wait, or answer
    in place of loading; ``on_invoke`` in place of predicting.
    """

    room: int = 100
    before_load: Callable[[str], Reply | None] = lambda _: None
    on_invoke: Callable[[Call, str], Reply | None] = lambda *_: None
    orders: list[tuple[str, str]] = field(default_factory=list)
    loaded: dict[str, dict[str, str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, call: Call) -> Reply:
        path = urlsplit(call.path).path
        own = self.loaded.setdefault(call.container.id, {})
        match call.method, path.strip("/").split("/"):
            case "GET", ["ping"]:
                return Reply()
            case "GET", ["models"]:
                return _told({"models": [{"modelName": n, "modelUrl": u} for n, u in own.items()]})
            case "POST", ["models"]:
                return self._load(call, own)
            case "GET", ["models", name]:
                return Reply(status=200 if name in own else 404)
            case "DELETE", ["models", name]:
                self._note("unload", self._said(call.container, own.get(name, "")))
                return Reply(status=200 if own.pop(name, None) else 404)
            case "POST", ["models", name, "invoke"] if name in own:
                return self._invoke(call, own[name])
        return Reply(status=404)

    def did(self, what: str) -> list[str]:
        """Return the models that it was told to ``load``, or ``unload``, in order."""
        with self.lock:
            return [target for order, target in self.orders if order == what]

    def _load(self, call: Call, own: dict[str, str]) -> Reply:
        order = json.loads(call.body)
        target = call.headers["x-amzn-sagemaker-target-model"]
        self._note("load", target)
        if refusal := self.before_load(target):
            return refusal
        if order["model_name"] in own:
            return Reply(status=409)
        if len(own) >= self.room:
            return Reply(status=507, body=b"no room")
        own[order["model_name"]] = order["url"]
        return Reply()

    def _invoke(self, call: Call, url: str) -> Reply:
        if instead := self.on_invoke(call, url):
            return instead
        return Reply(
            body=f"{self._said(call.container, url)} {call.body.decode()}".encode(),
            headers={"Content-Type": "text/plain"},
        )

    def _said(self, container: Container, url: str) -> str:
        return container.on_host(f"{url}/{ANSWER}").read_text() if url else ""

    def _note(self, what: str, target: str) -> None:
        with self.lock:
            self.orders.append((what, target))


def _told(content: Any) -> Reply:
    return Reply(body=json.dumps(content).encode(), headers={"Content-Type": "application/json"})


def put(local: Local, *names: str, says: str | None = None) -> None:
    """Store models below the prefix; each answers its own name, or what it ``says``."""
    for name in names:
        files = {ANSWER: (says or name).encode()}
        local.client("s3").put_object(Bucket=BUCKET, Key=f"many/{name}", Body=archive(files))


def served(
    local: Local, models: ManyModels, *targets: str, count: int = 1, **container: Any
) -> Any:
    """Serve ``targets`` by an endpoint, and return what Describe answers."""
    put(local, *targets)
    local.engine.program = serving(models)
    local.engine.labels = {labels.SERVES_MANY: labels.SAYS_YES}
    create_many(local, **container)
    create_config(local, "config-1", variant(ModelName="many", InitialInstanceCount=count))
    create_endpoint(local)
    return settled(local)


def create_many(local: Local, **container: Any) -> None:
    """Create a model of many models."""
    local.client("sagemaker").create_model(
        ModelName="many",
        PrimaryContainer={
            "Image": IMAGE,
            "Mode": "MultiModel",
            "ModelDataUrl": PREFIX,
            **container,
        },
        ExecutionRoleArn=ROLE,
    )


def ask(local: Local, target: str, body: str = "x") -> str:
    """Invoke a model; return its answer."""
    return str(invoke(local, body.encode(), TargetModel=target)["Body"].decode())


def folders(local: Local) -> list[Path]:
    """Return the folders of the models that containers see now."""
    (each,) = local.engine.all.values()
    (models,) = [bind.source for bind in each.spec.binds if bind.target == "/opt/ml/models"]
    return list(models.iterdir())
