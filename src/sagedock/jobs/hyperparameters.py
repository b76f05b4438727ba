"""Hyperparameters as the API wants them: a flat map of strings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.errors import InvalidRequest

__all__ = ["Script", "as_json", "as_text"]

#: logging.INFO, which SageMaker SDK v2 sends unless told otherwise.
_INFO = 20


@dataclass(frozen=True, kw_only=True)
class Script:
    """The user's program, for an image that holds the SageMaker training toolkit.

    ``submit_directory`` is the S3 URI of a tar.gz, or a path inside the container.
    """

    program: str
    submit_directory: str
    region: str
    container_log_level: int = _INFO

    def hyperparameters(self, job_name: str) -> dict[str, str]:
        """Return the five entries by which the toolkit finds and runs the program."""
        return as_json(
            {
                "sagemaker_submit_directory": self.submit_directory,
                "sagemaker_program": self.program,
                "sagemaker_container_log_level": self.container_log_level,
                "sagemaker_job_name": job_name,
                "sagemaker_region": self.region,
            }
        )


def as_text(hyperparameters: Mapping[str, Any]) -> dict[str, str]:
    """Return each value as ``str`` writes it: what an image without a script is sent."""
    return {str(name): str(value) for name, value in hyperparameters.items()}


def as_json(hyperparameters: Mapping[str, Any]) -> dict[str, str]:
    """Return each value as JSON, which the training toolkit reads back with its type.

    Raises InvalidRequest that lists every value that JSON cannot hold.
    """
    problems: list[str] = []
    texts: dict[str, str] = {}
    for name, value in hyperparameters.items():
        try:
            texts[str(name)] = json.dumps(value)
        except (TypeError, ValueError) as error:
            problems.append(
                f"hyperparameters[{str(name)!r}]: {error}: "
                "give a string, a number, a boolean, or a list or map of them"
            )
    if problems:
        raise InvalidRequest(problems)
    return texts
