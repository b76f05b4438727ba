"""Instructions are read as the builder reads them: over several lines, and no text beside them."""

from sagedock.images.arguments import absent_stage, declared_arguments, stages
from sagedock.images.dockerfile import arguments, froms, instructions

DOCKERFILE = """\
# syntax=docker/dockerfile:1
ARG BASE=debian:12 \\
    # of Debian
    OTHER
from --platform=linux/amd64 $BASE as One
RUN <<END && cat <<-'MORE'
FROM nowhere AS lost
END
ARG NEITHER
MORE
\tCOPY\ta b
"""


def test_each_instruction_is_told_with_the_line_where_it_begins():
    assert [(each.line, each.word, each.rest) for each in instructions(DOCKERFILE)] == [
        (2, "ARG", "BASE=debian:12 OTHER"),
        (5, "from", "--platform=linux/amd64 $BASE as One"),
        (6, "RUN", "<<END && cat <<-'MORE'"),
        (11, "COPY", "a b"),
    ]


def test_an_argument_has_its_default_as_it_is_written():
    assert [*arguments("A B=1 C=\"x y\"z D='' 1E")] == [
        ("A", None),
        ("B", "1"),
        ("C", '"x y"z'),
        ("D", "''"),
    ]


def test_a_from_is_told_apart_from_its_stage():
    (found,) = froms(DOCKERFILE)
    assert (found.line, found.said) == (5, "from --platform=linux/amd64 $BASE")
    assert (found.image, found.name) == ("$BASE", "One")


def test_a_here_document_declares_nothing():
    assert declared_arguments(DOCKERFILE) == {"BASE", "OTHER"}
    assert stages(DOCKERFILE) == ("One",)


def test_a_stage_has_no_higher_number_than_there_are_stages():
    assert [*absent_stage("0", DOCKERFILE)] == []
    assert [*absent_stage("1", DOCKERFILE)] == [
        "target '1' is no stage of the Dockerfile: it has One"
    ]


def test_a_from_without_an_image_begins_no_stage():
    assert [*froms("FROM\nFROM a\n")] == [*froms("\nFROM a\n")]


def test_the_last_instruction_may_end_in_a_backslash():
    assert [each.rest for each in instructions("FROM a\nRUN b \\\n\n")] == ["a", "b"]
