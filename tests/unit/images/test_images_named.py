"""An image is found by its name in images.toml and by the engine's; another one is told of."""

from pathlib import Path

import pytest

from sagedock.errors import ImageNotFound, InvalidRequest
from sagedock.images.named import default_names, find_named
from sagedock.testing import FakeEngine

TABLE = """
[[image]]
name = "{name}"
kind = "training"
device = "{device}"
dockerfile = "Dockerfile"
target = "final"
repository = "team/{name}"
tag = "v1"
base = "debian:12"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "containers"
    folder.mkdir()
    (folder / "Dockerfile").write_text("ARG BASE\nFROM ${BASE} AS final\n")
    (folder / "images.toml").write_text(
        TABLE.format(name="mine", device="cpu")
        + TABLE.format(name="asked", device="cpu")
        + "on_request = true\n"
        + TABLE.format(name="large", device="cuda")
        + 'cuda = "13.0"\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_both_names_mean_the_image():
    engine = FakeEngine(None, ["team/mine:v1"])
    assert find_named(engine, "mine") == find_named(engine, "team/mine:v1") == "team/mine:v1"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mine", "build it with `sagedock build mine`"),
        ("team/large:v1", "build it with `sagedock build large`"),
        ("mien", "did you mean mine?"),
        ("zzz", "docker image ls"),
    ],
)
def test_an_absent_one_is_told_with_what_to_do(name: str, words: str):
    with pytest.raises(ImageNotFound, match=f"^{name}: the engine has no such image") as caught:
        find_named(FakeEngine(None), name)
    assert words in str(caught.value)


@pytest.mark.usefixtures("project")
def test_without_a_name_those_are_meant_that_a_build_makes():
    assert default_names() == ["mine"]


def test_outside_of_a_project_a_name_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidRequest, match=r"containers/images\.toml"):
        default_names()
