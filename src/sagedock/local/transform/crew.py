"""The containers of one job, from their start to their end: output, health, parameters, death."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sagedock.contract import routes, variables
from sagedock.errors import EngineError
from sagedock.local.logs import follow
from sagedock.local.platform import Platform
from sagedock.local.resources import Resource
from sagedock.local.transform.data_log import DataLog
from sagedock.local.transform.model_client import get
from sagedock.local.transform.names import (
    LOG_GROUP,
    MODEL,
    data_log_name,
    instances,
    job_labels,
    log_name,
)
from sagedock.local.transform.parameters import (
    Parameters,
    answered_parameters,
    parameters_of,
    strategy_asked,
)
from sagedock.local.transform.serving import Fleet, Served, ServingContainers, Started

__all__ = ["Crew", "fleet_of"]

_log = logging.getLogger(__name__)
_OK = 200


def fleet_of(platform: Platform, job: Resource) -> Fleet:
    """Return the containers that a job wants."""
    request = job.request
    resources = request["TransformResources"]
    return Fleet(
        key=job.key,
        model=request[MODEL],
        instance_type=resources["InstanceType"],
        instances=instances(job.key, job.created, resources["InstanceCount"]),
        environment={**_platform_variables(request), **request.get("Environment", {})},
        labels=job_labels(platform, job.key),
    )


def _platform_variables(request: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what the platform sets: how payloads are made only where the request says it. Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
    """
    asked = {
        variables.SAGEMAKER_MAX_PAYLOAD_IN_MB: request.get("MaxPayloadInMB"),
        variables.SAGEMAKER_BATCH_STRATEGY: strategy_asked(request),
        variables.SAGEMAKER_MAX_CONCURRENT_TRANSFORMS: request.get("MaxConcurrentTransforms"),
    }
    found = {each.name: str(value) for each, value in asked.items() if value is not None}
    return {variables.SAGEMAKER_BATCH.name: "true", **found}


@dataclass
class Crew:
    """The containers of one job."""

    platform: Platform
    job: Resource
    serving: ServingContainers
    fleet: Fleet
    containers: list[Started] = field(default_factory=list)
    _followers: list[threading.Thread] = field(default_factory=list)

    def start(self, check_stop: Callable[[], None]) -> Mapping[str, Sequence[Served]]:
        """Start the containers of each instance, and return them once all are healthy.

        Raises CannotServe, or what ``check_stop`` raises.
        """
        self.serving.start(self.fleet, self._started, check_stop)
        return self.serving.await_health(self.containers, check_stop)

    def parameters(self, served: Sequence[Served]) -> Parameters:
        """Return what holds for an instance: its first container, which gets the payloads, is asked
        (unverified where there are several), and need not answer.
        """
        answer = get(served[0].address, routes.EXECUTION_PARAMETERS.path)
        has_some = answer is not None and answer.status == _OK
        return parameters_of(
            self.job.request, answered_parameters(answer.body) if answer and has_some else {}
        )

    def data_log(self, instance: str) -> DataLog:
        """Return the data log of an instance."""
        name = data_log_name(self.job.key, instance, self.job.created)
        logs = self.platform.logs
        return DataLog(logs=logs, stream=logs.open(self.job.key.region, LOG_GROUP, name))

    def when_gone(self, served: Sequence[Served], tell: Callable[[str | None], None]) -> None:
        """Call ``tell``, in a thread, with the name of each of these containers that has ended."""

        def wait(each: Served) -> None:
            with suppress(EngineError):  # it is removed
                self.platform.engine.wait(each.container)
            tell(each.name)

        for each in served:
            name = f"wait {each.container}"
            threading.Thread(target=wait, args=(each,), name=name, daemon=True).start()

    def end(self, most_s: float) -> None:
        """Stop the containers, keep the rest of their output, and remove all of the job."""
        try:
            self.serving.stop([each.container for each in self.containers], most_s)
            for thread in self._followers:
                thread.join()
        except EngineError as error:
            _log.warning("transform job %s: stopping: %s", self.job.key.name, error)
        self.remove()

    def remove(self) -> None:
        """Remove what the job has in the engine; what cannot go is said, and retried when the
        server starts next.
        """
        try:
            self.serving.remove(self.job.key, self.fleet.labels)
        except EngineError as error:
            _log.warning("transform job %s: cleaning up: %s", self.job.key.name, error)

    def _started(self, started: Started) -> None:
        self.containers.append(started)
        name = log_name(self.job.key, started.instance, self.job.created, started.name)
        stream = self.platform.logs.open(self.job.key.region, LOG_GROUP, name)

        def store() -> None:
            try:
                follow(self.platform.engine.logs(started.container), self.platform.logs, stream)
            except EngineError as error:
                _log.warning("transform job %s: its output: %s", self.job.key.name, error)

        thread = threading.Thread(target=store, name=f"logs {name}", daemon=True)
        thread.start()
        self._followers.append(thread)
