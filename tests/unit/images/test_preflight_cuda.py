"""CUDA, GPU code and their versions against drivers and GPUs."""

import json

import pytest

from sagedock.images.preflight.checks.constraints import unmet
from sagedock.images.preflight.checks.cuda import cuda_rows, driver_of
from sagedock.images.preflight.checks.gpu_code import gpu_code_rows
from sagedock.images.preflight.checks.system import system_rows
from sagedock.images.preflight.target import Target
from tests.unit.images.made_images import (
    SERVE,
    TRAIN,
    dist_info,
    facts,
    fatbin,
    library,
    rows,
    torch,
)

OWN = "opt/ext/ops.so"
TORCHS = "usr/lib/python3/site-packages/torch/lib/libtorch_cuda.so"
COMPAT = {"usr/local/cuda-12.4/compat/libcuda.so.550.54.15": b"\x7fELF"}
ON_PATH = {"Env": ["LD_LIBRARY_PATH=/usr/local/cuda/compat"]}
LINKED = {"usr/local/cuda": "cuda-12.4"}


def on(instance_type, use="serving", **more):
    return Target(instance_type=instance_type, use=use, **more)


def cuda(found, target):
    return rows(cuda_rows(found, target))


@pytest.mark.parametrize(
    ("made_for", "target", "verdict"),
    [
        ("12.4", on("ml.g5.xlarge"), "fails"),  # driver 470
        ("11.8", on("ml.g5.xlarge"), "ok"),
        ("12.4", on("ml.g6.xlarge"), "ok"),  # driver 535
        ("13.0", on("ml.p5en.48xlarge"), "fails"),  # driver 550
        ("12.8", on("ml.p6-b200.48xlarge"), "ok"),  # none stated; the GPU needs 570
        ("13.0", on("ml.p6-b200.48xlarge"), "cannot say"),
        ("12.4", on("ml.p4d.24xlarge", "training"), "cannot say"),
        ("11.8", on("ml.p4d.24xlarge", "training"), "ok"),  # the GPU needs 450
        ("12.4", on("ml.p4d.24xlarge", "training", driver=470), "fails"),
        ("12.4", on("ml.p4d.24xlarge", "training", driver=525), "ok"),
        ("13.0", on("ml.g5.xlarge", driver=580), "ok"),
        ("10.2", on("ml.g5.xlarge"), "cannot say"),
    ],
)
def test_cuda_against_the_driver(made_for, target, verdict):
    row = cuda(facts(torch("2.4.1", made_for)), target)["driver"]
    assert row.verdict == verdict
    assert f"CUDA {made_for} (torch)" in row.found
    assert bool(row.remedy) == (verdict != "ok")


@pytest.mark.parametrize(
    ("target", "branch", "exact"),
    [
        (on("ml.g5.xlarge"), 470, True),
        (on("ml.g5.xlarge", driver=550), 550, True),
        (on("ml.g5.xlarge", "transform"), 470, True),
        (on("ml.p4d.24xlarge", "training"), 450, False),
        (on("ml.p5.48xlarge", "training"), 520, False),
        (on("ml.p6-b200.48xlarge"), 570, False),
        (on("ml.m5.xlarge"), None, False),
    ],
)
def test_the_driver_that_is_reckoned_with(target, branch, exact):
    found = driver_of(target)
    assert (found.branch, found.exact) == (branch, exact)


def test_the_remedy_names_the_operating_system_to_ask_for():
    row = cuda(facts(torch("2.9.0", "13.0")), on("ml.g5.xlarge"))["driver"]
    assert "InferenceAmiVersion al2023-ami-sagemaker-inference-gpu-4-1 (driver 580" in row.remedy
    assert row.needed == "driver 580 or newer; the instance has 470 (CUDA 11.4)"
    assert row.source.endswith("/inference-gpu-drivers.html")


@pytest.mark.parametrize(
    ("files", "settings", "told"),
    [
        (torch("2.4.1+cu124", None), {}, "CUDA 12.4 (torch)"),
        (
            {
                "usr/local/cuda-12.2/version.json": json.dumps(
                    {"cuda": {"version": "12.2.1"}}
                ).encode()
            },
            {},
            "CUDA 12.2 (usr/local/cuda-12.2)",
        ),
        ({"usr/local/cuda/version.txt": b"CUDA Version 11.0.3"}, {}, "CUDA 11.0 (usr/local/cuda)"),
        (
            dist_info("nvidia_cuda_runtime_cu12", "12.1.105"),
            {},
            "CUDA 12.1 (nvidia-cuda-runtime-cu12)",
        ),
        (dist_info("nvidia_cuda_runtime", "13.0.48"), {}, "CUDA 13.0 (nvidia-cuda-runtime)"),
        ({}, {"Env": ["CUDA_VERSION=12.6.3"]}, "CUDA 12.6 (CUDA_VERSION)"),
        (
            {},
            {"Labels": {"com.nvidia.cuda.version": "11.8.0"}},
            "CUDA 11.8 (com.nvidia.cuda.version)",
        ),
    ],
    ids=["torch's name", "toolkit", "old toolkit", "wheel", "newer wheel", "variable", "label"],
)
def test_where_the_images_cuda_is_found(files, settings, told):
    row = cuda(facts(files, settings=settings), on("ml.g5.xlarge"))["driver"]
    assert row.found == told


DECIDES = {"opt/sagedock/lib/sagedock/runtime/cuda_compat.py": b"# decides"}
LAUNCHER = {**DECIDES, "opt/sagedock/bin/serve": SERVE, "opt/sagedock/bin/train": TRAIN}
OUR_PATH = {
    "Env": ["PATH=/opt/sagedock/bin:/usr/bin:/bin"],
    "Entrypoint": ["/usr/bin/env", "--"],
}


@pytest.mark.parametrize("use", ["training", "serving", "transform"])
def test_cuda_compat_helps_where_our_launcher_puts_it_on_the_path(use):
    found = facts({**torch("2.4.1", "12.4"), **COMPAT, **LINKED, **LAUNCHER}, settings=OUR_PATH)
    for driver in (470, 580):  # the launcher leaves a newer driver as it is
        told = cuda(found, on("ml.g5.xlarge", use, driver=driver))
        assert (told["driver"].verdict, told["cuda-compat"].verdict) == ("ok", "ok")
        assert "which the launcher puts on the library path" in told["cuda-compat"].found


@pytest.mark.parametrize(
    ("use", "files", "settings"),
    [
        ("processing", LAUNCHER, {**OUR_PATH, "Cmd": ["train"]}),
        ("training", LAUNCHER, {**OUR_PATH, "Entrypoint": ["python3", "/own.py"]}),
        ("training", LAUNCHER, {}),  # another `train` comes first
        (
            "training",
            {"usr/lib/python3/site-packages/sagedock/runtime/cuda_compat.py": b"# decides"},
            OUR_PATH,
        ),
    ],
    ids=["processing", "own entrypoint", "other program", "library alone"],
)
def test_a_launcher_that_does_not_run_helps_nobody(use, files, settings):
    found = facts({**torch("2.4.1", "12.4"), **COMPAT, **LINKED, **files}, settings=settings)
    told = cuda(found, on("ml.g5.xlarge", use, driver=470))
    assert (told["driver"].verdict, told["cuda-compat"].verdict) == ("warns", "warns")
    assert "LD_LIBRARY_PATH" in told["cuda-compat"].remedy


def test_our_launcher_does_not_look_elsewhere():
    """The package's folder without the link that the launcher knows."""
    found = facts({**torch("2.4.1", "12.4"), **COMPAT, **LAUNCHER}, settings=OUR_PATH)
    told = cuda(found, on("ml.g5.xlarge"))
    assert (told["driver"].verdict, told["cuda-compat"].verdict) == ("warns", "warns")


@pytest.mark.parametrize(
    ("settings", "driver", "compat"),
    [({}, "warns", "warns"), (ON_PATH, "ok", "ok")],
    ids=["beside", "on the path"],
)
def test_cuda_compat_helps_where_the_loader_finds_it(settings, driver, compat):
    found = facts({**torch("2.4.1", "12.4"), **COMPAT, **LINKED}, settings=settings)
    told = cuda(found, on("ml.g5.xlarge"))
    assert (told["driver"].verdict, told["cuda-compat"].verdict) == (driver, compat)


def test_a_cuda_compat_that_is_too_old_itself_does_not_help():
    found = facts({**torch("2.9.0", "13.0"), **COMPAT, **LINKED}, settings=ON_PATH)
    assert cuda(found, on("ml.g5.xlarge"))["driver"].verdict == "fails"
    beside = facts({**torch("2.9.0", "13.0"), **COMPAT})
    assert cuda(beside, on("ml.g5.xlarge"))["driver"].verdict == "fails"


def test_cuda_compat_compiles_the_ptx_that_the_driver_cannot():
    files = {OWN: library(fatbin("compute_80", ptx=(8, 4))), **COMPAT, **LINKED}
    target = on("ml.g5.xlarge")

    def verdict(**changes):
        return rows(gpu_code_rows(facts(files, **changes), target))[
            "GPU code of extensions"
        ].verdict

    assert (verdict(), verdict(settings=ON_PATH)) == ("fails", "warns")


def test_cuda_compat_older_than_the_driver_is_warned_of():
    found = facts({**torch("2.4.1", "12.4"), **COMPAT, **LINKED}, settings=ON_PATH)
    row = cuda(found, on("ml.g5.xlarge", driver=580))["cuda-compat"]
    assert row.verdict == "warns"
    assert "only if it is newer" in row.remedy


def test_a_torch_without_cuda_fails_on_a_gpu_and_cuda_is_too_much_without_one():
    assert cuda(facts(torch("2.4.1+cpu", None)), on("ml.g5.xlarge"))["CUDA"].verdict == "fails"
    assert cuda(facts(), on("ml.g5.xlarge"))["CUDA"].verdict == "warns"
    assert cuda(facts(torch("2.4.1", "12.4")), on("ml.m5.xlarge"))["CUDA"].verdict == "warns"
    assert cuda(facts(torch("2.4.1+cpu", None)), on("ml.m5.xlarge")) == {}


def test_a_gpu_that_this_cuda_does_not_know_any_more():
    row = cuda(facts(torch("2.9", "13.0")), on("ml.p3.2xlarge", "training"))["GPU's age"]
    assert row.verdict == "fails"
    assert "GPU's age" not in cuda(facts(torch("2.4", "12.4")), on("ml.p3.2xlarge", "training"))


@pytest.mark.parametrize(
    ("library", "verdict"),
    [
        ("usr/lib/python3/site-packages/nvidia/cuda_runtime/lib/libcudart.so.12", "ok"),
        ("usr/lib/python3/site-packages/torch/lib/libcudart-d0da41ae.so.12.1", "ok"),
        ("usr/lib/libcudart.so.11.8.89", "fails"),
        ("srv/nothing", "fails"),
    ],
)
def test_the_runtime_that_torch_loads(library, verdict):
    found = facts({**torch("2.4.1", "12.4"), library: b"x"})
    assert cuda(found, on("ml.g6.xlarge"))["CUDA runtime"].verdict == verdict
    assert "CUDA runtime" not in cuda(facts(RUNTIME), on("ml.g6.xlarge"))


@pytest.mark.parametrize(
    ("wanted", "branch", "is_unmet"),
    [
        ("cuda>=12.4", 535, True),
        ("cuda>=12.2", 535, False),
        ("cuda>=12.4 brand=tesla,driver>=535,driver<536", 535, False),
        ("cuda>=12.4 brand=geforce,driver>=535,driver<536", 535, True),
        ("cuda>=12.4 brand=tesla,driver>=470,driver<471", 535, True),
        ("something new", 535, False),
        ("", 535, False),
    ],
)
def test_constraints_of_the_image_itself(wanted, branch, is_unmet):
    assert unmet(wanted, branch) is is_unmet


def test_constraints_are_a_row():
    def verdict(*variables, **more):
        found = facts(torch("2.4.1", "12.4"), settings={"Env": list(variables)})
        return cuda(found, on("ml.g6.xlarge", **more))["NVIDIA_REQUIRE_CUDA"].verdict

    assert verdict("NVIDIA_REQUIRE_CUDA=cuda>=12.4") == "warns"
    assert verdict("NVIDIA_REQUIRE_CUDA=cuda>=12.4", "NVIDIA_DISABLE_REQUIRE=1") == "ok"
    assert verdict("NVIDIA_REQUIRE_CUDA=cuda>=12.4", driver=550) == "ok"
    assert verdict("NVIDIA_REQUIRE_CUDA=cuda>=12.4", use="training") == "cannot say"


NVCC = {
    "usr/local/cuda-12.4/version.json": b'{"cuda": {"version": "12.4.1"}}',
    "usr/local/cuda-12.4/bin/nvcc": (b"\x7fELF", 0o755),
}
RUNTIME = {"usr/local/cuda-12.4/version.json": NVCC["usr/local/cuda-12.4/version.json"]}


@pytest.mark.parametrize(
    ("toolkit", "of_torch", "verdict"),
    [
        (NVCC, "12.4", "ok"),
        (NVCC, "12.1", "warns"),
        (NVCC, "11.8", "fails"),
        (RUNTIME, "12.1", "ok"),
        (RUNTIME, "11.8", "warns"),
    ],
)
def test_torchs_cuda_against_the_toolkits(toolkit, of_torch, verdict):
    row = rows(system_rows(facts({**toolkit, **torch("2", of_torch)})))["torch and toolkit"]
    assert row.verdict == verdict
    assert f"torch for CUDA {of_torch}; /usr/local/cuda-12.4 12.4" in row.found


def test_without_both_there_is_nothing_to_compare():
    assert "torch and toolkit" not in rows(system_rows(facts(NVCC)))
    assert "torch and toolkit" not in rows(system_rows(facts(torch("2", "12.4"))))
