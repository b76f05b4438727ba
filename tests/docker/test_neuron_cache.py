"""Compiled graphs go from job to job of the local SageMaker: with checkpoints, as the model of a
compile job, with the image. The compiler is a stand-in: see neuron_image/.
"""

import io
import re
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from sagedock.client.result import TrainingResult
from tests.conftest import BUCKET, REGION
from tests.docker.conftest import RealLocal
from tests.docker.test_client_distributed import TORCHRUN, estimator, lines

__all__ = ["lines"]

ROOT = Path(__file__).parents[2]
PARTS = ("__init__.py", "errors.py", "contract", "runtime")
COMPILER = "neuronxcc-2.25.3371.0+f524f7f8"
#: Has each graph compiled that the job names, and may leave what an interrupted job leaves.
SCRIPT = """
import argparse, os, pathlib, subprocess
parser = argparse.ArgumentParser()
parser.add_argument("--graphs")
parser.add_argument("--spoiled", default="")
options = parser.parse_args()
for graph in options.graphs.split(","):
    subprocess.run(["neuronx-cc", graph], check=True)
cache = pathlib.Path(os.environ["NEURON_COMPILE_CACHE_URL"])
for number, source in enumerate(sorted(cache.rglob("*.pb")) if options.spoiled else ()):
    if source.read_text() in options.spoiled.split(","):
        (source.parent / "model.done").unlink()
        (source.parent / ("model.hlo_module.pb.lock", "model.log")[number % 2]).touch()
if os.environ.get("NEURON_EXTRACT_GRAPHS_ONLY") != "1":
    print("trained", flush=True)
    pathlib.Path("/opt/ml/model", os.environ["SM_CURRENT_HOST"]).touch()
"""
#: The only type that the toolkit counts cores of by its name: no device is needed.
TYPE = "ml.trn2.48xlarge"


@pytest.fixture(scope="module")
def image(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image for Neuron with stand-ins, and one graph compiled before; removed at the end."""
    context = tmp_path_factory.mktemp("neuron") / "context"
    shutil.copytree(Path(__file__).parent / "neuron_image", context)
    for part in PARTS:
        source, target = ROOT / "src" / "sagedock" / part, context / "sagedock" / part
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    for program in ("compiler.py", "parallel.py"):
        (context / program).chmod(0o755)
    shipped = context / "shipped" / COMPILER / "MODULE_7+shipped"
    shipped.mkdir(parents=True)
    for name in ("model.neff", "model.done"):
        (shipped / name).touch()
    name = f"neuron-{uuid.uuid4().hex[:12]}:1"
    client = docker.from_env()
    client.images.build(path=str(context), tag=name, rm=True, forcerm=True)
    yield f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{name}"
    client.images.remove(name, force=True)
    client.close()


@pytest.fixture
def ran(real: RealLocal, image: str, lines: list[str], tmp_path: Path) -> Any:
    """Run a job that has graphs compiled; return its result, and what it said."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text(SCRIPT)

    def run(graphs: str, inputs: Any = None, **changes: Any) -> tuple[TrainingResult, list[str]]:
        lines.clear()
        hyperparameters = {"graphs": graphs, **changes.pop("hyperparameters", {})}
        made = estimator(
            real,
            lines,
            image_uri=image,
            instance_type=TYPE,
            entry_point="train.py",
            source_dir=str(tmp_path / "code"),
            hyperparameters=hyperparameters,
            **changes,
        )
        result = made.fit(inputs or {})
        return result, list(lines)

    return run


def about(said: list[str]) -> list[str]:
    """Return what was said of graphs, and whether anything was trained."""
    words = ("compiled", "cached", "extracted", "trained")
    return [line for line in said if any(word in line for word in words)]


def test_the_second_job_finds_the_firsts_graphs_with_its_checkpoints(ran: Any) -> None:
    kept = {"checkpoint_s3_uri": f"s3://{BUCKET}/ckpt"}
    _, first = ran("a,b,c", hyperparameters={"spoiled": "b,c"}, **kept)
    folder = "/opt/ml/checkpoints/neuron-compile-cache"
    assert about(first) == [
        f"sagedock: compiled graphs: 1 in {folder}, 1 of them brought there",
        *("a: compiled", "b: compiled", "c: compiled", "trained"),
    ]
    _, second = ran("a,b,c", **kept)
    assert about(second) == [
        f"sagedock: compiled graphs: 4 in {folder}; locks or failures of 2 removed",
        *("a: cached code of a", "b: compiled", "c: compiled", "trained"),
    ]


def test_a_compile_job_trains_nothing_and_a_later_one_has_its_graphs(
    ran: Any, real: RealLocal
) -> None:
    compiled, said = ran(
        "a,b", environment={"RUN_NEURON_PARALLEL_COMPILE": "1"}, distribution=one_process()
    )
    assert "a: extracted" in said
    assert "trained" not in said
    assert {"a: compiled", "b: compiled"} <= set(said)
    with tarfile.open(fileobj=io.BytesIO(real.get(str(compiled.model_data)))) as archive:
        packed = [each.name for each in archive.getmembers() if each.name.endswith("model.neff")]
    assert len(packed) == 3  # the one of the image, too
    assert all(name.startswith(f"neuron-compile-cache/{COMPILER}/MODULE_") for name in packed)

    _, later = ran("a,b,c", {"neuron_cache": compiled.model_data}, distribution=one_process())
    assert about(later) == [
        "sagedock: compiled graphs: 3 in /var/tmp/neuron-compile-cache, 3 of them brought there",
        *("a: cached code of a", "b: cached code of b", "c: compiled", "trained"),
    ]


def test_each_of_two_hosts_has_graphs_of_its_own_and_begins_with_the_others(
    ran: Any, real: RealLocal
) -> None:
    kept = {"checkpoint_s3_uri": f"s3://{BUCKET}/hosts", "distribution": one_process()}
    ran("a", **kept)  # by one host
    _, said = ran("a,b", instance_count=2, **kept)
    told = [found[0] for line in said if (found := re.search(r"\b[ab]: c.*", line))]
    assert sorted(told) == [
        *("a: cached code of a", "a: cached code of a", "b: compiled", "b: compiled")
    ]
    found = real.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="hosts/")["Contents"]
    places = {
        each["Key"].removeprefix("hosts/neuron-compile-cache/").partition("/")[0] for each in found
    }
    assert places == {COMPILER, "algo-1", "algo-2"}

    only = {"RUN_NEURON_PARALLEL_COMPILE": "1"}
    compiled, _ = ran("a", instance_count=2, environment=only, distribution=one_process())
    with tarfile.open(fileobj=io.BytesIO(real.get(str(compiled.model_data)))) as archive:
        hosts = {each.name.split("/")[1] for each in archive.getmembers() if each.isfile()}
    assert hosts == {"algo-1", "algo-2"}


def one_process() -> dict[str, Any]:
    return {"torch_distributed": {**TORCHRUN["torch_distributed"], "processes_per_host": 1}}
