"""Instance types of an image become architectures in its build; what CUDA cannot do is refused."""

from pathlib import Path

import pytest

from sagedock.errors import InvalidRequest
from sagedock.images import find_matrix, load_images
from sagedock.images.builder import Builder
from sagedock.images.device import device_args
from sagedock.images.image import Image
from sagedock.images.plan import build_command
from tests.unit.images.test_images_matrix import GOOD

ROOT = Path(__file__).resolve().parents[3]


def image(**changes) -> Image:
    usual = {"device": "cuda", "cuda": "13.0", "dockerfile": "D", "target": "t", "tag": "v1"}
    return Image(
        **{"name": "ops", "kind": "training", "repository": "ops", "base": "b", **usual, **changes}
    )


def build_args(found: Image) -> list[str]:
    argv = build_command(
        found,
        builder=Builder(argv=("docker", "build"), environment={}, docker="docker"),
        root=Path("/project"),
        id_file=Path("/private/id"),
        secrets={},
        environ={},
        labels={},
    )
    return [argv[at + 1] for at, word in enumerate(argv) if word == "--build-arg"]


def test_the_builds_architectures_are_those_of_the_instance_types():
    found = image(instance_types=("ml.p5.48xlarge", "ml.g5.xlarge"))
    assert device_args(found) == {"TORCH_CUDA_ARCH_LIST": "8.6;9.0+PTX"}
    assert build_args(found) == ["BASE=b", "TORCH_CUDA_ARCH_LIST=8.6;9.0+PTX"]


def test_an_argument_of_the_images_own_wins():
    found = image(
        instance_types=("ml.p5.48xlarge",), args={"TORCH_CUDA_ARCH_LIST": "9.0a", "DEVICE": "cuda"}
    )
    assert build_args(found) == ["BASE=b", "TORCH_CUDA_ARCH_LIST=9.0a", "DEVICE=cuda"]


@pytest.mark.parametrize("changes", [{}, {"device": "cpu", "instance_types": ("ml.g5.xlarge",)}])
def test_without_a_gpu_there_is_no_such_argument(changes):
    assert device_args(image(**changes)) == {}


def test_every_type_that_the_cuda_cannot_serve_is_told(tmp_path):
    (tmp_path / "Dockerfile").write_text("ARG BASE\nFROM ${BASE} AS final\n")
    matrix = tmp_path / "images.toml"
    types = '["ml.p3.2xlarge", "ml.p2.xlarge", "ml.m5.large", "ml.p5.48xlarge"]'
    matrix.write_text(
        GOOD.replace('"cpu"', '"cuda"') + f'cuda = "13.0"\ninstance_types = {types}\n'
    )
    with pytest.raises(InvalidRequest) as caught:
        load_images(matrix)
    assert len(caught.value.problems) == 3
    text = str(caught.value)
    assert "instance_types: ml.p3.2xlarge: CUDA 13.0 makes no code for its NVIDIA V100" in text
    assert "instance_types: ml.p2.xlarge: CUDA 13.0 makes no code for its NVIDIA K80" in text
    assert "instance_types: ml.m5.large has no NVIDIA GPU" in text


def test_our_cuda_images_say_what_they_are_for():
    found = [each for each in load_images(find_matrix(ROOT)) if each.device == "cuda"]
    assert len(found) > 1
    for each in found:
        assert each.budget_mb
        jobs = each.repository != "sagedock-ops"  # its users say for which GPUs they compile
        assert bool(each.instance_types) is jobs
