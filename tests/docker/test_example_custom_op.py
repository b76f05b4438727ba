"""The example of a compiled operator on the CPU: built, compared with PyTorch, trained with."""

from collections.abc import Iterator
from typing import Any

import pytest

from sagedock import Estimator, Session
from tests.conftest import BUCKET, REGION, ROLE
from tests.docker.conftest import RealLocal
from tests.docker.custom_op import EXAMPLE, built_example, run_in

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def image(engine: Any) -> Iterator[str]:
    with built_example("cpu") as name:
        yield name


def test_it_is_what_pytorch_computes(image: str) -> None:
    mounted = (f"--volume={EXAMPLE}/test_rms_norm.py:/t/test_rms_norm.py:ro", "--workdir=/t")
    said = run_in(image, "python", "-m", "unittest", "test_rms_norm", options=mounted)
    assert "OK (skipped=1)" in said  # what needs a GPU


def test_the_compilers_and_sources_stay_behind(image: str) -> None:
    words = "command -v g++ ninja; find /src /wheels -type f 2>/dev/null; pip list | grep fused"
    assert run_in(image, "bash", "-c", words).split() == ["fused", "1.0"]


def test_a_training_job_trains_with_it(real: RealLocal, image: str) -> None:
    lines: list[str] = []
    estimator = Estimator(
        image_uri=f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{image}",
        role=ROLE,
        instance_type="ml.m5.large",
        output_path=f"s3://{BUCKET}/out/",
        entry_point="train.py",
        source_dir=str(EXAMPLE / "job"),
        hyperparameters={"epochs": 15},
        session=Session(target="local", environ=real.server.environment(), show=lines.append),
        show=lines.append,
    )
    estimator.fit()
    losses = [float(line.split("loss=")[1].split()[0]) for line in lines if "loss=" in line]
    assert len(losses) == 15
    assert losses[-1] < losses[0] / 2
    assert any(line.startswith("accuracy=") and float(line[9:]) > 0.9 for line in lines)
    assert real.get(f"s3://{BUCKET}/out/{estimator.latest_training_job.name}/output/model.tar.gz")
