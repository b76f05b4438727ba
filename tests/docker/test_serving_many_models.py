"""One container, many models: each with its own code, loaded and unloaded as the platform asks."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.docker.serving_container import IMAGE, NATIVE, ModelFolder, Reply, Serving, model

__all__ = ["model"]

MULTI = {"SAGEMAKER_MULTI_MODEL": "true"}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def add(models: Path, name: str, code: str) -> None:
    folder = models / name / "model" / "code"
    folder.mkdir(parents=True)
    (folder / "inference.py").write_text(code)


def start(model: ModelFolder, models: Path, **options: Any) -> Serving:
    volumes = (f"{models}:/opt/ml/models:ro",)
    return model.start(volumes=volumes, environment=MULTI, **options).until(200)


def load(serving: Serving, name: str) -> Reply:
    order = {"model_name": name, "url": f"/opt/ml/models/{name}/model"}
    return serving.ask("POST", "/models", json.dumps(order).encode())


def test_models_with_code_of_their_own(model: ModelFolder, models: Path) -> None:
    for name in ("one", "two"):
        add(
            models,
            name,
            f"import beside\ndef model_fn(d): return beside.NAME + {name!r}\n"
            "def predict_fn(data, model): return model\n",
        )
        (models / name / "model" / "code" / "beside.py").write_text(f"NAME = 'model {name} '\n")
    serving = start(model, models)
    assert serving.ask("GET", "/models").json == {"models": []}
    assert [load(serving, name).status for name in ("one", "two", "one")] == [200, 200, 409]
    found = [
        serving.ask("POST", f"/models/{name}/invoke", b"[1]", content_type="application/json").json
        for name in ("one", "two")
    ]
    assert found == ["model one one", "model two two"]
    assert serving.ask("DELETE", "/models/one").status == 200
    assert serving.ask("POST", "/models/one/invoke", b"[1]").status == 404
    assert [row["modelName"] for row in serving.ask("GET", "/models").json["models"]] == ["two"]


def test_a_model_too_large_for_the_memory_is_507_and_the_others_live(
    model: ModelFolder, models: Path
) -> None:
    add(models, "small", "def model_fn(d): return 1\ndef predict_fn(data, model): return model\n")
    add(models, "huge", "def model_fn(d): return bytearray(b'x') * (1 << 30)\n")
    serving = start(model, models, mem_limit="400m", memswap_limit="400m")
    assert load(serving, "small").status == 200
    assert load(serving, "huge").status == 507
    assert serving.ping() == 200
    answer = serving.ask("POST", "/models/small/invoke", b"[1]", content_type="application/json")
    assert answer.json == 1
    assert load(serving, "huge").status == 507  # again, and still alive


HOLDER = """
def model_fn(d): return bytearray(b"x") * ({holds} << 20)
def predict_fn(data, model): return len(bytearray(b"x") * ({needs} << 20))
"""
SMALL = {"mem_limit": "640m", "memswap_limit": "640m"}


def ask(serving: Serving, name: str) -> Reply:
    return serving.ask("POST", f"/models/{name}/invoke", b"[1]", content_type="application/json")


@NATIVE
def test_the_kernel_ends_what_loads_however_large_what_serves_is(
    model: ModelFolder, models: Path
) -> None:
    add(models, "large", HOLDER.format(holds=470, needs=0))
    add(models, "next", HOLDER.format(holds=300, needs=0))
    serving = start(model, models, **SMALL)
    assert load(serving, "large").status == 200
    pids = serving.shell("pgrep -f serving.worker")
    assert load(serving, "next").status == 507
    assert serving.shell("pgrep -f serving.worker") == pids, serving.log
    assert ask(serving, "large").status == 200


def test_a_request_that_has_no_memory_is_507_and_other_models_live_on(
    model: ModelFolder, models: Path
) -> None:
    holds = 150 if model.server == "native" else 50
    add(models, "idle", HOLDER.format(holds=holds, needs=0))
    add(models, "needy", HOLDER.format(holds=holds + 10, needs=4 * 640))
    add(models, "other", HOLDER.format(holds=1, needs=0))
    serving = start(model, models, **SMALL)
    assert [load(serving, name).status for name in ("idle", "needy", "other")] == [200] * 3
    refused = ask(serving, "needy")
    assert refused.status == 507, serving.log
    assert "no memory is left" in refused.json["error"]
    assert ask(serving, "idle").status == 200


@NATIVE
def test_the_label_says_what_the_image_can(model: ModelFolder) -> None:
    labels = model.client.images.get(IMAGE).labels
    for capability in ("multi-models", "accept-bind-to-port"):
        assert labels[f"com.amazonaws.sagemaker.capabilities.{capability}"] == "true"
    assert "com.amazonaws.sagemaker.capabilities.bidirectional-streaming" not in labels
