"""What stands for the functions that the user's code leaves out, named as AWS's toolkit does."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sagedock.runtime.serving.worker import content_types as types
from sagedock.runtime.serving.worker import formats
from sagedock.runtime.serving.worker.model_files import device, load_model
from sagedock.runtime.serving.worker.refused import InvalidInput, UnsupportedType
from sagedock.runtime.serving.worker.torch_inputs import arguments, wrong_names

__all__ = ["Defaults", "default_handler"]

#: torch says with a RuntimeError that a tensor does not fit; so it says much else.
_UNFIT = ("shape", "size", "dtype", "dimension", "expected", "must match")


class Defaults:
    """Loads a model file, reads the formats, calls the model, writes the formats."""

    def default_model_fn(self, model_dir: str, context: Any = None) -> Any:  # noqa: ARG002
        """Return the model that the folder holds."""
        return load_model(Path(model_dir))

    def default_input_fn(self, input_data: Any, content_type: str, context: Any = None) -> Any:  # noqa: ARG002
        """Return the body as an array, or as what it is."""
        return formats.decode(input_data, content_type)

    def default_predict_fn(self, data: Any, model: Any, context: Any = None) -> Any:  # noqa: ARG002
        """Return what the model makes of the data: a torch module gets tensors, others arrays."""
        if not callable(model):
            raise TypeError(f"{type(model).__name__} cannot be called: write a predict_fn")
        return _torch_predict(data, model) if _is_torch(model) else model(data)

    def default_output_fn(self, prediction: Any, accept: str, context: Any = None) -> Any:  # noqa: ARG002
        """Return (body, content type), in the type that the client likes most.

        What yields its pieces is streamed, piece by piece.
        """
        if isinstance(prediction, Iterator):
            return map(formats.encode_piece, prediction), _streamed(accept)
        if isinstance(prediction, bytes | bytearray | memoryview):
            return prediction, _streamed(accept)
        chosen = types.accepted(accept, formats.OFFERED)
        if chosen is None:
            offers = ", ".join(formats.OFFERED)
            raise UnsupportedType(f"no answer can be given as {accept!r}: accept one of {offers}")
        return formats.encode(prediction, chosen), chosen


def _streamed(accept: str) -> str:
    wished = types.media_type(accept.partition(",")[0])
    return types.OCTETS if not wished or "*" in wished else wished


def _is_torch(model: Any) -> bool:
    return any(base.__module__.startswith("torch.") for base in type(model).__mro__)


def _torch_predict(data: Any, model: Any) -> Any:
    import torch

    tensors = _tensors(data)
    try:
        return _called(model, tensors)
    except (RuntimeError, AssertionError) as error:
        if isinstance(error, torch.OutOfMemoryError) or not _says_unfit(error):
            raise
        unfit = InvalidInput(f"the model does not take an input of {_described(tensors)}")
        if isinstance(tensors, dict) or tensors.is_floating_point():
            raise unfit from error
    try:  # [1, 2] may have been meant as [1.0, 2.0]
        return _called(model, tensors.float())
    except (RuntimeError, AssertionError) as error:
        raise unfit from error


def _called(model: Any, tensors: Any) -> Any:
    """Call the model. Raises InvalidInput where it takes other inputs than these, by their names.

    That is looked up only once a call has failed: the others are spared it.
    """
    import torch

    positional, named = arguments(model, tensors)
    with torch.inference_mode():
        try:
            return model(*positional, **named)
        except (RuntimeError, TypeError, ValueError) as error:
            if problem := wrong_names(model, tensors):
                raise InvalidInput(problem) from error
            raise


def _says_unfit(error: Exception) -> bool:
    """Say whether an error is about the input; an exported program asserts its input's shape."""
    text = str(error).lower()
    return isinstance(error, AssertionError) or any(word in text for word in _UNFIT)


def _tensors(data: Any) -> Any:
    import torch

    if isinstance(data, Mapping):
        return {name: _tensors(value) for name, value in data.items()}
    if isinstance(data, torch.Tensor):
        return data.to(device())
    try:
        tensor = torch.as_tensor(data)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidInput(f"the body is no array of numbers: {error}") from None
    wanted = torch.float32 if tensor.dtype == torch.float64 else tensor.dtype
    return tensor.to(device=device(), dtype=wanted)


def _described(tensors: Any) -> str:
    if isinstance(tensors, dict):
        return ", ".join(f"{name}: {_described(value)}" for name, value in tensors.items())
    return f"shape {list(tensors.shape)} and type {str(tensors.dtype).removeprefix('torch.')}"


def default_handler() -> Defaults:
    """Return the defaults as a handler of AWS's inference toolkit, where that is installed."""
    try:
        from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
    except ModuleNotFoundError:
        return Defaults()

    class Handler(Defaults, DefaultInferenceHandler):  # type: ignore[misc]
        """The toolkit's handler, with our defaults in the place of those that raise."""

    return Handler()
