"""A pipeline's steps as people read them: lines while it runs, a tree at the end."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sagedock.client.show import Show

__all__ = ["StepsShown", "tree", "tree_lines"]

Record = Mapping[str, Any]
_STEPS = "Steps."
_RUNNING = ("Starting", "Executing", "Stopping")
#: What stands for the lines before and behind.
_MARKS = 2


class StepsShown:
    """Shows a line when a step begins, and one when it ends."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._told: dict[str, str] = {}

    def update(self, steps: Sequence[Record]) -> None:
        """Show what changed."""
        for step in steps:
            name, status = step["StepName"], step["StepStatus"]
            if self._told.get(name) != status:
                self._told[name] = status
                at = step.get("EndTime") or step["StartTime"]
                self._show(f"[{at:%H:%M:%S}] {name}: {status}{_more(step)}")


def _more(step: Record) -> str:
    if "CacheHitResult" in step and step["CacheHitResult"].get("SourcePipelineExecutionArn"):
        source = step["CacheHitResult"]["SourcePipelineExecutionArn"].rpartition("/")[2]
        return f", the result of {source}"
    if "Condition" in step.get("Metadata", {}):
        return f": {step['Metadata']['Condition']['Outcome']}"
    if "FailureReason" in step:
        return f": {step['FailureReason']}"
    return ""


def tree(definition: str, steps: Sequence[Record], now_s: float) -> str:
    """Return a definition's steps, each below what it waits for last, with how long it took:

    ::

        prepare          Succeeded    2.1 s
        └─ train         Succeeded   14.0 s
           └─ good       True         0.0 s
              ├─ register  Succeeded  0.2 s    (then)
              └─ too-bad   -                   (otherwise)
    """
    return "\n".join(tree_lines(definition, steps, now_s))


def tree_lines(
    definition: str, steps: Sequence[Record], now_s: float, rows: int | None = None
) -> list[str]:
    """Return the lines of ``tree``, ``rows`` at most: what goes on now is among them."""
    records = {each["StepName"]: each for each in steps}
    found = list(_rows(json.loads(definition)["Steps"]))
    children: dict[str | None, list[tuple[str, str]]] = {}
    depth: dict[str, int] = {}
    for name, needs, branch in _in_order(found):
        parent = max(needs, key=lambda each: depth[each], default=None)
        depth[name] = 0 if parent is None else depth[parent] + 1
        children.setdefault(parent, []).append((name, branch))
    lines = list(_drawn(children, None, ""))
    widest = max(len(label) for label, _, _ in lines)
    drawn = [
        f"{label:<{widest}}  {_said(records.get(name), now_s)}{branch}".rstrip()
        for label, name, branch in lines
    ]
    begun = [number for number, (_, name, _) in enumerate(lines) if name in records]
    running = [n for n in begun if records[lines[n][1]]["StepStatus"] in _RUNNING]
    return _part(drawn, rows, max(running or begun, default=0))


def _part(lines: list[str], rows: int | None, wanted: int) -> list[str]:
    """Return the lines that there is room for, ``wanted`` among them, and how many others there
    are.
    """
    if rows is None or len(lines) <= rows:
        return lines
    room = rows - _MARKS if rows > _MARKS else rows
    first = min(max(0, wanted - room + 1), len(lines) - room)
    part, after = lines[first : first + room], len(lines) - room - first
    return part if room == rows else [f"... {first} more", *part, f"... {after} more"]


def _rows(steps: Sequence[Record], within: str | None = None, branch: str = "") -> Iterator[Any]:
    for step in steps:
        arguments = step.get("Arguments", {})
        own = arguments
        if step["Type"] == "Condition":
            own = arguments.get("Conditions", [])
        needs = {*step.get("DependsOn", ()), *_referred(own)} | ({within} if within else set())
        yield step["Name"], needs, branch
        if step["Type"] == "Condition":
            yield from _rows(arguments.get("IfSteps", ()), step["Name"], "  (then)")
            yield from _rows(arguments.get("ElseSteps", ()), step["Name"], "  (otherwise)")


def _referred(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        got = value.get("Get")
        if isinstance(got, str) and got.startswith(_STEPS):
            yield got.split(".")[1]
        for each in value.values():
            yield from _referred(each)
    elif isinstance(value, list):
        for each in value:
            yield from _referred(each)


def _in_order(rows: list[Any]) -> Iterator[Any]:
    done: set[str] = set()
    while rows:
        ready = [row for row in rows if row[1] <= done]
        if not ready:  # the service refuses circles
            return
        for row in ready:
            done.add(row[0])
            yield row
        rows = [row for row in rows if row[0] not in done]


def _drawn(
    children: Mapping[str | None, list[tuple[str, str]]], parent: str | None, indent: str
) -> Iterator[tuple[str, str, str]]:
    below = children.get(parent, [])
    for number, (name, branch) in enumerate(below):
        last = number == len(below) - 1
        joint = "" if parent is None else ("└─ " if last else "├─ ")
        yield f"{indent}{joint}{name}", name, branch
        more = "" if parent is None else ("   " if last else "│  ")
        yield from _drawn(children, name, indent + more)


def _said(record: Record | None, now_s: float) -> str:
    if record is None:
        return "-"
    status = record["StepStatus"]
    if "Condition" in record.get("Metadata", {}):
        status = record["Metadata"]["Condition"]["Outcome"]
    if record.get("CacheHitResult", {}).get("SourcePipelineExecutionArn"):
        status += " (kept)"
    began: datetime = record["StartTime"]
    ended = record["EndTime"].timestamp() if "EndTime" in record else now_s
    return f"{status:<17} {ended - began.timestamp():8.1f} s"
