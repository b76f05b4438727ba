"""The optional stages of the training image: only the file of vendor.versions is installed.

Amazon's installer and NVIDIA's package cannot be had here: each is stood in for by one made here,
of the same shape. What is real is the Dockerfile, the scripts, and the launcher in what they build.
"""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock.images.builder import find_builder, probe
from tests.docker.launcher_job import Job, job

__all__ = ["job"]
pytestmark = pytest.mark.docker

ROOT = Path(__file__).resolve().parents[2]
BASE = "sagedock/base:bookworm-py3.11"
EFA, COMPAT = "aws-efa-installer-1.2.3.tar.gz", "cuda-compat-13-0_580.95.05-1_amd64.deb"
#: Does what the real one does as far as our stage relies on it, and tells how it was called.
INSTALLER = """#!/bin/bash
set -e
[[ -f efa_installer.sh ]] || { echo "not started in its own folder"; exit 1; }
mkdir -p /opt/amazon/efa/lib /opt/amazon/ofi-nccl/lib /opt/amazon/efa/bin
echo fabric >/opt/amazon/efa/lib/libfabric.so.1
echo plugin >/opt/amazon/ofi-nccl/lib/libnccl-net.so
printf '#!/bin/sh\\necho provider: efa\\n' >/opt/amazon/efa/bin/fi_info
chmod 0755 /opt/amazon/efa/bin/fi_info
echo "$@" >/opt/amazon/efa_installed_with
apt-get update --print-uris >/opt/amazon/efa_sources
apt-get install --quiet --yes --no-install-recommends pciutils
"""

OWN_SITE = "http://127.0.0.1:1/debian/"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A build context with our own scripts, and a vendor.versions of its own."""
    for name in ("base", "training"):
        shutil.copytree(ROOT / "containers" / name, tmp_path / "containers" / name)
    shutil.copy(ROOT / "containers" / "vendor.sh", tmp_path / "containers" / "vendor.sh")
    (tmp_path / "containers" / "vendor").mkdir()
    return tmp_path


@pytest.fixture
def built(project: Path) -> Iterator[str]:
    name = f"vendor-probe:{uuid.uuid4().hex}"
    yield name
    subprocess.run(["docker", "image", "rm", "--force", name], capture_output=True, check=False)


def versions(project: Path, **sums: str) -> None:
    lines = ["efa_version=1.2.3", "compat_version=580.95.05-1"]
    lines += [f"{name}_sha256={value}" for name, value in sums.items()]
    path = project / "containers" / "training" / "vendor.versions"
    path.write_text("\n".join(lines) + "\n")


def put(project: Path, kind: str, file: Path) -> subprocess.CompletedProcess[str]:
    words = [str(project / "containers" / "vendor.sh"), kind, str(file)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def build(project: Path, target: str, name: str, *args: str) -> subprocess.CompletedProcess[str]:
    builder = find_builder()
    mirror = probe([str(ROOT / "containers" / "base" / "mirror.sh"), "bookworm"])
    secrets: list[str] = []
    if mirror:
        (project.parent / "apt_sources").write_text(f"deb {mirror} bookworm main\n")
        secrets = ["--secret", f"id=apt_sources,src={project.parent / 'apt_sources'}"]
    words = [
        *(*builder.argv, "--progress", "plain", "--target", target, "--tag", name),
        *("--file", str(project / "containers" / "training" / "Dockerfile"), *secrets),
        *(word for arg in (f"BASE={BASE}", "DEVICE=cpu", *args) for word in ("--build-arg", arg)),
        str(project),
    ]
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **builder.environment},
    )


def has_mirror(project: Path) -> bool:
    return (project.parent / "apt_sources").is_file()


def has_own_source(project: Path) -> None:
    """Have the stage stand on an image that names a source of packages which nobody serves."""
    file = project / "containers" / "training" / "Dockerfile"
    stage = "AS fabric-efa\n"
    source = f"RUN echo 'deb {OWN_SITE} bookworm main' >/etc/apt/sources.list.d/own.list\n"
    text = file.read_text()
    assert stage in text
    file.write_text(text.replace(stage, stage + source))


def shell(name: str, words: str) -> str:
    done = subprocess.run(
        ["docker", "run", "--rm", name, "bash", "-c", words],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def installer(folder: Path) -> Path:
    file = folder / "given.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        entry = tarfile.TarInfo("aws-efa-installer/efa_installer.sh")
        entry.size, entry.mode = len(INSTALLER), 0o755
        archive.addfile(entry, io.BytesIO(INSTALLER.encode()))
    return file


def package(folder: Path) -> Path:
    """Return a .deb laid out as NVIDIA's: the library under its version, and a link to it."""
    root = folder / "deb"
    compat = root / "usr" / "local" / "cuda-13.0" / "compat"
    compat.mkdir(parents=True)
    (compat / "libcuda.so.580.95.05").write_text("the driver's half")
    (compat / "libcuda.so.1").symlink_to("libcuda.so.580.95.05")
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN" / "control").write_text(
        "Package: cuda-compat-13-0\nVersion: 580.95.05-1\nArchitecture: amd64\n"
        "Maintainer: x <x@example.com>\nDescription: stands in\n"
    )
    (root / "DEBIAN" / "preinst").write_text("#!/bin/sh\ntouch /opt/a-script-was-run\n")
    (root / "DEBIAN" / "preinst").chmod(0o755)
    file = folder / "given.deb"
    subprocess.run(["dpkg-deb", "--build", root, file], capture_output=True, check=True)
    return file


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb here")


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sums", "words"),
    [
        ({}, "vendor.versions says no efa_sha256"),
        ({"efa": "0" * 64}, f"not {'0' * 64} as vendor.versions says"),
        ({"efa": "$(touch /tmp/owned)"}, "vendor.versions says no efa_sha256"),
    ],
    ids=["no sum", "another sum", "no sum but a command"],
)
def test_a_file_that_is_not_the_one_is_refused_before_and_in_the_build(
    project: Path, built: str, tmp_path: Path, sums: dict[str, str], words: str
) -> None:
    versions(project, **sums)
    given = installer(tmp_path)
    refused = put(project, "efa", given)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert list((project / "containers" / "vendor").iterdir()) == []
    shutil.copy(given, project / "containers" / "vendor" / EFA)  # past the first check
    done = build(project, "fabric-efa", built)
    assert done.returncode != 0
    assert words in done.stdout + done.stderr
    assert sha256(given) in refused.stderr  # what to write down once it is checked


def test_a_file_that_is_not_there_is_named(project: Path, built: str) -> None:
    versions(project, efa="0" * 64)
    done = build(project, "fabric-efa", built)
    assert done.returncode != 0
    assert f"{EFA} is not in containers/vendor" in done.stdout + done.stderr


def test_a_place_that_is_not_encrypted_is_refused(project: Path) -> None:
    versions(project, efa="0" * 64)
    refused = subprocess.run(
        [str(project / "containers" / "vendor.sh"), "efa", "http://example.com/x.tar.gz"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "use https" in refused.stderr


# --- what is installed ---------------------------------------------------------------------------


def test_the_right_installer_is_run_without_what_a_container_has_not(
    project: Path, built: str, tmp_path: Path
) -> None:
    given = installer(tmp_path)
    versions(project, efa=sha256(given))
    assert put(project, "efa", given).returncode == 0
    has_own_source(project)
    done = build(project, "fabric-efa", built)
    assert done.returncode == 0, done.stderr
    said = shell(built, "cat /opt/amazon/efa_installed_with")
    assert said.split() == ["-y", "--skip-kmod", "--skip-limit-conf", "--no-verify"]
    sources = shell(built, "cat /opt/amazon/efa_sources")
    assert (OWN_SITE in sources) is not has_mirror(project)  # a mirror stands in for it
    assert shell(built, "cat /etc/apt/sources.list.d/own.list").startswith("deb ")
    assert shell(built, "cat /etc/ld.so.conf.d/efa.conf").split() == [
        "/opt/amazon/efa/lib",
        "/opt/amazon/ofi-nccl/lib",
    ]
    assert shell(built, "PATH=/usr/local/bin:/bin fi_info -p efa") == "provider: efa\n"
    left = "/var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /tmp/* /run/vendor /run/secrets"
    assert shell(built, f"for each in {left}; do [ ! -e $each ] || echo $each; done") == ""


@needs_dpkg
def test_cuda_compat_is_unpacked_and_the_launcher_decides(
    project: Path, built: str, tmp_path: Path, job: Job
) -> None:
    given = package(tmp_path)
    versions(project, compat=sha256(given))
    assert put(project, "compat", given).returncode == 0
    done = build(project, "compat-with", built)
    assert done.returncode == 0, done.stderr
    listed = shell(built, "ls /usr/local/cuda/compat; ls /opt; env | grep LD_ || true")
    assert listed.split() == ["libcuda.so.1", "libcuda.so.580.95.05"]
    folder = tmp_path / "compat"
    folder.mkdir()
    (folder / "libcuda.so.580.95.05").write_text(
        shell(built, "cat /usr/local/cuda/compat/libcuda.so.1")
    )
    job.script("import os; print(os.environ.get('LD_LIBRARY_PATH', '-'))")
    for driver, path in (("550.54.15", "/usr/local/cuda/compat"), ("590.44.01", "-")):
        kernel = tmp_path / driver
        kernel.mkdir()
        (kernel / "version").write_text(
            f"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {driver}  Release Build\n"
        )
        gpu = kernel / "gpus" / "0000:00:1e.0"
        gpu.mkdir(parents=True)
        (gpu / "information").write_text("Model: \t\t NVIDIA H100 80GB HBM3\n")
        # Docker mounts nothing into /proc: the launcher reads the same files below another root.
        ran = job.run(
            {"command": ["python", "-c", LOOKS.format(root="/host")]},
            volumes=[
                f"{kernel}:/host/proc/driver/nvidia:ro",
                f"{folder}:/host/usr/local/cuda/compat:ro",
            ],
        )
        assert (ran.code, ran.out.decode().splitlines()[-1]) == (0, path), ran.log
        assert f"cuda-compat 580.95.05, host's driver {driver}" in ran.log


#: The launcher's `train`, its look at the driver's files below another root.
LOOKS = """
import functools, pathlib, sys
from sagedock.runtime import cuda_compat, train
train.with_compat = functools.partial(cuda_compat.with_compat, root=pathlib.Path("{root}"))
sys.exit(train.main())
"""
