"""The digits trained on two hosts, on two processes of one, and on one: the same loss."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sagedock import Estimator, InstanceGroup, Session
from tests.conftest import BUCKET, ROLE
from tests.docker.conftest import TRAINING_IMAGE, RealLocal
from tests.docker.test_launcher_requirements import wheel

ROOT = Path(__file__).parents[2]
EPOCHS = 3
METRICS = [{"Name": "train:loss", "Regex": r"train_loss=([0-9.]+)"}]
TORCHRUN = {"torch_distributed": {"enabled": True}}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The handwritten digits: enough of them for a few batches, the last one uneven."""
    import numpy as np
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    rows = np.column_stack([labels, pixels]).astype(int)
    folder = tmp_path_factory.mktemp("digits")
    for name, part in {"train": rows[:1001], "test": rows[1001:1300]}.items():
        (folder / name).mkdir()
        np.savetxt(folder / name / "digits.csv", part, fmt="%d", delimiter=",")
    return folder


@pytest.fixture
def lines() -> list[str]:
    return []


def estimator(real: RealLocal, lines: list[str], **changes: Any) -> Estimator:
    session = Session(target="local", environ=real.server.environment(), show=lines.append)
    parameters: dict[str, Any] = {
        "image_uri": TRAINING_IMAGE,
        "role": ROLE,
        "instance_type": "ml.m5.large",
        "output_path": f"s3://{BUCKET}/out/",
        "entry_point": "train_ddp.py",
        "source_dir": str(ROOT / "examples" / "digits"),
        "hyperparameters": {"epochs": EPOCHS, "batch-size": 48, "seed": 7},
        "metric_definitions": METRICS,
        "session": session,
        "show": lines.append,
        **changes,
    }
    return Estimator(**parameters)


def test_two_hosts_and_two_processes_reach_the_loss_of_one(
    real: RealLocal, digits: Path, lines: list[str]
) -> None:
    inputs = {"train": digits / "train", "test": digits / "test"}
    two = {"torch_distributed": {"enabled": True, "processes_per_host": 2}}
    layouts: dict[str, dict[str, Any]] = {
        "one process": {},
        "two hosts": {"distribution": TORCHRUN, "instance_count": 2},
        "two processes": {"distribution": two},
    }
    losses: dict[str, float] = {}
    for name, layout in layouts.items():
        result = estimator(real, lines, **layout).fit(inputs)
        losses[name] = result.metrics["train:loss"]
        with tarfile.open(fileobj=io.BytesIO(real.get(str(result.model_data)))) as archive:
            assert [each.name for each in archive.getmembers() if each.isfile()] == ["model.pt"]
    one = losses.pop("one process")
    assert [
        line.partition(" process(es)")[0][-1] for line in lines if "process(es), 48" in line
    ] == [*("1", "2", "2")]
    epochs = [line.split()[1] for line in lines if line.startswith(("epoch=1 ", "epoch=3 "))]
    first, last = (float(each.removeprefix("train_loss=")) for each in epochs[:2])
    assert last < first / 2  # it learns: equal losses mean something
    assert losses == {name: pytest.approx(one, rel=1e-5) for name in losses}


def test_hosts_of_a_heterogeneous_cluster_know_their_group(
    real: RealLocal, tmp_path: Path, lines: list[str]
) -> None:
    (tmp_path / "train.py").write_text(
        "import os, socket\n"
        "print('FACTS', os.environ['SM_CURRENT_HOST'], os.environ['SM_CURRENT_INSTANCE_GROUP'],\n"
        "      os.environ['SM_CURRENT_INSTANCE_TYPE'], os.environ.get('WORLD_SIZE', 'plain'),\n"
        "      os.environ['SM_DISTRIBUTION_INSTANCE_GROUPS'], os.environ.get('FI_PROVIDER'))\n"
    )
    groups = [
        InstanceGroup(instance_group_name=name, instance_type=type_, instance_count=count)
        for name, type_, count in (("data", "ml.c5.xlarge", 1), ("train", "ml.g6e.48xlarge", 2))
    ]
    estimator(
        real,
        lines,
        instance_type=None,
        instance_groups=groups,
        distribution={**TORCHRUN, "instance_groups": [groups[1]]},
        entry_point="train.py",
        source_dir=str(tmp_path),
        hyperparameters={},
        metric_definitions=[],
    ).fit()
    facts = sorted(line[line.index("FACTS") + 6 :] for line in lines if "FACTS" in line)
    assert facts == [
        'algo-1 data ml.c5.xlarge plain ["train"] None',
        'algo-2 train ml.g6e.48xlarge 2 ["train"] efa',
        'algo-3 train ml.g6e.48xlarge 2 ["train"] efa',
    ]


SUMS = """
import os
from mpi4py import MPI
world = MPI.COMM_WORLD
print("total", world.allreduce(world.rank + 1), "on", os.environ["SM_CURRENT_HOST"])
"""


def test_mpi_over_two_isolated_hosts(real: RealLocal, tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "train.py").write_text(SUMS)
    estimator(
        real,
        lines,
        instance_count=2,
        distribution={"mpi": {"enabled": True, "processes_per_host": 2}},
        enable_network_isolation=True,
        entry_point="train.py",
        source_dir=str(tmp_path),
        hyperparameters={},
        metric_definitions=[],
    ).fit()
    told = [line.partition("<stdout>:")[2] for line in lines if "total" in line]
    assert sorted(told) == [f"total 10 on algo-{host}" for host in (1, 1, 2, 2)]


def test_an_isolated_job_installs_from_its_wheelhouse(
    real: RealLocal, tmp_path: Path, lines: list[str]
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "run.sh").write_text("#!/bin/sh\nexec python -c 'import mine; print(mine.VALUE)'\n")
    (source / "requirements.txt").write_text("mine==1\n")
    wheel(tmp_path / "wheels", "mine", "VALUE = 'from the wheelhouse'")
    estimator(
        real,
        lines,
        enable_network_isolation=True,
        entry_point="run.sh",
        source_dir=str(source),
        hyperparameters={},
        metric_definitions=[],
    ).fit({"wheelhouse": tmp_path / "wheels"})
    assert "from the wheelhouse" in lines
