"""An argument that a Dockerfile does not declare is told, not lost."""

import pytest

from sagedock.errors import InvalidRequest
from sagedock.images import load_images
from sagedock.images.arguments import (
    absent_stage,
    declared_arguments,
    declared_labels,
    stages,
    unused_arguments,
)

DOCKERFILE = """\
ARG BASE=debian:12
ARG OPS="a b=c" MORE=1 \\
    LAST
FROM ${BASE} AS final
  arg lower
# ARG COMMENTED
RUN echo ARG NEVER
"""


def test_every_form_of_a_declaration_is_read():
    assert declared_arguments(DOCKERFILE) == {"BASE", "OPS", "MORE", "LAST", "lower"}


def test_every_form_of_a_label_is_read():
    text = (
        'FROM a\nLABEL one=1 "two"="x no=1" \\\n  # a comment\n  a.b-c=\'y never=2\'\n'
        "label old value=3\nLABEL older its value\n# LABEL not=1\nRUN echo LABEL not=2\n"
    )
    assert declared_labels(text) == {"one", "two", "a.b-c", "value", "older"}
    assert declared_labels("FROM a\n") == frozenset()


def test_what_is_not_declared_is_told_with_the_nearest():
    problems = [*unused_arguments(["OPS", "OP", "ZZZ", "HTTPS_PROXY"], DOCKERFILE)]
    assert len(problems) == 2
    assert "no `ARG OP`" in problems[0]
    assert "did you mean OPS?" in problems[0]
    assert "it declares BASE, LAST, MORE, OPS, lower" in problems[1]
    assert [*unused_arguments(["A"], "FROM scratch AS final\n")] == [
        "args: the Dockerfile has no `ARG A`, so it would change nothing: it declares none"
    ]


def test_stages_are_told_in_their_order_by_buildkits_names():
    text = "ARG A\nFROM --platform=linux/amd64 a AS one\nfrom b\nRUN FROM x\nFROM one as Two\n"
    assert stages(text) == ("one", "stage-1", "Two")


def test_a_stage_is_found_by_name_or_number():
    text = "FROM --platform=linux/amd64 a AS one\nfrom b as Two\nFROM c\n"
    for target in ("one", "two", "2"):
        assert [*absent_stage(target, text)] == []
    assert [*absent_stage("three", text)] == [
        "target 'three' is no stage of the Dockerfile: it has one, Two"
    ]
    assert "write `FROM ... AS` and a name" in next(absent_stage("one", "FROM a\n"))


def test_a_matrix_with_such_an_argument_is_refused(tmp_path):
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    matrix = tmp_path / "images.toml"
    matrix.write_text(
        """
[[image]]
name = "mine"
kind = "training"
device = "cpu"
dockerfile = "Dockerfile"
target = "final"
repository = "mine"
tag = "v1"
base = "debian:12"
args = { OP = "x" }
"""
    )
    with pytest.raises(InvalidRequest, match=r"image 'mine': args: .*did you mean OPS"):
        load_images(matrix)
