"""Serve the network that train.py has trained: which digits are these pixels?

Send n x 64 pixels (0 to 16) as CSV, JSON or .npy; the answer is n digits, as the client accepts
them. SageMaker finds this file as code/inference.py in model.tar.gz.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from sagedock.runtime.serving import InvalidInput, load_weights

PIXELS = 64
BRIGHTEST = 16.0
DIGITS = 10


def model_fn(model_dir: str) -> nn.Module:
    """Return the network of model.pt."""
    saved = load_weights(Path(model_dir) / "model.pt")
    hidden = saved["hidden"]
    network = nn.Sequential(
        nn.Linear(PIXELS, hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, DIGITS),
    )
    network.load_state_dict(saved["state_dict"])
    return network.eval()


def model_warmup_fn(_: str, model: nn.Module) -> None:
    """Predict once before the first client comes."""
    predict_fn(np.zeros((1, PIXELS)), model)


@torch.inference_mode()
def predict_fn(data: Any, model: nn.Module) -> np.ndarray:
    """Return the digit of each row of pixels."""
    try:
        pixels = np.atleast_2d(np.asarray(data))
    except ValueError as error:
        raise InvalidInput(f"send rows of {PIXELS} pixels, 0 to 16, all as long") from error
    if pixels.dtype.kind not in "iuf" or pixels.shape[1:] != (PIXELS,):
        raise InvalidInput(f"send rows of {PIXELS} pixels, 0 to 16, not {list(pixels.shape)}")
    scores = model(torch.as_tensor(pixels / BRIGHTEST, dtype=torch.float32))
    return scores.argmax(dim=1).numpy()
