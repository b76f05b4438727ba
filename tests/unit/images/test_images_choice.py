"""Which images a build is for: by name, those for the CPU without one, and their bases first."""

from dataclasses import replace

import pytest

from sagedock.errors import InvalidRequest
from sagedock.images.choice import chosen_images, foreign_bases, release_of
from sagedock.images.image import Image

BASE = Image(
    name="training-cpu",
    kind="training",
    device="cpu",
    dockerfile="Dockerfile",
    target="final",
    repository="training",
    tag="cpu",
    base="sagedock/base:bookworm-py3.11",
)
CUDA = replace(BASE, name="training-cuda", device="cuda", tag="cuda", cuda="13.0")
MINE = replace(BASE, name="mine", repository="mine", tag="1", base="training:cpu")
TOP = replace(BASE, name="top", repository="top", tag="1", base="mine:1")
MATRIX = (TOP, MINE, CUDA, BASE)


def names(asked, *there):
    return [each.name for each in chosen_images(asked, MATRIX, lambda name: name in there)]


def test_without_a_name_those_for_the_cpu_are_built_each_after_its_base():
    assert names([], "training:cpu", "mine:1") == ["training-cpu", "mine", "top"]


def test_a_base_that_is_absent_is_built_first_and_one_that_is_there_is_not():
    assert names(["top"], "training:cpu") == ["mine", "top"]
    assert names(["top"]) == ["training-cpu", "mine", "top"]
    assert names(["top"], "training:cpu", "mine:1") == ["top"]


def test_one_that_is_made_on_request_is_made_where_it_is_named_or_started_from():
    matrix = (TOP, replace(MINE, on_request=True), BASE)

    def chosen(asked, *there):
        return [each.name for each in chosen_images(asked, matrix, lambda name: name in there)]

    assert chosen([], "training:cpu", "mine:1") == ["training-cpu", "top"]
    assert chosen([]) == ["training-cpu", "mine", "top"]
    assert chosen(["mine"], "training:cpu") == ["mine"]


def test_one_that_is_named_is_built_once_and_before_what_starts_from_it():
    assert names(["mine", "training-cpu", "mine"], "training:cpu") == ["training-cpu", "mine"]


def test_every_unknown_name_is_told_with_the_nearest():
    with pytest.raises(InvalidRequest) as caught:
        names(["trainig-cpu", "mine", "zzz"])
    first, second = caught.value.problems
    assert first.startswith("trainig-cpu: no image of containers/images.toml is called so")
    assert "the nearest are training-cpu, training-cuda" in first
    assert second.endswith("there are top, mine, training-cuda, training-cpu")


def test_the_debian_release_is_that_of_the_lowest_base():
    assert release_of(TOP, MATRIX) == "bookworm"
    assert release_of(replace(TOP, base="python:3.11"), MATRIX) is None


def test_a_base_for_another_architecture_is_refused():
    there = {"training:cpu": "arm64", "sagedock/base:bookworm-py3.11": "amd64"}
    (problem,) = foreign_bases([MINE, CUDA], there.get)
    assert problem.startswith("mine: its base training:cpu is for arm64, and images are built for")
    assert foreign_bases([BASE, MINE], there.get) == []  # that base is built now
    assert foreign_bases([replace(MINE, base="absent:1")], there.get) == []
