"""Lines and pictures on a terminal: what is drawn, read by a terminal of few rows."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sagedock.client.analytics import TrialRow, TuningAnalytics
from sagedock.client.show import Lines, pictured
from sagedock.client.steps_shown import tree_lines
from sagedock.client.trials_shown import trials_table
from tests.unit.client.screen import Terminal

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_picture_is_drawn_in_the_place_of_the_last_one(terminal: Terminal) -> None:
    terminal.lines("before")
    with pictured(terminal.lines) as draw:
        assert draw is not None
        draw(lambda _: ["one", "two", "three"])
        assert terminal.seen() == ["before", "one", "two", "three"]
        draw(lambda _: ["four"])
        assert terminal.seen() == ["before", "four"]
        terminal.lines("a line meanwhile")
        assert terminal.seen() == ["before", "a line meanwhile", "four"]
        draw(lambda _: ["five", "six"])
    terminal.lines("after")
    assert terminal.seen() == ["before", "a line meanwhile", "five", "six", "after"]


def test_a_picture_has_the_room_that_there_is_and_is_whole_at_the_end(terminal: Terminal) -> None:
    def picture(rows: int | None) -> list[str]:
        return [str(number) for number in range(20)][:rows]

    with pictured(terminal.lines) as draw:
        assert draw is not None
        for _ in range(3):
            draw(picture)
            draw(lambda rows: ["x" * 100, *picture(rows)])
            seen = terminal.seen()
            assert (seen[0], seen[1], len(seen)) == ("x" * 40, "0", 7)
        assert terminal.screen.history() == []
    seen = terminal.seen()
    whole = ["x" * 40, "x" * 40, "x" * 20, *map(str, range(20))]
    assert [*terminal.screen.history(), *seen] == whole


def test_what_would_move_the_cursor_is_not_written(terminal: Terminal) -> None:
    with pictured(terminal.lines) as draw:
        assert draw is not None
        draw(lambda _: ["a\x1b[2Jb\rc"])
    assert terminal.seen() == ["a?[2Jb?c"]


def test_nothing_is_drawn_where_nobody_looks(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    with pictured(lines.append) as draw:
        assert draw is None
    with pictured(Lines(io.StringIO)) as draw:
        assert draw is None
    monkeypatch.setenv("TERM", "dumb")
    with pictured(terminal.lines) as draw:
        assert draw is None


def test_what_an_encoding_lacks_is_an_escape() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Lines(lambda: stream)("└─ ü")
    assert stream.buffer.getvalue() == b"\\u2514\\u2500 \\xfc\n"  # type: ignore[attr-defined]


def trial(number: int, status: str, objective: float | None = None) -> TrialRow:
    began = NOW - timedelta(seconds=30)
    return TrialRow(
        number=number,
        name=f"t-{number}",
        status=status,
        objective=objective,
        values={"lr": f"0.{number}", "kind": '"a"'},
        created=began,
        began=None if status == "Pending" else began,
        seconds=12.4 if status == "Completed" else None,
        failure_reason=None,
    )


def tuning(*trials: TrialRow) -> TuningAnalytics:
    return TuningAnalytics(
        name="digits",
        status="InProgress",
        metric="accuracy",
        objective_type="Maximize",
        trials=trials,
    )


def test_a_table_of_trials_has_each_one_and_marks_the_best() -> None:
    found = tuning(trial(1, "Completed", 0.5), trial(2, "Completed", 0.75), trial(3, "InProgress"))
    assert trials_table(found, None, NOW) == [
        "digits: InProgress, 3 training jobs (2 Completed, 1 InProgress)",
        "   #  status      accuracy  lr   kind  seconds",
        "   1  Completed   0.5       0.1  a     12",
        "*  2  Completed   0.75      0.2  a     12",
        "   3  InProgress            0.3  a     30",
    ]
    assert trials_table(tuning(), 5, NOW)[0] == "digits: InProgress, no training job yet"


def test_where_there_is_no_room_the_best_and_those_that_run_are_shown() -> None:
    done = [trial(n, "Completed", 1.0 if n == 2 else 0.5) for n in range(1, 31) if n != 4]
    found = tuning(*done, trial(4, "InProgress"), trial(31, "Stopped"))
    lines = trials_table(found, 7, NOW)
    assert len(lines) == 7
    numbers = [line[3:].split()[0] for line in lines[2:-1]]
    assert numbers == ["2", "4", "30", "31"]
    assert lines[-1] == "... and 27 training jobs (27 Completed)"
    for rows in range(7):
        assert len(trials_table(found, rows, NOW)) <= rows


def chain(count: int) -> str:
    steps: list[dict[str, Any]] = [
        {"Name": f"s{n:02}", "Type": "Fail", "DependsOn": [f"s{n - 1:02}"] if n else []}
        for n in range(count)
    ]
    return json.dumps({"Steps": steps})


@pytest.mark.parametrize("running", range(12))
def test_a_tree_without_room_has_what_goes_on_now(running: int) -> None:
    steps = [
        {
            "StepName": f"s{n:02}",
            "StepStatus": "Executing" if n == running else "Succeeded",
            "StartTime": NOW,
        }
        for n in range(running + 1)
    ]
    for rows in range(1, 15):
        lines = tree_lines(chain(12), steps, NOW.timestamp(), rows)
        assert len(lines) == min(rows, 12)
        assert any("Executing" in line for line in lines)


def test_the_default_is_the_stdout_of_the_moment() -> None:
    program = "from sagedock.client.show import to_stdout; to_stdout('told')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "told\n"
