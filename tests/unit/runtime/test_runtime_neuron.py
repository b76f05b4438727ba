"""Where a Neuron job's compiled graphs lie, what it begins with; the step that only compiles."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagedock.contract import neuron as contract
from sagedock.errors import InvalidRequest, StorageError
from sagedock.runtime import neuron
from sagedock.runtime.distribution import Backend, Launcher, backend_of
from sagedock.runtime.neuron_cache import entries
from sagedock.runtime.toolkit import Environment
from sagedock.runtime.torchrun import command as torchrun_command
from sagedock.runtime.torchrun import launch_variables
from tests.unit.runtime.test_runtime_distribution import JOB as ANY_JOB
from tests.unit.runtime.test_runtime_neuron_cache import GRAPH, graph

ALONE = ("algo-1",)
JOB = replace(
    ANY_JOB,
    gpus=0,
    neuron_cores=2,
    instance_type="ml.trn1.2xlarge",
    hosts=ALONE,
    distribution_hosts=ALONE,
    current_host="algo-1",
)
COMPILE = {"RUN_NEURON_PARALLEL_COMPILE": "1"}


@pytest.fixture(autouse=True)
def torch_xla(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An image with torch_xla, and none with graphs of its own or a compiler's default place."""
    found = importlib.util.find_spec
    spec = importlib.util.spec_from_loader("torch_xla", loader=None)

    def find(name: str, *more: Any) -> Any:
        return spec if name == "torch_xla" else found(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", find)
    monkeypatch.setattr(contract, "SHIPPED_CACHE", str(tmp_path / "shipped"))
    monkeypatch.setattr(contract, "DEFAULT_CACHE", str(tmp_path / "default"))


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The variables of a job whose /opt/ml is empty."""
    (tmp_path / "ml").mkdir()
    return {"SAGEMAKER_BASE_DIR": str(tmp_path / "ml")}


def place(job: Environment, env: dict[str, str]) -> str | None:
    return neuron.cache_variables(job, env).get("NEURON_COMPILE_CACHE_URL")


def prepared(job: Environment, env: dict[str, str]) -> tuple[set[str], list[str]]:
    """Prepare the job's cache; return the graphs in it, and what was said."""
    said: list[str] = []
    neuron.prepare_cache(job, env, said.append)
    return set(entries(Path(place(job, env) or ""))), said


def checkpoints(env: dict[str, str]) -> Path:
    folder = Path(env["SAGEMAKER_BASE_DIR"], "checkpoints")
    folder.mkdir(exist_ok=True)
    return folder


def test_with_checkpoints_graphs_travel_with_them(env: dict[str, str]) -> None:
    assert place(JOB, env) == contract.DEFAULT_CACHE
    assert place(JOB, env | {"PATH": "x"}) == contract.DEFAULT_CACHE
    folder = checkpoints(env)
    assert place(JOB, env) == str(folder / "neuron-compile-cache")


def test_the_checkpoints_own_path_counts(env: dict[str, str], tmp_path: Path) -> None:
    config = Path(env["SAGEMAKER_BASE_DIR"], "input", "config", "checkpointconfig.json")
    config.parent.mkdir(parents=True)
    config.write_text(f'{{"LocalPath": "{tmp_path}/mine"}}')
    assert place(JOB, env) == f"{tmp_path}/mine/neuron-compile-cache"


def test_each_of_several_hosts_has_a_place_of_its_own(env: dict[str, str]) -> None:
    folder = checkpoints(env)
    job = replace(JOB, hosts=("algo-1", "algo-2"), current_host="algo-2")
    assert place(job, env) == str(folder / "neuron-compile-cache" / "algo-2")


@pytest.mark.parametrize(
    "said",
    [
        {"NEURON_COMPILE_CACHE_URL": "s3://bucket/cache"},
        {"NEURON_CC_FLAGS": "--model-type transformer --cache_dir=/mine"},
    ],
)
def test_what_the_job_says_itself_counts(env: dict[str, str], said: dict[str, str]) -> None:
    assert place(JOB, env | said) is None
    neuron.prepare_cache(JOB, env | said, pytest.fail)


def test_off_neuron_there_is_no_cache(env: dict[str, str]) -> None:
    for job in (replace(JOB, neuron_cores=0), replace(ANY_JOB)):
        assert place(job, env) is None
        neuron.prepare_cache(job, env, pytest.fail)
        neuron.keep_graphs(job, env | COMPILE, pytest.fail)


def test_graphs_come_with_the_image_and_with_the_channel(
    env: dict[str, str], tmp_path: Path
) -> None:
    other = GRAPH.replace("123", "456")
    graph(tmp_path / "shipped")
    graph(Path(env["SAGEMAKER_BASE_DIR"], "input", "data", "neuron_cache"), other)
    found, said = prepared(JOB, env)
    assert found == {GRAPH, other}
    assert said == [
        f"compiled graphs: 2 in {tmp_path / 'default'}, 2 of them brought there",
    ]


def test_a_restarted_job_finds_its_graphs_and_no_locks(env: dict[str, str]) -> None:
    folder = checkpoints(env) / "neuron-compile-cache"
    entry = graph(folder, **{"model.hlo_module.pb.lock": b""})
    found, said = prepared(JOB, env)
    assert found == {GRAPH}
    assert not (entry / "model.hlo_module.pb.lock").exists()
    assert said == [f"compiled graphs: 1 in {folder}; locks or failures of 1 removed"]


def test_a_host_begins_with_what_the_others_compiled(env: dict[str, str]) -> None:
    folder = checkpoints(env) / "neuron-compile-cache"
    graph(folder)  # by a job of one host
    graph(folder / "algo-1", GRAPH.replace("123", "456"))
    job = replace(JOB, hosts=("algo-1", "algo-2"), current_host="algo-2")
    found, _ = prepared(job, env)
    assert found == {GRAPH, GRAPH.replace("123", "456")}


def test_one_host_begins_with_what_several_compiled(env: dict[str, str]) -> None:
    folder = checkpoints(env) / "neuron-compile-cache"
    graph(folder / "algo-2")
    _, said = prepared(JOB, env)
    assert (folder / GRAPH / "model.neff").is_file()
    assert said == [f"compiled graphs: 1 in {folder}, 1 of them brought there"]


def test_fewer_cores_than_the_type_has_are_told_of(env: dict[str, str]) -> None:
    _, said = prepared(replace(JOB, instance_type="ml.trn1.32xlarge"), env)
    assert said[0] == "ml.trn1.32xlarge has 32 Neuron cores, and 2 are here"


def test_a_place_that_takes_nothing_is_an_error(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "default").write_text("a file")
    with pytest.raises(StorageError, match=r"default takes no compiled graphs: .*: free its disk"):
        neuron.prepare_cache(JOB, env, lambda _: None)


def test_a_compile_job_leaves_its_graphs_as_its_model(env: dict[str, str], tmp_path: Path) -> None:
    graph(tmp_path / "default")
    neuron.keep_graphs(JOB, env, pytest.fail)  # a job that trains
    said: list[str] = []
    neuron.keep_graphs(JOB, env | COMPILE, said.append)
    model = Path(env["SAGEMAKER_BASE_DIR"], "model", "neuron-compile-cache")
    assert set(entries(model)) == {GRAPH}
    assert said == [f"compiled graphs: 1 put into {model}, for a channel neuron_cache"]


def test_models_of_several_hosts_do_not_clash(env: dict[str, str], tmp_path: Path) -> None:
    graph(tmp_path / "default")
    job = replace(JOB, hosts=("algo-1", "algo-2"), current_host="algo-2")
    neuron.keep_graphs(job, env | COMPILE, lambda _: None)
    model = Path(env["SAGEMAKER_BASE_DIR"], "model", "neuron-compile-cache")
    assert entries(model) == {GRAPH: model / "algo-2" / GRAPH}


def test_both_launchers_run_under_the_compiler() -> None:
    assert torchrun_command(JOB, "train.py", COMPILE)[0] == "neuron_parallel_compile"
    assert neuron.under_compiler(["python", "x.py"], COMPILE) == [
        *("neuron_parallel_compile", "python", "x.py"),
    ]
    assert neuron.under_compiler(["python", "x.py"], {}) == ["python", "x.py"]


def test_what_cannot_compile_is_refused_before_anything_runs(tmp_path: Path) -> None:
    neuron.refuse(Launcher.MPI, {})
    with pytest.raises(InvalidRequest) as refused:
        neuron.refuse(Launcher.MPI, COMPILE | {"PATH": str(tmp_path)})
    mpi, missing = refused.value.problems
    assert "not for MPI" in mpi
    assert "RUN_NEURON_PARALLEL_COMPILE: this image has no neuron_parallel_compile" in missing
    program = tmp_path / "neuron_parallel_compile"
    program.touch(mode=0o755)
    neuron.refuse(Launcher.TORCHRUN, COMPILE | {"PATH": str(tmp_path)})


def test_xla_runs_on_neuron_or_on_what_the_image_names() -> None:
    assert backend_of(JOB, {}) is Backend.XLA
    assert launch_variables(JOB, {})["PJRT_DEVICE"] == "NEURON"
    without = replace(JOB, neuron_cores=0)
    assert backend_of(without, {}) is Backend.GLOO
    assert backend_of(without, {"PJRT_DEVICE": "CPU"}) is Backend.XLA


@pytest.mark.parametrize(
    ("name", "cores"),
    [
        ("ml.trn1.2xlarge", 2),
        ("ml.trn1.32xlarge", 32),
        ("ml.trn1n.32xlarge", 32),
        ("ml.trn2.48xlarge", 64),  # the toolkit's own number
        ("ml.inf2.48xlarge", 24),
        ("ml.g5.xlarge", 0),
        ("ml.unknown.xlarge", 0),
    ],
)
def test_cores_by_type(name: str, cores: int) -> None:
    assert contract.cores_of(name) == cores
