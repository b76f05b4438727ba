"""One tuning job, carried out in a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable

from sagedock.api import tuning
from sagedock.errors import StorageError
from sagedock.local.calls import Calls
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Resource
from sagedock.local.training.steps import KIND as TRAINING
from sagedock.local.training.steps import TERMINAL as ENDED
from sagedock.local.tuning import reasons
from sagedock.local.tuning.definitions import definitions_of
from sagedock.local.tuning.document import SEED
from sagedock.local.tuning.limits import Limits, Outcome, verdict
from sagedock.local.tuning.proposals import Proposals
from sagedock.local.tuning.prospects import Prospects
from sagedock.local.tuning.record import Record
from sagedock.local.tuning.training_jobs import TrainingJobs, is_passing
from sagedock.local.tuning.trial import Trial
from sagedock.local.tuning.warm_start import best_of_parents, tried_by_parents

__all__ = ["Run"]

_log = logging.getLogger(__name__)
#: How often the metrics of running jobs are looked at, where some may be stopped early.
_LOOK_EVERY_S = 0.5
#: How often all are asked for, should a change not have been told.
_ASK_EVERY_S = 5.0
_RETRY_S = 1.0


class _ServerEnds(Exception):
    """The server ends: the next one goes on."""


class Run:
    """One tuning job. ``start`` begins it, or takes it up again after the server was killed.

    ``ended`` is called, once, when nothing of the job is left.
    """

    def __init__(
        self,
        platform: Platform,
        calls: Calls,
        job: Resource,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._platform, self._job, self._ended = platform, job, ended
        definitions = definitions_of(job.request, job.request[SEED])
        self._definitions = definitions
        self._limits = Limits.of(job.request)
        self._record = Record(
            platform=platform,
            key=job.key,
            definitions=definitions,
            parents=best_of_parents(job.request),
        )
        self._jobs = TrainingJobs(platform=platform, calls=calls, key=job.key)
        self._proposals = Proposals.of(
            job.request,
            definitions,
            tried_by_parents(job.request),
            account=platform.settings.account,
        )
        self._prospects = Prospects(
            request=job.request, definitions=definitions, objectives=self._jobs.objectives
        )
        self._trials: dict[int, Trial] = {}
        self._is_exhausted = False
        self._stopped: set[str] = set()
        self._changed: set[str] = set()
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._stop = threading.Event()
        self._shut_down = threading.Event()
        self._asked_s = 0.0
        name = f"tuning {job.key.name}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Stop the job; returns at once."""
        self._stop.set()
        self._woken.set()

    def shut_down(self, grace_s: float) -> None:  # noqa: ARG002 - it has no containers
        """Stop the job because the server ends; returns at once. Its training jobs are stopped as
        all are then, and the next server writes down the end.
        """
        self._shut_down.set()
        self.ask_to_stop()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the job has ended and nothing of it is left; say whether it has."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        unlisten = self._platform.resources.listen(self._hear)
        try:
            self._tuned()
        except _ServerEnds:
            self._write(self._record.begin_stop)
        except Exception:  # noqa: BLE001 - the job must end whatever broke; the log says what
            _log.exception("tuning job %s broke", self._job.key.name)
            self._stop_what_runs()
            failed = Outcome(status="Failed", reason=reasons.INTERNAL_ERROR)
            self._write(lambda: self._record.end(failed))
        finally:
            unlisten()
            self._proposals.close()
            self._ended()

    def _tuned(self) -> None:
        self._trials = {each.number: each for each in self._record.trials()}
        self._adopt()
        while (outcome := self._outcome()) is None:
            failed = self._launch()
            if failed is not None:
                outcome = failed
                break
            self._give_up()
            if self._running():
                self._await_change()
        if outcome.status == "Stopped":
            self._write(self._record.begin_stop)
        while running := self._running():
            for each in running:
                self._stop_one(each)
            self._await_change()
        self._write(lambda: self._record.end(outcome))

    def _adopt(self) -> None:
        """Create what a killed server had only written down, and ask for all that runs."""
        for each in self._running():
            if not each.is_created and not self._stop.is_set():
                self._create(each)
        self._ask({each.name for each in self._running()})

    def _outcome(self) -> Outcome | None:
        if self._stop.is_set():
            return Outcome(status="Stopped")
        return verdict(
            self._limits,
            self._in_order(),
            self._definitions,
            runs_s=time.time() - self._job.created,
            is_exhausted=self._is_exhausted,
        )

    def _launch(self) -> Outcome | None:
        """Launch as many training jobs as may run; return a failure where one is refused for good.

        What is refused for now is tried again at the next change, or after a while.
        """
        for each in [each for each in self._running() if not each.is_created]:
            if (refused := self._create(each)) is not None:
                return self._refused(each, refused)
        while self._room() > 0:
            trial = self._proposals.next(self._job.key, self._in_order())
            if trial is None:
                self._is_exhausted = True
                return None
            self._put(trial)
            if self._shut_down.is_set():  # it may not be written down
                raise _ServerEnds
            if (refused := self._create(trial)) is not None:
                return self._refused(trial, refused)
        return None

    def _room(self) -> int:
        """Return how many more may be launched now."""
        if self._is_exhausted:
            return 0
        free = self._limits.parallel - len(self._running())
        return min(free, self._limits.jobs - len(self._trials))

    def _create(self, trial: Trial) -> Refused | None:
        definition = self._definitions[trial.definition]
        request = tuning.training_job(
            self._job.request,
            definition.body,
            name=trial.name,
            values=trial.values,
            tags=self._job.request.get("Tags", ()),
        )
        try:
            self._jobs.create(request)
        except Refused as refused:
            return refused
        self._ask({trial.name})
        return None

    def _refused(self, trial: Trial, refused: Refused) -> Outcome | None:
        """Return how the tuning job ends for a refusal, None if it may be granted later. That AWS
        fails the whole job for what no retry mends is unverified.
        """
        if self._shut_down.is_set():
            raise _ServerEnds
        if is_passing(refused):
            return None
        _log.warning("tuning job %s: %s", self._job.key.name, refused)
        self._put(trial.refused(refused.error.message or refused.error.code))
        return Outcome(status="Failed", reason=refused.error.message)

    def _give_up(self) -> None:
        """Stop the training jobs that have no prospects."""
        for each in self._prospects.without(self._in_order()):
            self._stop_one(each)

    def _stop_what_runs(self) -> None:
        """Stop all that can be stopped of a job that broke."""
        for each in self._running():
            try:
                self._stop_one(each)
            except Exception:  # noqa: BLE001 - the others must be stopped, too
                _log.exception("training job %s could not be stopped", each.name)

    def _stop_one(self, trial: Trial) -> None:
        if trial.name in self._stopped:
            return
        try:
            if not trial.is_created and self._jobs.describe(trial.name) is None:
                self._put(trial.never_created())
            else:
                self._jobs.stop(trial.name)
        except Refused:  # asked again soon
            return
        self._stopped.add(trial.name)

    def _await_change(self) -> None:
        """Wait until a training job changed, the job is to stop, or it is time to look; then ask
        for what changed.
        """
        self._woken.wait(self._patience_s())
        self._woken.clear()
        if self._shut_down.is_set():
            raise _ServerEnds
        with self._lock:
            names, self._changed = self._changed, set()
        if time.monotonic() - self._asked_s >= _ASK_EVERY_S:
            names = {each.name for each in self._running()}
            self._asked_s = time.monotonic()
        self._ask(names)

    def _patience_s(self) -> float:
        left_s = self._limits.runtime_s - (time.time() - self._job.created)
        waits = [_ASK_EVERY_S, max(0.0, left_s) if left_s > 0 else _ASK_EVERY_S]
        if self._prospects.are_watched:
            waits.append(_LOOK_EVERY_S)
        if any(not each.is_created for each in self._running()):
            waits.append(_RETRY_S)
        return min(waits)

    def _ask(self, names: set[str]) -> None:
        """Describe training jobs, and write down what changed."""
        changed = []
        for each in self._running():
            if each.name not in names:
                continue
            try:
                found = self._jobs.describe(each.name)
            except Refused:
                with self._lock:
                    self._changed.add(each.name)  # asked again soon
                continue
            if found is None and not each.is_created:
                continue
            metric = self._definitions[each.definition].metric
            now = each.described(found, metric) if found else each.vanished()
            if now != each:
                changed.append(now)
        if changed:
            self._put(*changed)

    def _put(self, *changed: Trial) -> None:
        self._trials |= {each.number: each for each in changed}
        self._write(lambda: self._record.put(changed, self._in_order()))

    def _in_order(self) -> list[Trial]:
        return [self._trials[number] for number in sorted(self._trials)]

    def _running(self) -> list[Trial]:
        return [each for each in self._in_order() if not each.has_ended]

    def _hear(self, changed: Resource) -> None:
        """Take in that a training job ended; called in the thread that wrote it down."""
        key = changed.key
        ours = key.kind == TRAINING and key.region == self._job.key.region
        ended = changed.status in ENDED
        if ours and ended and key.name.startswith(f"{self._job.key.name}-"):
            with self._lock:
                self._changed.add(key.name)
            self._woken.set()

    def _write(self, write: Callable[[], None]) -> None:
        """Write, whatever it takes: a disk that is full is waited for; a server that ends meanwhile
        leaves the job to the next one.
        """
        while True:
            try:
                write()
            except StorageError as error:
                _log.error("tuning job %s: %s; trying again", self._job.key.name, error)
                if self._shut_down.wait(_RETRY_S):
                    return
            else:
                return
