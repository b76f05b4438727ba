"""The digits trained by PyTorch/XLA on a CPU: the script, the launcher and the stages of the Neuron
image, with PyPI's torch_xla in place of AWS's index. Asked for by ``-m xla``: `make test-xla`.
"""

import io
import tarfile
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import ImageNotFound

from sagedock.client.result import TrainingResult
from tests.conftest import BUCKET, REGION
from tests.docker.conftest import RealLocal
from tests.docker.test_client_distributed import digits, estimator, lines

__all__ = ["digits", "lines"]
pytestmark = pytest.mark.xla

XLA_IMAGE = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/sagedock-training:xla"
EPOCHS = 4
HOW = {"epochs": EPOCHS, "batch-size": 96, "lr": 0.01, "seed": 7, "checkpoint-every-s": 0}


@pytest.fixture(autouse=True)
def image(engine: Any) -> None:
    try:
        docker.from_env().images.get("sagedock-training:xla")
    except ImageNotFound:
        pytest.skip("sagedock-training:xla is not built: make test-xla")


def trained(
    real: RealLocal, digits: Path, lines: list[str], processes: int, **changes: Any
) -> TrainingResult:
    how = {"torch_distributed": {"enabled": True, "processes_per_host": processes}}
    settings: dict[str, Any] = {
        "image_uri": XLA_IMAGE,
        "instance_type": "ml.trn1.2xlarge",
        "entry_point": "train_neuron.py",
        "hyperparameters": HOW,
        "distribution": how,
        **changes,
    }
    return estimator(real, lines, **settings).fit(
        {"train": digits / "train", "test": digits / "test"}
    )


def losses(lines: list[str]) -> list[float]:
    told = [line.split() for line in lines if line.startswith("epoch=")]
    return [float(words[1].removeprefix("train_loss=")) for words in told]


def test_torchrun_trains_by_xla_and_goes_on_from_its_checkpoint(
    real: RealLocal, digits: Path, lines: list[str]
) -> None:
    kept = {"checkpoint_s3_uri": f"s3://{BUCKET}/ckpt"}
    result = trained(real, digits, lines, processes=1, **kept)
    assert "rank 0 of 1 on xla:0, CPU" in lines
    whole = losses(lines)
    assert len(whole) == EPOCHS
    assert whole[-1] < whole[0] / 2
    with tarfile.open(fileobj=io.BytesIO(real.get(str(result.model_data)))) as archive:
        assert [each.name for each in archive.getmembers() if each.isfile()] == ["model.pt"]
    found = real.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="ckpt/")["Contents"]
    assert f"ckpt/step-{EPOCHS:012d}.rank-0.ckpt" in [each["Key"] for each in found]

    lines.clear()
    longer = {**HOW, "epochs": EPOCHS + 1}
    trained(real, digits, lines, processes=1, hyperparameters=longer, **kept)
    (last,) = losses(lines)
    assert last < whole[0] / 2


def test_two_processes_start_with_the_backend_of_neuron(
    real: RealLocal, digits: Path, lines: list[str]
) -> None:
    trained(real, digits, lines, processes=2, hyperparameters={**HOW, "steps": 8})
    ranks = {line for line in lines if line.startswith("rank ")}
    assert ranks == {f"rank {rank} of 2 on xla:0, CPU" for rank in (0, 1)}
    warning = "2 processes, 1 to PyTorch/XLA: on a CPU each trains on its own share alone"
    assert lines.count(warning) == 2
    assert losses(lines)[-1] < losses(lines)[0]
