"""ONNX models, where onnxruntime is installed."""

import importlib.util
from pathlib import Path
from typing import Any

from sagedock.errors import InvalidRequest
from sagedock.runtime.serving.worker.refused import InvalidInput

__all__ = ["OnnxModel", "load_onnx"]


class OnnxModel:
    """An ONNX model that is called as a function: arrays in, an array or a mapping of them out."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.inputs = [each.name for each in session.get_inputs()]
        self.types = {each.name: each.type for each in session.get_inputs()}
        self.outputs = [each.name for each in session.get_outputs()]

    def __call__(self, data: Any) -> Any:
        """Return the only output, or all of them by name. ``data``: an array, or arrays by name."""
        feed = data if isinstance(data, dict) else {self.inputs[0]: data}
        if set(feed) != set(self.inputs):
            raise InvalidInput(f"the model takes the inputs {', '.join(self.inputs)}")
        feed = {name: _as(self.types[name], value) for name, value in feed.items()}
        results = self._session.run(self.outputs, feed)
        return results[0] if len(results) == 1 else dict(zip(self.outputs, results, strict=True))


def _as(onnx_type: str, value: Any) -> Any:
    """Return an array in the type that the model takes: clients send numbers, not types."""
    import numpy as np

    kinds = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64"}
    kinds |= {"tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(bool)": "bool"}
    return np.asarray(value, dtype=kinds.get(onnx_type))


def load_onnx(file: Path) -> OnnxModel:
    """Load an ONNX model. Raises InvalidRequest where onnxruntime is not installed."""
    if importlib.util.find_spec("onnxruntime") is None:
        raise InvalidRequest(
            [
                f"{file} is ONNX, and this image has no onnxruntime: name onnxruntime in"
                " code/requirements.txt, or install it in the image"
            ]
        )
    import onnxruntime

    providers = onnxruntime.get_available_providers()
    return OnnxModel(onnxruntime.InferenceSession(str(file), providers=providers))
