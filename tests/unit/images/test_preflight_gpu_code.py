"""The GPU code of libraries against GPUs: extensions, torch's, and NVIDIA's own."""

import pytest

from sagedock.images.preflight.checks.gpu_code import gpu_code_rows
from tests.unit.images.made_images import (
    facts,
    fatbin,
    library,
    rows,
    torch,
)
from tests.unit.images.test_preflight_cuda import cuda, on

OWN = "opt/ext/ops.so"
TORCHS = "usr/lib/python3/site-packages/torch/lib/libtorch_cuda.so"


def code(files, target=None):
    return rows(gpu_code_rows(facts(files), target or on("ml.p4d.24xlarge", "training")))


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        (["sm_80", "sm_90"], "ok"),
        (["sm_90", "compute_90"], "fails"),
        (["sm_70", "compute_70"], "warns"),  # compiled when it is first used
        (["sm_86"], "fails"),
        (["sm_75"], "fails"),
    ],
)
def test_an_extensions_code_against_the_gpu(codes, verdict):
    row = code({OWN: library(fatbin(*codes))})["GPU code of extensions"]
    assert row.verdict == verdict
    assert OWN in row.found
    assert all(each in row.found for each in codes)
    assert ("TORCH_CUDA_ARCH_LIST containing 8.0" in row.remedy) == (verdict != "ok")


def test_torchs_code_is_a_row_of_its_own_and_need_not_be_whole():
    told = code({TORCHS: library(fatbin("sm_80"), fatbin("sm_90a")), OWN: library(fatbin("sm_80"))})
    assert set(told) == {"GPU code of torch, CUDA", "GPU code of extensions"}
    assert {row.verdict for row in told.values()} == {"ok"}
    assert code({TORCHS: library(fatbin("sm_90"))})["GPU code of torch, CUDA"].verdict == "fails"


def test_an_extension_of_which_a_part_has_no_code_is_warned_of():
    row = code({OWN: library(fatbin("sm_80"), fatbin("sm_90"))})["GPU code, in part"]
    assert "1 of 2" in row.found
    assert row.verdict == "warns"


def test_libraries_of_nvidia_for_newer_gpus_are_a_warning():
    path = "usr/lib/python3/site-packages/nvidia/cudnn/lib/libcudnn_engines.so.9"
    assert code({path: library(fatbin("sm_90"))})["GPU code of torch, CUDA"].verdict == "warns"


CU13 = "opt/venv/lib/python3.11/site-packages/nvidia/cu13/lib"
TOOLKIT = "usr/local/cuda-13.0/targets/x86_64-linux/lib"


@pytest.mark.parametrize("folder", [CU13, TOOLKIT, "usr/lib/x86_64-linux-gnu"])
def test_a_library_of_nvidia_s_beside_others_with_code_lacks_it_by_design(folder):
    files = {
        f"{folder}/libcufft.so.12": library(fatbin("sm_75", "sm_80", "sm_90")),
        f"{folder}/libcufftw.so.12": library(fatbin("sm_75")),
    }
    row = code(files)["GPU code of torch, CUDA"]
    assert (row.verdict, row.remedy) == ("ok", "")
    assert "1 with code for it, 1 of NVIDIA's without by design" in row.found


def test_nobody_is_told_to_build_nvidia_s_libraries_again():
    alone = {f"{CU13}/libcudnn_engines.so.9": library(fatbin("sm_90"))}
    row = code(alone)["GPU code of torch, CUDA"]
    assert row.verdict == "warns"
    assert row.remedy.startswith("take another version of NVIDIA's packages")
    assert "build" not in row.remedy


def test_nvidia_s_ptx_is_as_it_should_be_unless_the_driver_is_too_old_for_it():
    files = {f"{CU13}/libcublas.so.13": library(fatbin("compute_75", ptx=(8, 4)))}
    row = code(files)["GPU code of torch, CUDA"]
    assert (row.verdict, row.remedy) == ("ok", "")
    old = code(files, on("ml.g6.xlarge"))["GPU code of torch, CUDA"]
    assert (old.verdict, old.remedy) == (
        "warns",
        "take a newer driver or cuda-compat, see `driver`, or an older CUDA",
    )


def test_one_of_torchs_libraries_without_code_leaves_the_others():
    linalg = TORCHS.replace("libtorch_cuda", "libtorch_cuda_linalg")
    files = {TORCHS: library(fatbin("sm_75")), linalg: library(fatbin("sm_80"))}
    row = code(files, on("ml.g4dn.xlarge"))["GPU code of torch, CUDA"]
    assert row.verdict == "warns"
    assert linalg in row.found
    assert "take torch's wheel for another CUDA" in row.remedy
    beside = {
        TORCHS: library(fatbin("sm_80")),
        linalg.replace("torch_cuda_linalg", "cudnn") + ".8": library(fatbin("sm_75")),
    }
    row = code(beside, on("ml.g4dn.xlarge"))["GPU code of torch, CUDA"]
    assert row.verdict == "fails"  # what NVIDIA has beside it is no help to torch


def test_a_wheel_of_torchs_that_is_known_to_have_the_code_is_named():
    files = {**torch("2.11.0", "12.8"), TORCHS: library(fatbin("sm_75"))}
    row = code(files, on("ml.p3.2xlarge", "training"))["GPU code of torch, CUDA"]
    assert row.verdict == "fails"
    assert row.remedy.startswith("take torch's wheel for CUDA 12.6, which has code for it, or")


def test_a_gpu_newer_than_the_image_s_cuda_takes_a_newer_one():
    files = {
        **torch("2.4.1", "12.4"),
        TORCHS: library(fatbin("sm_90")),
        f"{CU13}/libcublas.so.12": library(fatbin("sm_90")),
        OWN: library(fatbin("sm_90")),
    }
    told = code(files, on("ml.p6-b200.48xlarge"))
    row = told["GPU code of torch, CUDA"]
    assert row.verdict == "fails"
    assert row.remedy == (
        "take CUDA 12.8 or newer, the first that knows the NVIDIA B200, with the wheels of torch "
        "and NVIDIA for it"
    )
    own = told["GPU code of extensions"].remedy
    assert own.endswith("TORCH_CUDA_ARCH_LIST containing 10.0, and CUDA 12.8 or newer")


@pytest.mark.parametrize("use", ["training", "serving"])
def test_a_gpu_that_cuda_left_behind_is_told_once_for_the_image(use):
    files = {
        **torch("2.9.0", "13.0"),
        TORCHS: library(fatbin("sm_75")),
        f"{CU13}/libcublas.so.13": library(fatbin("sm_75")),
        f"{CU13}/libcufftw.so.12": library(fatbin("sm_75")),
        OWN: library(fatbin("sm_75")),
    }
    found, target = facts(files), on("ml.p3.2xlarge", use)
    told = {**cuda(found, target), **rows(gpu_code_rows(found, target))}
    assert set(told) == {"GPU's age"}
    assert told["GPU's age"].verdict == "fails"
    assert told["GPU's age"].remedy == (
        "build the image on CUDA 12 (torch's wheels for 12.6 have code for it), or take a newer "
        "instance type"
    )


def test_a_library_of_the_user_s_is_none_of_nvidia_s_whatever_its_name():
    for path in ("opt/ext/libcustom_ops.so.1", "opt/cuda_kernels/ops.so"):
        row = code({path: library(fatbin("sm_90"))})["GPU code of extensions"]
        assert row.verdict == "fails"


def test_ptx_that_the_driver_cannot_compile_fails():
    files = {OWN: library(fatbin("compute_80", ptx=(8, 4)))}
    target = on("ml.g6.xlarge")  # driver 535 knows CUDA 12.2, and this PTX is of 12.4
    row = code(files, target)["GPU code of extensions"]
    assert row.verdict == "fails"
    assert "knows CUDA 12.4, to compile this PTX; 535 knows 12.2" in row.needed
    assert code(files, on("ml.g6.xlarge", driver=550))["GPU code of extensions"].verdict == "warns"


def test_damaged_code_is_told():
    assert (
        code({OWN: fatbin("sm_80", "sm_90")[:-10].join([b"\x7fELF", b""])})[
            "GPU code, damaged"
        ].verdict
        == "cannot say"
    )


def test_no_rows_of_gpu_code_without_a_gpu():
    assert code({OWN: library(fatbin("sm_80"))}, on("ml.m5.xlarge")) == {}
