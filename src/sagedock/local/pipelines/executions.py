"""The executions that run now: a few threads advance them, and none waits for one.

An execution is advanced when it starts, when one of its jobs changes, when somebody stops it or
answers a callback, and when a step is to be tried again; and every few seconds, should a change
have been missed.
"""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from sagedock.errors import SagedockError
from sagedock.local.pipelines.course import Course
from sagedock.local.pipelines.names import EXECUTION, PIPELINE, TERMINAL
from sagedock.local.resources import Key, Resource, Resources

__all__ = ["Executions", "execution_kind"]

_log = logging.getLogger(__name__)
_THREADS = 4
_LOOK_S = 2.0
_TRY_AGAIN_S = 5.0


def execution_kind(pipeline: str) -> str:
    """Return the kind that one pipeline's executions have in the store: they are listed alone."""
    return f"{EXECUTION}:{pipeline}"


class Executions:
    """Starts, wakes, stops and takes up executions. ``course`` makes what one of them does."""

    def __init__(self, resources: Resources, course: Callable[[Resource], Course]) -> None:
        self._resources = resources
        self._course = course
        self._courses: dict[Key, Course] = {}
        self._jobs: dict[tuple[str, str], frozenset[Key]] = {}
        #: Those that are advanced now, and those that are to be advanced again behind it.
        self._busy: set[Key] = set()
        self._again: set[Key] = set()
        self._lock = threading.Lock()
        self._clock = threading.Condition(self._lock)
        self._due: list[tuple[float, int, Key]] = []
        self._numbers = itertools.count()
        self._ending = False
        self._pool: ThreadPoolExecutor | None = None
        self._timer: threading.Thread | None = None

    def start(self, execution: Resource) -> bool:
        """Carry an execution out, and return True; False if the server is ending."""
        try:
            course = self._course(execution)
        except Exception:  # noqa: BLE001 - it must not be left without an end
            _log.exception("pipeline execution %s cannot be taken up", execution.key.name)
            return False
        with self._lock:
            if self._ending:
                return False
            self._courses[execution.key] = course
            self._begin()
        self.wake(execution.key)
        return True

    def wake(self, key: Key) -> None:
        """Have an execution advanced soon; nothing for one that has ended."""
        with self._lock:
            if self._ending or key not in self._courses or self._pool is None:
                return
            if key in self._busy:
                self._again.add(key)
                return
            self._busy.add(key)
            self._pool.submit(self._advance, key)

    def running(self) -> Iterator[Course]:
        """Yield what runs now."""
        with self._lock:
            courses = list(self._courses.values())
        yield from courses

    def resume(self) -> None:
        """Take up the executions that a killed server left."""
        for region_and_name in self._resources.named(PIPELINE):
            kind = execution_kind(region_and_name.name)
            for execution in self._resources.unfinished(kind, TERMINAL):
                if execution.key.region == region_and_name.region:
                    self.start(execution)

    def shut_down(self, _grace_s: float) -> None:
        """Advance nothing any more. Executions go on when the server starts again: jobs of theirs
        that are stopped meanwhile, which others do, are begun again then.
        """
        with self._lock:
            self._ending = True
            pool, self._pool = self._pool, None
            timer, self._timer = self._timer, None
            self._clock.notify_all()
        if pool is not None:
            pool.shutdown(wait=True)
        if timer is not None:
            timer.join()
        for course in self.running():
            course.interrupt()

    def _begin(self) -> None:
        """Start the threads with the first execution; the lock is held."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="pipelines")
            self._timer = threading.Thread(target=self._tick, name="pipelines", daemon=True)
            self._timer.start()
            self._resources.listen(self._changed)

    def _changed(self, resource: Resource) -> None:
        """Wake the execution whose job it is that changed."""
        with self._lock:
            waiting = self._jobs.get((resource.key.region, resource.key.name), frozenset())
        for execution in waiting:
            self.wake(execution)

    def _advance(self, key: Key) -> None:
        course = self._courses.get(key)
        again_at: float | None = None
        try:
            if course is not None:
                again_at = course.advance()
                self._watch(key, course)
        except SagedockError as error:  # a full disk, say: it is tried again
            _log.error("pipeline execution %s: %s; trying again", key.name, error)
            again_at = time.time() + _TRY_AGAIN_S
        except Exception:  # noqa: BLE001 - the thread goes on with others
            _log.exception("pipeline execution %s broke", key.name)
            again_at = time.time() + _TRY_AGAIN_S
        self._advanced(key, course, again_at)

    def _watch(self, key: Key, course: Course) -> None:
        """Have changes of its jobs wake an execution; one may have changed before: look again."""
        with self._lock:
            for job in course.jobs():
                waiting = self._jobs.get((key.region, job), frozenset())
                if key not in waiting:
                    self._jobs[(key.region, job)] = waiting | {key}
                    self._again.add(key)

    def _advanced(self, key: Key, course: Course | None, again_at: float | None) -> None:
        with self._lock:
            self._busy.discard(key)
            ended = course is not None and course.execution.ledger.status in TERMINAL
            if ended and self._courses.get(key) is course:  # else it was begun again meanwhile
                del self._courses[key]
                left = {job: waiting - {key} for job, waiting in self._jobs.items()}
                self._jobs = {job: waiting for job, waiting in left.items() if waiting}
            if again_at is not None:
                heapq.heappush(self._due, (again_at, next(self._numbers), key))
                self._clock.notify_all()
            again = key in self._again
            self._again.discard(key)
        if again:
            self.wake(key)

    def _tick(self) -> None:
        """Wake who is due; and now and then everybody who has a job."""
        look_at = time.time() + _LOOK_S
        while True:
            with self._lock:
                if self._ending:
                    return
                now = time.time()
                due = []
                while self._due and self._due[0][0] <= now:
                    due.append(heapq.heappop(self._due)[2])
                if now >= look_at:
                    due += {key for waiting in self._jobs.values() for key in waiting}
                    look_at = now + _LOOK_S
            for key in dict.fromkeys(due):
                self.wake(key)
            with self._lock:
                next_at = min(self._due[0][0] if self._due else look_at, look_at)
                if not self._ending and (pause_s := next_at - time.time()) > 0:
                    self._clock.wait(pause_s)
