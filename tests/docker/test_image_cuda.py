"""The CUDA images, built whole and looked into on a machine without a GPU.

Gigabytes, and minutes: `make test-cuda` runs these, nothing else does. What needs a GPU is run
where one is, and skipped, visibly, elsewhere.
"""

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from posixpath import basename
from typing import Any

import pytest

from sagedock.contract.architectures import arch_list
from sagedock.images import Image, build_image
from sagedock.images.preflight import Report, preflight
from sagedock.images.preflight.device_code import DeviceCode, DeviceCodeScan
from tests.docker.custom_op import EXAMPLE, ROOT, built_example, entry, run_in

pytestmark = [pytest.mark.docker, pytest.mark.cuda_image, pytest.mark.timeout(3600)]

IMAGE = "sagedock-training:cuda"
NAMES = ("training-cuda", "serving-cuda")
MB = 1_000_000
#: A wheel's own copy of a library, under another soname, that its profiler alone loads.
PROFILERS = re.compile(r"/triton/backends/nvidia/lib/cupti/")
LIBRARIES = re.compile(
    r"lib(?:cu\w+|nccl|nvrtc|nvJitLink|nvToolsExt|nvperf_\w+|nvshmem_host|nvvm|npp\w*)"
)
GPUS = ("--gpus=all",) if shutil.which("nvidia-smi") else ()

COMPILED = """
import ctypes, torch, torch._inductor.config
import triton._C.libproton
for name in ("libtorch_cuda.so", "libtorch_cuda_linalg.so"):
    ctypes.CDLL(f"{torch.__path__[0]}/lib/{name}")
f = torch.compile(lambda x: (x * 2 + 1).relu().sum())
x = torch.arange(10.0)
print(torch.version.cuda, torch.cuda.is_available(), f(x).item() == (x * 2 + 1).relu().sum().item())
"""
#: What Triton does when it first meets a GPU, with its own compiler call; libcuda is the host's.
STUB = """
import pathlib, subprocess, tempfile
from triton.backends.nvidia import driver
from triton.runtime import build
with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["gcc", "-shared", "-Wl,-soname,libcuda.so.1", "-o", f"{folder}/libcuda.so.1",
                    "-x", "c", "/dev/null"], check=True)
    source = pathlib.Path(driver.dirname) / "driver.c"
    made = build._build("cuda_utils", str(source), folder, [folder], driver.include_dirs,
                        ["libcuda.so.1"], [])
    print(pathlib.Path(made).stat().st_size > 10_000)
"""


@pytest.fixture(scope="module", autouse=True)
def image(engine: Any) -> str:
    build_image(entry("training-cuda"), root=ROOT, progress=print)
    return IMAGE


@pytest.fixture(scope="module", params=NAMES)
def each(request: pytest.FixtureRequest, image: str) -> Image:
    """The training image, and the serving image, built."""
    made = entry(request.param)
    build_image(made, root=ROOT, progress=print)
    return made


@pytest.fixture(scope="module")
def example(image: str) -> Iterator[str]:
    with built_example("cuda") as name:
        yield name


@pytest.fixture(scope="module")
def told(example: str, engine: Any) -> Report:
    types = entry("custom-op-cuda", EXAMPLE).instance_types
    return preflight(engine, example, list(types), use="training", count=2, driver=580)


def code_of(image: str, path: str) -> DeviceCode:
    scan = DeviceCodeScan()
    scan.feed(
        subprocess.run(
            ["docker", "run", "--rm", image, "cat", path], capture_output=True, check=True
        ).stdout
    )
    found = scan.result()
    assert found is not None
    return found


# --- the training and the serving image ----------------------------------------------------------


def test_it_fits_its_budget(each: Image) -> None:
    said = subprocess.run(
        ["docker", "image", "inspect", each.reference, "--format", "{{.Size}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    size_mb, budget_mb = int(said.stdout) / MB, each.budget_mb
    print(f"{each.reference}: {size_mb:,.0f} MB of {budget_mb:,} MB")
    assert budget_mb is not None
    assert 0.7 * budget_mb < size_mb < budget_mb


def test_no_library_of_cuda_is_there_twice(each: Image) -> None:
    """In the whole file system, whoever brought it; links are none."""
    found = run_in(each.reference, "find", "/", "-xdev", "-type", "f", "-name", "lib*.so*")
    by_name: dict[str, list[str]] = defaultdict(list)
    for path in found.splitlines():
        stem = basename(path).partition(".so")[0]
        if LIBRARIES.fullmatch(stem) and not PROFILERS.search(path):
            by_name[stem].append(path)
    assert {name: paths for name, paths in by_name.items() if len(paths) > 1} == {}
    assert {"libcudart", "libcublas", "libcudnn", "libnccl", "libcupti"} <= by_name.keys()
    assert "libcuda" not in by_name  # the driver's: the host brings it


def test_nothing_static_and_no_tests_but_what_nvcc_links_with(each: Image) -> None:
    found = run_in(
        *(each.reference, "find", "/opt/venv", "-name", "*.a", "-not", "-path", "*/numpy/*")
    ).split()
    assert {basename(path) for path in found} <= {
        *("libcudart_static.a", "libcudadevrt.a", "libculibos.a"),
    }


def test_torch_is_for_the_cuda_that_the_matrix_says_and_compiles(each: Image) -> None:
    said = run_in(each.reference, "python", "-c", COMPILED, options=GPUS).splitlines()[-1]
    assert said.split() == [each.cuda, str(bool(GPUS)), "True"]


def test_triton_finds_what_it_compiles_for_a_gpu_with(each: Image) -> None:
    assert run_in(each.reference, "python", "-c", STUB).splitlines()[-1] == "True"


def test_it_holds_no_key_and_starts_as_the_cpu_image_does(each: Image) -> None:
    done = subprocess.run(
        ["docker", "image", "inspect", each.reference], capture_output=True, check=True
    ).stdout
    config = json.loads(done)[0]["Config"]
    command = {"training": ["train"], "serving": ["serve"]}[each.kind]
    assert (config["Entrypoint"], config["Cmd"]) == (["/usr/bin/env", "--"], command)
    assert "LD_LIBRARY_PATH" not in " ".join(config["Env"])
    assert (
        run_in(each.reference, "bash", "-c", "ls /etc/ssh/*key* ~/.ssh 2>/dev/null || true") == ""
    )


# --- the example ---------------------------------------------------------------------------------


def test_the_operator_has_code_for_each_gpu_and_ptx_of_the_newest(example: str) -> None:
    path = run_in(example, "bash", "-c", "ls /opt/venv/lib/python3*/site-packages/fused/_ops*.so")
    code = code_of(example, path.strip())
    types = entry("custom-op-cuda", EXAMPLE).instance_types
    assert arch_list(types) == "8.0;8.6;9.0+PTX"
    assert {str(each) for each in code.codes} == {"sm_80", "sm_86", "sm_90", "compute_90"}
    assert code.damaged == 0
    for each in code.fatbins:
        assert {str(one) for one in each} == {"sm_80", "sm_86", "sm_90", "compute_90"}


def test_nvidias_own_tool_says_the_same(example: str) -> None:
    """cuobjdump comes with Triton."""
    words = (
        "cd /opt/venv/lib/python3*/site-packages && "
        "triton/backends/nvidia/bin/cuobjdump --list-elf --list-ptx fused/_ops*.so"
    )
    said = run_in(example, "bash", "-c", words)
    assert set(re.findall(r"sm_\d+(?=\.(?:cubin|ptx))", said)) == {"sm_80", "sm_86", "sm_90"}
    assert re.search(r"PTX file .*sm_90\.ptx", said)


def test_a_preflight_finds_nothing_that_fails(told: Report) -> None:
    rows = {(row.check, row.instance_type): row for row in told.rows}
    assert [row for row in told.rows if row.verdict == "fails"] == []
    doubles = next(row for row in told.rows if row.check == "CUDA libraries")
    assert doubles.verdict == "ok"
    own = [row for (check, _), row in rows.items() if check == "GPU code of extensions"]
    assert {str(row.verdict) for row in own} == {"ok"}
    assert not any(row.check == "secrets" and row.verdict == "fails" for row in told.rows)


def test_it_computes_what_pytorch_does_on_a_gpu_where_one_is(example: str) -> None:
    mounted = (f"--volume={EXAMPLE}/test_rms_norm.py:/t/test_rms_norm.py:ro", "--workdir=/t")
    said = run_in(example, "python", "-m", "unittest", "test_rms_norm", options=(*GPUS, *mounted))
    if not GPUS:
        assert "OK (skipped=1)" in said
        pytest.skip("no GPU here: the CUDA code was compiled and not run; the CPU's was")
    assert re.search(r"^OK$", said, re.MULTILINE)


def test_its_training_program_runs(example: str, tmp_path: Path) -> None:
    code, model = f"--volume={EXAMPLE}/job/train.py:/t/train.py:ro", f"--volume={tmp_path}:/model"
    environment = "--env=SM_MODEL_DIR=/model"
    said = run_in(example, "python", "/t/train.py", options=(*GPUS, code, model, environment))
    assert f"device={'cuda' if GPUS else 'cpu'}" in said
    assert (tmp_path / "model.pt").is_file()
