"""Hyperparameters as the API wants them: a flat map of strings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.errors import InvalidRequest
from sagedock.jobs.pipeline.references import Join, JsonGet, Parameter, Reference

__all__ = ["Script", "as_json", "as_text", "json_of"]

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

    def hyperparameters(self, job_name: str) -> dict[str, Any]:
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


def as_text(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return each value as ``str`` writes it: what an image without a script is sent.

    A reference becomes text when the pipeline runs.
    """
    return {
        str(name): Join([value]) if isinstance(value, Reference) else str(value)
        for name, value in hyperparameters.items()
    }


def as_json(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return each value as JSON, which the training toolkit reads back with its type.

    A reference becomes JSON when the pipeline runs: text, in quotation marks, but where it is known
    to be a number or a boolean.

    Raises InvalidRequest that lists every value that JSON cannot hold.
    """
    problems: list[str] = []
    texts: dict[str, Any] = {}
    for name, value in hyperparameters.items():
        if isinstance(value, Reference):
            texts[str(name)] = json_of(value)
            continue
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


def json_of(reference: Reference) -> Join:
    """Return a reference as JSON: text, in quotation marks, but where it is known to be none."""
    is_text = not isinstance(reference, JsonGet) and not (
        isinstance(reference, Parameter) and reference.kind != "String"
    )
    return Join(['"', reference, '"'] if is_text else [reference])
