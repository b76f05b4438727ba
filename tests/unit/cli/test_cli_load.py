"""``sagedock load``: options, what is printed, exit codes, Ctrl-C."""

import asyncio
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock.cli import main
from tests.unit.load.serving import OK, Asked, Server, after, always, serving

pytest.importorskip("httptools")

FEW = ("--requests", "20", "--warmup", "0", "--concurrency", "2")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def test_one_load_is_announced_measured_and_advised_on(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["load", server.url(), *FEW]) == 0
    said, errors = capsys.readouterr()
    assert errors == ""
    lines = said.splitlines()
    assert lines[0] == f"target   {server.url()}"
    assert lines[1] == ("load     concurrency 2; 10 s after 0 s of warm-up, at most 20 requests")
    assert any(line.startswith("answered   20 in ") for line in lines)
    assert any(line.startswith("latency    mean ") and " p99.9 " in line for line in lines)
    assert any(line.startswith("SageMakerVariantInvocationsPerInstance: ") for line in lines)
    assert len(server.requests) == 20


def test_poisson_arrivals_are_not_bounded_by_their_mean(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--rate", "50", "--duration", "0.2", "--warmup", "0")
    main(["load", server.url(), *options, "--arrivals", "poisson"])
    main(["load", server.url(), *options])
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("load ")]
    assert [line.partition("warm-up")[2] for line in said] == ["", ", at most 10 requests"]


def test_what_is_no_url_is_refused_before_all_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", "ftp://x"]) != 0
    said, errors = capsys.readouterr()
    assert said == ""
    assert "ftp://x: is not a URL" in errors


def test_json_is_all_that_stdout_gets(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--rate", "200", "--requests", "10", "--warmup", "0", "--json")
    assert main(["load", server.url(), *options, "--arrivals", "poisson"]) == 0
    said, errors = capsys.readouterr()
    assert errors.startswith("target   ")
    found = json.loads(said)
    (level,) = found["levels"]
    assert found["axis"] == "rate"
    assert level["load"] == 200
    assert (level["result"]["answered"], level["result"]["failed"]) == (10, 0)
    assert level["result"]["latency"]["p99_ms"] > 0
    assert level["result"]["shape"] == "open loop, 200 requests/s, poisson arrivals"
    assert found["advice"]["rate"] > 0


def test_a_sweep_tells_of_each_level_and_writes_reports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    page, picture = tmp_path / "a.html", tmp_path / "a.png"
    loads = ("--sweep", "concurrency=1,2,4", "--duration", "0.4", "--warmup", "0.1")
    goal = ("--latency-goal", "60000", "--instances", "2", "--safety-factor", "0.7")
    with serving(after(0.02, workers=2)) as server:
        wanted = ("--report", str(page), "--report", str(picture))
        assert main(["load", server.url(), *loads, *goal, *wanted]) == 0
    said = capsys.readouterr().out
    assert "load     concurrency 1, 2, 4; 0.4 s each after 0.1 s of warm-up" in said
    for load in (1, 2, 4):
        assert f"concurrency {load}: " in said
    assert "knee" in said
    assert "x 0.7 (safety factor) x 60 s" in said
    assert said.splitlines()[-2:] == [f"report: {page}", f"report: {picture}"]
    assert page.read_text(encoding="utf-8").count("<svg") == 2
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_bodies_headers_and_method_are_sent(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2")
    words = ["--data", str(tmp_path / "a.csv"), "--text", "{}", "-H", "X-Own: a:b"]
    assert main(["load", server.url(), *FEW, *words, "--accept", "text/csv"]) == 0
    assert {each.body for each in server.requests} == {b"1,2", b"{}"}
    for each in server.requests:
        assert each.headers["x-own"] == "a:b"
        assert each.headers["accept"] == "text/csv"
        assert each.headers["content-type"] == (
            "text/csv" if each.body == b"1,2" else "application/json"
        )
    assert main(["load", server.url("/ping"), *FEW, "--method", "get"]) == 0
    assert server.requests[-1].start == "GET /ping HTTP/1.1"
    assert server.requests[-1].body == b""


def test_a_body_comes_from_standard_input(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\x93NUMPY")))
    words = ("--data", "-", "--content-type", "application/x-npy")
    assert main(["load", server.url(), *FEW, *words]) == 0
    assert {each.body for each in server.requests} == {b"\x93NUMPY"}
    assert server.requests[0].headers["content-type"] == "application/x-npy"


def test_every_problem_is_told_at_once_and_nothing_is_sent(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = (
        *("--concurrency", "4", "--rate", "5", "--sweep", "users", "--stream"),
        *("--target-model", "a", "--latency-goal", "-1", "--percentile", "42"),
        *("--safety-factor", "9", "--workers", "0", "--report", "a.pdf"),
    )
    assert main(["load", server.url(), *wrong]) == 2
    said, errors = capsys.readouterr()
    assert said == ""
    for words in (
        "--concurrency and --rate and --sweep: each says what the load is",
        "sweep: 'users' is neither",
        "--target-model: is for endpoints",
        "--stream: is for endpoints",
        "latency-goal: -1 ms is not above 0",
        "percentile: 42 is none of 50, 90, 99, 99.9",
        "safety-factor: 9 is not between",
        "workers: 0 is less than 1",
        "report: a.pdf",
    ):
        assert words in errors
    assert server.connections == 0


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--duration", "0"), "duration: 0 is not above 0"),
        (("--rate", "-3"), "rate: -3 is not above 0"),
        (("--arrivals", "poisson"), "--arrivals: is for an open loop"),
        (("--connections", "3"), "--connections: is for an open loop"),
        (("-H", "no header"), "'no header' is no header"),
        (("--data", "absent.json"), "absent.json: No such file or directory"),
    ],
)
def test_what_is_wrong_is_named(
    server: Server, words: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["load", server.url(), *words]) == 2
    said, errors = capsys.readouterr()
    assert (said, problem in errors) == ("", True), errors
    assert server.connections == 0


def test_failures_are_shown_and_nothing_but_failures_is_an_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(always(b"HTTP/1.1 500 X\r\nContent-Length: 4\r\n\r\noops")) as server:
        assert main(["load", server.url(), *FEW]) == 1
    said, errors = capsys.readouterr()
    assert "concurrency 2: 20 x status 500: oops" in said
    assert "no request was answered well" in errors


def test_an_endpoint_has_no_headers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", "digits", "-H", "A: b", "--pid", "1"]) == 2
    errors = capsys.readouterr().err
    assert "--header: is for URLs; digits is the name of an endpoint" in errors
    assert "--pid: is for URLs" in errors


def _environment(server: Server, tmp_path: Path) -> dict[str, str]:
    own = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}
    return {**own, "AWS_ENDPOINT_URL": server.url(""), "SAGEDOCK_HOME": str(tmp_path)}


async def _endpoint(asked: Asked, writer: asyncio.StreamWriter) -> None:
    if asked.headers.get("x-amz-target") != "SageMaker.DescribeEndpoint":
        writer.write(OK)
        return
    variants = [{"VariantName": "blue", "CurrentInstanceCount": 4}]
    data = json.dumps({"EndpointStatus": "InService", "ProductionVariants": variants}).encode()
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)


def test_an_endpoint_is_tested_by_name(tmp_path: Path) -> None:
    with serving(_endpoint) as server:
        done = subprocess.run(
            [sys.executable, "-m", "sagedock.cli", "load", "digits", *FEW, "--json"],
            env=_environment(server, tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == f"target   endpoint digits at 127.0.0.1:{server.port}"
    assert "cost" not in done.stderr
    found = json.loads(done.stdout)
    assert found["levels"][0]["result"]["answered"] == 20
    assert "requests/s per instance" in found["advice"]["why"]["invocations"]
    rate = found["levels"][0]["result"]["rate"]
    assert found["advice"]["invocations"] == int(rate / 4 * 0.5 * 60)
    asked = [each.start for each in server.requests]
    assert asked.count("POST /endpoints/digits/invocations HTTP/1.1") == 20


def test_ctrl_c_at_a_terminal_shows_progress_and_what_was_measured(
    server: Server, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "sagedock.cli", "load", server.url(), "-d", "120", "--warmup", "0"],
        env={**_environment(server, tmp_path), "TERM": "xterm"},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    ends = time.monotonic() + 60
    while not re.search(rb"[1-9]\.\d s of 120 s", seen):
        assert time.monotonic() < ends, seen
        seen += os.read(ours, 4096)
    running.send_signal(signal.SIGINT)
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert running.wait(timeout=30) == 130
    text = seen.decode(errors="replace")
    assert "answered, 0 failed, 8 under way" in text
    assert "\nlatency    mean" in text.replace("\r", "")
    assert "Traceback" not in text
