"""Serves the model that ranks_script/train.py trains: adds its total to numbers."""

import json
from pathlib import Path

import numpy as np


def model_fn(model_dir):
    return json.loads(Path(model_dir, "model.json").read_text())["total"]


def predict_fn(numbers, total):
    return np.asarray(numbers) + total
