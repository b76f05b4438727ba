"""One transform job, carried out in a thread of its own."""

import logging
import math
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence

from sagedock.errors import ImageNotFound, SagedockError, StorageError
from sagedock.local.platform import Platform
from sagedock.local.resources import Resource
from sagedock.local.training.inputs import Share
from sagedock.local.training.slots import Slots
from sagedock.local.training.unreadable import ChannelUnreadable
from sagedock.local.transform import reasons
from sagedock.local.transform.crew import Crew, fleet_of
from sagedock.local.transform.inputs import input_objects
from sagedock.local.transform.instance import Instance, Task
from sagedock.local.transform.model_client import Stopped
from sagedock.local.transform.names import job_folder
from sagedock.local.transform.progress import Progress
from sagedock.local.transform.record import Outcome, Record
from sagedock.local.transform.serving import CannotServe, Served, ServingContainers

__all__ = ["Run"]

_log = logging.getLogger(__name__)
_RETRY_S = 1.0


class Run:
    """One transform job. ``start`` begins it, or takes it up again after the server was killed.

    ``ended`` is called, once, when nothing of the job is left.
    """

    def __init__(
        self,
        platform: Platform,
        slots: Slots,
        serving: ServingContainers,
        job: Resource,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._platform = platform
        self._slots = slots
        self._job = job
        self._ended = ended
        self._record = Record(platform=platform, key=job.key)
        fleet = fleet_of(platform, job)
        self._crew = Crew(platform=platform, job=job, serving=serving, fleet=fleet)
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._shut_down = threading.Event()
        self._most_s = math.inf
        self._instances: list[Instance] = []
        self._lock = threading.Lock()
        self._ticket = slots.join(len(fleet.instances), self._woken.set)
        name = f"transform {job.key.name}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Stop the job; returns at once."""
        self._stop.set()
        self._woken.set()
        with self._lock:
            running = list(self._instances)
        for each in running:
            each.stop()

    def shut_down(self, grace_s: float) -> None:
        """Stop the job because the server ends; returns at once."""
        self._most_s = grace_s
        self._shut_down.set()
        self.ask_to_stop()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the job has ended and nothing of it is left; say whether it has."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            outcome = self._carried_out()
        except Exception:  # noqa: BLE001 - the job must end whatever broke; the log says what
            _log.exception("transform job %s broke", self._job.key.name)
            outcome = Outcome.failed(reasons.INTERNAL_ERROR)
        if outcome.status == "Stopped":
            self._crew.end(self._most_s)
            self._finish(outcome)
        else:  # the outputs are stored: nobody has to wait until a server that idles has ended
            self._finish(outcome)
            self._crew.end(self._most_s)
        self._slots.leave(self._ticket)
        self._ended()

    def _carried_out(self) -> Outcome:
        try:
            return self._transformed()
        except Stopped:
            return Outcome(status="Stopped")
        except CannotServe as error:
            if error.why:
                self._say(error.why)
            return Outcome.failed(error.reason)
        except ImageNotFound as error:  # it was there when the model was made
            _log.warning("transform job %s: %s", self._job.key.name, error)
            return Outcome.failed(reasons.IMAGE_NOT_PULLED)
        except SagedockError as error:
            _log.error("transform job %s: %s", self._job.key.name, error)
            return Outcome.failed(reasons.INTERNAL_ERROR)

    def _transformed(self) -> Outcome:
        self._wait_for_room()
        self._crew.remove()  # what a killed server left; models keep no state
        self._record.expect_new_containers()
        progress = Progress(job_folder(self._platform, self._job.key))
        try:
            self._plan(progress)
        except ChannelUnreadable as error:
            self._say(str(error))
            return Outcome.failed(reasons.see_logs("ClientError"))
        served = self._crew.start(self._check_stop)
        self._record.begin()
        self._run_instances(progress, served)
        self._check_stop()
        blame = progress.first_blame
        if blame is None and any(each.left_something for each in self._instances):
            blame = "AlgorithmError"
        return Outcome.failed(reasons.see_logs(blame)) if blame else Outcome(status="Completed")

    def _say(self, why: str) -> None:
        """Put what fails the whole job into the first instance's data log (unverified)."""
        self._crew.data_log(self._crew.fleet.instances[0]).say(why.splitlines())

    def _plan(self, progress: Progress) -> None:
        if progress.is_planned:
            return
        objects = input_objects(
            self._platform.objects, self._job.key.region, self._job.request, Share()
        )
        progress.plan(objects)

    def _run_instances(self, progress: Progress, served: Mapping[str, Sequence[Served]]) -> None:
        task = Task(
            platform=self._platform,
            key=self._job.key,
            request=self._job.request,
            progress=progress,
        )
        made = []
        for index, (instance, each) in enumerate(served.items()):
            self._check_stop()
            parameters = self._crew.parameters(each)
            log = self._crew.data_log(instance)
            log.say([parameters.told])
            share = Share(index=index, count=len(served))
            made.append(Instance(task, share, each, parameters, log))
        with self._lock:
            self._instances = made
        self._check_stop()
        for containers, one in zip(served.values(), made, strict=True):
            self._crew.when_gone(containers, one.lose)
        _run_all(made)

    def _wait_for_room(self) -> None:
        self._woken.wait()
        self._check_stop()

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _finish(self, outcome: Outcome) -> None:
        """Write down how the job ended. A disk that is full is waited for; a server that ends
        meanwhile leaves the job to the next one.
        """
        while True:
            try:
                self._record.end(outcome)
            except StorageError as error:
                _log.error("transform job %s: %s; trying again", self._job.key.name, error)
                if self._shut_down.wait(_RETRY_S):
                    return
            else:
                break
        shutil.rmtree(job_folder(self._platform, self._job.key), ignore_errors=True)


def _run_all(instances: list[Instance]) -> None:
    """Run every instance, and raise what broke one of them once all have ended."""
    broken: list[Exception] = []

    def run(instance: Instance) -> None:
        try:
            instance.run()
        except Exception as error:  # noqa: BLE001 - raised again below
            broken.append(error)
            for each in instances:
                each.stop()

    threads = [threading.Thread(target=run, args=(each,), daemon=True) for each in instances]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in broken:
        raise error
