"""What a build takes of this machine's own is in no layer; and what it needs no network for."""

import json
import socket
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import certifi
import pytest

from sagedock.engine import Engine
from sagedock.errors import ImageNotFound
from tests.docker.built_project import Project, project_in
from tests.docker.private_index import private_index, wheel

INSTALL = """\
RUN --mount=type=bind,source=containers/wheels/a,target=/wheels \\
    --mount=type=secret,id=ca_bundle,target=/run/ca.pem \\
    --mount=type=secret,id=apt_sources \\
    python3 -m venv /opt/venv && {check} \\
    /opt/venv/bin/pip install --no-index --find-links /wheels --no-deps --require-hashes \\
    --no-cache-dir -r /wheels/packages.lock
RUN rm -rf /run/ca.pem /run/secrets
"""
_PIPS_OWN = ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_CERT")
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Iterator[Project]:
    """A project; its images are gone afterwards."""
    with project_in(tmp_path / "project") as made:
        yield made


def own_settings(**settings: str) -> dict[str, str]:
    """Return pip's settings, those of this machine left out."""
    nothing = dict.fromkeys((*_PIPS_OWN, *_BUNDLES), "")
    return {**nothing, "PIP_CONFIG_FILE": "/dev/null", "NO_PROXY": "127.0.0.1", **settings}


def found_in(image: str, words: Sequence[str]) -> set[str]:
    """Return which words are anywhere in an image: history, configuration, files of its layers."""
    found = set()
    for command in (
        ["docker", "history", "--no-trunc", image],
        ["docker", "inspect", image],
        ["docker", "save", image],
    ):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            left = b""
            while chunk := process.stdout.read(4 * 1024 * 1024):
                left = left[-256:] + chunk
                found |= {word for word in words if word.encode() in left}
        assert process.returncode == 0
    return found


@pytest.mark.parametrize("configured", ["variables", "file"])
def test_nothing_of_a_private_index_is_in_the_image(
    project: Project, engine: Engine, tmp_path: Path, configured: str
) -> None:
    marks = {name: f"{name}-{uuid.uuid4().hex}" for name in ("user", "password", "ca", "shelf")}
    said = f"said-{uuid.uuid4().hex}"
    served, shelf = tmp_path / "served", tmp_path / marks["shelf"]
    served.mkdir()
    shelf.mkdir()
    bundle = tmp_path / f"{marks['ca']}.pem"
    bundle.write_text(f"# {marks['ca']}\n{Path(certifi.where()).read_text()}")
    lines = wheel(served, "fromindex", said) + wheel(shelf, "fromshelf", "shelf")
    project.file("containers/a.lock", lines)
    check = f"grep -q {marks['ca'][:8]} /run/ca.pem &&"
    reference = project.image("a", INSTALL.format(check=check), locks=["a.lock"])
    with private_index(served, marks["user"], marks["password"]) as index:
        own = {
            "PIP_INDEX_URL": index.url,
            "PIP_CERT": str(bundle),
            "PIP_FIND_LINKS": str(shelf),
        }
        if configured == "file":
            own = {"PIP_CONFIG_FILE": pip_conf(tmp_path, own), "SSL_CERT_FILE": str(bundle)}
        own = own_settings(**own)
        done = project.build("a", environ=own)
    assert done.returncode == 0, done.stderr
    assert index.served == ["fromindex-1.0-py3-none-any.whl"]
    image = engine.image(reference)
    words = [*marks.values(), index.host, str(bundle), str(shelf), str(tmp_path)]
    assert found_in(image.id, [*words, said]) == {said}  # what is installed is found, so it looks
    assert not any(word in done.stdout + done.stderr for word in (marks["password"], marks["user"]))
    log = (project.folder / "build" / "logs" / "a.log").read_text()
    assert marks["password"] not in log


def pip_conf(folder: Path, settings: dict[str, str]) -> str:
    """Write pip's settings into a file, and return its path."""
    names = ((name.removeprefix("PIP_").lower().replace("_", "-"), name) for name in settings)
    file = folder / "pip.conf"
    file.write_text("[global]\n" + "".join(f"{key} = {settings[name]}\n" for key, name in names))
    return str(file)


def test_filled_wheels_need_neither_an_index_nor_a_network(
    project: Project, engine: Engine, tmp_path: Path
) -> None:
    project.file("containers/a.lock", wheel(tmp_path, "onshelf", "x"))
    reference = project.image("a", INSTALL.format(check=""), locks=["a.lock"])
    shelf = own_settings(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert project.build("a", environ=shelf).returncode == 0
    (tmp_path / "onshelf-1.0-py3-none-any.whl").unlink()
    before = engine.image(reference).id

    done = project.build("a", "--no-network", "--no-cache", environ=nowhere())

    assert done.returncode == 0, done.stderr
    assert "gathering" not in done.stderr
    assert engine.image(reference).id != before  # every step was done, without a network


def test_no_network_is_none(project: Project) -> None:
    program = "import socket; print([name for _, name in socket.if_nameindex()])"
    project.image("a", f'RUN test "$(python3 -c "{program}")" = "[\'lo\']"\n')
    assert project.build("a", "--no-network").returncode == 0
    assert project.build("a", "--no-cache").returncode == 6


def test_packages_that_cannot_be_had_are_told_in_pips_words(
    project: Project, engine: Engine
) -> None:
    project.file("containers/a.lock", f"absent==1.0 --hash=sha256:{'0' * 64}\n")
    reference = project.image("a", "RUN true\n", locks=["a.lock"])
    done = project.build("a", "--json", environ=nowhere(PIP_RETRIES="0"))
    assert done.returncode == 6
    told = json.loads(done.stdout)
    assert [(each["name"], each["step"]) for each in told["failed"]] == [("a", None)]
    assert "pip could not fetch its packages" in done.stderr
    assert "No matching distribution found for absent==1.0" in done.stderr
    assert list((project.folder / "containers" / "wheels").iterdir()) == []
    with pytest.raises(ImageNotFound):
        engine.image(reference)


def nowhere(**more: str) -> dict[str, str]:
    """Return settings by which pip asks a port that nobody listens at."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    return own_settings(PIP_INDEX_URL=f"http://127.0.0.1:{port}/simple", **more)
