"""What both kinds of BuildKit's output tell of a build that fails: the step, and its last words."""

import pytest

from sagedock.images.failure import BuildLog, remedy_for

#: Docker 20.10's own BuildKit.
CLASSIC = """\
#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 90B done
#5 [one 1/3] FROM docker.io/library/debian:12
#5 CACHED
#6 [one 2/3] RUN --mount=type=secret,id=x echo fine
#6 0.251 fine
#6 DONE 0.3s
#7 [one 3/3] RUN echo cause >&2; exit 3
#7 0.312 cause
#7 ERROR: executor failed running [/bin/sh -c echo cause >&2; exit 3]: exit code: 3
------
 > [one 3/3] RUN echo cause >&2; exit 3:
#7 0.312 cause
------
executor failed running [/bin/sh -c echo cause >&2; exit 3]: exit code: 3
"""
#: buildx; the form is that of moby/buildkit's pull request 2215.
BUILDX = """\
#0 building with "default" instance using docker driver

#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s

#6 [one 2/3] RUN echo fine
#6 0.251 fine
#6 DONE 0.3s

#7 [one 3/3] RUN echo cause >&2; exit 3
#7 0.312 cause
#7 ERROR: process "/bin/sh -c echo cause >&2; exit 3" did not complete successfully: exit code: 3
------
 > [one 3/3] RUN echo cause >&2; exit 3:
0.312 cause
------
Dockerfile:3
--------------------
   1 |     FROM debian:12 AS one
   3 | >>> RUN echo cause >&2; exit 3
--------------------
ERROR: failed to solve: process "/bin/sh -c echo cause >&2; exit 3" did not complete: exit code: 3
"""


def read(text):
    log = BuildLog()
    for line in text.splitlines():
        log.read(line)
    return log


@pytest.mark.parametrize("text", [CLASSIC, BUILDX], ids=["classic", "buildx"])
def test_the_failing_step_its_instruction_and_its_last_lines_are_told(text):
    log = read(text)
    lines = log.failure().splitlines()
    assert lines[0] == "step [one 3/3] failed: RUN echo cause >&2; exit 3"
    assert lines[1].endswith("exit code: 3")
    assert lines[2:] == ["its last lines:", "cause"]
    assert log.failed_step() == "[one 3/3] RUN echo cause >&2; exit 3"


def test_where_no_step_failed_the_end_of_the_log_is_told():
    log = read("#1 [internal] load metadata\nfailed to solve: dockerfile parse error line 3\n")
    assert log.failed_step() is None
    assert log.failure().splitlines()[0] == "its last lines:"
    assert log.failure().endswith("dockerfile parse error line 3")


def absent_base(error, stage="internal"):
    return read(
        f"#2 [{stage}] load .dockerignore\n#2 DONE 0.0s\n"
        f"#3 [{stage}] load metadata for example.com/a:1\n#3 ERROR: {error}\n------\n"
        f" > [{stage}] load metadata for example.com/a:1:\n------\nfailed to solve: {error}\n"
    )


@pytest.mark.parametrize("stage", ["internal", "linux/amd64 internal"])
def test_a_base_that_cannot_be_had_is_no_step_of_the_dockerfile(stage):
    log = absent_base("not found", stage)
    assert log.failed_step() is None
    told = log.failure().splitlines()
    assert told[:2] == ["the engine could not load metadata for example.com/a:1", "not found"]
    assert log.remedy().startswith("the engine has no such image, and no registry gave it")
    assert "network" not in log.remedy()


@pytest.mark.parametrize(
    "error",
    [
        "failed to do request: Head https://example.com/v2/: dial tcp 127.0.0.1:443: connect: "
        "connection refused",
        "dial tcp: lookup example.com on 127.0.0.1:53: no such host",
        "net/http: TLS handshake timeout",
        "dial tcp 192.0.2.1:443: i/o timeout",
    ],
)
def test_a_base_whose_registry_is_not_reached(error):
    said = absent_base(error).remedy()
    assert said.startswith("the engine has no such image, and no registry gave it")
    assert said.endswith("see to the engine's network, name server and proxy")


def test_what_a_step_that_succeeded_said_is_no_cause():
    log = read(CLASSIC.replace("fine", "could not resolve host"))
    assert log.remedy() == ""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("write /var/lib/x: no space left on device", "docker builder prune"),
        ("exec /bin/sh: exec format error", "linux/amd64"),
        ("W: Temporary failure resolving 'deb.example.com'", "name a mirror"),
        ("pull access denied for x", "--login-registry"),
        ("x:1: failed to resolve source metadata for x:1", "build it first, correct its name"),
        ("load metadata for x: no basic auth credentials", "docker login"),
        ("load metadata for x: dial tcp: lookup x: no such host", "build it first"),
        ('failed to compute cache key: "/a" not found', ".dockerignore"),
    ],
)
def test_remedies(said, words):
    log = read(CLASSIC.replace("0.312 cause", f"0.312 {said}"))
    assert words in log.remedy()
    assert remedy_for(said) == log.remedy()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", "mount the secret `ca_bundle` in it (docs/how-to/private-index-and-certificates.md"),
        ("--mount=type=secret,id=pip_conf,target=/etc/pip.conf ", "mount the secret `ca_bundle`"),
        (
            "--mount=type=secret,id=pip_conf --mount=type=secret,id=ca_bundle,target=/x ",
            "a certificate is not trusted: name your bundle in SSL_CERT_FILE",
        ),
    ],
)
@pytest.mark.parametrize("text", [CLASSIC, BUILDX], ids=["classic", "buildx"])
def test_a_step_that_trusts_no_certificate_of_ours(text, options, words):
    said = "SSLError: CERTIFICATE_VERIFY_FAILED certificate verify failed"
    begins = f"[one 3/3] RUN {options}echo cause"
    log = read(text.replace("[one 3/3] RUN echo cause", begins).replace("312 cause", f"312 {said}"))
    assert words in log.remedy()
    assert remedy_for(said) == "a certificate is not trusted: name your bundle in SSL_CERT_FILE"


def test_a_long_log_is_kept_to_its_end():
    lines = "".join(f"#7 {number}.000 line {number}\n" for number in range(500))
    log = read(CLASSIC.replace("#7 0.312 cause\n", lines, 1))
    told = log.failure().splitlines()
    assert (told[-1], told[3]) == ("line 499", "line 475")


def test_the_first_errors_are_told_though_a_long_traceback_follows():
    lines = ["#5 [wheel 6/6] RUN pip wheel .", "#5 1.0 rms.cpp:37:9: error: no member named sizee"]
    lines += [f"#5 2.0   File setup.py, line {n}" for n in range(40)]
    lines += ["#5 ERROR: executor failed running [pip wheel .]: exit code: 1"]
    log = read("\n".join(lines) + "\n")
    told = log.failure().splitlines()
    assert told[2:4] == ["its first errors:", "rms.cpp:37:9: error: no member named sizee"]
    assert told[4] == "its last lines:"
    assert told[-1] == "  File setup.py, line 39"
