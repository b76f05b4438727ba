"""Shifting traffic from the fleet that serves to the one that is to: who gets which share."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sagedock.local.hosting.deployment import Step
from sagedock.local.hosting.routes import Serving

__all__ = ["shared"]


def shared(old: Sequence[Serving], new: Sequence[Serving], step: Step) -> tuple[Serving, ...]:
    """Return what serves at a step: of the new fleet those instances that are turned on, with their
    share; of the old one the rest. Copies go to the old shadows until all is turned on.
    """
    whole = all(share >= 1 for share in step.shares.values())
    kept = [_rest(each, step.shares) for each in old if not whole]
    turned_on = [_part(each, step.turned_on, step.shares) for each in new]
    return (*kept, *(each for each in turned_on if whole or not each.is_shadow))


def _rest(serving: Serving, shares: Mapping[str, float]) -> Serving:
    return serving if serving.is_shadow else replace(serving, share=1 - shares[serving.name])


def _part(serving: Serving, turned_on: Mapping[str, int], shares: Mapping[str, float]) -> Serving:
    backends = serving.backends[: turned_on[serving.name]] if serving.pool is None else ()
    return replace(serving, share=shares[serving.name], backends=backends)
