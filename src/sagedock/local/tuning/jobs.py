"""The tuning jobs that run now."""

from sagedock.local.calls import Calls
from sagedock.local.platform import Platform
from sagedock.local.runs import Runs
from sagedock.local.tuning.names import KIND, TERMINAL
from sagedock.local.tuning.run import Run

__all__ = ["TuningJobs"]


class TuningJobs(Runs[Run]):
    """Starts, stops and takes up tuning jobs; every one of them in a thread of its own."""

    def __init__(self, platform: Platform, calls: Calls) -> None:
        super().__init__(
            platform.resources,
            KIND,
            TERMINAL,
            lambda job, ended: Run(platform, calls, job, ended),
            lambda run: run.ask_to_stop(),
        )
