"""What AWS's toolkit gets wrong of many models with Multi Model Server, and `serve` mends."""

import time
from pathlib import Path

from tests.docker.serving_container import MMS, STOCK, ModelFolder, model
from tests.docker.test_serving_many_models import MULTI, add, load, models, start

__all__ = ["model", "models"]

#: As the toolkit's own examples of multi-model containers ask for it.
STOCK_MULTI = {**MULTI, "SAGEMAKER_HANDLER": "sagemaker_inference.default_handler_service"}


@MMS
def test_each_model_has_code_of_its_own(model: ModelFolder, models: Path) -> None:
    for name in ("one", "two"):
        code = f"def model_fn(d): return {name!r}\ndef predict_fn(data, model): return model\n"
        add(models, name, code)
    volumes = (f"{models}:/opt/ml/models:ro",)
    stock = model.start(command=STOCK, volumes=volumes, environment=STOCK_MULTI).until(200)
    ours = start(model, models)
    for serving in (stock, ours):
        order = "/models?model_name={0}&url=/opt/ml/models/{0}/model"
        loaded = [
            serving.ask("POST", order.format(name)).status
            if serving is stock
            else load(serving, name).status
            for name in ("one", "two")
        ]
        assert loaded == [200, 200]
    assert stock.ask("POST", "/models/one/invoke", b"[1]").status == 500
    assert [
        ours.ask("POST", f"/models/{name}/invoke", b"[1]", content_type="application/json").json
        for name in ("one", "two")
    ] == ["one", "two"]


@MMS
def test_a_model_that_cannot_be_loaded_is_told(model: ModelFolder, models: Path) -> None:
    add(models, "broken", "def model_fn(d): raise OSError('the weights are gone')\n")
    volumes = (f"{models}:/opt/ml/models:ro",)
    stock = model.start(command=STOCK, volumes=volumes, environment=STOCK_MULTI).until(200)
    ours = start(model, models)
    order = "/models?model_name=broken&url=/opt/ml/models/broken/model"
    assert stock.ask("POST", order).status == 200
    told = load(ours, "broken")
    assert (told.status, told.json) == (
        500,
        {"error": "model broken cannot be loaded: OSError: the weights are gone"},
    )
    assert ours.ask("GET", "/models").json == {"models": []}


@MMS
def test_an_unloaded_models_processes_are_gone(model: ModelFolder, models: Path) -> None:
    add(
        models,
        "one",
        "import os\ndef model_fn(d): return os.getpid()\ndef predict_fn(d, m): return m\n",
    )
    ours = start(model, models)
    assert load(ours, "one").status == 200
    pid = ours.ask("POST", "/models/one/invoke", b"[1]", content_type="application/json").json
    assert ours.ask("DELETE", "/models/one").status == 200
    until_gone(ours, pid)
    assert load(ours, "one").status == 200


def until_gone(serving, pid):
    ends = time.monotonic() + 60
    while "No such file" not in (state := serving.shell(f"grep State /proc/{pid}/status")):
        if "Z" in state:
            return
        assert time.monotonic() < ends, state
        time.sleep(0.05)
