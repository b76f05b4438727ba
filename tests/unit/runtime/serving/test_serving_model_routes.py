"""The contract of multi-model containers: loading, listing, invoking, unloading; real processes."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.serving.serve_process import Serve, start

__all__ = ["start"]

CODE = (
    "def model_fn(d): return {value!r}\ndef transform_fn(model, data, kind, accept): return model\n"
)


@pytest.fixture
def server(start: Any) -> Serve:
    """A server without a model, as the platform starts it."""
    serve: Serve = start(SAGEMAKER_MULTI_MODEL="true")
    serve.until(200)
    return serve


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    """Return a function that makes a model's folder, and returns its path."""

    def make(name: str, code: str) -> str:
        model = tmp_path / "models" / name / "model"
        (model / "code").mkdir(parents=True)
        (model / "code" / "inference.py").write_text(code)
        return str(model)

    return make


def load(server: Serve, name: str, url: str) -> tuple[int, bytes]:
    return server.ask("/models", json.dumps({"model_name": name, "url": url}).encode())


def test_models_come_and_go(server: Serve, folder: Any) -> None:
    urls = {name: folder(name, CODE.format(value=f"I am {name}")) for name in ("a" * 64, "b c")}
    assert json.loads(server.ask("/models")[1]) == {"models": []}
    for name, url in urls.items():
        assert load(server, name, url)[0] == 200
        assert load(server, name, url)[0] == 409
    rows = [{"modelName": name, "modelUrl": url} for name, url in urls.items()]
    assert json.loads(server.ask("/models")[1]) == {"models": rows}
    assert json.loads(server.ask("/models/b%20c")[1]) == rows[1]
    for name in urls:  # different code under the same name, inference.py
        path = f"/models/{name.replace(' ', '%20')}/invoke"
        assert server.ask(path, b"x") == (200, f"I am {name}".encode())
    assert server.ask("/models/b%20c", method="DELETE")[0] == 200
    assert server.ask("/models/b%20c", method="DELETE")[0] == 404
    assert server.ask("/models/b%20c/invoke", b"x")[0] == 404
    assert load(server, "b c", urls["b c"])[0] == 200
    assert server.ask("/ping")[0] == 200
    assert server.stop() == 0


def test_a_list_comes_in_pages(server: Serve, folder: Any) -> None:
    for name in "abc":
        load(server, name, folder(name, CODE.format(value=name)))
    first = json.loads(server.ask("/models?limit=2")[1])
    assert [row["modelName"] for row in first["models"]] == ["a", "b"]
    rest = json.loads(server.ask(f"/models?next_page_token={first['nextPageToken']}")[1])
    assert [row["modelName"] for row in rest["models"]] == ["c"]
    assert "nextPageToken" not in rest
    assert server.ask("/models?limit=x")[0] == 400


def test_the_memory_of_an_unloaded_model_is_free(server: Serve, folder: Any) -> None:
    code = "import os\n" + CODE.format(value=0).replace("return 0", "return str(os.getpid())")
    load(server, "a", folder("a", code))
    pid = int(server.ask("/models/a/invoke", b"x")[1])
    os.kill(pid, 0)
    assert server.ask("/models/a", method="DELETE")[0] == 200
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_model_that_cannot_be_loaded_again_is_unloaded(server: Serve, folder: Any) -> None:
    code = "import os, pathlib\n" + CODE.format(value=0)
    code = code.replace("return 0", "return str(os.getpid())")
    url = folder("a", code)
    load(server, "a", url)
    pid = int(server.ask("/models/a/invoke", b"x")[1])
    Path(url, "code", "inference.py").write_text("def model_fn(d): raise OSError('gone')")
    os.kill(pid, signal.SIGKILL)
    ends = time.monotonic() + 60
    while server.ask("/models/a")[0] != 404:
        assert time.monotonic() < ends, server.log.read_text()
        time.sleep(0.05)
    assert "model a is unloaded, its workers cannot load it again: OSError: gone" in (
        server.log.read_text()
    )
    Path(url, "code", "inference.py").write_text(code)
    assert load(server, "a", url)[0] == 200


UNLOADABLE = {
    "raises": ("raise OSError('no weights')", 500, "cannot be loaded: OSError: no weights"),
    "memory": ("raise MemoryError", 507, "there is not enough memory to load it"),
    "path": ("raise RuntimeError(d)", 500, "RuntimeError: (path)"),
}


def test_a_model_that_cannot_be_loaded_is_not_there(server: Serve, folder: Any) -> None:
    for name, (code, status, says) in UNLOADABLE.items():
        found, body = load(server, name, folder(name, f"def model_fn(d): {code}"))
        assert found == status
        assert says in json.loads(body)["error"]
        assert server.ask(f"/models/{name}")[0] == 404
    assert server.ask("/ping")[0] == 200


WRONG = [
    ("/models", "POST", b"{}", 400),
    ("/models", "POST", b"[1]", 400),
    ("/models", "POST", b"{", 400),
    ("/models", "POST", b'{"model_name": "a", "url": "/nowhere"}', 404),
    ("/models/absent", "GET", None, 404),
    ("/models/absent/invoke", "POST", b"x", 404),
    ("/models/absent/invoke", "GET", None, 405),
    ("/models", "PUT", b"x", 405),
    ("/invocations", "POST", b"x", 404),
]


def test_what_is_wrong_is_refused(server: Serve) -> None:
    for path, method, body, status in WRONG:
        assert server.ask(path, body, method=method)[0] == status, (method, path)
