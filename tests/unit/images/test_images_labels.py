"""Labels: what an image is, the commit it is from, the versions inside, and no credentials."""

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sagedock.images import find_matrix, load_images
from sagedock.images.arguments import declared_labels
from sagedock.images.image import Image
from sagedock.images.labels import image_labels, revision, source_url

IMAGE = Image(
    name="mine",
    kind="training",
    device="cuda",
    dockerfile="Dockerfile",
    target="final",
    repository="mine",
    tag="v1",
    base="debian:12",
    cuda="13.0",
    locks=("a.lock",),
    labels={"team": "vision"},
)
FILE = "containers/Dockerfile"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def git(tmp_path):
    """A work tree with one commit; the fixture runs git's words in it."""

    def run(*words):
        own = ("-c", "user.name=n", "-c", "user.email=e@example.com")
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *own, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    run("init", "--quiet")
    (tmp_path / ".dockerignore").write_text("# what a build sees\n*\n!containers\n")
    (tmp_path / "containers" / "wheels" / "mine").mkdir(parents=True)
    (tmp_path / "containers" / "Dockerfile").write_text("FROM scratch AS final\n")
    (tmp_path / ".gitignore").write_text("wheels\n")
    run("add", ".")
    run("commit", "--quiet", "-m", "first")
    return run


def test_what_is_known_is_told(git, tmp_path):
    git("remote", "add", "origin", "https://me:secret@example.com/team/images.git")
    lock = tmp_path / "containers" / "wheels" / "mine" / "packages.lock"
    lock.write_text("torchvision==1.0 \\\ntorch==2.13.0+cpu \\\n    --hash=sha256:0\n")
    labels = image_labels(IMAGE, tmp_path)
    assert labels["org.opencontainers.image.source"] == "https://example.com/team/images.git"
    assert labels["org.opencontainers.image.revision"] == git("rev-parse", "HEAD")
    assert labels["sagedock.torch"] == "2.13.0+cpu"
    assert (labels["sagedock.python"], labels["sagedock.cuda"]) == ("3.11", "13.0")
    assert (labels["sagedock.image"], labels["team"]) == ("mine", "vision")
    assert "sagedock.neuron" not in labels
    assert not any("secret" in value for value in labels.values())
    assert image_labels(IMAGE, tmp_path) == labels  # nothing of the time


def test_what_is_not_known_is_left_out(tmp_path):
    labels = image_labels(replace(IMAGE, base="sagedock/base:bookworm-py3.11"), tmp_path)
    assert not {"org.opencontainers.image.source", "org.opencontainers.image.revision"} & set(
        labels
    )
    assert "sagedock.torch" not in labels


def test_what_is_not_known_is_not_that_of_the_image_it_starts_from(tmp_path):
    labels = image_labels(replace(IMAGE, base="sagedock-training:cpu"), tmp_path)
    assert labels["org.opencontainers.image.source"] == ""
    assert labels["org.opencontainers.image.revision"] == ""


@pytest.mark.parametrize("base", ["sagedock/base:bookworm-py3.11", "company/images:1"])
def test_the_title_is_the_images_own_and_nothing_is_that_of_its_base(base, tmp_path):
    labels = image_labels(replace(IMAGE, base=base), tmp_path)
    assert labels["org.opencontainers.image.title"] == "mine"
    empty = None if base.startswith("sagedock/base") else ""
    assert labels.get("org.opencontainers.image.description") == empty
    assert labels.get("org.opencontainers.image.licenses") == empty


def test_what_the_dockerfile_says_of_its_image_stays(git, tmp_path):
    (tmp_path / FILE).write_text(
        'FROM scratch AS final\nLABEL org.opencontainers.image.title="Mine" \\\n'
        "      org.opencontainers.image.licenses=MIT\n"
    )
    labels = image_labels(IMAGE, tmp_path)
    assert "org.opencontainers.image.title" not in labels
    assert "org.opencontainers.image.licenses" not in labels
    assert labels["org.opencontainers.image.description"] == ""


@pytest.mark.parametrize("image", load_images(find_matrix(ROOT)), ids=lambda image: image.name)
def test_every_image_of_the_matrix_has_a_title_of_its_own_and_no_licence_of_its_base(image):
    given = image_labels(image, ROOT)
    its = declared_labels((ROOT / "containers" / image.dockerfile).read_text())
    for name in ("title", "description"):
        key = f"org.opencontainers.image.{name}"
        assert key in its or given.get(key)
    from_ours = image.base.startswith("sagedock/base:")
    assert "org.opencontainers.image.licenses" not in its
    assert given.get("org.opencontainers.image.licenses") == (None if from_ours else "")


def test_a_build_without_git_may_be_told_its_revision(tmp_path):
    labels = image_labels(IMAGE, tmp_path, {"SAGEDOCK_REVISION": "abc-dirty"})
    assert labels["org.opencontainers.image.revision"] == "abc-dirty"


def test_git_knows_better(git, tmp_path):
    labels = image_labels(IMAGE, tmp_path, {"SAGEDOCK_REVISION": "abc"})
    assert labels["org.opencontainers.image.revision"] == git("rev-parse", "HEAD")


def test_images_toml_has_the_last_word(tmp_path):
    own = {"org.opencontainers.image.source": "https://example.com/mine"}
    changed = Image(**{**vars(IMAGE), "labels": own})
    assert image_labels(changed, tmp_path)["org.opencontainers.image.source"] == (
        "https://example.com/mine"
    )


def test_files_that_a_build_does_not_see_make_no_revision_dirty(git, tmp_path):
    commit = git("rev-parse", "HEAD")
    (tmp_path / "notes.txt").write_text("not in the context\n")
    (tmp_path / "containers" / "wheels" / "mine" / "a.whl").write_text("not git's\n")
    assert revision(tmp_path, FILE) == commit
    (tmp_path / "containers" / "new file").write_text("in the context\n")
    assert revision(tmp_path, FILE) == f"{commit}-dirty"
    (tmp_path / "containers" / "new file").unlink()
    git("mv", "containers/Dockerfile", "Dockerfile")  # moved out of it
    assert revision(tmp_path, FILE) == f"{commit}-dirty"


def test_a_name_that_is_no_utf_8(git, tmp_path):
    commit = git("rev-parse", "HEAD")
    (tmp_path / os.fsdecode(b"caf\xe9")).write_text("not in the context\n")
    assert revision(tmp_path, FILE) == commit
    (tmp_path / "containers" / os.fsdecode(b"caf\xe9")).write_text("in the context\n")
    assert revision(tmp_path, FILE) == f"{commit}-dirty"
    git("remote", "add", "origin", os.fsdecode(b"https://example.com/caf\xe9"))
    assert "org.opencontainers.image.source" in image_labels(IMAGE, tmp_path)


def test_a_project_in_a_folder_of_the_work_tree(git, tmp_path):
    project = tmp_path / "containers"
    (project / ".dockerignore").write_text("*\n!src\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "second")
    commit = git("rev-parse", "HEAD")
    assert revision(project, FILE) == commit
    (project / "src").mkdir()
    (project / "src" / "a.py").write_text("")
    assert revision(project, FILE) == f"{commit}-dirty"


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://example.com/a/b.git", "https://example.com/a/b.git"),
        ("https://token@example.com:8443/a/b?token=x#y", "https://example.com:8443/a/b"),
        ("ssh://git:pw@example.com:22/a.git", "ssh://example.com:22/a.git"),
        ("git@example.com:team/a.git", "ssh://example.com/team/a.git"),
        ("codecommit::us-west-2://profile@repo", None),
        ("codecommit://profile@repo", None),
        ("ext::ssh me@example.com:x", None),
        ("https://[bad/x", None),
        ("https://example.com:port/x", "https://example.com:port/x"),
        ("git@[::1:a", None),
        ("/home/me/a.git", None),
        ("file:///home/me/a.git", None),
        ("../a", None),
        ("", None),
        (None, None),
    ],
)
def test_the_source_is_the_remote_without_who_asks(remote, url):
    assert source_url(remote) == url


def test_the_dockerfile_counts_also_where_the_context_leaves_it_out(git, tmp_path):
    (tmp_path / ".dockerignore").write_text("containers\n")
    git("commit", "--quiet", "-am", "second")
    (tmp_path / FILE).write_text("FROM scratch AS other\n")
    assert revision(tmp_path, FILE) == f"{git('rev-parse', 'HEAD')}-dirty"


def test_the_reference_names_each_label(git, tmp_path):
    git("remote", "add", "origin", "https://example.com/a.git")
    (tmp_path / "containers" / "wheels" / "mine" / "packages.lock").write_text("torch==2.13.0\n")
    made = image_labels(Image(**{**vars(IMAGE), "neuron": "2.29", "labels": {}}), tmp_path)
    page = ROOT / "docs" / "reference" / "build.md"
    table = page.read_text().partition("## Labels")[2].partition("\n\nWhat is not")[0]
    told = [name for row in table.splitlines() for name in row.split("|")[1:2]]
    assert sorted(re.findall(r"`([^`]+)`", " ".join(told))) == sorted(made)
