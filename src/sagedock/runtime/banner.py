"""What the log says before the user's first line: the job in a few lines, without secrets."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sagedock.contract import variables
from sagedock.runtime.redact import hide_nested
from sagedock.runtime.toolkit import Environment

__all__ = ["banner"]

_VALUE_ROOM = 60


def banner(job: Environment, program: str, env: Mapping[str, str], started: str = "") -> str:
    """Return the start banner: job, host, devices, channels, hyperparameters, entry point.

    ``started`` says who starts it, where that is not the launcher itself.
    """
    name = env.get(variables.TRAINING_JOB_NAME.name, "unnamed job")
    position = f"{job.current_host} of {len(job.hosts)}" if len(job.hosts) > 1 else job.current_host
    device = ", ".join(_devices(job.variables))
    lines = [
        f"{name} on {position} ({job.instance_type}, {device})",
        f"channels: {_listed(job.channels)}",
        f"hyperparameters: {_listed(_pairs(job.hyperparameters))}",
        f"running {program}{started}",
    ]
    return "\n".join(lines)


def _devices(sm_variables: Mapping[str, str]) -> list[str]:
    counts = {
        "CPUs": sm_variables["SM_NUM_CPUS"],
        "GPUs": sm_variables["SM_NUM_GPUS"],
        "Neuron cores": sm_variables["SM_NUM_NEURONS"],
    }
    return [f"{count} {what}" for what, count in counts.items() if count != "0"]


def _listed(items: Sequence[str]) -> str:
    return ", ".join(items) or "none"


def _pairs(hyperparameters: Mapping[str, Any]) -> list[str]:
    return [f"{name}={_value(name, value)}" for name, value in sorted(hyperparameters.items())]


def _value(name: str, value: Any) -> str:
    safe = hide_nested(name, value)
    text = safe if isinstance(safe, str) else json.dumps(safe)
    text = " ".join(text.split())
    return text if len(text) <= _VALUE_ROOM else text[: _VALUE_ROOM - 3] + "..."
