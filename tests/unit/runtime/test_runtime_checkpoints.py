"""Checkpoints of one process: when they are saved, which is loaded, what stays, what is refused."""

import io
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sagedock.errors import ContractBroken, InvalidRequest, StorageError
from sagedock.runtime.checkpoints import JSON, Checkpoints, Format
from sagedock.runtime.checkpoints.files import Stamp, write
from tests.unit.runtime.checkpoint_states import (
    checkpoints,
    stamp_of,
    steps_in,
    unfinished_in,
)


def run(folder: Path, until: int, **options: Any) -> Any:
    """Train up to a step; return what was loaded before."""
    made = checkpoints(folder, **options)
    loaded = made.load()
    for step in range(made.done, until):
        made.step(step + 1, lambda step=step: step + 1)
    return loaded


def test_a_program_goes_on_where_it_was(tmp_path: Path) -> None:
    assert run(tmp_path, 3) is None
    assert run(tmp_path, 5) == 3
    made = checkpoints(tmp_path)
    assert made.load() == 5
    assert made.done == 5


def test_the_folder_is_made(tmp_path: Path) -> None:
    run(tmp_path / "a" / "b", 1)
    assert steps_in(tmp_path / "a" / "b") == [1]


def test_a_start_from_the_beginning_is_said_where_checkpoints_were_expected(tmp_path: Path) -> None:
    said: list[str] = []
    checkpoints(tmp_path / "made", said).load()
    assert said == []
    checkpoints(tmp_path, said).load()
    assert said == [f"no checkpoint in {tmp_path}: starting from the beginning"]


@pytest.mark.parametrize(("keep", "left"), [(1, [9]), (2, [8, 9]), (4, [6, 7, 8, 9])])
def test_keep_newest_stay(tmp_path: Path, keep: int, left: list[int]) -> None:
    run(tmp_path, 9, keep=keep)
    assert steps_in(tmp_path) == left


def test_what_was_there_goes_only_once_enough_newer_are_saved(tmp_path: Path) -> None:
    run(tmp_path, 4, keep=3)
    made = checkpoints(tmp_path, keep=3)
    made.load()
    made.save(10, 10)
    assert steps_in(tmp_path) == [2, 3, 4, 10]
    made.save(11, 11)
    assert steps_in(tmp_path) == [4, 10, 11]


def test_order_is_by_step_whatever_the_times_say(tmp_path: Path) -> None:
    run(tmp_path, 11, keep=11)
    for step, file in enumerate(sorted(tmp_path.iterdir(), reverse=True)):
        os.utime(file, (step * 1000, step * 1000))
    assert checkpoints(tmp_path).load() == 11


def test_nothing_is_saved_before_it_is_time(tmp_path: Path) -> None:
    now = [0.0]
    made = checkpoints(tmp_path, every_s=60, keep=9, clock=lambda: now[0])
    made.load()
    for step in range(1, 8):
        now[0] += 25
        made.step(step, lambda step=step: step)
    assert steps_in(tmp_path) == [3, 6]


def test_a_state_is_not_made_where_nothing_is_saved(tmp_path: Path) -> None:
    made = checkpoints(tmp_path, every_s=60, clock=lambda: 0.0)
    made.load()
    made.step(1, lambda: pytest.fail("the state was made"))


def test_each_checkpoint_says_what_it_is(tmp_path: Path) -> None:
    run(tmp_path, 1)
    stamp = stamp_of(tmp_path / "step-000000000001.rank-0.ckpt")
    assert {name: stamp[name] for name in ("step", "rank", "ranks", "format")} == {
        "step": 1,
        "rank": 0,
        "ranks": 1,
        "format": "counter",
    }
    assert stamp["payload_bytes"] == (tmp_path / "step-000000000001.rank-0.ckpt").stat().st_size - (
        len(str(stamp).encode()) + 16
    )


def test_numpy_and_json_need_no_torch(tmp_path: Path) -> None:
    numpy = Format(
        name="npz",
        save=lambda state, file: np.savez(file, **state),
        load=lambda file: dict(np.load(io.BytesIO(file.read()), allow_pickle=False)),
    )
    lazily = Format(name="npz", save=numpy.save, load=lambda file: np.load(file)["a"] + 0)
    for kind, state in ((numpy, {"a": np.arange(100_000)}), (JSON, {"a": [1, 2.5, "é", None]})):
        folder = tmp_path / kind.name
        made = checkpoints(folder, format=kind)
        made.load()
        made.save(1, state)
        found = checkpoints(folder, format=kind).load()
        assert np.array_equal(found["a"], state["a"])
    assert np.array_equal(checkpoints(tmp_path / "npz", format=lazily).load(), np.arange(100_000))


def test_importing_it_loads_no_torch_and_no_launcher() -> None:
    code = (
        "import sys; from sagedock.runtime import Checkpoints, Stopped\n"
        "print(sorted({'torch', 'numpy', 'sagemaker_training', 'sagedock.runtime.train'}"
        " & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    names = [
        "events.out.tfevents",
        "step-1.ckpt",
        "step-000000000009.rank-0.ckpt.bak",
        "checkpoint-5",
    ]
    for name in names:
        (tmp_path / name).write_text("mine")
    assert run(tmp_path, 5) is None
    assert {name for name in names if (tmp_path / name).read_text() == "mine"} == set(names)


@pytest.mark.timeout(20)
def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    run(tmp_path, 1)
    kept = tmp_path / "step-000000000001.rank-0.ckpt"
    (tmp_path / "step-000000000002.rank-0.ckpt").mkdir()
    os.mkfifo(tmp_path / "step-000000000003.rank-0.ckpt")
    (tmp_path / "step-000000000004.rank-0.ckpt").symlink_to(kept)
    (tmp_path / "step-000000000005.rank-0.ckpt").hardlink_to(kept)
    said: list[str] = []
    assert checkpoints(tmp_path, said).load() == 1
    reasons = ["another name", "cannot be opened", "not a regular file", "not a regular file"]
    assert len(said) == len(reasons) + 1
    assert all(reason in line for reason, line in zip(reasons, said, strict=False)), said


def test_a_file_of_the_platform_that_marks_uploads_is_no_checkpoint(tmp_path: Path) -> None:
    run(tmp_path, 2)
    newest = tmp_path / "step-000000000002.rank-0.ckpt"
    Path(f"{newest}.sagemaker-uploading").touch()
    Path(f"{newest}.sagemaker-uploaded").touch()
    assert checkpoints(tmp_path).load() == 2


def mark(folder: Path, step: int, suffix: str) -> None:
    (folder / f"step-{step:012d}.rank-0.ckpt.sagemaker-{suffix}").touch()


def test_what_is_being_uploaded_stays_until_the_next_time(tmp_path: Path) -> None:
    made = checkpoints(tmp_path, keep=1)
    made.load()
    made.save(1, 1)
    mark(tmp_path, 1, "uploading")
    made.save(2, 2)
    mark(tmp_path, 1, "uploaded")
    mark(tmp_path, 2, "uploaded")
    assert steps_in(tmp_path) == [1, 2]
    made.save(3, 3)
    assert steps_in(tmp_path) == [2, 3]


def test_where_uploads_are_marked_keep_counts_what_is_on_s3(tmp_path: Path) -> None:
    made = checkpoints(tmp_path, keep=2)
    made.load()
    for step in (1, 2):
        made.save(step, step)
        mark(tmp_path, step, "uploaded")
    made.save(3, 3)
    made.save(4, 4)
    assert steps_in(tmp_path) == [1, 2, 3, 4]  # 3 and 4 are on this disk only
    made.save(5, 5)
    assert steps_in(tmp_path) == [2, 3, 4, 5]  # no more than twice `keep`
    mark(tmp_path, 4, "uploaded")
    mark(tmp_path, 5, "uploaded")
    made.save(6, 6)
    assert steps_in(tmp_path) == [4, 5, 6]


def test_load_comes_first(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"load\(\)"):
        checkpoints(tmp_path).step(1, lambda: 1)


def test_a_program_that_starts_over_by_mistake_is_told(tmp_path: Path) -> None:
    run(tmp_path, 7)
    made = checkpoints(tmp_path)
    made.load()
    with pytest.raises(InvalidRequest, match=r"1 steps, but 7 .*checkpoints\.done"):
        made.step(1, lambda: 1)


def test_every_wrong_option_is_named() -> None:
    wrong: Any = {"every_s": -1, "keep": 0, "on_failure": "ignore"}
    with pytest.raises(InvalidRequest) as caught:
        Checkpoints("x", **wrong)
    assert [each.partition(":")[0] for each in caught.value.problems] == list(wrong)
    with pytest.raises(InvalidRequest, match="every_s: nan"):
        Checkpoints("x", every_s=float("nan"))


def test_another_format_is_no_damage_but_a_mistake(tmp_path: Path) -> None:
    run(tmp_path, 1)
    with pytest.raises(InvalidRequest, match="written as counter, not json"):
        checkpoints(tmp_path, format=JSON).load()


def test_a_whole_file_that_does_not_load_is_named(tmp_path: Path) -> None:
    broken = Format(name="broken", save=JSON.save, load=lambda file: {}["model"])
    made = checkpoints(tmp_path, format=broken)
    made.load()
    made.save(1, {})
    with pytest.raises(KeyError) as caught:
        checkpoints(tmp_path, format=broken).load()
    assert "step-000000000001.rank-0.ckpt is as it was written" in caught.value.__notes__[0]


def test_a_state_that_would_be_refused_is_found_at_the_first_save(tmp_path: Path) -> None:
    made = checkpoints(
        tmp_path,
        format=Format(
            name="strict", save=JSON.save, load=JSON.load, refused=lambda _: ["os.system"]
        ),
    )
    made.load()
    with pytest.raises(InvalidRequest, match=r"state: it holds os\.system"):
        made.save(1, {})
    assert steps_in(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file/x takes no checkpoints: .*Mount it writable"):
        checkpoints(tmp_path / "file" / "x").load()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let the kernel refuse what goes beyond ``size`` bytes, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 1000, 1_500_000])
def test_a_disk_that_refuses_leaves_the_older_ones(tmp_path: Path, size: int) -> None:
    run(tmp_path, 2)
    made = checkpoints(tmp_path)
    made.load()
    with (
        largest_file(size),
        pytest.raises(StorageError, match=r"step-0+3\.rank-0\.ckpt cannot be written: File too"),
    ):
        made.save(3, 3)
    assert steps_in(tmp_path) == [1, 2]
    assert unfinished_in(tmp_path) == []
    made.save(3, 3)
    assert checkpoints(tmp_path).load() == 3


def test_a_disk_that_refuses_need_not_end_the_training(tmp_path: Path) -> None:
    said: list[str] = []
    made = checkpoints(tmp_path, said, on_failure="warn")
    made.load()
    made.step(1, lambda: 1)
    with largest_file(1000):
        made.step(2, lambda: 2)
    assert "cannot be written" in said[-1]
    assert made.done == 1
    made.step(3, lambda: 3)
    assert steps_in(tmp_path) == [1, 3]


def test_an_error_of_the_program_leaves_nothing_unfinished(tmp_path: Path) -> None:
    made = checkpoints(tmp_path, format=JSON)
    made.load()
    with pytest.raises(TypeError):
        made.save(1, {"not JSON": object()})
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_was_writing_is_removed(tmp_path: Path) -> None:
    name = "step-000000000007.rank-{}.ckpt.123.sagemaker-ignore"
    for rank in ("0", "1", "0-of-2"):
        (tmp_path / name.format(rank)).touch()
    checkpoints(tmp_path).load()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        name.format("0-of-2"),
        name.format("1"),
    ]


def test_a_file_has_its_name_once_it_is_on_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "step-000000000001.rank-0.ckpt"
    seen: list[tuple[str, bool]] = []

    def fsync(fd: int) -> None:
        target = Path(f"/proc/self/fd/{fd}").readlink()
        seen.append(("folder" if target == tmp_path else "file", file.exists()))

    stamp = Stamp(step=1, rank=0, ranks=1, format="x", run="r", saved_at="now")
    write(file, stamp, lambda payload: payload.write(b"x" * 100), fsync=fsync)
    assert seen == [("file", False), ("folder", True)]


def test_the_folder_is_the_jobs(tmp_path: Path) -> None:
    def kept(**options: Any) -> list[str]:
        made = Checkpoints(
            env={"SAGEMAKER_BASE_DIR": str(tmp_path / "ml")},
            every_s=0,
            format=JSON,
            say=said.append,
            **options,
        )
        made.load()
        made.step(1, dict)
        return sorted(str(file.parent.relative_to(tmp_path)) for file in tmp_path.rglob("*.ckpt"))

    said: list[str] = []
    assert kept() == []
    assert "nothing is saved" in said[-1]
    (tmp_path / "ml" / "input" / "config").mkdir(parents=True)
    assert kept() == ["ml/checkpoints"]
    config = tmp_path / "ml" / "input" / "config" / "checkpointconfig.json"
    config.write_text(f'{{"S3Uri": "s3://b/p", "LocalPath": "{tmp_path}/elsewhere"}}')
    assert kept() == ["elsewhere", "ml/checkpoints"]
    config.write_text('{"LocalPath": 7}')
    with pytest.raises(ContractBroken, match="LocalPath must be a path, not 7"):
        kept()
