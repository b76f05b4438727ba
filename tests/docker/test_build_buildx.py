"""`sagedock build` by the plugin buildx: the same image as that of a client without it."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock.engine import Engine
from sagedock.images.builder import find_builder
from tests.docker.buildx import home_with_buildx
from tests.docker.built_project import Project, project_in


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(home_with_buildx(tmp_path_factory.mktemp("buildx")))


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Iterator[Project]:
    with project_in(tmp_path / "project") as made:
        yield made


def test_the_same_image_whoever_builds(
    project: Project, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.image("a", "COPY containers/a/words /words\nRUN tr a-z A-Z < /words > /loud\n")
    project.file("containers/a/words", "one\n")
    monkeypatch.setenv("HOME", home)
    assert "buildx" in find_builder(os.environ).argv
    by_plugin = project.build("a", "--json")
    assert by_plugin.returncode == 0, by_plugin.stderr
    assert re.search(r"a: \[2/3\] (?:cached: )?COPY containers/a/words /words", by_plugin.stderr)

    empty = project.folder / "nobody"
    empty.mkdir()
    without = project.build("a", "--json", environ={"HOME": str(empty)})
    assert without.returncode == 0, without.stderr
    one, other = (json.loads(done.stdout)["built"][0] for done in (by_plugin, without))
    assert one["id"] == other["id"]


def test_a_step_that_fails_is_told_with_the_end_of_its_log(project: Project, home: str) -> None:
    project.image("a", "RUN echo as far as here && cat /nowhere\n")
    done = project.build("a", environ={"HOME": home})
    assert done.returncode == 6
    assert "step [2/2] failed: RUN echo as far as here && cat /nowhere" in done.stderr
    assert "as far as here" in done.stderr
    assert "cat: /nowhere: No such file or directory" in done.stderr
