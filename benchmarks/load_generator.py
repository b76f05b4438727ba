"""The load generator itself, against a server that does as little as one can.

What it costs and how punctual it is says which servers it can measure. The A/A pair, the same run
twice in each round, says how far two numbers of this machine differ by chance.
"""

import statistics

from benchmarks.served import bare, serving
from benchmarks.table import Row
from sagedock.load import Body, Closed, Open, Plan, Result, Shape, UrlTarget, run

__all__ = ["rows"]

ROUNDS = 7
RATES = (500, 2_000, 5_000, 10_000)
_KEPT_UP = 0.99
_MOST_CPU_SHARE = 0.25
_LASTING_S = 2.0


def rows() -> list[Row]:
    """Measure an open loop at several rates, and what a closed one reaches."""
    shapes: list[Shape] = [*(Open(rate=rate) for rate in RATES), Closed(concurrency=16)]
    with serving(bare) as port:
        rounds = [[(_run(port, each), _run(port, each)) for each in shapes] for _ in range(ROUNDS)]
    return [
        _row(shape, list(pairs))
        for shape, pairs in zip(shapes, zip(*rounds, strict=True), strict=True)
    ]


def _run(port: int, shape: Shape) -> Result:
    target = UrlTarget(url=f"http://127.0.0.1:{port}/invocations", bodies=(Body(data=b"x" * 100),))
    result = run(Plan(target=target, shape=shape, duration_s=_LASTING_S, warmup_s=0.3))
    if result.failed:
        raise RuntimeError(f"{shape}: {result.errors}")
    return result


def _row(shape: Shape, pairs: list[tuple[Result, Result]]) -> Row:
    results = [each for pair in pairs for each in pair]
    ratios = sorted(b.generator.cpu_us / a.generator.cpu_us for a, b in pairs)
    rate = statistics.median(each.rate for each in results)
    share = statistics.median(each.generator.cpu_share for each in results)
    return Row(
        what=f"load generator: {shape}",
        ours=f"{rate:.0f}/s, {_median_cpu(results):.0f} us of CPU each, {share:.0%} of a core",
        against=_punctuality(results),
        ratio=f"A/A {ratios[0]:.2f}-{ratios[-1]:.2f}",
        goal="2,000/s and more, a quarter of a core" if shape == Open(rate=2_000) else "-",
        met=(
            rate >= _KEPT_UP * shape.rate and share <= _MOST_CPU_SHARE
            if isinstance(shape, Open) and shape.rate == RATES[1]
            else None
        ),
    )


def _median_cpu(results: list[Result]) -> float:
    return statistics.median(each.generator.cpu_us for each in results)


def _punctuality(results: list[Result]) -> str:
    lags = [each.generator.lag for each in results if each.generator.lag]
    if not lags:
        return "-"
    middle, high = ([getattr(each, name) for each in lags] for name in ("p50_ms", "p99_ms"))
    return f"late by p50 {statistics.median(middle):.3f}, p99 {statistics.median(high):.2f} ms"
