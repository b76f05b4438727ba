"""Which processes a stop signal is for."""

import os

from sagedock.runtime.processes import Process, audience, members, process_table, programs

SCRIPT, LAUNCHER = 7, 1


def process(parent: int, command: str, session: int = SCRIPT) -> Process:
    return Process(parent=parent, session=session, command=command.encode())


TABLE = {
    LAUNCHER: process(0, "train", session=1),
    2: process(LAUNCHER, "train", session=1),  # the launcher's own forked helper
    3: process(0, "bash", session=3),  # docker exec
    SCRIPT: process(LAUNCHER, "python train.py"),
    8: process(SCRIPT, "python train.py"),  # a DataLoader's worker
    9: process(SCRIPT, "python -c from multiprocessing.spawn import spawn_main"),
    10: process(SCRIPT, "tensorboard"),
    11: process(LAUNCHER, "daemon", session=11),  # an orphan that left the session
    12: process(10, "node", session=12),
}


def test_job_is_the_session_its_children_and_its_orphans() -> None:
    assert members(TABLE, SCRIPT, LAUNCHER) == {SCRIPT, 8, 9, 10, 11, 12}


def test_elsewhere_than_pid_1_orphans_go_to_others() -> None:
    table = {**TABLE, 50: process(0, "train"), SCRIPT: process(50, "python train.py")}
    assert 11 not in members(table, SCRIPT, 50)


def test_programs_get_the_signal_and_workers_are_left_to_them() -> None:
    job = members(TABLE, SCRIPT, LAUNCHER)
    assert programs(TABLE, job, SCRIPT) == {SCRIPT, 10, 11, 12}


MPI = ("mpirun", "orted", "ssh")
RANKS = {
    SCRIPT: process(LAUNCHER, "/usr/bin/mpirun\0-np\0004\0"),
    20: process(SCRIPT, "ssh\0-F\0config\0algo-2\0"),
    21: process(SCRIPT, "python\0-m\0mpi4py\0train.py\0"),
    22: process(21, "tensorboard\0", session=22),
}


def test_a_stop_is_for_what_a_launcher_started_and_not_for_itself() -> None:
    assert audience(RANKS, set(RANKS), MPI) == {21, 22}
    assert audience(RANKS, set(RANKS), ()) == set(RANKS)


def test_a_module_run_as_a_launcher_is_one() -> None:
    table = {
        SCRIPT: process(LAUNCHER, "python\0-m\0torch.distributed.run\0train.py\0"),
        30: process(SCRIPT, "python\0-u\0train.py\0torch.distributed.run\0"),
    }
    assert audience(table, {SCRIPT, 30}, ("torch.distributed.run",)) == {30}


def test_a_launcher_that_has_started_nothing_is_told_itself() -> None:
    assert audience({SCRIPT: RANKS[SCRIPT]}, {SCRIPT}, MPI) == {SCRIPT}


def test_the_table_is_read_from_the_kernel() -> None:
    table = process_table()
    assert table[os.getpid()].parent == os.getppid()
    assert table[os.getpid()].session == os.getsid(0)
    assert b"python" in table[os.getpid()].command or b"pytest" in table[os.getpid()].command
