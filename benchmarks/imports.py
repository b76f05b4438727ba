"""What importing costs, against bare Python."""

import subprocess
import sys

from benchmarks.table import Row, interleaved, timed

ROUNDS = 15


def rows() -> list[Row]:
    """Measure `import sagedock` and `from sagedock import Estimator`."""
    return [
        _row("import sagedock", "import sagedock", goal_s=0.030),
        _row("from sagedock import Estimator", "from sagedock import Estimator", goal_s=0.3),
    ]


def _row(what: str, code: str, *, goal_s: float) -> Row:
    ours, bare, _ = interleaved(
        ROUNDS, lambda: timed(lambda: _python(code)), lambda: timed(lambda: _python("pass"))
    )
    extra = ours - bare
    return Row(
        what=what,
        ours=f"{ours * 1000:.0f} ms",
        against=f"bare Python: {bare * 1000:.0f} ms",
        ratio=f"+{extra * 1000:.0f} ms",
        goal=f"under {goal_s * 1000:.0f} ms more",
        met=extra < goal_s,
    )


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)
