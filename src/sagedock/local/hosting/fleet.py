"""The containers of one deployment of an endpoint, all of its variants'."""

import logging
import secrets
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import replace

from sagedock.engine import Found
from sagedock.local.hosting.checking import Checks
from sagedock.local.hosting.containers import INSTANCE_LABEL, PLACE_LABEL, VARIANT_LABEL, Site
from sagedock.local.hosting.hosted_container import Cancelled, NotServing
from sagedock.local.hosting.instance import Instance
from sagedock.local.hosting.model_data import lay_out_data
from sagedock.local.hosting.plan import Plan, VariantPlan
from sagedock.local.hosting.routes import Serving
from sagedock.local.hosting.serverless import Pool
from sagedock.local.platform import Platform
from sagedock.local.resources import Key

__all__ = ["Fleet", "retire"]

_log = logging.getLogger(__name__)

#: How many containers are started at the same time.
_AT_ONCE = 8
_INSTANCE_HEX = 17

#: The containers of one instance that were found, in their order.
Parts = Sequence[Found]


class Fleet:
    """The instances of a plan. ``changed`` is called when one begins or ceases to serve; ``site``
    is another place than an endpoint's.
    """

    def __init__(
        self,
        platform: Platform,
        key: Key,
        plan: Plan,
        changed: Callable[[], None],
        site: Site | None = None,
    ) -> None:
        self.site = site or Site(platform=platform, key=key, plan=plan)
        self._platform = platform
        self._changed = changed
        self._ending = threading.Event()
        self._instances: dict[str, tuple[Instance, ...]] = {}
        self._tallies = {each.name: self.site.tally(each) for each in plan.variants}
        self._lock = threading.Lock()
        self._checks = Checks(platform.settings.health_check_s, self._all, self._ending)
        self._pools = {
            each.name: self._pool(each, each.serverless)
            for each in plan.variants
            if each.serverless is not None
        }

    @property
    def plan(self) -> Plan:
        """What it is to be."""
        return self.site.plan

    def launch(self, found: Sequence[Found] = ()) -> None:
        """Lay the models out, and return once every instance serves; those of ``found`` are taken
        up. Raises the first NotServing, DataUnusable, Cancelled or EngineError; the caller retires
        the fleet then.
        """
        whole = {
            each.name: [] if each.name in self._pools else _whole(each, found)
            for each in self.plan.variants
        }
        kept = {each.id for instances in whole.values() for parts in instances for each in parts}
        for each in found:
            if each.id not in kept:
                self._platform.engine.remove(each.id)
        for variant in self.plan.variants:
            if not (kept and self._is_laid_out(variant)):
                for container in variant.containers:
                    lay_out_data(self.site, variant, container, self._check)
        self._add({each.name: _padded(each, whole[each.name]) for each in self.plan.variants})
        for pool in self._pools.values():
            pool.launch()
        self._checks.begin()

    def scale(self, plan: Plan) -> tuple[Instance, ...]:
        """Follow ``plan``, which differs in counts and weights: return once each new instance
        serves. What is returned is not wanted any more, and gets no request once the routes were
        told. Raises as ``launch`` does.
        """
        wanted = {each.name: each.served_by for each in plan.variants}
        lacks = {
            name: (None,) * (count - len(self._instances[name])) for name, count in wanted.items()
        }
        before = self.counts()
        with ExitStack() as undo:
            undo.callback(lambda: retire(self._shrunk(before), 0))
            self._add(lacks)
            undo.pop_all()
        with self._lock:
            self.site = replace(self.site, plan=plan)
        return self._shrunk(wanted)

    def serving(self) -> tuple[Serving, ...]:
        """Return the variants with the containers that serve them now."""
        with self._lock:
            return tuple(self._serving(each) for each in self.plan.variants)

    def counts(self) -> Mapping[str, int]:
        """Return how many instances each variant has."""
        with self._lock:
            return {name: len(each) for name, each in self._instances.items()}

    def cancel(self) -> None:
        """Have a launch that goes on end soon."""
        self._ending.set()
        for each in self._all():
            each.cancel()
        for pool in self._pools.values():
            pool.cancel()

    def hurry(self) -> None:
        """Let what is in flight not be awaited any longer; returns at once."""
        for each in self._all():
            each.hurry()
        for pool in self._pools.values():
            pool.hurry()

    def retire(self, grace_s: float) -> None:
        """Stop every instance, and remove what is left of the fleet."""
        for pool in self._pools.values():
            pool.retire(grace_s)
        self.cancel()
        self._checks.join()
        retire(self._all(), grace_s)
        shutil.rmtree(self.site.folder, ignore_errors=True)

    def _shrunk(self, wanted: Mapping[str, int]) -> tuple[Instance, ...]:
        """Take the instances out that are too many, and return them."""
        with self._lock:
            surplus = [each for name, n in wanted.items() for each in self._instances[name][n:]]
            self._instances = {name: self._instances[name][:n] for name, n in wanted.items()}
        return tuple(surplus)

    def _all(self) -> list[Instance]:
        with self._lock:
            return [each for instances in self._instances.values() for each in instances]

    def _check(self) -> None:
        if self._ending.is_set():
            raise Cancelled

    def _is_laid_out(self, variant: VariantPlan) -> bool:
        return all(
            self.site.data_folder(variant, container, channel).is_dir()
            for container in variant.containers
            for channel in container.sources
        )

    def _add(self, wanted: Mapping[str, Sequence[Parts | None]]) -> None:
        """Start instances, by variant: those that are None are new ones."""
        work = []
        for variant in self.plan.variants:
            made = [(self._instance(variant, each), each) for each in wanted[variant.name]]
            work += made
            with self._lock:
                known = self._instances.get(variant.name, ())
                self._instances[variant.name] = (*known, *(each for each, _ in made))
        self._check()
        if not work:
            return
        with ThreadPoolExecutor(min(_AT_ONCE, len(work))) as pool:
            starts = [pool.submit(_begin, instance, found) for instance, found in work]
            for start in as_completed(starts):
                if (failure := start.exception()) is not None:
                    for instance, _ in work:
                        instance.cancel()
                    raise failure

    def _pool(self, variant: VariantPlan, config: Mapping[str, int]) -> Pool:
        settings = self._platform.settings

        def make(changed: Callable[[], None]) -> Instance:
            return self._instance(variant, None, changed)

        return Pool(
            config,
            make,
            idle_s=settings.serverless_idle_s / settings.time_scale,
            tally=self._tallies[variant.name],
            metrics=self._platform.metrics,
        )

    def _instance(
        self,
        variant: VariantPlan,
        found: Parts | None,
        changed: Callable[[], None] | None = None,
    ) -> Instance:
        shortest = self._platform.settings.endpoint_startup_s
        return Instance(
            name=found[0].labels[INSTANCE_LABEL] if found else _new_id(),
            site=self.site,
            variant=variant,
            startup_s=variant.startup_s if shortest is None else min(variant.startup_s, shortest),
            changed=changed or self._changed,
        )

    def _serving(self, variant: VariantPlan) -> Serving:
        instances = self._instances.get(variant.name, ())
        backends = [each.backend for each in instances]
        return Serving(
            name=variant.name,
            weight=variant.weight,
            strategy=variant.strategy,
            backends=tuple(each for each in backends if each is not None),
            instances=len(instances),
            tally=self._tallies[variant.name],
            capture=self.plan.capture,
            pool=self._pools.get(variant.name),
            is_shadow=variant.shadow,
        )


def retire(instances: Sequence[Instance], grace_s: float) -> None:
    """Stop instances, all at the same time, and return when nothing of them is left."""
    if not instances:
        return
    with ThreadPoolExecutor(len(instances)) as pool:
        list(pool.map(lambda each: each.retire(grace_s), instances))


def _begin(instance: Instance, found: Parts | None) -> None:
    if found is None:
        instance.launch()
        return
    try:
        instance.adopt([each.id for each in found])
    except NotServing as error:
        _log.warning("container %s: %s", found[0].name, error)
        raise


def _whole(variant: VariantPlan, found: Sequence[Found]) -> list[Parts]:
    """Return a variant's instances whose containers all run, each with them in their order."""
    parts: dict[str, dict[int, Found]] = {}
    for each in found:
        if each.state == "running" and each.labels[VARIANT_LABEL] == variant.name:
            place = int(each.labels.get(PLACE_LABEL, 0))
            parts.setdefault(each.labels[INSTANCE_LABEL], {})[place] = each
    places = range(len(variant.containers))
    return [[own[at] for at in places] for own in parts.values() if own.keys() == {*places}]


def _padded(variant: VariantPlan, whole: Sequence[Parts]) -> list[Parts | None]:
    """Return the same, and None for each instance that lacks."""
    return [*whole, *(None,) * (variant.served_by - len(whole))]


def _new_id() -> str:
    """Return an instance's name: i- and 17 hexadecimal digits (source: "Logs" in aws-answers)."""
    return f"i-{secrets.token_hex((_INSTANCE_HEX + 1) // 2)[:_INSTANCE_HEX]}"
