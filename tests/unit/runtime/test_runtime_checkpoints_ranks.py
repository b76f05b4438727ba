"""Several ranks: one writer each, and one step that all of them load, whatever was killed when."""

import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from sagedock.errors import InvalidRequest, StorageError
from sagedock.runtime.checkpoints import JSON, Ranks
from sagedock.runtime.checkpoints.ranks import this_process
from tests.amount import amount
from tests.unit.runtime.checkpoint_states import checkpoints, steps_in
from tests.unit.runtime.rank_processes import RankProcesses, run_ranks

COUNT = 3
INTERVAL = 4
SEED = 7
KILLS = amount(24, quick=12)


def together(work: Callable[[Ranks], Any], count: int = COUNT) -> list[Any]:
    """Run ``work`` on ranks that are threads; return what each returned, or raised."""
    barrier = Barrier(count)
    handed: list[Any] = [None] * count
    results: list[Any] = [None] * count

    def gather(rank: int, value: Any) -> Sequence[Any]:
        handed[rank] = value
        barrier.wait(60)
        found = list(handed)
        barrier.wait(60)
        return found

    def run(rank: int) -> None:
        ranks = Ranks(rank=rank, count=count, gather=lambda value: gather(rank, value))
        try:
            results[rank] = work(ranks)
        except (InvalidRequest, StorageError) as error:
            results[rank] = error

    threads = [Thread(target=run, args=(rank,)) for rank in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def train(folder: Path, until: int, **options: Any) -> list[Any]:
    """Train shards up to a step; return what each rank had loaded before."""

    def work(ranks: Ranks) -> Any:
        made = checkpoints(folder, ranks=ranks, format=JSON, sharded=True, **options)
        loaded = made.load()
        for step in range(made.done + 1, until + 1):
            made.step(step, lambda step=step: [ranks.rank, step])
        return loaded

    return together(work)


def loaded(folder: Path, said: list[str] | None = None) -> list[Any]:
    def work(ranks: Ranks) -> Any:
        return checkpoints(folder, said, ranks=ranks, format=JSON, sharded=True).load()

    return together(work)


def file_of(folder: Path, step: int, rank: int) -> Path:
    return folder / f"step-{step:012d}.rank-{rank}-of-{COUNT}.ckpt"


def test_shards_go_on_together(tmp_path: Path) -> None:
    assert train(tmp_path, 3) == [None] * COUNT
    assert steps_in(tmp_path) == [2, 2, 2, 3, 3, 3]
    assert loaded(tmp_path) == [[rank, 3] for rank in range(COUNT)]


def test_a_step_that_one_rank_has_not_saved_is_not_loaded(tmp_path: Path) -> None:
    train(tmp_path, 5)
    file_of(tmp_path, 5, 1).unlink()
    assert loaded(tmp_path) == [[rank, 4] for rank in range(COUNT)]


def test_a_step_that_one_rank_has_damaged_is_not_loaded(tmp_path: Path) -> None:
    train(tmp_path, 5)
    damaged = file_of(tmp_path, 5, 2)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    said: list[str] = []
    assert loaded(tmp_path, said) == [[rank, 4] for rank in range(COUNT)]
    assert sum("passed over" in line for line in said) == 1


def test_ranks_that_have_nothing_in_common_start_from_the_beginning(tmp_path: Path) -> None:
    train(tmp_path, 2)
    for step in (1, 2):
        file_of(tmp_path, step, 2).unlink()
    said: list[str] = []
    assert loaded(tmp_path, said) == [None] * COUNT
    assert "rank(s) 2 of 3 have no checkpoint" in said[-2]
    assert "starting from the beginning" in said[-1]
    assert len(steps_in(tmp_path)) == 4, "what the others have is not thrown away"


def test_each_rank_with_another_newest_go_down_to_the_common_one(tmp_path: Path) -> None:
    train(tmp_path, 6, keep=6)
    for step, rank in ((6, 0), (6, 1), (5, 1), (4, 2), (5, 0)):
        file_of(tmp_path, step, rank).unlink()
    assert loaded(tmp_path) == [[rank, 3] for rank in range(COUNT)]


def test_shards_of_different_runs_are_never_mixed(tmp_path: Path) -> None:
    """Rank 0 saved step 5, all were killed; after the restart all but rank 0 save a new step 5."""
    train(tmp_path, 5)
    left_by_the_first_run = file_of(tmp_path, 5, 0).read_bytes()
    for rank in range(COUNT):
        file_of(tmp_path, 5, rank).unlink()
    train(tmp_path, 5)
    file_of(tmp_path, 5, 0).write_bytes(left_by_the_first_run)
    assert loaded(tmp_path) == [[rank, 4] for rank in range(COUNT)]


def test_each_rank_removes_its_own_only(tmp_path: Path) -> None:
    train(tmp_path, 2)
    others = tmp_path / "step-000000000001.rank-0.ckpt"
    others.write_bytes(b"x")
    train(tmp_path, 9)
    assert steps_in(tmp_path) == [1, 8, 8, 8, 9, 9, 9]


def test_rank_0_writes_for_all(tmp_path: Path) -> None:
    def work(ranks: Ranks) -> Any:
        made = checkpoints(tmp_path, ranks=ranks)
        before = made.load()
        made.save(made.done + 1, made.done + 1)
        return before

    assert together(work) == [None] * COUNT
    assert together(work) == [1] * COUNT
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "step-000000000001.rank-0.ckpt",
        "step-000000000002.rank-0.ckpt",
    ]


def test_hosts_that_see_different_files_load_the_same_step(tmp_path: Path) -> None:
    """Each host has a folder of its own; rank 2's was restored before rank 0 saved step 3."""

    def work(ranks: Ranks) -> Any:
        return checkpoints(tmp_path / str(ranks.rank), ranks=ranks).load()

    for rank in range(COUNT):
        made = checkpoints(tmp_path / str(rank))
        made.load()
        made.save(2, 2)
    copies = [tmp_path / str(rank) / "step-000000000002.rank-0.ckpt" for rank in range(COUNT)]
    for copy in copies[1:]:
        copy.write_bytes(copies[0].read_bytes())
    for rank in (0, 1):
        made = checkpoints(tmp_path / str(rank))
        made.load()
        made.save(3, 3)
    assert together(work) == [2] * COUNT


def test_where_one_rank_cannot_write_all_are_told_and_nothing_is_removed(tmp_path: Path) -> None:
    train(tmp_path, 2)

    def work(ranks: Ranks) -> None:
        made = checkpoints(tmp_path, ranks=ranks, format=JSON, sharded=True)
        made.load()
        if ranks.rank == 1:
            file_of(tmp_path, 3, 1).mkdir()
        made.save(3, [ranks.rank, 3])

    results = together(work)
    assert all("rank-1-of-3.ckpt cannot be written" in str(error) for error in results)
    assert steps_in(tmp_path) == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert loaded(tmp_path) == [[rank, 2] for rank in range(COUNT)]


def test_one_rank_that_is_due_makes_all_save(tmp_path: Path) -> None:
    def work(ranks: Ranks) -> None:
        now = [0.0]
        made = checkpoints(
            tmp_path, ranks=ranks, format=JSON, sharded=True, every_s=10, clock=lambda: now[0]
        )
        made.load()
        for step in range(1, 6):
            now[0] += 1 + 3 * ranks.rank  # rank 2 is the first at 10 s
            made.step(step, lambda step=step: [ranks.rank, step])

    together(work)
    assert steps_in(tmp_path) == [2, 2, 2, 4, 4, 4]


def test_shards_of_another_number_of_ranks_are_refused(tmp_path: Path) -> None:
    train(tmp_path, 1)
    made = checkpoints(tmp_path, format=JSON)
    with pytest.raises(InvalidRequest, match=r"3 rank\(s\) wrote.*here 1 write"):
        made.load()
    whole = tmp_path / "whole"
    made = checkpoints(whole)
    made.load()
    made.save(1, 1)
    assert all("1 rank(s) wrote" in str(error) for error in loaded(whole))


def test_shards_need_ranks_that_talk(tmp_path: Path) -> None:
    alone = Ranks(rank=1, count=2)
    with pytest.raises(InvalidRequest, match="sharded: 2 ranks must agree"):
        checkpoints(tmp_path, ranks=alone, sharded=True).load()
    made = checkpoints(tmp_path, ranks=alone)
    made.load()
    made.step(1, lambda: 1)
    assert list(tmp_path.iterdir()) == [], "rank 0 writes for all"


def test_all_stop_after_the_same_step_when_one_is_told(tmp_path: Path) -> None:
    """Rank 1 alone gets SIGTERM; the others are in the middle of other steps then."""

    def work(ranks: Ranks) -> None:
        with checkpoints(tmp_path, ranks=ranks, format=JSON, sharded=True, every_s=1000) as made:
            made.load()
            for step in range(1, 10**6):
                time.sleep(0.001 * (1 + ranks.rank))
                if step == 5:
                    (tmp_path / f"ready-{ranks.rank}").touch()
                made.step(step, lambda step=step: [ranks.rank, step])

    processes = RankProcesses(count=COUNT, program=work)
    processes.start()
    while len(list(tmp_path.glob("ready-*"))) < COUNT:
        time.sleep(0.01)
    processes.signal(1, signal.SIGTERM)
    assert processes.wait() == [128 + signal.SIGTERM] * COUNT
    assert len(steps_in(tmp_path)) == COUNT
    assert len(set(steps_in(tmp_path))) == 1


@pytest.mark.slow
def test_kills_of_any_rank_at_random_instants(tmp_path: Path) -> None:
    """Time and again one rank is killed, and with it all: they load one step, and lose little."""
    instants = random.Random(SEED)
    folder, reports = tmp_path / "kept", tmp_path / "reports"
    reports.mkdir()

    def work(ranks: Ranks) -> None:
        now = [0]
        made = checkpoints(
            folder, ranks=ranks, sharded=True, every_s=INTERVAL, clock=lambda: now[0]
        )
        step = made.load() or 0
        while True:
            (reports / str(ranks.rank)).write_text(f"{made.done} {step:08d}")
            step += 1
            now[0] += 1
            made.step(step, lambda step=step: step)

    def check(ranks: Ranks) -> int:
        made = checkpoints(folder, ranks=ranks, sharded=True)
        assert made.load() in (made.done, None)
        return made.done

    torn, progress = 0, 0
    for number in range(KILLS):
        processes = RankProcesses(count=COUNT, program=work)
        processes.start()
        while len(list(reports.iterdir())) < COUNT:
            time.sleep(0.001)
        time.sleep(instants.uniform(0, 0.15))
        processes.signal(instants.randrange(COUNT), signal.SIGKILL)
        assert sorted(processes.wait())[0] == -signal.SIGKILL
        lines = [report.read_text().split() for report in reports.iterdir()]
        saved = max((int(line[0]) for line in lines if line), default=0)
        reached = max((int(line[1]) for line in lines if len(line) == 2), default=0)
        torn += len(set(steps_in(folder))) * COUNT != len(steps_in(folder))
        done = together(check)
        assert len(set(done)) == 1, (number, done)
        assert done[0] >= max(saved, progress), (number, done, saved, progress)
        assert reached - done[0] <= INTERVAL, (number, done, reached)
        progress = done[0]
        for report in reports.iterdir():
            report.unlink()
    assert torn > 0, "no kill came between two ranks' saves"
    assert progress > 0


@pytest.mark.parametrize(
    ("env", "rank", "count"),
    [
        ({}, 0, 1),
        ({"RANK": "3", "WORLD_SIZE": "8"}, 3, 8),
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"}, 1, 2),
        ({"RANK": "3"}, 0, 1),
    ],
)
def test_who_this_process_is(tmp_path: Path, env: dict[str, str], rank: int, count: int) -> None:
    found = this_process({"SAGEMAKER_BASE_DIR": str(tmp_path), **env})
    assert (found.rank, found.count, found.gather) == (rank, count, None)


def test_hosts_are_ranks_where_nothing_else_is_said(tmp_path: Path) -> None:
    config = tmp_path / "input" / "config"
    config.mkdir(parents=True)
    (config / "resourceconfig.json").write_text(
        '{"current_host": "algo-2", "hosts": ["algo-1", "algo-2", "algo-3"]}'
    )
    found = this_process({"SAGEMAKER_BASE_DIR": str(tmp_path)})
    assert (found.rank, found.count) == (1, 3)


def test_run_ranks_sees_what_they_say() -> None:
    def work(ranks: Ranks) -> None:
        assert list(ranks.together(ranks.rank * 2)) == [0, 2, 4]
        raise SystemExit(ranks.rank)

    assert run_ranks(COUNT, work) == [0, 1, 2]
