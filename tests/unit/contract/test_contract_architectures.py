"""Which architectures code is compiled for, from the instance types that it is for."""

import pytest

from sagedock.contract.accelerators import GPUS
from sagedock.contract.architectures import arch_list, arch_problems


@pytest.mark.parametrize(
    ("types", "words"),
    [
        (["ml.g5.xlarge"], "8.6+PTX"),
        (["ml.p5.48xlarge", "ml.p4d.24xlarge"], "8.0;9.0+PTX"),
        (["ml.p4d.24xlarge", "ml.p4de.24xlarge", "ml.g4dn.xlarge"], "7.5;8.0+PTX"),
        (["ml.p6-b200.48xlarge", "ml.g6.xlarge"], "8.9;10.0+PTX"),  # by number, not by letter
        (["ml.m5.large"], ""),
        ([], ""),
    ],
)
def test_each_capability_once_the_newest_with_ptx(types: list[str], words: str) -> None:
    assert arch_list(types) == words


def test_what_cuda_13_has_dropped_is_refused_with_the_version_to_take() -> None:
    (problem,) = arch_problems(["ml.p3.2xlarge", "ml.g4dn.xlarge"], (13, 0))
    assert problem == (
        "ml.p3.2xlarge: CUDA 13.0 makes no code for its NVIDIA V100 (sm_70) any more: build with "
        "CUDA 12.x, or leave the type out"
    )
    assert not list(arch_problems(["ml.p3.2xlarge"], (12, 9)))


def test_what_an_old_cuda_does_not_know_is_refused_with_the_first_that_does() -> None:
    (problem,) = arch_problems(["ml.p6-b200.48xlarge"], (12, 4))
    assert "CUDA 12.4 does not know its NVIDIA B200 (sm_100) yet: build with CUDA 12.8" in problem
    assert not list(arch_problems(["ml.p6-b200.48xlarge"], (12, 8)))


def test_a_type_without_a_gpu_is_refused() -> None:
    (problem,) = arch_problems(["ml.trn1.32xlarge"], (13, 0))
    assert problem.startswith("ml.trn1.32xlarge has no NVIDIA GPU: leave it out")


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.families[0])
def test_every_gpu_has_a_cuda_that_compiles_for_it(gpu) -> None:
    cuda = (gpu.last_cuda, 9) if gpu.last_cuda else (13, 0)
    name = f"ml.{gpu.families[0]}.48xlarge"
    assert not list(arch_problems([name], cuda))
    assert arch_list([name]) == f"{gpu.capability[0]}.{gpu.capability[1]}+PTX"
