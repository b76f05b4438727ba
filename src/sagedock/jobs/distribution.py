"""How a script is distributed over hosts and processes, in the words of SageMaker SDK v2."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagedock.errors import InvalidRequest

__all__ = ["InstanceGroup", "distribution_hyperparameters", "distribution_in"]

#: The launchers that an image with the training toolkit may have, and each one's options.
_OPTIONS = {
    "torch_distributed": {"enabled", "processes_per_host"},
    "pytorchddp": {"enabled", "processes_per_host"},
    "mpi": {"enabled", "processes_per_host", "custom_mpi_options"},
}
_ENABLED = {
    "torch_distributed": "sagemaker_torch_distributed_enabled",
    "pytorchddp": "sagemaker_pytorch_ddp_enabled",
    "mpi": "sagemaker_mpi_enabled",
}
_PROCESSES = "sagemaker_mpi_num_of_processes_per_host"  # the toolkit takes it for all of them
_MPI_OPTIONS = "sagemaker_mpi_custom_mpi_options"
_DISTRIBUTION_GROUPS = "sagemaker_distribution_instance_groups"
_GROUPS = "instance_groups"


@dataclass(frozen=True, kw_only=True)
class InstanceGroup:
    """Hosts of one type, among those of a job; the fields are SageMaker SDK v2's."""

    instance_group_name: str
    instance_type: str
    instance_count: int

    def parameters(self) -> dict[str, Any]:
        """Return the group as one entry of ResourceConfig.InstanceGroups."""
        return {
            "InstanceGroupName": self.instance_group_name,
            "InstanceType": self.instance_type,
            "InstanceCount": self.instance_count,
        }


def distribution_hyperparameters(
    distribution: Mapping[str, Any], instance_type: str | None
) -> dict[str, Any]:
    """Return the hyperparameters by which the container's launcher distributes the script.

    ``{"torch_distributed": {"enabled": True}}``, ``{"mpi": {"enabled": True, "processes_per_host":
    2, "custom_mpi_options": "..."}}`` or ``pytorchddp``, and ``instance_groups``, those that it is
    for. Source: sagemaker-python-sdk v2, PyTorch._pytorch_distribution_configuration. SDK v2 has
    processes_per_host for mpi only; the toolkit takes it for torchrun as well. Raises
    InvalidRequest with every problem.
    """
    launchers = {name: value for name, value in distribution.items() if name != _GROUPS}
    problems = [problem for name, value in launchers.items() for problem in _problems(name, value)]
    enabled = [name for name, value in launchers.items() if _is_enabled(value)]
    if len(enabled) > 1:
        problems.append(f"distribution: {' and '.join(enabled)} are enabled: enable one of them")
    if problems:
        raise InvalidRequest(problems)
    if not enabled:
        return {}
    (name,) = enabled
    found = {_ENABLED[name]: True, **_options(name, launchers[name], instance_type)}
    groups = [_name_of(group) for group in distribution.get(_GROUPS, ())]
    return found | ({_DISTRIBUTION_GROUPS: groups} if groups else {})


def distribution_in(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the distribution that hyperparameters, decoded, were made of: the way back."""
    name = next((each for each, flag in _ENABLED.items() if hyperparameters.get(flag)), None)
    if name is None:
        return {}
    options: dict[str, Any] = {"enabled": True}
    if hyperparameters.get(_PROCESSES):
        options["processes_per_host"] = hyperparameters[_PROCESSES]
    if name == "mpi" and hyperparameters.get(_MPI_OPTIONS):
        options["custom_mpi_options"] = hyperparameters[_MPI_OPTIONS]
    groups = hyperparameters.get(_DISTRIBUTION_GROUPS)
    return {name: options, **({_GROUPS: groups} if groups else {})}


def _is_enabled(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value.get("enabled"))


def _problems(name: str, value: Any) -> Sequence[str]:
    at = f"distribution[{name!r}]"
    if name not in _OPTIONS:
        return [f"{at}: is not known: use one of {', '.join(_OPTIONS)}, or hyperparameters"]
    if not isinstance(value, Mapping):
        return [f"{at}: must be a map such as {{'enabled': True}}, not {value!r}"]
    problems = [
        f"{at}[{option!r}]: is not known: use {', '.join(sorted(_OPTIONS[name]))}"
        for option in value
        if option not in _OPTIONS[name]
    ]
    count = value.get("processes_per_host", 1)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        problems.append(f"{at}['processes_per_host']: {count!r} is no number of processes")
    return problems


def _options(name: str, value: Mapping[str, Any], instance_type: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "processes_per_host" in value:
        found[_PROCESSES] = value["processes_per_host"]
    if name == "mpi":
        found[_MPI_OPTIONS] = value.get("custom_mpi_options", "")
    elif instance_type:
        found["sagemaker_instance_type"] = instance_type
    return found


def _name_of(group: Any) -> str:
    return str(getattr(group, "instance_group_name", group))
