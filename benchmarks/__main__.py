"""Run the benchmarks named, or all: `python -m benchmarks [NAME...]`."""

import importlib
import sys

from benchmarks.table import show

NAMES = (
    *("imports", "startup", "local_mode", "channel", "pipe", "s3", "checkpoints"),
    *("describe_and_list", "invoke", "transform", "tuning", "serving", "serving_start"),
    *("pipelines", "rebuild"),
    *("leaks", "load_generator"),
)
#: Run only when they are named: they take long.
LONG = ("soak",)


def main(wanted: list[str]) -> int:
    """Measure, and print one table. Exit code 2 for a name that is none."""
    unknown = set(wanted) - {*NAMES, *LONG}
    if unknown:
        there_are = ", ".join((*NAMES, *LONG))
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {there_are}")
        return 2
    found = []
    for name in wanted or NAMES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        found += importlib.import_module(f"benchmarks.{name}").rows()
    show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
