"""Compiled graphs are carried over whole; locks and failures of dead processes are not."""

import io
import tarfile
from pathlib import Path

from sagedock.runtime.neuron_cache import copy_missing, entries, mend, unpacked

COMPILER = "neuronxcc-2.25.3371.0+f524f7f8"
GRAPH = f"{COMPILER}/MODULE_123+d41d8cd9"
WHOLE = {"model.hlo_module.pb": b"graph", "model.neff": b"code", "model.done": b""}


def graph(folder: Path, key: str = GRAPH, **more: bytes) -> Path:
    """Make a graph of the files of WHOLE, some of them changed (None: absent)."""
    entry = folder / key
    entry.mkdir(parents=True)
    for name, data in {**WHOLE, **more}.items():
        (entry / name).write_bytes(data)
    return entry


def names(entry: Path) -> set[str]:
    return {each.name for each in entry.iterdir()}


def test_graphs_are_found_wherever_a_compilers_folder_is(tmp_path: Path) -> None:
    made = {GRAPH: graph(tmp_path / "a" / "algo-1")}
    other = f"{COMPILER}/MODULE_9+0"
    made[other] = graph(tmp_path, other)
    (tmp_path / "unrelated" / "MODULE_5+0").mkdir(parents=True)
    assert entries(tmp_path) == made
    assert entries(tmp_path / "absent") == {}


def test_a_link_leads_nowhere(tmp_path: Path) -> None:
    graph(tmp_path / "elsewhere")
    folder = tmp_path / "cache"
    (folder / COMPILER).mkdir(parents=True)
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / GRAPH).symlink_to(tmp_path / "elsewhere" / GRAPH)
    assert entries(folder) == {}


def test_a_whole_graph_is_left_alone(tmp_path: Path) -> None:
    entry = graph(tmp_path)
    assert mend(tmp_path) == 0
    assert names(entry) == set(WHOLE)


def test_a_lock_goes_and_the_graph_stays(tmp_path: Path) -> None:
    entry = graph(tmp_path, **{"model.hlo_module.pb.lock": b""})
    assert mend(tmp_path) == 1
    assert names(entry) == set(WHOLE)


def test_a_failure_is_forgotten_so_that_it_is_tried_again(tmp_path: Path) -> None:
    entry = graph(tmp_path, **{"model.log": b"interrupted"})
    for name in ("model.neff", "model.done"):
        (entry / name).unlink()
    assert mend(tmp_path) == 1
    assert names(entry) == {"model.hlo_module.pb"}


def test_what_is_half_compiled_is_compiled_again(tmp_path: Path) -> None:
    entry = graph(tmp_path)
    (entry / "model.neff").unlink()  # S3 had the mark, and not yet the code
    assert mend(tmp_path) == 1
    assert names(entry) == {"model.hlo_module.pb"}


def test_only_whole_graphs_are_copied_and_without_locks(tmp_path: Path) -> None:
    source, cache = tmp_path / "source", tmp_path / "cache"
    graph(source, **{"x.lock": b""})
    (graph(source, f"{COMPILER}/MODULE_2+0") / "model.done").unlink()
    assert copy_missing(entries(source), cache) == 1
    assert {key: names(entry) for key, entry in entries(cache).items()} == {GRAPH: set(WHOLE)}
    assert [each.name for each in (cache / COMPILER).iterdir()] == ["MODULE_123+d41d8cd9"]


def test_what_is_there_is_not_copied_again_and_what_is_half_there_is(tmp_path: Path) -> None:
    source, cache = tmp_path / "source", tmp_path / "cache"
    graph(source)
    mine = graph(cache, **{"model.neff": b"mine"})
    assert copy_missing(entries(source), cache) == 0
    assert (mine / "model.neff").read_bytes() == b"mine"
    (mine / "model.done").unlink()
    assert copy_missing(entries(source), cache) == 1
    assert (mine / "model.neff").read_bytes() == b"code"


def packed(archive: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def test_the_model_of_a_compile_job_is_unpacked(tmp_path: Path) -> None:
    channel, cache = tmp_path / "channel", tmp_path / "cache"
    channel.mkdir()
    inside = {f"neuron-compile-cache/{GRAPH}/{name}": data for name, data in WHOLE.items()}
    packed(channel / "model.tar.gz", inside)
    said: list[str] = []
    for folder in unpacked([tmp_path / "absent", channel], tmp_path / "scratch", said.append):
        copy_missing(entries(folder), cache)
    assert set(entries(cache)) == {GRAPH}
    assert said == []


def test_of_an_archive_only_graphs_are_taken_and_none_leads_out(tmp_path: Path) -> None:
    channel, scratch = tmp_path / "channel", tmp_path / "scratch"
    channel.mkdir()
    members = {
        f"../../{GRAPH}/model.neff": b"code",
        f"{COMPILER}/MODULE_1+0/..": b"x",
        f"{COMPILER}/../escaped": b"x",
        "weights.pt": b"x",
    }
    packed(channel / "a.tar.gz", members)
    with tarfile.open(channel / "b.tar.gz", "w:gz") as tar:
        link = tarfile.TarInfo(f"{COMPILER}/MODULE_2+0/model.neff")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    folders = list(unpacked([channel], scratch, lambda _: None))
    written = [str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file()]
    assert sorted(written) == [
        *("channel/a.tar.gz", "channel/b.tar.gz", f"scratch/0-a.tar.gz/{GRAPH}/model.neff")
    ]
    assert folders == [channel, scratch / "0-a.tar.gz", scratch / "0-b.tar.gz"]


def test_a_broken_archive_is_told_of(tmp_path: Path) -> None:
    channel = tmp_path / "channel"
    channel.mkdir()
    (channel / "b.tgz").write_bytes(b"no archive")
    said: list[str] = []
    assert list(unpacked([channel], tmp_path / "scratch", said.append)) == [channel]
    assert said[0].startswith(f"{channel / 'b.tgz'} cannot be unpacked")
