"""What is told of a build's steps: which ran, how long, which the cache had, and of which stage."""

import pytest

from sagedock.images.steps import StepLines

ORDER = ("builder", "packages", "training")
#: Docker 20.10's own BuildKit, everything in its cache; buildx leaves the lines with sums out.
CACHED = """\
#1 [internal] load build definition from Dockerfile
#1 sha256:01
#1 DONE 0.0s

#4 [builder 1/2] FROM docker.io/library/debian:12
#4 sha256:04
#4 DONE 0.0s

#6 [training 1/2] COPY --from=packages /opt/venv /opt/venv
#6 sha256:06
#6 CACHED

#9 [builder 2/2] RUN --mount=type=secret,id=x apt-get install gcc
#9 sha256:09
#9 CACHED

#11 [packages 1/1] RUN install
#11 sha256:11
#11 CACHED

#12 [training 2/2] COPY a b
#12 sha256:12
#12 CACHED

#19 exporting to image
#19 DONE 0.0s
"""


def told_of(text, order=ORDER):
    """Return what is told of an output that comes at once."""
    lines = StepLines(order)
    said = [each for line in text.splitlines() for each in lines.read(line)]
    return said + lines.settle()


@pytest.mark.parametrize("sums", [True, False], ids=["classic", "buildx"])
def test_what_the_cache_had_is_told_in_the_order_of_the_dockerfile(sums):
    text = CACHED if sums else "\n".join(e for e in CACHED.splitlines() if "sha256" not in e)
    assert told_of(text) == [
        "[builder 1/2] FROM docker.io/library/debian:12 (0.0 s)",
        "[builder 2/2] cached: RUN apt-get install gcc",
        "[packages 1/1] cached: RUN install",
        "[training 1/2] cached: COPY /opt/venv /opt/venv",
        "[training 2/2] cached: COPY a b",
    ]


def test_steps_that_run_at_once_are_told_by_their_stage_as_they_begin_and_end():
    lines = StepLines(ORDER)
    said = []
    for line in (
        "#7 [training 1/2] RUN sleep 9",
        "#8 [builder 2/2] RUN make",
        "#8 0.311 cc a.c",
        "#9 [packages 1/1] RUN install",
        "#7 9.000 awake",
        "#7 [training 1/2] RUN sleep 9",
        "#7 DONE 9.1s",
        "#9 9.100 a",
        "#8 DONE 9.2s",
        "#9 CANCELED",
    ):
        said.append(lines.read(line))
    assert said == [
        [],
        [],
        ["[builder 2/2] RUN make", "[training 1/2] RUN sleep 9"],
        [],
        ["[packages 1/1] RUN install"],
        [],
        ["[training 1/2] done in 9.1 s"],
        [],
        ["[builder 2/2] done in 9.2 s"],
        ["[packages 1/1] canceled"],
    ]
    assert lines.settle() == []


def test_a_step_that_says_nothing_is_told_once_it_is_quiet():
    lines = StepLines()
    assert lines.read("#7 [2/3] RUN sleep 300") == []
    assert lines.settle() == ["[2/3] RUN sleep 300"]
    assert lines.settle() == []
    assert lines.read("#7 DONE 300.2s") == ["[2/3] done in 300.2 s"]


def test_a_step_that_turns_out_to_be_cached_late_or_fails():
    assert told_of("#7 [a 2/3] RUN x\n#7 ERROR: exit code: 3\n") == ["[a 2/3] RUN x (failed)"]
    lines = StepLines()
    for number in (7, 8):
        lines.read(f"#{number} [a {number}/9] RUN x")
    lines.settle()
    assert lines.read("#7 CACHED") == ["[a 7/9] cached"]
    assert lines.read("#8 ERROR: executor failed: exit code: 3") == ["[a 8/9] failed"]
    assert lines.read("#8 0.312 what the classic client says again") == []


def test_what_was_cached_is_told_so_also_where_it_is_done_after_that():
    text = "#4 [1/1] FROM debian:12\n#4 sha256:04\n#4 CACHED\n#4 DONE 0.0s\n"
    assert told_of(text) == ["[1/1] cached: FROM debian:12"]


def test_nothing_is_cut():
    words = "RUN " + "echo a && " * 400
    assert told_of(f"#7 [linux/arm64 builder 2/2] {words}\n#7 CACHED\n") == [
        f"[linux/arm64 builder 2/2] cached: {words}"
    ]


def test_what_is_no_step_of_the_dockerfile_is_not_told():
    assert (
        told_of("#2 [auth] library/debian:pull token\n#2 DONE 0.1s\n#3 [internal] load x\n") == []
    )


def test_stages_without_a_name_and_of_no_dockerfile():
    text = "#7 [stage-1 1/1] RUN a\n#7 CACHED\n#8 [other 1/1] RUN b\n#8 CACHED\n"
    text += "#9 [First 1/1] RUN c\n#9 CACHED\n"
    assert told_of(text, ("first", "stage-1")) == [
        "[First 1/1] cached: RUN c",
        "[stage-1 1/1] cached: RUN a",
        "[other 1/1] cached: RUN b",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("RUN --mount=type=secret,id=x --network=none pip install a", "RUN pip install a"),
        ("RUN ./configure --prefix=/usr --disable=x && make", None),
        (
            "RUN --mount=type=cache,target=/c ./configure --prefix=/usr",
            "RUN ./configure --prefix=/usr",
        ),
        ("RUN --mount=type=secret,id=x     /locks/install.sh  a", "RUN /locks/install.sh  a"),
        ("RUN echo RUN --mount=x y", None),
        ("COPY --from=builder --link --chown=1:1 /a /b", "COPY /a /b"),
        (
            "ADD --keep-git-dir=true https://example.com/a.git /a",
            "ADD https://example.com/a.git /a",
        ),
        ("FROM --platform=linux/amd64 debian:12", "FROM debian:12"),
        ("WORKDIR /--a=b c", None),
    ],
)
def test_the_programs_own_options_are_told(words, told):
    assert told_of(f"#9 [one 1/1] {words}\n") == [f"[one 1/1] {told or words}"]
