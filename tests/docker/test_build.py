"""`sagedock build` with a real engine: what it makes, what it tells, and how it fails and ends."""

import hashlib
import io
import json
import re
import signal
import socket
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagedock.engine import Engine
from sagedock.errors import ImageNotFound
from tests.docker.built_project import Project, project_in

_GENEROUS_S = 120


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Iterator[Project]:
    """A project; its images are gone afterwards."""
    with project_in(tmp_path / "project") as made:
        yield made


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + _GENEROUS_S
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


def has(engine: Engine, reference: str) -> bool:
    try:
        engine.image(reference)
    except ImageNotFound:
        return False
    return True


def running(marker: str) -> bool:
    """Say whether a process of this machine has a word in its command."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in file.read_bytes().split(b"\0"):
                return True
        except OSError:
            continue  # it has ended
    return False


# --- what it makes and tells ---------------------------------------------------------------------


def test_sizes_by_layer_a_forecast_and_labels(project: Project, engine: Engine) -> None:
    reference = project.image("a", "RUN head -c 3000000 /dev/zero > /zeros\n")
    done = project.build("a", "--json")
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)["built"]
    image = engine.image(reference)
    assert (told["id"], told["size"]) == (image.id, image.size)
    assert told["layers"][-1]["made_by"] == "RUN head -c 3000000 /dev/zero > /zeros"
    assert told["layers"][-1]["size"] == 3_000_000
    assert told["estimated"]
    assert image.labels["sagedock.image"] == "a"
    assert image.labels["sagedock.python"] == "3.11"
    assert re.search(r"a: \[2/2\] (?:cached: )?RUN head", done.stderr)

    measured = project.build("a", "--measure")
    assert measured.returncode == 0, measured.stderr
    assert "measured" in measured.stdout
    assert "about 0 kB" not in measured.stdout
    kept = json.loads((project.folder / "build" / "layers.json").read_text())
    (zeros,) = (each.diff_id for each in engine.layers(image.id)[-1:])
    assert zeros is not None
    assert 1_000 < kept[zeros] < 20_000  # zeros, compressed
    again = project.build("a", "--json")
    assert not json.loads(again.stdout)["built"][0]["estimated"]
    assert not any(project.temporary.iterdir())


def test_a_second_build_is_the_same_image_and_no_cache_does_every_step(project: Project) -> None:
    project.image("a", "RUN date +%N > /now\n")

    def built(*words: str) -> str:
        done = project.build("a", "--json", *words)
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)["built"][0]["id"])

    first = built()
    assert built() == first
    assert built("--no-cache") != first


def test_what_the_cache_had_is_told_by_its_stage(project: Project) -> None:
    once = f"{time.time_ns()} {'x' * 200}"
    steps = f"RUN echo {once} > /a\nFROM ${{BASE}} AS other\nRUN echo {once} > /b\n"
    project.image("a", f"{steps}FROM final AS last\nCOPY --from=other /b /b\n", target="last")

    def told() -> list[str]:
        done = project.build("a")
        assert done.returncode == 0, done.stderr
        return [line.partition(" s  ")[2] for line in done.stderr.splitlines()]

    first, second = told(), told()
    assert not any("cached: RUN echo" in line for line in first)
    assert any(line.startswith(f"a: [other 2/2] RUN echo {once} > /b") for line in first)
    assert [line for line in second if "cached" in line and "FROM" not in line] == [
        f"a: [final 2/2] cached: RUN echo {once} > /a",
        f"a: [other 2/2] cached: RUN echo {once} > /b",
        "a: [last 1/1] cached: COPY /b /b",
    ]


def test_an_image_over_its_budget_fails_the_build_and_stays(
    project: Project, engine: Engine
) -> None:
    reference = project.image("a", "RUN echo a > /a\n", budget_mb=1)
    fine = project.image("b", "RUN echo b > /b\n", budget_mb=1_000)
    done = project.build("--json")
    assert done.returncode == 6
    told = json.loads(done.stdout)
    assert [each["over_budget"] for each in told["built"]] == [True, False]
    assert [(each["name"], each["code"]) for each in told["failed"]] == [("a", 6)]
    assert "a takes 1" in done.stderr
    assert "its budget_mb in images.toml is 1. 1" in done.stderr
    assert "of that are its base's, sagedock/base:bookworm-py3.11. Its own" in done.stderr
    assert "raise budget_mb to 1" in done.stderr
    assert has(engine, reference)
    assert has(engine, fine)


def test_a_base_of_the_matrix_is_built_first_where_it_is_absent(project: Project) -> None:
    project.image("top", "RUN test -e /below\n", base=f"{project.repository}:below")
    project.image("below", "RUN touch /below\n")
    done = project.build("top", "--json")
    assert done.returncode == 0, done.stderr
    assert [each["name"] for each in json.loads(done.stdout)["built"]] == ["below", "top"]
    done = project.build("top", "--json")
    assert [each["name"] for each in json.loads(done.stdout)["built"]] == ["top"]


def test_an_image_does_not_have_the_title_and_licence_of_its_base(
    project: Project, engine: Engine
) -> None:
    said = 'LABEL org.opencontainers.image.title="Below" org.opencontainers.image.licenses="MIT"\n'
    below = project.image("below", said)
    top = project.image("top", "RUN true\n", base=below)
    done = project.build("below", "top")
    assert done.returncode == 0, done.stderr
    names = [f"org.opencontainers.image.{name}" for name in ("title", "licenses")]
    assert [engine.image(below).labels[name] for name in names] == ["Below", "MIT"]
    assert [engine.image(top).labels.get(name) for name in names] == ["top", ""]


# --- how it fails --------------------------------------------------------------------------------


def test_a_step_that_fails_is_told_and_the_older_image_stays(
    project: Project, engine: Engine
) -> None:
    reference = project.image("a", "RUN echo first > /a\n")
    assert project.build("a").returncode == 0
    before = engine.image(reference).id
    lines = "for i in $(seq 100); do echo line $i; done"
    project.image("a", f"RUN echo fine\nRUN {lines}; exit 3\nRUN echo never\n")
    done = project.build("a")
    assert done.returncode == 6
    assert done.stdout == ""
    assert f"step [3/4] failed: RUN {lines}; exit 3" in done.stderr
    assert "exit code: 3" in done.stderr
    assert "line 100\nthe whole output is in" in done.stderr
    assert "line 9\n" not in done.stderr
    log = project.folder / "build" / "logs" / "a.log"
    assert str(log) in done.stderr
    assert "line 1\n" in log.read_text()
    assert engine.image(reference).id == before


def test_what_was_built_before_a_failure_is_told(project: Project, engine: Engine) -> None:
    references = [
        project.image(name, words)
        for name, words in (("a", "RUN true\n"), ("b", "RUN exit 3\n"), ("c", "RUN true\n"))
    ]
    done = project.build("--json")
    assert done.returncode == 6
    told = json.loads(done.stdout)
    assert [(each["name"], each["id"]) for each in told["built"]] == [
        ("a", engine.image(references[0]).id)
    ]
    (failed,) = told["failed"]
    assert (failed["name"], failed["step"], failed["code"]) == ("b", "[2/2] RUN exit 3", 6)
    assert told["not_tried"] == ["c"]
    assert not has(engine, references[2])

    done = project.build()
    assert done.returncode == 6
    assert done.stdout.startswith(f"a {references[0]} sha256:")
    assert "built: a; failed: b; not tried: c\n" in done.stderr


def test_an_engine_whose_disk_is_full_is_told(project: Project) -> None:
    project.image("a", "RUN dd if=/dev/zero of=/dev/full bs=1 count=1\n")
    done = project.build("a")
    assert done.returncode == 6
    assert "No space left on device" in done.stderr
    assert "docker builder prune" in done.stderr


def test_a_dockerfile_that_is_none(project: Project) -> None:
    project.image("a", "NOTHING at all\n")
    done = project.build("a")
    assert done.returncode == 6
    assert "unknown instruction: NOTHING" in done.stderr


def test_a_base_that_nobody_has(project: Project) -> None:
    project.image("a", "RUN true\n", base="127.0.0.1:9/absent:1")
    done = project.build("a")
    assert done.returncode == 6
    assert "the engine has no such image, and no registry gave it: build it first" in done.stderr


def test_a_base_for_another_architecture_is_refused_before_anything(
    project: Project, engine: Engine
) -> None:
    foreign = f"{project.repository}:foreign"
    load(foreign, "arm64")
    reference = project.image("a", "RUN true\n", base=foreign)
    done = project.build("a")
    assert done.returncode == 2
    assert f"a: its base {foreign} is for arm64" in done.stderr
    assert not (project.folder / "build").exists()
    assert not has(engine, reference)


def load(reference: str, architecture: str) -> None:
    """Have the engine load an image with one empty layer."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    digest = f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"
    config: dict[str, Any] = {
        "architecture": architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest]},
        "history": [{"created_by": "ADD a"}],
    }
    manifest = [{"Config": "config.json", "RepoTags": [reference], "Layers": ["layer.tar"]}]
    files = {
        "config.json": json.dumps(config).encode(),
        "manifest.json": json.dumps(manifest).encode(),
        "layer.tar": layer.getvalue(),
    }
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    subprocess.run(["docker", "load"], input=whole.getvalue(), check=True, capture_output=True)


# --- how it ends early ---------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_build_and_all_that_it_started(
    project: Project, engine: Engine, number: signal.Signals
) -> None:
    marker = f"300.{time.time_ns()}"
    first = f"RUN echo {marker} > /first\n"
    reference = project.image("a", f"{first}RUN exec sleep {marker}\n")
    with project.begun("a") as process:
        until(lambda: running(marker))
        process.send_signal(number)
        said = process.communicate(timeout=_GENEROUS_S)[1]
    assert process.returncode == 130
    assert said.splitlines()[-1] == (
        "sagedock: interrupted: the build of a was stopped; its finished steps stay in the "
        "engine's cache, and the same command goes on from there"
    )
    assert "Traceback" not in said
    until(lambda: not running(marker))
    until(lambda: not running(f"{project.folder}/containers/a/Dockerfile"))  # the client's own
    assert not any(project.temporary.iterdir())
    assert not has(engine, reference)

    project.image("a", f"{first}RUN true\n")
    assert project.build("a").returncode == 0
    log = (project.folder / "build" / "logs" / "a.log").read_text()
    assert re.search(r"(?s)^#(\d+) \[2/3\] RUN echo .*^#\1 CACHED$", log, re.MULTILINE)


def test_a_signal_while_packages_are_gathered_leaves_nothing(project: Project) -> None:
    project.file("containers/a.lock", f"absent==1.0 --hash=sha256:{'0' * 64}\n")
    project.image("a", "RUN true\n", locks=["a.lock"])
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        own = {"PIP_INDEX_URL": index, "PIP_EXTRA_INDEX_URL": "", "PIP_CONFIG_FILE": "/dev/null"}
        with project.begun("a", **own) as process:
            asked, _ = silent.accept()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=_GENEROUS_S)
            asked.close()
    assert process.returncode == 130
    assert list((project.folder / "containers" / "wheels").iterdir()) == []
    assert not running(str(project.folder / "containers" / "a.lock"))
