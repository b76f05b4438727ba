"""The models that every server serves, and how a body becomes its input; numbers are seeded.

``echo`` answers what it is sent; ``mlp`` takes rows of 128 numbers as JSON; ``conv`` an image of
3x64x64 float32 as .npy, about 10 ms of work. One thread each: servers have a process per core.
"""

import io
import json
import os
from typing import Any

import numpy as np

NAME = os.environ.get("BENCH_MODEL", "echo")


def load() -> Any:
    """Return the model that BENCH_MODEL names."""
    if NAME == "echo":
        return None
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    return {"mlp": _mlp, "conv": _conv}[NAME](torch.nn).eval()


def _mlp(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 10))


def _conv(nn: Any) -> Any:
    return nn.Sequential(
        *(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)),
    )


def read(body: Any) -> Any:
    """Return the input that a body is; some servers have read it as text, or as JSON, before."""
    if NAME == "echo":
        return body
    if NAME == "mlp":
        rows = body if isinstance(body, list) else json.loads(body)
        return np.asarray(rows, dtype=np.float32)
    return np.load(io.BytesIO(body), allow_pickle=False)


def predict(data: Any, model: Any) -> Any:
    """Return the prediction of one input."""
    if NAME == "echo":
        return data
    import torch

    with torch.inference_mode():
        if NAME == "conv":
            return model(torch.from_numpy(data)[None])[0].numpy()
        return model(torch.from_numpy(data)).numpy()


def predict_all(inputs: list[Any], model: Any) -> list[Any]:
    """Return the predictions of several images, of one call of the model."""
    import torch

    with torch.inference_mode():
        return list(model(torch.from_numpy(np.stack(inputs))).numpy())


def write(prediction: Any) -> tuple[bytes, str]:
    """Return the answer's body and its content type."""
    if NAME == "echo":
        return prediction, "application/octet-stream"
    return json.dumps(prediction.tolist()).encode(), "application/json"


def request() -> tuple[bytes, str]:
    """Return a body to send, and its content type."""
    if NAME == "echo":
        return b"x" * 256, "application/octet-stream"
    generator = np.random.default_rng(0)
    if NAME == "mlp":
        row = generator.standard_normal((1, 128)).round(4)
        return json.dumps(row.tolist()).encode(), "application/json"
    file = io.BytesIO()
    np.save(file, generator.standard_normal((3, 64, 64)).astype(np.float32))
    return file.getvalue(), "application/x-npy"
