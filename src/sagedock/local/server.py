"""The local SageMaker: everything put together, started and stopped."""

import logging
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sagedock.api.regions import unknown_region
from sagedock.engine import Engine, Network, connect
from sagedock.errors import EngineError, LocalServerError
from sagedock.local import cloudwatch, hosting, logs, metrics
from sagedock.local.async_requests import AsyncRequests
from sagedock.local.autoscaling import Autoscaling, Fleets
from sagedock.local.caller import Caller
from sagedock.local.control import Control
from sagedock.local.database import Database
from sagedock.local.ecr import Ecr
from sagedock.local.endpoints import client_variables, write_sdk_config
from sagedock.local.faults import Fault, Faults, Interruptions
from sagedock.local.faults_in_calls import (
    invocation_refused_on_request,
)
from sagedock.local.front import Front
from sagedock.local.home import DATABASE, Home, Running, describe
from sagedock.local.http_server import serve
from sagedock.local.json_service import JsonService
from sagedock.local.kinds import SUMMARIES, Kinds
from sagedock.local.others import other_services
from sagedock.local.platform import HOME_LABEL, Platform, home_id
from sagedock.local.resources import Resources
from sagedock.local.s3 import ObjectStore, s3_app
from sagedock.local.settings import Settings
from sagedock.local.sockets import ContainerSide, container_side, listen
from sagedock.local.tags import Tags
from sagedock.local.trials import Trials

__all__ = ["LocalSageMaker"]

_log = logging.getLogger(__name__)


class LocalSageMaker:
    """SageMaker's API on 127.0.0.1, running real containers. A context manager.

    ::

        with LocalSageMaker() as local:
            boto3.client("sagemaker", endpoint_url=local.endpoint_url, ...)

    Keyword arguments are the fields of ``Settings`` (``home``, ``port``, ``region``, ...); what is
    not given comes from the environment. ``engine`` puts another one in Docker's place, ``fleets``
    another one in that of the endpoints that are scaled.
    Raises EngineUnavailable, LocalServerError or StorageError when it cannot start.
    """

    def __init__(
        self, *, engine: Engine | None = None, fleets: Fleets | None = None, **settings: Any
    ) -> None:
        if "home" in settings:
            settings["home"] = Path(settings["home"]).absolute()
        self.settings = Settings.from_environment(**settings)
        self._engine = engine
        self._fleets = fleets
        self._stack = ExitStack()
        self._running: Running | None = None
        #: What is to go wrong: add faults here, before the start or later.
        self.faults = Faults(_interruptions(self.settings))

    @property
    def endpoint_url(self) -> str:
        """The address that clients use as ``endpoint_url``."""
        return self._now_running().url

    def environment(self) -> dict[str, str]:
        """Return the variables that make unmodified AWS clients use this server."""
        running = self._now_running()
        return dict(client_variables(running.url, region=running.region, home=self.settings.home))

    def start(self) -> Self:
        """Start, and take up the jobs that a killed server left. Returns when it answers."""
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def stop(self) -> None:
        """Stop running jobs, and leave no container, network or process behind."""
        self._stack.close()
        self._running = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _now_running(self) -> Running:
        if self._running is None:
            raise LocalServerError("this local SageMaker is not running: start() it first")
        return self._running

    def _start(self, stack: ExitStack) -> None:
        settings = self.settings
        if warning := unknown_region(settings.region):
            _log.warning(warning)
        engine = self._engine or connect()
        home = Home(settings.home)
        last = home.last()
        home.claim()
        stack.callback(home.release)
        write_sdk_config(settings.home, region=settings.region, account=settings.account)
        main = stack.enter_context(
            listen(settings.host, settings.port, last=_port(last.url) if last else None)
        )
        network = _network(engine, settings, stack)
        inside = container_side(network, main, last.container_port if last else None)
        if inside.socket:
            stack.enter_context(inside.socket)
        url = f"http://{settings.host}:{main.getsockname()[1]}"
        platform = _platform(settings, engine, network.name, url, inside, self.faults, stack)
        kinds = Kinds.of(platform, self.environment)
        stack.callback(kinds.endpoints.close)
        self._running = Running(
            pid=os.getpid(),
            url=url,
            region=settings.region,
            account=settings.account,
            started=time.time(),
            container_port=inside.socket.getsockname()[1] if inside.socket else None,
        )
        scaling = Autoscaling.over(
            platform, self._fleets or hosting.HostedFleets(platform, kinds.endpoints)
        )
        front = _front(platform, kinds, scaling, describe(self._running))
        # Jobs of the last server are taken up before a request can create one beside them.
        stack.callback(kinds.shut_down, settings.shutdown_grace_s)
        kinds.resume()
        scaling.scaler.start()
        stack.callback(scaling.scaler.stop)
        stack.callback(serve(front, [each for each in (main, inside.socket) if each]))
        # Again, and first: while their containers end, they may still need S3.
        stack.callback(kinds.shut_down, settings.shutdown_grace_s)
        home.announce(self._running)


def _network(engine: Engine, settings: Settings, stack: ExitStack) -> Network:
    """Return the network of this home's containers; it goes when the server ends."""
    name = f"sagedock-{home_id(settings.home)}"
    network = engine.ensure_network(name, {HOME_LABEL: home_id(settings.home)})

    def remove() -> None:
        try:
            engine.remove_network(name)
        except EngineError as error:
            _log.warning("%s", error)

    stack.callback(remove)
    return network


def _platform(
    settings: Settings,
    engine: Engine,
    network: str,
    url: str,
    inside: ContainerSide,
    faults: Faults,
    stack: ExitStack,
) -> Platform:
    """Open the stores; they close when the server ends."""
    database = Database(settings.home / DATABASE)
    stack.callback(database.close)
    objects = ObjectStore(settings.home / "s3")
    stack.callback(objects.close)
    resources, tags = Resources(database, summaries=SUMMARIES), Tags(database)
    ecr = Ecr.of(settings=settings, engine=engine, resources=resources, tags=tags, url=url)
    stack.callback(ecr.process.stop)
    return Platform(
        settings=settings,
        engine=engine,
        resources=resources,
        tags=tags,
        ecr=ecr,
        logs=logs.LogStore(database),
        metrics=metrics.MetricStore(database),
        async_requests=AsyncRequests(database),
        trials=Trials(database),
        objects=objects,
        network=network,
        url=url,
        container_url=inside.url,
        container_hosts=inside.hosts,
        machine=engine.machine(),
        faults=faults,
    )


def _interruptions(settings: Settings) -> list[Fault]:
    every_s = settings.spot_interrupt_every_s
    return [] if every_s is None else [Interruptions(every_s=every_s, seed=settings.spot_seed)]


def _runtime(platform: Platform, endpoints: hosting.Endpoints) -> hosting.Runtime:
    return hosting.Runtime(
        routes=endpoints.routes,
        copies=endpoints.components.routes,
        asynchronous=endpoints.asynchronous,
        publisher=endpoints.publisher,
        capturer=endpoints.capturer,
        default_region=platform.settings.region,
        account=platform.settings.account,
        timeout_s=platform.settings.invocation_s,
        stream_s=platform.settings.stream_s,
        refuses=lambda asked: invocation_refused_on_request(
            platform.faults,
            asked.operation,
            asked.endpoint,
            Caller(region=asked.region, service="sagemaker", account=platform.settings.account),
        ),
    )


def _front(
    platform: Platform,
    kinds: Kinds,
    scaling: Autoscaling,
    state: Mapping[str, Any],
) -> Front:
    settings = platform.settings
    return Front(
        sagemaker=kinds.service(),
        runtime=_runtime(platform, kinds.endpoints),
        logs=JsonService(
            service="logs",
            operations={
                name: _on(platform.logs, operation) for name, operation in logs.OPERATIONS.items()
            },
            check_answers=settings.check_answers,
        ),
        cloudwatch=_cloudwatch(platform, scaling),
        alarms=scaling.alarms,
        autoscaling=scaling.service,
        ecr=platform.ecr,
        metrics=JsonService(
            service=metrics.METRICS_SERVICE,
            operations={
                name: _on(platform.metrics, operation)
                for name, operation in metrics.OPERATIONS.items()
            },
            check_answers=settings.check_answers,
        ),
        s3=s3_app(platform.objects, account=settings.account, throttles=platform.faults.throttles),
        others=other_services,
        control=Control(
            faults=platform.faults,
            interrupt=kinds.training.interrupt,
            health=lambda: state,
            default_region=settings.region,
        ),
        trust=platform.trust,
        objects=platform.objects,
        default_region=settings.region,
        account=settings.account,
    )


def _cloudwatch(platform: Platform, scaling: Autoscaling) -> JsonService:
    metrics = {
        name: _on(platform.metrics, operation) for name, operation in cloudwatch.OPERATIONS.items()
    }
    return JsonService(
        service="cloudwatch",
        operations={**metrics, **scaling.alarms.table()},
        check_answers=platform.settings.check_answers,
    )


def _on(store: logs.LogStore | metrics.MetricStore, operation: Any) -> Any:
    def carried_out(caller: Caller, request: Mapping[str, Any]) -> Any:
        return operation(store, caller, request)

    return carried_out


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
