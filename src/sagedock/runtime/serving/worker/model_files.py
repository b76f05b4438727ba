"""The model that a folder holds, where the user's code does not load it: found, never unpickled."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sagedock.errors import InvalidRequest
from sagedock.runtime.serving.worker.onnx import load_onnx

__all__ = ["device", "load_model", "load_weights"]

#: Suffixes in the order in which they are looked for.
_SUFFIXES = (".pt2", ".pt", ".pth", ".ts", ".onnx", ".safetensors")
_CODE = "code"
#: Said instead of the path, which clients of many models are not shown, and users did not choose.
_WHERE = "the model's folder"
_OR_CODE = "or give it a model_fn in code/inference.py"
_OWN_CODE = (
    "give the model a model_fn in code/inference.py that builds the network, and loads them with"
    " `from sagedock.runtime.serving import load_weights`"
)


def load_model(folder: Path) -> Any:
    """Return the model that ``folder`` holds, ready to be called, on this worker's device.

    TorchScript, an exported program (torch.export) or ONNX. Raises InvalidRequest where it is none
    of these, or where there are several.
    """
    file = _only_model(folder)
    return _loader(file)(file)


def _only_model(folder: Path) -> Path:
    found = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix in _SUFFIXES and _CODE not in file.relative_to(folder).parts[:-1]
    )
    if len(found) == 1:
        return found[0]
    named = [file for file in found if file.stem == "model" and file.parent == folder]
    if len(named) == 1:
        return named[0]
    names = ", ".join(str(file.relative_to(folder)) for file in found[:5])
    problem = f"{_WHERE} holds several models, {names}: call one of them model.pt (or .pt2, .onnx)"
    raise InvalidRequest([f"{problem}, {_OR_CODE}" if found else _without_model(folder)])


def _without_model(folder: Path) -> str:
    """Return what a folder holds instead of a model, and what to do."""
    entries = sorted(folder.iterdir())
    listed = ", ".join(file.name for file in entries[:5])
    held = f"holds only {listed}, and no model" if listed else "is empty"
    if len(entries) == 1 and entries[0].is_dir() and entries[0].name != _CODE:
        return (
            f"{_WHERE} holds one folder, {listed}, with all the rest in it: pack what is in "
            f"{listed}, so that model files and code/ are at the top of the archive"
        )
    return f"{_WHERE} {held}: put one there ({', '.join(_SUFFIXES)}), {_OR_CODE}"


def _loader(file: Path) -> Callable[[Path], Any]:
    if file.suffix == ".onnx":
        return load_onnx
    if file.suffix == ".safetensors":
        raise InvalidRequest([f"{file} holds weights without a network: {_OWN_CODE}"])
    members = _members(file)
    if any(member.endswith("/constants.pkl") for member in members):
        return _load_torchscript
    if any("exported_program" in member or "/models/" in member for member in members):
        return _load_exported
    if any(member.endswith("/data.pkl") for member in members):
        raise InvalidRequest([f"{file} holds what torch.save wrote, such as weights: {_OWN_CODE}"])
    raise InvalidRequest([f"{file} is neither TorchScript nor an exported program: {_OWN_CODE}"])


def _members(file: Path) -> list[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:
        return []


def device() -> Any:
    """Return the torch device of this worker: the GPU that it sees, else the CPU."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _load_torchscript(file: Path) -> Any:
    import torch

    model = torch.jit.load(str(file), map_location=device())
    model.eval()
    return model


def _load_exported(file: Path) -> Any:
    import torch

    program = torch.export.load(str(file))
    return program.module().to(device())


def load_weights(file: Path | str) -> Any:
    """Return the tensors of a .safetensors file, or what torch.save wrote, on this worker's device.

    Only tensors and plain values are read: a file that would run code is refused by torch.
    """
    import torch

    if str(file).endswith(".safetensors"):
        from safetensors.torch import load_file

        return load_file(str(file), device=str(device()))
    return torch.load(str(file), map_location=device(), weights_only=True)
