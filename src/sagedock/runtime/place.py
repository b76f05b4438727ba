"""Where the contract's paths lie: under /opt/ml, or under SAGEMAKER_BASE_DIR where that is set."""

from collections.abc import Mapping
from pathlib import Path

from sagedock.contract import paths, variables

__all__ = ["locate"]


def locate(place: paths.Place, env: Mapping[str, str]) -> Path:
    """Return the path of a row of the contract in this container."""
    base = Path(env.get(variables.SAGEMAKER_BASE_DIR.name, paths.RESERVED.path))
    return base / Path(place.path).relative_to(paths.RESERVED.path)
