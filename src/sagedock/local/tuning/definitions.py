"""The definitions of a tuning job's training jobs, read for the search."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.api import tuning
from sagedock.search import Category, Hyperband, Numbers, Space

__all__ = ["Definition", "definitions_of", "space_of"]

Request = Mapping[str, Any]

#: How far from its example a hyperparameter is searched that Autotune finds the range of. How AWS
#: does is not documented.
_AROUND = 10.0


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One definition. ``body`` is as it was sent; ``name`` is None where it was sent without."""

    name: str | None
    metric: str
    maximize: bool
    space: Space
    body: Request
    hyperband: Hyperband | None

    def loss(self, objective: float) -> float:
        """Return the objective, as what is to become small."""
        return -objective if self.maximize else objective


def definitions_of(request: Request, seed: int) -> tuple[Definition, ...]:
    """Return the definitions of a CreateHyperParameterTuningJob request that breaks no rule."""
    return tuple(
        Definition(
            name=body.get("DefinitionName"),
            metric=tuning.objective(request, body)["MetricName"],
            maximize=tuning.objective(request, body)["Type"] == "Maximize",
            space=space_of(tuning.ranges(request, body)),
            body=body,
            hyperband=_hyperband(request, body, seed),
        )
        for body in tuning.definitions(request)
    )


def space_of(ranges: Request) -> Space:
    """Return what ParameterRanges span."""
    return Space(ranges=[*_numbers(ranges), *_categories(ranges), *_automatic(ranges)])


def _numbers(ranges: Request) -> Iterator[Numbers]:
    for kind in ("integer", "continuous"):
        for each in ranges.get(tuning.RANGES[kind]) or ():
            yield Numbers(
                name=each["Name"],
                low=float(each["MinValue"]),
                high=float(each["MaxValue"]),
                whole=kind == "integer",
                scaling=each.get("ScalingType", "Auto"),
            )


def _categories(ranges: Request) -> Iterator[Category]:
    for each in ranges.get(tuning.RANGES["categorical"]) or ():
        yield Category(name=each["Name"], choices=tuple(dict.fromkeys(each["Values"])))


def _automatic(ranges: Request) -> Iterator[Numbers | Category]:
    """Yield the ranges that Autotune finds: about an example that is a number. Another stays."""
    for each in ranges.get("AutoParameters") or ():
        name, hint = each["Name"], each["ValueHint"]
        number = tuning.number_of(hint)
        if number is None or number == 0:
            yield Category(name=name, choices=(hint,))
            continue
        whole = number % 1 == 0 and not set(hint) & set(".eE")
        ends = sorted((number / _AROUND, number * _AROUND))
        if whole:
            ends = [round(end) or (1 if number > 0 else -1) for end in ends]
        yield Numbers(name=name, low=ends[0], high=ends[1], whole=whole, scaling="Auto")


def _hyperband(request: Request, body: Request, seed: int) -> Hyperband | None:
    config = request["HyperParameterTuningJobConfig"]
    most = tuning.max_resource(request, body)
    if config["Strategy"] != "Hyperband" or most is None:
        return None
    said = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    return Hyperband(least=said.get("MinResource", 1), most=most, seed=seed)
