"""A preflight of real images: each fault is built into one, and told. Nothing is left behind.

CUDA's wheels and torch's are stood in for by the folders that mark them as installed, and GPU code
by fatbins made here: what is real is the building, the engine's archive, and the layers.
"""

import io
import json
import signal
import subprocess
import sys
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import docker
import pytest

from sagedock.contract import labels
from sagedock.engine import Engine
from sagedock.images.preflight import Report, preflight
from sagedock.images.preflight.row import Row
from tests.unit.images.made_images import (
    SERVE,
    TRAIN,
    Content,
    dist_info,
    fatbin,
    library,
    torch,
)

TRAINING, SERVING = "sagedock-training:cpu", "sagedock-serving:cpu"
M5, P4D, G5 = "ml.m5.xlarge", "ml.p4d.24xlarge", "ml.g5.xlarge"
#: Put together here, so that no scanner takes this file for a leak.
KEY = b"-----BEGIN " + b"PRIVATE KEY-----\n" + b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 6
RESIDENT_MIB = 400
CUDA_12 = torch("2.4.1", "12.4")
MANYLINUX = "cp311-cp311-manylinux_2_99_x86_64"
CUDA, TRN1 = "usr/local/cuda", "ml.trn1.32xlarge"
TOOLKIT = {f"{CUDA}/version.json": b'{"cuda": {"version": "12.4.0"}}'}
REQUIRES = ("ENV NVIDIA_REQUIRE_CUDA=cuda>=12.4",)
LIBC = {"usr/lib/libc.so.6": b"GNU C Library stable release version 2.31."}

Build = Callable[..., str]
Files = Mapping[str, Content]


@pytest.fixture
def build() -> Iterator[Build]:
    """Build images from a Dockerfile and files; all are removed at the end."""
    client, names = docker.from_env(), []

    def built(dockerfile: str, files: Files) -> str:
        name = f"preflight-probe:{uuid.uuid4().hex}"
        context = _context({**files, "Dockerfile": dockerfile.encode()})
        client.images.build(
            fileobj=context, custom_context=True, tag=name, rm=True, forcerm=True, nocache=True
        )
        names.append(name)
        return name

    yield built
    for name in names:
        client.images.remove(name, force=True)


def _context(files: Files) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            data, mode = content if isinstance(content, tuple) else (content, 0o644)
            assert isinstance(data, bytes)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    buffer.seek(0)
    return buffer


def scratch(files: Files, *lines: str) -> tuple[str, dict[str, Content]]:
    """Return Dockerfile and context of an image that has these files and nothing else."""
    below = {f"root/{path}": content for path, content in files.items()}
    return "\n".join(["FROM scratch", "COPY root /", *lines]), below


def rows_of(report: Report) -> dict[str, Row]:
    return {row.check: row for row in report.rows}


def verdicts(report: Report) -> dict[str, str]:
    return {row.check: str(row.verdict) for row in report.rows}


def containers(image: str) -> list[str]:
    """Return the containers of an image that no other test has."""
    found = docker.from_env().containers.list(all=True, filters={"ancestor": image})
    return [each.name for each in found]


def test_the_training_image_fits_a_cpu_and_no_gpu(engine: Engine) -> None:
    told = preflight(engine, TRAINING, [M5, P4D], count=2)
    found = rows_of(told)
    assert (told.use, found["entrypoint"].verdict, found["glibc"].verdict) == (
        *("training", "ok", "ok"),
    )
    assert found["entrypoint"].found == "`/usr/bin/env -- train`: /opt/sagedock/bin/train"
    assert found["glibc"].found == "glibc 2.36"
    failing = {(row.check, row.instance_type) for row in told.rows if row.verdict == "fails"}
    assert {instance_type for _, instance_type in failing} == {P4D}
    assert {check for check, _ in failing} >= {"CUDA", "NCCL"}


def test_an_image_of_ones_own_with_many_faults(engine: Engine, build: Build) -> None:
    site = "/opt/venv/lib/python3.11/site-packages"
    lines = (
        f"FROM {TRAINING}",
        "COPY key.pem /srv/key.pem",
        "RUN rm /srv/key.pem",
        f"COPY ops.so {site}/ops.so",
        f"COPY version.py {site}/torch/version.py",
        "COPY libcudart.so.12 /usr/local/cuda-12.1/lib64/libcudart.so.12",
        f"COPY libcudart.so.12 {site}/nvidia/cuda_runtime/lib/libcudart.so.12",
        "COPY train.py /opt/ml/code/train.py",
        "USER 1000",
        'ENTRYPOINT ["/bin/sh", "-c", "train"]',
    )
    name = build(
        "\n".join(lines),
        {
            "key.pem": KEY,
            "ops.so": library(fatbin("sm_90")),
            "version.py": next(iter(CUDA_12.values())),
            "libcudart.so.12": b"\x7fELF",
            "train.py": b"pass",
        },
    )
    found = rows_of(preflight(engine, name, [G5], use="serving"))
    assert containers(name) == []
    assert "a private key in /srv/key.pem" in found["secrets"].found
    assert "deleted or replaced later" in found["secrets"].found
    assert b"MIIEvQ".decode() not in json.dumps([row.found for row in found.values()])
    told = {name: str(row.verdict) for name, row in found.items()}
    told.pop("manifest", None)  # where the engine keeps it
    assert told == {
        **dict.fromkeys(("labels", "glibc", "size", "instance", "architecture"), "ok"),
        "CUDA runtime": "ok",
        **dict.fromkeys(("/opt/ml", "user", "CUDA libraries", "entrypoint"), "warns"),
        **dict.fromkeys(("secrets", "driver", "GPU code of extensions"), "fails"),
    }


#: Files, further lines of the Dockerfile, what is asked, and the row with its verdict.
FAULTS: list[tuple[Files, tuple[str, ...], dict[str, Any], str, str]] = [
    ({}, (), {}, "entrypoint", "fails"),
    ({"bin/train": (TRAIN[0], 0o644)}, (), {}, "entrypoint", "fails"),
    ({"bin/train": TRAIN}, ("USER app",), {}, "user", "warns"),
    ({"bin/serve": SERVE}, (), {"use": "serving"}, "labels", "ok"),
    ({}, (f'LABEL "{labels.SERVES_MANY}"="yes"',), {}, "labels", "fails"),
    ({"opt/ml/model/x": b"x"}, (), {}, "/opt/ml", "warns"),
    (CUDA_12, (), {"driver": 470}, "driver", "fails"),
    (CUDA_12, (), {"driver": 550}, "driver", "ok"),
    (CUDA_12, (), {}, "driver", "cannot say"),
    (CUDA_12, (), {}, "CUDA runtime", "fails"),
    (CUDA_12, REQUIRES, {"driver": 535}, "NVIDIA_REQUIRE_CUDA", "warns"),
    ({**CUDA_12, f"{CUDA}/compat/libcuda.so.550.54.15": b"x"}, (), {}, "cuda-compat", "warns"),
    ({"ops.so": library(fatbin("sm_90"))}, (), {}, "GPU code of extensions", "fails"),
    ({"ops.so": library(fatbin("compute_70"))}, (), {}, "GPU code of extensions", "warns"),
    ({"ops.so": library(fatbin("sm_80"))}, (), {}, "GPU code of extensions", "ok"),
    ({**torch("2.9.0", "13.0"), **TOOLKIT}, (), {}, "torch and toolkit", "warns"),
    ({}, (), {"count": 2}, "NCCL", "fails"),
    ({}, (), {"count": 2}, "EFA", "warns"),
    ({"usr/lib/libnccl-net.so": b"x"}, (), {"count": 2}, "aws-ofi-nccl", "ok"),
    ({}, (), {"on": TRN1}, "Neuron framework", "fails"),
    (dist_info("torch_neuronx", "1.0"), (), {"on": TRN1}, "Neuron framework", "fails"),
    ({**LIBC, **dist_info("torch", "2", MANYLINUX)}, (), {}, "glibc", "fails"),
    ({"a/libnccl.so.2": b"x", "b/libnccl.so.2.1": b"x"}, (), {}, "CUDA libraries", "warns"),
    ({"usr/lib/libcuda.so.535.54.03": b"x"}, (), {}, "driver in the image", "warns"),
    ({"root/.netrc": b"machine h login u password " + b"pppp"}, (), {}, "secrets", "fails"),
    ({}, ("ENV TOKEN=ghp_" + "a1" * 18,), {}, "secrets", "fails"),
    ({}, (), {}, "secrets", "ok"),
    ({}, (), {"on": "ml.c7g.xlarge"}, "architecture", "fails"),
    ({}, (), {"on": "ml.c7g.xlarge"}, "instance", "fails"),
    ({}, (), {}, "size", "ok"),
]


@pytest.mark.parametrize(("files", "lines", "asked", "check", "verdict"), FAULTS)
def test_each_fault_in_an_image_of_its_own(
    engine: Engine,
    build: Build,
    files: Files,
    lines: tuple[str, ...],
    asked: dict[str, Any],
    check: str,
    verdict: str,
) -> None:
    name = build(*scratch({"readme": b"x", **files}, *lines))
    meant = {"use": "training", **asked}
    told = preflight(engine, name, [meant.pop("on", P4D)], **meant)
    assert verdicts(told)[check] == verdict, rows_of(told)[check]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "sagedock.cli", "preflight", *words]


#: Runs a command, and tells its code and its memory in KiB. A process begins with the mark of the
#: one that started it, so that has to be a small one.
_MEASURED = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


def test_the_command_judges_the_serving_image_in_little_memory() -> None:
    """The image has a gigabyte; what is kept of it is names and a few texts."""
    asked = command(SERVING, "--instance-type", M5, "--json")
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *asked], capture_output=True, text=True, check=True
    )
    said, _, measured = done.stdout.rstrip().rpartition("\n")
    told = json.loads(said)
    assert (told["use"], told["fails"]) == ("serving", False)
    (labels,) = (row for row in told["rows"] if row["check"] == "labels")
    assert "multi-models=true" in labels["found"]
    code, used_kib = map(int, measured.split())
    assert code == 0
    assert 20 < used_kib / 1024 < RESIDENT_MIB


def test_the_command_tells_what_cannot_run_and_ends_with_its_code(build: Build) -> None:
    name = build(*scratch({"bin/serve": SERVE}))
    asked = command(name, "--instance-type", M5, "--for", "training")
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 8
    assert "there is no train on PATH" in " ".join(done.stdout.split())


@pytest.mark.parametrize("after_s", [0, 1])
def test_ctrl_c_ends_it_and_leaves_nothing(build: Build, after_s: float) -> None:
    name = build(f"FROM {TRAINING}\nLABEL one.of={uuid.uuid4().hex}", {})
    process = subprocess.Popen(
        command(name, "--instance-type", M5), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith(f"reading {name} (".encode())
    time.sleep(after_s)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, b"")
    assert err == b"sagedock: stopped; nothing was made or changed\n"
    assert containers(name) == []
