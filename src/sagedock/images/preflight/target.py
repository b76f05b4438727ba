"""Where an image is to run: an instance type, how many of it, and what for."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import get_args

from sagedock.api.model import service_model
from sagedock.contract.accelerators import Use, family_of
from sagedock.contract.instances import INSTANCES
from sagedock.errors import InvalidRequest

__all__ = ["Target", "known_types", "targets", "unknown_type"]

#: The shapes of the service's model that list the types for each use.
_SHAPES: dict[Use, str] = {
    "training": "TrainingInstanceType",
    "processing": "ProcessingInstanceType",
    "serving": "ProductionVariantInstanceType",
    "transform": "TransformInstanceType",
}
_NEAREST = 3


@dataclass(frozen=True, kw_only=True)
class Target:
    """``count`` is how many instances work together; ``driver`` its branch, where the user knows
    it.
    """

    instance_type: str
    use: Use
    count: int = 1
    driver: int | None = None

    @property
    def is_offered(self) -> bool:
        """Whether SageMaker has this type for this use."""
        return self.instance_type in known_types(self.use)


def known_types(use: Use) -> frozenset[str]:
    """Return the instance types that the service's model lists for a use."""
    return frozenset(service_model("sagemaker").shape_for(_SHAPES[use]).enum)


def targets(
    instance_types: list[str], use: Use, *, count: int, driver: int | None
) -> tuple[Target, ...]:
    """Return where to run, or raise InvalidRequest with every type that SageMaker does not have."""
    unknown = [problem for each in instance_types if (problem := unknown_type(each))]
    problems = [f"--instance-type: {problem}" for problem in unknown]
    if count < 1:
        problems.append(f"--instance-count: {count} is less than 1: give the number of instances")
    if driver is not None and driver < 1:
        problems.append(f"--driver: {driver} is no branch of a driver: give one such as 550")
    if problems:
        raise InvalidRequest(problems)
    return tuple(
        Target(instance_type=each, use=use, count=count, driver=driver)
        for each in dict.fromkeys(instance_types)
    )


def unknown_type(name: str) -> str | None:
    """Return what is wrong with the name of an instance type, with the nearest that there are."""
    known = frozenset().union(*map(known_types, get_args(Use))) | INSTANCES.keys()
    if name in known:
        return None
    near = get_close_matches(name, sorted(known), n=_NEAREST, cutoff=0.5)
    of_family = sorted(each for each in known if family_of(each) == family_of(name))[:_NEAREST]
    nearest = of_family if family_of(name) and of_family else near
    meant = f"the nearest are {', '.join(nearest)}" if nearest else "they look like ml.p4d.24xlarge"
    return f"{name!r} is no instance type of SageMaker: {meant}"
