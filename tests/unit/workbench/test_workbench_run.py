"""Serving, editing, breaking, mending and ending, on fake containers."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sagedock.engine import LogFrame
from sagedock.errors import ContractBroken, ImageNotFound, InvalidRequest
from sagedock.testing import Container, FakeEngine
from sagedock.workbench.events import (
    Edited,
    Ended,
    Log,
    Refused,
    Removed,
    Serving,
    Starting,
    Waiting,
)
from tests.unit.workbench.bench import CODE, IMAGE, Bench, handler_of, program, running


def test_it_serves_the_source_as_the_models_code(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "code").mkdir(parents=True)
    (model / "code" / "old.py").write_text("hidden")
    (model / "weights").write_text("heavy")
    handler = handler_of(tmp_path, model=model, environment={"A": "b"}, memory_mib=512)
    with running(handler) as bench:
        assert bench.ask() == (200, "one")
        spec = bench.container().spec
        layout = bench.container().on_host("/opt/ml/model")
        assert sorted(each.name for each in layout.iterdir()) == ["code", "weights"]
        assert [each.name for each in (layout / "code").iterdir()] == ["inference.py"]
    assert not layout.exists()
    assert all(bind.read_only for bind in spec.binds)
    assert [bind.target for bind in spec.binds] == ["/opt/ml/model", "/opt/ml/model/weights"]
    assert spec.command == ("serve",)
    assert spec.memory_mib == 512
    assert spec.environment == {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": CODE,
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
        "A": "b",
    }
    assert bench.error is None


def test_an_edit_starts_the_same_container_again(tmp_path: Path) -> None:
    with running(handler_of(tmp_path)) as bench:
        bench.until(Serving)
        first = bench.container().id
        bench.write("two")
        bench.until(Edited)
        assert bench.ask() == (200, "two")  # held until the new one serves
        assert bench.container().id == first
    (edited,) = bench.all(Edited)
    assert (edited.changed, edited.added, edited.removed) == (("inference.py",), (), ())
    assert not edited.anew
    assert [event.text for event in bench.all(Log)] == ["loading one", "loading two"]


def test_other_requirements_mean_another_container(tmp_path: Path) -> None:
    with running(handler_of(tmp_path)) as bench:
        bench.until(Serving)
        first = bench.container().id
        bench.write("numpy", "requirements.txt")
        edited = bench.until(Edited)
        assert edited.added == ("requirements.txt",)
        assert edited.anew
        bench.until(Serving, 2)
        assert bench.container().id != first


def test_a_broken_handler_is_told_and_its_mending_awaited(tmp_path: Path) -> None:
    with running(handler_of(tmp_path)) as bench:
        bench.until(Serving)
        bench.write("broken")
        ended = bench.until(Ended)
        assert ended.code == 1
        assert ended.last_lines == ("loading broken", "Traceback: it is broken")
        bench.until(Waiting)
        status, why = bench.ask()
        assert status == 503
        assert "does not serve" in why
        bench.write("three")
        bench.until(Serving, 2)
        assert bench.ask() == (200, "three")


def test_a_source_without_its_handler_is_refused_until_it_is_back(tmp_path: Path) -> None:
    with running(handler_of(tmp_path)) as bench:
        bench.until(Serving)
        (bench.source / "inference.py").unlink()
        assert "has no inference.py" in bench.until(Refused).problems[0]
        assert bench.ask()[0] == 503
        bench.write("back")
        bench.until(Serving, 2)
        assert bench.ask() == (200, "back")


def test_without_reload_an_edit_changes_nothing_and_an_end_is_the_end(tmp_path: Path) -> None:
    with running(handler_of(tmp_path), reload=False) as bench:
        bench.until(Serving)
        bench.write("two")
        assert bench.ask() == (200, "one")
        container = bench.container()
        container.code = 3
        container.print("that was it")
        container.terminated.set()
        bench._thread.join(60)
    assert isinstance(bench.error, ContractBroken)
    assert str(bench.error) == "the container ended with code 3: that was it"


def test_an_isolated_container_has_a_network_of_its_own(tmp_path: Path) -> None:
    with running(handler_of(tmp_path, isolated=True)) as bench:
        bench.until(Serving)
        spec = bench.container().spec
        assert bench.engine.all_networks[spec.network]["isolated"] == "True"
        assert spec.ports == ()


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        bench = Bench(handler_of(tmp_path), FakeEngine(program, images=[IMAGE]), port=port)
        bench.end()
    assert isinstance(bench.error, InvalidRequest)
    assert str(bench.error).startswith(f"port: cannot listen on 127.0.0.1:{port} ")
    assert not bench.all(Starting)


def test_an_absent_image_is_refused_with_how_to_get_it(tmp_path: Path) -> None:
    bench = Bench(handler_of(tmp_path), FakeEngine(program))
    bench.end()
    assert isinstance(bench.error, ImageNotFound)
    assert "make build" in str(bench.error)


def test_what_a_killed_workbench_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    engine = FakeEngine(program, images=[IMAGE])
    with running(handler_of(tmp_path), engine) as living:
        living.until(Serving)
        spec = living.container().spec
        gone = {**spec.labels, "sagedock.workbench": str(tmp_path / "sagedock-workbench-gone")}
        engine.create(type(spec)(name="orphan", image=IMAGE, labels=gone))
        with running(handler_of(tmp_path), engine) as other:
            assert other.until(Removed).container == "orphan"
            assert other.ask() == living.ask() == (200, "one")
    assert not engine.all


def test_a_killed_workbenchs_folder_goes_with_its_container(tmp_path: Path) -> None:
    engine = FakeEngine(program, images=[IMAGE])
    folder = tmp_path / "sagedock-workbench-killed"
    folder.mkdir()
    (folder / "lock").touch()
    with running(handler_of(tmp_path), engine) as first:
        first.until(Serving)
        spec = first.container().spec
    labels = {**spec.labels, "sagedock.workbench": str(folder)}
    engine.create(type(spec)(name="orphan", image=IMAGE, labels=labels))
    with running(handler_of(tmp_path), engine) as other:
        other.until(Serving)
    assert [event.container for event in other.all(Removed)] == ["orphan"]
    assert not folder.exists()


class OneMoment(FakeEngine):
    """An engine whose clock is coarse: several lines come at the same time."""

    def logs(self, container: str) -> Iterator[LogFrame]:
        for frame in super().logs(container):
            yield replace(frame, time_s=float(int(frame.time_s)))


def test_lines_of_the_same_moment_are_all_told(tmp_path: Path) -> None:
    def talks(container: Container) -> int:
        for number in range(5):
            container.print(f"line {number}")
        return program(container)

    with running(handler_of(tmp_path), OneMoment(talks, images=[IMAGE])) as bench:
        bench.until(Serving)
        bench.until(Log, 6)
    texts = [event.text for event in bench.all(Log)]
    assert texts == [*(f"line {number}" for number in range(5)), "loading one"]
