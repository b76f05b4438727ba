"""The client that builds: buildx where there is one, else one older than 23, else a clear error."""

import pytest

from sagedock.errors import BuildFailed
from sagedock.images.builder import find_builder, probe

NEW, OLD = "Docker version 28.2.2, build e6534b4", "Docker version 20.10.24+dfsg1, build 297e128"


@pytest.fixture
def clients(tmp_path):
    """Make folders with a program called docker; return the PATH of them and a probe."""

    def make(**kinds):
        said = {}
        for folder, (version, buildx) in kinds.items():
            program = tmp_path / folder / "docker"
            program.parent.mkdir()
            program.touch(mode=0o755)
            said[str(program)] = (version, buildx)

        def answer(argv):
            version, buildx = said.get(argv[0], (None, False))
            words = tuple(argv[1:])
            return {
                ("--version",): version,
                ("buildx", "version"): "v0.20" if buildx else None,
                ("context", "show"): "colima" if buildx else None,
            }[words]

        return {"PATH": ":".join(str(tmp_path / folder) for folder in kinds)}, answer

    return make


def test_buildx_is_preferred_wherever_it_is_on_the_path(clients):
    builder = find_builder(*clients(a=(OLD, False), b=(NEW, True)))
    assert builder.argv[0].endswith("/b/docker")
    assert builder.argv[1:5] == ("buildx", "build", "--builder", "colima")
    assert {"--provenance=false", "--sbom=false", "type=docker"} <= set(builder.argv)
    assert not builder.environment


def test_an_old_client_builds_with_buildkit_by_itself(clients):
    builder = find_builder(*clients(a=(NEW, False), b=(OLD, False)))
    assert builder.argv[0].endswith("/b/docker")
    assert builder.argv[1:] == ("build",)
    assert builder.environment == {"DOCKER_BUILDKIT": "1"}
    assert builder.docker == builder.argv[0]


def test_a_new_client_without_buildx_cannot_build(clients):
    with pytest.raises(BuildFailed, match="install the plugin docker-buildx") as caught:
        find_builder(*clients(a=(NEW, False)))
    assert "/a/docker" in str(caught.value)


def test_a_client_that_says_nonsense_is_not_taken(clients):
    with pytest.raises(BuildFailed):
        find_builder(*clients(a=("podman", False)))


def test_probe_returns_output_or_none():
    assert probe(["echo", "hello"]) == "hello"
    assert probe(["false"]) is None
    assert probe(["/nowhere/docker", "--version"]) is None
