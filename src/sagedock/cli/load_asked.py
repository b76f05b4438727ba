"""What was asked of ``sagedock load``, made into a plan, levels, a goal and what is known."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sagedock.client.place import Target as Where
from sagedock.errors import InvalidRequest
from sagedock.load.advice import Known
from sagedock.load.arrivals import Arrivals
from sagedock.load.bodies import bodies_of
from sagedock.load.plan import Closed, Open, Plan, Shape
from sagedock.load.report import problem_with_report
from sagedock.load.sweeping import Goal, Levels
from sagedock.load.target import Body, Target, UrlTarget

if TYPE_CHECKING:
    from sagedock.client import Session

__all__ = ["Asked"]

_DURATION_S, _LEVEL_S = 10.0, 5.0
_CONCURRENCY, _CONNECTIONS = 8, 1000
#: Options of endpoints, by the member of InvokeEndpoint that each is.
_MEMBERS = {
    "accept": "Accept",
    "custom_attributes": "CustomAttributes",
    "inference_component": "InferenceComponentName",
    "target_container": "TargetContainerHostname",
    "target_model": "TargetModel",
    "target_variant": "TargetVariant",
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The command's options, by their names."""

    where: str
    concurrency: int | None
    rate: float | None
    arrivals: Arrivals | None
    seed: int
    connections: int | None
    duration: float | None
    requests: int | None
    warmup: float
    timeout: float
    sweep: str | None
    data: Sequence[str] | None
    text: Sequence[str] | None
    content_type: str | None
    accept: str | None
    header: Sequence[str] | None
    method: str | None
    ca_bundle: Path | None
    stream: bool
    target_model: str | None
    target_variant: str | None
    target_container: str | None
    inference_component: str | None
    custom_attributes: str | None
    target: Where | None
    region: str | None
    latency_goal: float | None
    percentile: float
    safety_factor: float
    instances: int | None
    workers: int | None
    cores: int | None
    pid: int | None
    report: Sequence[Path] | None
    as_json: bool

    @property
    def is_url(self) -> bool:
        """Whether a URL is tested, and not an endpoint."""
        return "://" in self.where

    def problems(self) -> tuple[str, ...]:
        """Return everything that is wrong but for the plan, each with its option."""
        reports = (problem_with_report(each) for each in self.report or ())
        known = Known(
            workers=self.workers,
            cores=self.cores,
            instances=self.instances or 1,
            safety_factor=self.safety_factor,
        )
        return (
            *self._clashes(),
            *self._levels_problems(),
            *self._strays(),
            *self.goal().problems(),
            *known.problems(),
            *(each for each in reports if each),
        )

    def plan(self, session: "Session | None") -> Plan:
        """Return what is to be done. Endpoints need the ``session`` that they are reached by."""
        length = _DURATION_S if self.sweep is None else _LEVEL_S
        return Plan(
            target=self._url_target() if session is None else self._endpoint_target(session),
            shape=self._shape(),
            duration_s=length if self.duration is None else self.duration,
            requests=self.requests,
            warmup_s=self.warmup,
            timeout_s=self.timeout,
            server_pid=self.pid,
            ca_bundle=self.ca_bundle,
        )

    def levels(self) -> Levels:
        """Return the loads that are tried: those of --sweep, or the only one."""
        if self.sweep is not None:
            return Levels.parsed(self.sweep)
        match self._shape():
            case Open(rate=rate):
                return Levels(axis="rate", loads=(rate,))
            case Closed(concurrency=concurrency):
                return Levels(axis="concurrency", loads=(concurrency,))

    def goal(self) -> Goal:
        """Return what is good enough."""
        return Goal(latency_ms=self.latency_goal, percent=self.percentile)

    def known(self, session: "Session | None") -> Known:
        """Return what the advice needs to know; an endpoint's instances are asked for."""
        instances = self.instances
        if session is not None:
            from sagedock.load.fleet import instances_behind

            found = instances_behind(session, self.where, self.target_variant)
            instances = instances or found
        return Known(
            workers=self.workers,
            cores=self.cores or (os.cpu_count() if self.pid else None),
            instances=instances or 1,
            safety_factor=self.safety_factor,
        )

    def _shape(self) -> Shape:
        if self.rate is None and not (self.sweep or "").startswith("rate"):
            return Closed(
                concurrency=_CONCURRENCY if self.concurrency is None else self.concurrency
            )
        return Open(
            rate=1.0 if self.rate is None else self.rate,
            arrivals=self.arrivals or "constant",
            seed=self.seed,
            most_connections=_CONNECTIONS if self.connections is None else self.connections,
        )

    def _clashes(self) -> Iterator[str]:
        given = [
            name for name in ("concurrency", "rate", "sweep") if getattr(self, name) is not None
        ]
        if len(given) > 1:
            words = " and ".join(f"--{name}" for name in given)
            yield f"{words}: each says what the load is: give one of them"
        if given not in (["rate"], ["sweep"]):
            for name in ("arrivals", "connections"):
                if getattr(self, name) is not None:
                    yield f"--{name}: is for an open loop: give --rate too, or leave it out"

    def _levels_problems(self) -> tuple[str, ...]:
        try:
            self.levels()
        except InvalidRequest as error:
            return error.problems
        return ()

    def _strays(self) -> Iterator[str]:
        """Yield each option that the other kind of target has."""
        if self.is_url:
            for name in (*_MEMBERS, "target", "region", "stream"):
                if name != "accept" and getattr(self, name):
                    yield f"--{name.replace('_', '-')}: is for endpoints; give a URL --header"
            return
        for name in ("header", "method", "pid"):
            if getattr(self, name):
                yield f"--{name}: is for URLs; {self.where} is the name of an endpoint"

    def _url_target(self) -> Target:
        headers = dict(_header(each) for each in self.header or ())
        if self.accept is not None:
            headers["Accept"] = self.accept
        method = (self.method or "POST").upper()
        nothing = method in ("GET", "HEAD") and not self.data and not self.text
        bodies = (Body(data=b""),) if nothing else self._bodies()
        return UrlTarget(url=self.where, bodies=bodies, method=method, headers=headers)

    def _endpoint_target(self, session: "Session") -> Target:
        from sagedock.load.endpoint_target import EndpointTarget

        members = {
            member: value for name, member in _MEMBERS.items() if (value := getattr(self, name))
        }
        return EndpointTarget(
            session.client("sagemaker-runtime"),
            self.where,
            bodies=self._bodies(),
            members=members,
            streams=self.stream,
        )

    def _bodies(self) -> tuple[Body, ...]:
        given = self.data or ()
        texts: list[str | bytes] = list(self.text or ())
        if "-" in given:
            texts.append(sys.stdin.buffer.read())
        return bodies_of([Path(each) for each in given if each != "-"], texts, self.content_type)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise InvalidRequest([f"--header: {text!r} is no header: give 'Name: value'"])
    return name.strip(), value.strip()
