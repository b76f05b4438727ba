"""Many jobs at once in real containers: all complete, every log whole and in time, nothing left."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.leaks import in_use, left_over, settled
from tests.docker.conftest import RealLocal

AT_ONCE = 50
SHORT = 40
LINES = 20
PAUSE_S = 0.2
#: A line is to be readable so long after it was printed, while 50 containers share the machine.
LATEST_S = 15.0
ENDED = ("Completed", "Failed", "Stopped")
GROUP = "/aws/sagemaker/TrainingJobs"
PRINTS = f"for n in $(seq {LINES}); do echo $n; sleep {PAUSE_S}; done"


def status_of(real: RealLocal) -> dict[str, str]:
    """Return the status of every job."""
    pages = real.client("sagemaker").get_paginator("list_training_jobs").paginate()
    return {
        each["TrainingJobName"]: each["TrainingJobStatus"]
        for page in pages
        for each in page["TrainingJobSummaries"]
    }


def create_all(real: RealLocal, count: int, script: str, prefix: str) -> list[str]:
    """Create ``count`` jobs, one right after the other; return their names."""
    request = real.script(script)
    client = real.client("sagemaker")
    names = [f"{prefix}-{number}" for number in range(count)]
    for name in names:
        client.create_training_job(**{**request, "TrainingJobName": name})
    return names


def memory_mib() -> float:
    """Return what this process, the server's too, has in memory now."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@dataclass
class Seen:
    """What was seen while jobs ran."""

    with_lines: set[str] = field(default_factory=set)
    most_threads: int = 0
    most_memory_mib: float = 0.0


def watch(real: RealLocal, names: list[str], timeout_s: float) -> Seen:
    """Look at the jobs that run, and at their logs, until all have ended."""
    seen, ends = Seen(), time.monotonic() + timeout_s
    while running := [name for name, status in status_of(real).items() if status not in ENDED]:
        assert time.monotonic() < ends, f"still running: {running}"
        told, now = with_lines(real), status_of(real)
        seen.with_lines |= {name for name in told & set(names) if now[name] == "InProgress"}
        seen.most_threads = max(seen.most_threads, threading.active_count())
        seen.most_memory_mib = max(seen.most_memory_mib, memory_mib())
        time.sleep(0.2)  # asking takes the processor from the jobs
    return seen


def with_lines(real: RealLocal) -> set[str]:
    """Return the jobs whose logs have a line."""
    logs = real.client("logs")
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=GROUP)
    try:
        streams = [stream for page in pages for stream in page["logStreams"]]
    except logs.exceptions.ResourceNotFoundException:
        return set()
    return {
        stream["logStreamName"].partition("/")[0]
        for stream in streams
        if "lastEventTimestamp" in stream
    }


def latest_s(real: RealLocal, name: str) -> float:
    """Return how long the line that was stored last had waited since it was printed."""
    logs = real.client("logs")
    (stream,) = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")[
        "logStreams"
    ]
    events = logs.get_log_events(
        logGroupName=GROUP, logStreamName=stream["logStreamName"], startFromHead=True
    )["events"]
    return max(each["ingestionTime"] - each["timestamp"] for each in events) / 1000


@pytest.mark.slow
def test_50_jobs_at_once_all_complete_and_no_log_starves(real: RealLocal) -> None:
    memory_before, threads_before = memory_mib(), threading.active_count()
    names = create_all(real, AT_ONCE, PRINTS, "at-once")
    seen = watch(real, names, 300)
    assert set(status_of(real).values()) == {"Completed"}
    wanted = [str(number) for number in range(1, LINES + 1)]
    assert {name: real.log(name) for name in names} == dict.fromkeys(names, wanted)
    assert seen.with_lines == set(names)
    assert max(latest_s(real, name) for name in names) < LATEST_S
    assert seen.most_threads < threads_before + 6 * AT_ONCE
    assert seen.most_memory_mib < memory_before + 300


@pytest.mark.slow
def test_short_jobs_leave_nothing(real: RealLocal) -> None:
    """`python -m benchmarks leaks` does the same with 1,000."""
    home = real.server.settings.home
    run_and_delete(real, 2, "first")
    before = in_use(home)
    run_and_delete(real, SHORT, "short")
    after = settled(home, before)
    assert left_over(before, after) == [], (before, after)


def run_and_delete(real: RealLocal, count: int, prefix: str) -> None:
    names = create_all(real, count, "echo short", prefix)
    watch(real, names, 300)
    assert set(status_of(real).values()) == {"Completed"}
    for name in names:
        real.client("sagemaker").delete_training_job(TrainingJobName=name)
    assert status_of(real) == {}
