"""Serving containers for transform jobs, made as those of endpoints are."""

import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from sagedock.contract import limits
from sagedock.errors import ContainerNotStarted, EngineError
from sagedock.local import agents
from sagedock.local.hosting.containers import Site
from sagedock.local.hosting.health import answers_ping
from sagedock.local.hosting.model_data import DataUnusable, lay_out_data
from sagedock.local.hosting.plan import ContainerPlan, Plan, VariantPlan, container_plans
from sagedock.local.platform import Platform
from sagedock.local.resources import Key
from sagedock.local.transform import reasons
from sagedock.local.transform.names import job_folder
from sagedock.local.transform.serving import CannotServe, Fleet, Served, Started

__all__ = ["HostedContainers"]

#: Between two looks at /ping of a container that starts: short at first, for many start at once.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _SLOWER = 0.02, 1.0, 1.5
#: How many containers are stopped at the same time.
_AT_ONCE = 8
#: What its only variant is called: it names the folder of the model, and a label.
_VARIANT = "model"


@dataclass(frozen=True, kw_only=True)
class _Site(Site):
    """Where the containers of one job are made. ``own`` are the job's labels."""

    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> Mapping[str, str]:
        return self.own

    @property
    def folder(self) -> Path:
        return job_folder(self.platform, self.key)

    def network(self, variant: VariantPlan) -> str:
        if not variant.isolated:
            return self.platform.network
        name = f"{self.platform.network}-{self.key.region}-transform-{self.key.name}"
        return self.platform.engine.ensure_network(name, self.own, isolated=True).name


@dataclass(frozen=True, kw_only=True)
class HostedContainers:
    """Starts containers as endpoints do; keeps the promises of ``ServingContainers``."""

    platform: Platform

    def start(
        self, fleet: Fleet, started: Callable[[Started], None], check_stop: Callable[[], None]
    ) -> None:
        """Lay out the model, and start its containers for each instance."""
        variant = self._variant(fleet)
        site = self._site(fleet, variant)
        try:
            for plan in variant.containers:
                lay_out_data(site, variant, plan, check_stop)
        except DataUnusable as error:
            reason = reasons.model_data_unusable(error.reason)
            raise CannotServe(reason, str(error)) from error
        for instance in fleet.instances:
            for plan in variant.containers:
                check_stop()
                started(self._started(site, variant, plan, instance, check_stop))

    def await_health(
        self, containers: Sequence[Started], check_stop: Callable[[], None]
    ) -> Mapping[str, Sequence[Served]]:
        """Return the containers once each answers /ping with 200."""
        startup_s = self.platform.settings.endpoint_startup_s
        ends = time.monotonic() + (startup_s or float(limits.SERVING_STARTUP_S.value))
        found: dict[str, list[Served]] = {}
        for each in containers:
            served = self._healthy(each, ends, check_stop)
            found.setdefault(each.instance, []).append(served)
        return found

    def stop(self, containers: Sequence[str], most_s: float) -> None:
        """Stop them all."""
        grace_s = min(self.platform.settings.endpoint_stop_grace_s, most_s)
        if not containers:
            return
        with ThreadPoolExecutor(min(_AT_ONCE, len(containers))) as pool:
            for stopped in [
                pool.submit(self.platform.engine.stop, each, grace_s) for each in containers
            ]:
                stopped.result()

    def remove(self, key: Key, labels: Mapping[str, str]) -> None:
        """Remove the containers, the network that an isolated model has, and its data."""
        engine = self.platform.engine
        for each in engine.containers(labels):
            engine.remove(each.id)
        for name in engine.networks(labels):
            engine.remove_network(name)
        shutil.rmtree(job_folder(self.platform, key) / _VARIANT, ignore_errors=True)

    def _started(
        self,
        site: Site,
        variant: VariantPlan,
        plan: ContainerPlan,
        instance: str,
        check_stop: Callable[[], None],
    ) -> Started:
        spec = site.spec(variant, plan, instance)
        container = self.platform.images.create(spec, check_stop)
        try:
            self.platform.engine.start(container)
        except ContainerNotStarted as error:
            raise CannotServe(reasons.see_logs("AlgorithmError"), str(error)) from error
        name = plan.name if len(variant.containers) > 1 else None
        return Started(container=container, instance=instance, name=name, port=plan.port)

    def _healthy(self, started: Started, ends: float, check_stop: Callable[[], None]) -> Served:
        pause_s = _FIRST_PAUSE_S
        gone, container = threading.Event(), started.container
        who = "The container" if started.name is None else f"The container {started.name}"
        threading.Thread(target=self._tell_end, args=(container, gone), daemon=True).start()
        while True:
            check_stop()
            address = self.platform.engine.address(container, started.port)
            if address is not None and answers_ping(address, agents.TRANSFORMS):
                return Served(container=container, name=started.name, address=address)
            if gone.wait(pause_s):
                why = f"{who} ended before it answered /ping with 200"
                raise CannotServe(reasons.see_logs("AlgorithmError"), why)
            if time.monotonic() > ends:
                why = f"{who} did not answer /ping with 200 in time"
                raise CannotServe(reasons.see_logs("AlgorithmError"), why)
            pause_s = min(pause_s * _SLOWER, _LONGEST_PAUSE_S)

    def _tell_end(self, container: str, gone: threading.Event) -> None:
        with suppress(EngineError):  # it is removed, because the job is stopped
            self.platform.engine.wait(container)
        gone.set()

    def _site(self, fleet: Fleet, variant: VariantPlan) -> _Site:
        plan = Plan(fleet="", config="", variants=(variant,))
        return _Site(platform=self.platform, key=fleet.key, plan=plan, own=fleet.labels)

    def _variant(self, fleet: Fleet) -> VariantPlan:
        find = self.platform.images.find
        return VariantPlan(
            name=_VARIANT,
            containers=tuple(
                replace(each, environment={**each.environment, **fleet.environment})
                for each in container_plans(fleet.model, find, time.time())
            ),
            isolated=fleet.model["EnableNetworkIsolation"],
            instance_type=fleet.instance_type,
            count=len(fleet.instances),
            weight=1.0,
            strategy="RANDOM",
            download_s=int(limits.MODEL_DOWNLOAD_S),
            startup_s=int(limits.SERVING_STARTUP_S),
        )
