"""A build is a list of arguments: it names the image's parts, and no secret's content."""

from pathlib import Path

from sagedock.images.builder import Builder, find_builder
from sagedock.images.image import Image
from sagedock.images.plan import build_command, own_base

IMAGE = Image(
    name="mine",
    kind="serving",
    device="cpu",
    dockerfile="serving/Dockerfile",
    target="final",
    repository="mine",
    tag="v1",
    base="sagedock/base:bookworm-py3.11",
    args={"DEVICE": "cpu"},
    labels={"team": "vision"},
)


CLASSIC = Builder(argv=("docker", "build"), environment={}, docker="docker")


def command(environ=None, secrets=None, builder=CLASSIC, **options):
    return build_command(
        IMAGE,
        builder=builder,
        labels={"team": "vision"},
        **options,
        root=Path("/project"),
        id_file=Path("/private/id"),
        secrets=secrets or {},
        environ=environ or {},
    )


def values(argv, option):
    return [argv[place + 1] for place, word in enumerate(argv) if word == option]


def test_the_command_names_every_part():
    argv = command(secrets={"ca_bundle": Path("/etc/ca.pem")})
    assert argv[:2] == ("docker", "build")
    assert argv[-1] == "/project"
    assert values(argv, "--platform") == ["linux/amd64"]
    assert values(argv, "--file") == ["/project/containers/serving/Dockerfile"]
    assert values(argv, "--target") == ["final"]
    assert values(argv, "--tag") == ["mine:v1"]
    assert values(argv, "--build-arg") == ["BASE=sagedock/base:bookworm-py3.11", "DEVICE=cpu"]
    assert values(argv, "--secret") == ["id=ca_bundle,src=/etc/ca.pem"]
    assert values(argv, "--label") == ["team=vision"]


def test_what_is_not_asked_for_is_not_in_it():
    assert not {"--no-cache", "--network"} & set(command())
    argv = command(no_cache=True, no_network=True)
    assert "--no-cache" in argv
    assert values(argv, "--network") == ["none"]


def test_buildx_writes_what_sagemaker_takes_for_the_platform_that_it_has(tmp_path):
    (tmp_path / "docker").touch(mode=0o755)
    said = {"buildx": "v0.20", "context": "default"}
    builder = find_builder({"PATH": str(tmp_path)}, lambda argv: said.get(argv[1]))
    argv = command(builder=builder)
    assert argv[:3] == (str(tmp_path / "docker"), "buildx", "build")
    assert {"--provenance=false", "--sbom=false"} <= set(argv)
    assert values(argv, "--output") == ["type=docker"]
    assert values(argv, "--platform") == ["linux/amd64"]
    assert argv[-1] == "/project"


def test_a_proxy_is_named_and_its_password_is_not():
    argv = command(environ={"HTTPS_PROXY": "http://me:secret@proxy", "OTHER": "x"})
    assert "HTTPS_PROXY" in values(argv, "--build-arg")
    assert not any("secret" in word for word in argv)


def test_only_our_own_base_is_made_here():
    assert own_base(IMAGE) == "bookworm"
    public = Image(**{**vars(IMAGE), "base": "python:3.11-slim"})
    assert own_base(public) is None
