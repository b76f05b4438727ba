"""An image starts from its table's base, or the table is refused: its label names that base."""

from pathlib import Path

import pytest

from sagedock.errors import InvalidRequest
from sagedock.images import find_matrix, load_images
from sagedock.images.starts import another_base
from tests.unit.images.test_images_matrix import GOOD

ROOT = Path(__file__).resolve().parents[3]


def start_of(dockerfile: str, base: str = "debian:12", target: str = "final", **args: str) -> str:
    """Return what ``target`` starts from, where that is not ``base``; else ''."""
    found = another_base(base, target, args, dockerfile)
    return found[2] if found else ""


@pytest.mark.parametrize(
    "dockerfile",
    [
        "ARG BASE\nFROM ${BASE} AS final\n",
        "ARG BASE=other:1\nFROM $BASE AS final\n",
        'ARG BASE="other:1" MORE=1\nfrom --platform=linux/amd64 "${BASE}" as Final\n',
        "ARG \\\n  # why\n  BASE=other:1\nFROM ${BASE:-other:1} \\\n  AS final\n",
        "ARG BASE\nFROM ${BASE} AS one\nFROM other:1 AS two\nFROM one AS final\n",
        "ARG BASE\nARG D=cpu\nFROM ${BASE} AS of-cpu\nFROM x AS of-gpu\nFROM of-${D} AS final\n",
        "ARG BASE\nARG SAME=${BASE}\nFROM ${SAME} AS final\n",
        "FROM debian:12 AS final\n",
        "FROM docker.io/library/debian:12 AS final\n",
        f"FROM debian:12@sha256:{'0' * 64} AS final\n",
        "FROM debian:12 AS final\nRUN <<EOF\nFROM other:1 AS final\nEOF\n",
        "FROM debian:12 AS final\nRUN echo \\\nFROM other:1 AS final\n",
        "# FROM other:1 AS final\nFROM debian:12 AS final\n",
        "FROM ${BUILDARCH}/debian AS final\n",  # only the builder knows
        "ARG A=x-y\nFROM ${A#x-} AS final\n",  # a form that is not read here
    ],
)
def test_an_image_that_starts_from_its_base_passes(dockerfile: str) -> None:
    assert start_of(dockerfile) == ""


@pytest.mark.parametrize(
    ("dockerfile", "start"),
    [
        ("FROM other:1 AS final\n", "other:1"),
        ("FROM scratch AS final\n", "scratch"),
        ("FROM debian AS final\n", "debian"),
        ("FROM debian:12-slim AS final\n", "debian:12-slim"),
        ("ARG BASE\nFROM ${BASE} AS one\nFROM other:1 AS final\n", "other:1"),
        ("ARG IMAGE=other:1\nFROM ${IMAGE} AS final\n", "other:1"),
        ("ARG BASE\nFROM ${BASE:+other:1} AS final\n", "other:1"),
        ("FROM other:${TARGETARCH} AS final\n", "other:amd64"),
        ("ARG BASE\nFROM other:1 AS one\nFROM one AS final\n", "other:1"),
        ("FROM final AS final\n", "final"),
    ],
)
def test_another_image_is_told(dockerfile: str, start: str) -> None:
    assert start_of(dockerfile) == start


def test_an_argument_of_the_table_counts() -> None:
    text = (
        "ARG BASE\nARG D=cpu\nFROM ${BASE} AS of-cpu\nFROM x:1 AS of-gpu\nFROM of-${D} AS final\n"
    )
    assert start_of(text, D="gpu") == "x:1"
    assert start_of("ARG BASE\nFROM ${BASE} AS final\n", BASE="x:1") == "x:1"


def test_a_stage_may_be_named_by_its_number() -> None:
    assert start_of("ARG BASE\nFROM x:1\nFROM ${BASE}\n", target="0") == "x:1"
    assert start_of("ARG BASE\nFROM x:1\nFROM ${BASE}\n", target="1") == ""


def test_a_table_whose_dockerfile_ignores_its_base_is_refused(tmp_path: Path) -> None:
    file, matrix = tmp_path / "Dockerfile", tmp_path / "images.toml"
    matrix.write_text(GOOD)
    file.write_text("# mine\nFROM other:1 AS final\n")
    with pytest.raises(InvalidRequest) as caught:
        load_images(matrix)
    (problem,) = caught.value.problems
    assert problem == (
        f"{matrix}: image 'mine': base 'debian:12' is not what the image starts from: {file}, "
        "line 2, has `FROM other:1`, which is other:1: write `ARG BASE` before the first FROM, and "
        "`FROM ${BASE}` there, or base = 'other:1'"
    )
    file.write_text("FROM x AS one\nARG BASE\nFROM ${BASE} AS final\n")  # declared too late
    with pytest.raises(InvalidRequest, match=r"line 3, has `FROM .*`, which is no image: write"):
        load_images(matrix)
    file.write_text("ARG BASE\nFROM ${BASE} AS final\n")
    assert load_images(matrix)
    matrix.write_text(GOOD + 'args = { BASE = "x:1" }\n')
    with pytest.raises(
        InvalidRequest, match="which is x:1: leave BASE out of args, or base = 'x:1'"
    ):
        load_images(matrix)


@pytest.mark.parametrize("project", [ROOT, ROOT / "examples" / "custom-op"])
def test_our_own_start_from_their_base(project: Path) -> None:
    assert load_images(find_matrix(project))
