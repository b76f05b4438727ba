"""Reports: whole pages and pictures, and nothing of a server's answer is taken for markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sagedock.errors import InvalidRequest, StorageError
from sagedock.load import Goal, Known, Sweep, advise, save_report
from sagedock.load.charts import Chart, Line, charts
from sagedock.load.report import problem_with_report
from sagedock.load.result import Generator
from sagedock.load.samples import ErrorCount
from sagedock.load.statistics import Bin
from sagedock.load.svg import svg
from sagedock.load.words import error_line, level_rows, result_rows
from tests.unit.load.made import ideal, latencies, level

SWEEP = ideal(workers=2, service_ms=10, loads=(1.0, 2.0, 4.0))
GOAL = Goal(latency_ms=15)
EVIL = ErrorCount(
    kind="status", status=500, detail="", count=3, example="<script>alert(1)</script>"
)


def one() -> Sweep:
    made = level(load=8, rate=100, latency_ms=10, p99_ms=14)
    timeline = tuple(
        Bin(at_s=at, width_s=1.0, answered=100, failed=int(at), p50_ms=10.0, p99_ms=None)
        for at in (0.0, 1.0, 2.0)
    )
    result = replace(made.result, timeline=timeline, errors=(EVIL,))
    return Sweep(axis="concurrency", levels=(replace(made, result=result),))


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]


@pytest.mark.parametrize("sweep", [SWEEP, one()], ids=["sweep", "one"])
def test_a_page_is_whole_and_needs_nothing_else(sweep: Sweep, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    save_report(file, sweep, GOAL, advise(sweep, GOAL, Known()))
    text = file.read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert page.tags.count("svg") == len(charts(sweep, GOAL))
    assert page.loads == []
    assert "script" not in page.tags
    assert "SageMakerVariantInvocationsPerInstance" in text
    assert text.endswith("</html>\n")


def test_an_answer_is_shown_and_not_run(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    save_report(file, one(), GOAL, advise(one(), GOAL, Known()))
    assert "3 x status 500: &lt;script&gt;alert(1)" in file.read_text(encoding="utf-8")


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for number, sweep in enumerate((SWEEP, one())):
        file = tmp_path / f"{number}.png"
        save_report(file, sweep, GOAL, advise(sweep, GOAL, Known()))
        assert file.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("name", ["a.pdf", "absent/a.html", "a"])
def test_where_no_report_can_go_is_told_first(name: str, tmp_path: Path) -> None:
    assert "report: " in (problem_with_report(tmp_path / name) or "")
    with pytest.raises(InvalidRequest):
        save_report(tmp_path / name, SWEEP, GOAL, advise(SWEEP, GOAL, Known()))


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.html").mkdir()
    with pytest.raises(StorageError, match="save it elsewhere"):
        save_report(tmp_path / "a.html", SWEEP, GOAL, advise(SWEEP, GOAL, Known()))


@pytest.mark.parametrize(
    "chart", [*charts(SWEEP, GOAL), *charts(one(), GOAL)], ids=lambda c: c.title
)
def test_a_chart_stays_within_its_picture(chart: Chart) -> None:
    drawn = ElementTree.fromstring(svg(chart))
    _, _, width, height = map(float, drawn.attrib["viewBox"].split())
    lines = [each for each in drawn if each.tag.endswith("polyline")]
    assert len(lines) == len(chart.lines)
    for line in lines:
        for x, y in re.findall(r"([\d.-]+),([\d.-]+)", line.attrib["points"]):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height


@pytest.mark.parametrize(
    "points", [(), ((0.0, 0.0),), ((0.0, 0.0), (1.0, 0.0)), ((0, 1e-9), (1, 1e9))]
)
def test_a_chart_of_nothing_much_is_still_one(points: tuple[tuple[float, float], ...]) -> None:
    chart = Chart(title="<&>", x_label="x", y_label="y", lines=(Line(name="l", points=points),))
    assert ElementTree.fromstring(svg(chart)).attrib["aria-label"] == "<&>"


def test_the_knee_is_marked_and_so_is_the_goal() -> None:
    throughput, latency = charts(SWEEP, GOAL)
    assert throughput.marks == ((1.0, "knee"),)
    assert [word for _, word in latency.ticks] == ["1", "2", "4"]
    assert latency.limit == (15, "goal 15 ms")


def test_a_sweep_as_a_table() -> None:
    titles, first, second, _ = level_rows(SWEEP)
    assert titles[:2] == ("concurrency", "answers/s")
    assert first == ("1", "100.0", *["10.00"] * 5, "0.0%", "")
    assert second[-1] == "knee, peak"
    nothing = level(load=1, rate=0, latency_ms=None, failed_share=1.0)
    rows = list(level_rows(Sweep(axis="rate", levels=(nothing,))))
    assert len({len(row) for row in rows}) == 1
    assert rows[1][2:8] == ("-", "-", "-", "-", "-", "100.0%")


def test_what_the_generator_could_not_do_is_a_doubt() -> None:
    made = level(load=8, rate=100, latency_ms=10, is_open_loop=True).result
    late = replace(
        made, generator=Generator(lag=latencies(8), cpu_us=9, cpu_share=0.1, connections=1)
    )
    busy = replace(
        made, generator=Generator(lag=latencies(1), cpu_us=9, cpu_share=0.95, connections=1)
    )
    assert made.doubts == ()
    assert "sent 8.0 ms late or more" in late.doubts[0]
    assert "the server may be faster" in busy.doubts[0]
    assert [name for name, _ in result_rows(late)][-1] == "doubt"


def test_an_error_is_one_line() -> None:
    error = replace(EVIL, example="a\n  b\n" + "c" * 1000, detail="why", kind="closed", status=0)
    line = error_line(error)
    assert line.startswith("3 x closed: why: a b ccc")
    assert line.endswith("ccc...")
    assert "\n" not in line
