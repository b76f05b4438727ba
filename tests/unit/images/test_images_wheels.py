"""An image's packages are gathered by this machine's own pip, held to the lock's hashes."""

import fcntl
import hashlib
import os
import threading
import zipfile

import pytest

from sagedock.errors import BuildFailed
from sagedock.images import wheels
from sagedock.images.image import Image
from sagedock.images.pip_words import pip_failure
from sagedock.images.wheels import download_command

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
TAGS = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder that this machine's pip is set to take packages from, and no index."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def containers(tmp_path):
    folder = tmp_path / "containers"
    folder.mkdir()
    return folder


def put_wheel(shelf, name):
    """Put a package on the shelf; return the line of a lock that accepts it."""
    path = shelf / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", METADATA.format(name=name))
        wheel.writestr(f"{info}/WHEEL", TAGS)
        wheel.writestr(f"{info}/RECORD", "")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def image(*locks, instead=None):
    return Image(
        name="mine",
        kind="training",
        device="cpu",
        dockerfile="Dockerfile",
        target="final",
        repository="mine",
        tag="v1",
        base="debian:12",
        locks=locks,
        instead=instead or {},
    )


def gather(image, containers, progress, environ=os.environ):
    log = containers.parent / "mine.log"
    wheels.gather(image, containers, progress, environ, log=log)


def gathered(containers):
    return sorted(path.name for path in (containers / "wheels" / "mine").iterdir())


def test_what_the_locks_name_is_gathered_once(shelf, containers):
    (containers / "a.lock").write_text(put_wheel(shelf, "alpha"))
    (containers / "b.lock").write_text(put_wheel(shelf, "beta"))
    said = []
    gather(image("a.lock", "b.lock"), containers, said.append)
    files = ["alpha-1.0-py3-none-any.whl", "beta-1.0-py3-none-any.whl", "packages.lock"]
    assert gathered(containers) == files
    assert len(said) == 1
    for wheel in shelf.iterdir():
        wheel.unlink()
    gather(image("a.lock", "b.lock"), containers, said.append)  # nothing is asked of pip now
    assert len(said) == 1


def test_an_error_that_is_not_the_disks_is_not_told_as_one(shelf, containers, monkeypatch):
    """Another error than the disk's, where its folder was made already."""
    (containers / "a.lock").write_text(put_wheel(shelf, "probe"))

    def breaks(*_):
        raise ConnectionResetError("not the disk's")

    monkeypatch.setattr("sagedock.images.wheels.run_lines", breaks)
    with pytest.raises(ConnectionResetError):
        gather(image("a.lock"), containers, print)
    assert list((containers / "wheels").iterdir()) == []


def test_a_changed_lock_is_gathered_anew_and_old_packages_go(shelf, containers):
    (containers / "a.lock").write_text(put_wheel(shelf, "alpha"))
    gather(image("a.lock"), containers, print)
    (containers / "a.lock").write_text(put_wheel(shelf, "beta"))
    gather(image("a.lock"), containers, print)
    assert gathered(containers) == ["beta-1.0-py3-none-any.whl", "packages.lock"]


def test_a_package_of_another_hash_is_refused_and_nothing_is_left(shelf, containers):
    line = put_wheel(shelf, "alpha")
    (containers / "a.lock").write_text(line[: line.index("sha256:")] + "sha256:" + "0" * 64 + "\n")
    with pytest.raises(BuildFailed, match="HASHES") as refused:
        gather(image("a.lock"), containers, print)
    assert list((containers / "wheels").iterdir()) == []
    log = containers.parent / "mine.log"
    assert "pin from it again with `make lock`" in str(refused.value)
    assert str(refused.value).endswith(f"\nthe whole output is in {log}")
    assert "DO NOT MATCH THE HASHES" in log.read_text()


def test_an_index_that_cannot_be_reached_is_told_with_a_remedy(containers):
    (containers / "a.lock").write_text("alpha==1.0 --hash=sha256:" + "0" * 64 + "\n")
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PIP_")},
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": "http://127.0.0.1:1/simple",
        "PIP_RETRIES": "1",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    with pytest.raises(BuildFailed) as refused:
        gather(image("a.lock"), containers, print, environ)
    said = str(refused.value)
    assert "the package index could not be reached: name one that can be in PIP_INDEX_URL" in said
    assert "Connection refused" in said
    assert "No matching distribution found for alpha==1.0" in said
    assert "WARNING: Retrying" in (containers.parent / "mine.log").read_text()


UNTRUSTED = (
    "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'SSLError("
    "SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))'"
)


def test_what_pip_says_tells_what_to_do():
    none = "ERROR: No matching distribution found for alpha==1.0"
    assert pip_failure([none], 1) == none
    assert pip_failure([UNTRUSTED.replace("total=0", "total=4"), none], 1) == none
    advice, attempt, last = pip_failure([UNTRUSTED, none], 1).splitlines()
    assert "name your bundle in PIP_CERT" in advice
    assert attempt.startswith("connection broken by 'SSLError(")
    assert last == none
    assert pip_failure(["WARNING: a"], 2) == "pip ended with 2"


def test_the_other_lock_is_taken_where_the_first_cannot_be_had(shelf, containers):
    (containers / "cpu.lock").write_text("absent==1.0 --hash=sha256:" + "0" * 64 + "\n")
    (containers / "cuda.lock").write_text(put_wheel(shelf, "alpha"))
    said = []
    gather(image("cpu.lock", instead={"cpu.lock": "cuda.lock"}), containers, said.append)
    assert gathered(containers) == ["alpha-1.0-py3-none-any.whl", "packages.lock"]
    assert any("absent==1.0" in line for line in said)
    assert any("cuda.lock" in line for line in said)


def test_where_neither_can_be_had_pips_own_words_are_told(shelf, containers):
    for name in ("cpu", "cuda"):
        (containers / f"{name}.lock").write_text(f"{name}==1.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(BuildFailed, match=r"cuda==1\.0"):
        gather(image("cpu.lock", instead={"cpu.lock": "cuda.lock"}), containers, print)


def test_the_packages_are_the_images_not_this_machines(tmp_path):
    argv = download_command(image("a.lock"), (tmp_path / "a.lock",), tmp_path)
    assert argv[argv.index("--python-version") + 1] == "3.11"
    assert {"manylinux_2_28_x86_64", "manylinux_2_36_x86_64", "manylinux2014_x86_64"} <= set(argv)
    assert "manylinux_2_37_x86_64" not in argv
    assert {"--require-hashes", "--no-deps"} <= set(argv)


def test_what_a_killed_process_left_goes(shelf, containers):
    (containers / "a.lock").write_text(put_wheel(shelf, "alpha"))
    folder = containers / "wheels"
    (folder / ".new-abandoned" / "mine").mkdir(parents=True)
    gather(image("a.lock"), containers, print)
    assert [path.name for path in folder.iterdir()] == ["mine"]


def test_builds_that_gather_at_once_do_so_one_after_the_other(shelf, containers):
    (containers / "a.lock").write_text(put_wheel(shelf, "alpha"))
    awaited, said = threading.Event(), []

    def progress(line):
        said.append(line)
        if "awaiting" in line:
            awaited.set()

    folder = containers / "wheels"
    folder.mkdir()
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    second = threading.Thread(target=gather, args=(image("a.lock"), containers, progress))
    second.start()
    assert awaited.wait(60)
    (folder / "mine").mkdir()
    (folder / "mine" / "packages.lock").write_text((containers / "a.lock").read_text())
    os.close(held)
    second.join(60)
    assert said == ["mine: awaiting another build's pip"]  # what the first gathered is taken
