"""A model's containers and their data, as requests and Describe tell of them."""

from collections.abc import Mapping
from typing import Any

__all__ = ["containers_of", "data_of", "is_direct", "many_models"]

Request = Mapping[str, Any]


def containers_of(model: Request) -> list[Mapping[str, Any]]:
    """Return a model's containers, the first one first."""
    primary = model.get("PrimaryContainer")
    return [primary] if primary else list(model.get("Containers") or ())


def data_of(container: Request) -> Mapping[str, Any] | None:
    """Return where a container's model data is, as an S3DataSource; None where it has none."""
    if uri := container.get("ModelDataUrl"):
        return {"S3Uri": uri, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    source = (container.get("ModelDataSource") or {}).get("S3DataSource")
    return dict(source) if source else None


def many_models(container: Request) -> bool:
    """Say whether a container serves many models, which its ModelDataUrl is a prefix of."""
    return container.get("Mode") == "MultiModel"


def is_direct(model: Request) -> bool:
    """Say whether a request goes to the one of a model's containers that it names."""
    execution = model.get("InferenceExecutionConfig") or {}
    return execution.get("Mode") == "Direct" and len(containers_of(model)) > 1
