"""A load test's numbers as words and cells, the same for the terminal and the page."""

from collections.abc import Iterator

from sagedock.load.advice import Advice
from sagedock.load.result import Result
from sagedock.load.samples import ErrorCount
from sagedock.load.statistics import Latencies
from sagedock.load.sweeping import Sweep

__all__ = ["advice_rows", "error_line", "level_rows", "result_rows"]

_KIB = 1024
_LONGEST_EXAMPLE = 300


def result_rows(result: Result) -> Iterator[tuple[str, str]]:
    """Yield what one run found, as (name, value)."""
    yield "answered", f"{result.answered} in {result.lasted_s:.1f} s, {result.rate:.1f} per second"
    if result.is_open_loop:
        yield "offered", f"{result.offered:.1f} per second"
    yield "failed", f"{result.failed} ({result.failed_share:.2%})"
    if result.unfinished:
        yield "unfinished", str(result.unfinished)
    if result.latency:
        yield "latency", _latencies(result.latency)
    if result.first_byte:
        yield "first byte", _latencies(result.first_byte)
    sent, received = result.sent_bytes, result.received_bytes
    yield "bytes", f"{_size(sent)} sent, {_size(received)} received"
    if result.server_cpu_us is not None and result.server_cores is not None:
        yield (
            "server CPU",
            f"{result.server_cpu_us:.0f} us a request, {result.server_cores:.2f} cores",
        )
    yield "generator", _generator(result)
    for doubt in result.doubts:
        yield "doubt", doubt


def level_rows(sweep: Sweep) -> Iterator[tuple[str, ...]]:
    """Yield a sweep's table, the titles first."""
    yield (
        sweep.axis,
        "answers/s",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "failed",
        "",
    )
    for level in sweep.levels:
        latency = level.result.latency
        numbers = (
            [latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.p99_9_ms, latency.max_ms]
            if latency
            else []
        )
        notes = [word for word, at in (("knee", sweep.knee), ("peak", sweep.peak)) if level is at]
        yield (
            f"{level.load:g}",
            f"{level.result.rate:.1f}",
            *([_ms(each) for each in numbers] or ["-"] * 5),
            f"{level.result.failed_share:.1%}",
            ", ".join(notes),
        )


def advice_rows(advice: Advice) -> Iterator[tuple[str, str, str]]:
    """Yield what to set, as (name, value, why)."""
    rows = (
        (
            "sustained rate",
            None if advice.rate is None else f"{advice.rate:.1f} per second",
            "rate",
        ),
        ("workers", advice.workers, "workers"),
        ("batch size", advice.batch, "batch"),
        ("SageMakerVariantInvocationsPerInstance", advice.invocations, "invocations"),
        (
            "SageMakerVariantConcurrentRequestsPerModelHighResolution",
            advice.concurrent_requests,
            "concurrent_requests",
        ),
    )
    for name, value, key in rows:
        if key in advice.why:
            yield name, "-" if value is None else str(value), advice.why[key]


def error_line(error: ErrorCount) -> str:
    """Return a kind of failure in one line, with the beginning of its first example."""
    status = f" {error.status}" if error.status else ""
    detail = f": {error.detail}" if error.detail else ""
    example = " ".join(error.example.split())
    shown = f": {_cut(example)}" if example else ""
    return f"{error.count} x {error.kind}{status}{detail}{shown}"


def _generator(result: Result) -> str:
    generator = result.generator
    lag = f", p99 of lateness {_ms(generator.lag.p99_ms)} ms" if generator.lag else ""
    return (
        f"{generator.cpu_us:.0f} us of CPU a request, {generator.cpu_share:.0%} of a core, "
        f"{generator.connections} connections{lag}"
    )


def _latencies(found: Latencies) -> str:
    shown = (
        ("mean", found.mean_ms),
        ("p50", found.p50_ms),
        ("p90", found.p90_ms),
        ("p99", found.p99_ms),
        ("p99.9", found.p99_9_ms),
        ("max", found.max_ms),
    )
    return "  ".join(f"{name} {_ms(value)}" for name, value in shown) + " ms"


def _ms(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < _KIB:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _KIB
    return f"{count:.1f} GiB"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_EXAMPLE else f"{text[:_LONGEST_EXAMPLE]}..."
