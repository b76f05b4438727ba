"""The folder and its one server, when several programs look at it at once."""

import json
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from sagedock import LocalSageMaker
from sagedock.errors import InvalidRequest, LocalServerError, StorageError
from sagedock.local import clean
from sagedock.local.home import Home, Running
from sagedock.local.platform import Platform
from sagedock.local.settings import Settings
from sagedock.testing import FakeEngine


def somewhere(pid: int) -> Running:
    return Running(
        pid=pid,
        url="http://127.0.0.1:1",
        region="r",
        account="0",
        started=0.0,
        container_port=None,
    )


def test_a_home_can_be_claimed_while_others_look_at_it(tmp_path: Path) -> None:
    """A look takes the lock for a moment, and must not be taken for a server."""
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            Home(tmp_path).running()
            time.sleep(0.001)

    lookers = [threading.Thread(target=look) for _ in range(4)]
    for each in lookers:
        each.start()
    try:
        for _ in range(300):
            home = Home(tmp_path)
            home.claim()
            home.release()
    finally:
        done.set()
        for each in lookers:
            each.join()


def test_those_who_look_are_no_server_to_each_other(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.claim()
    home.announce(somewhere(os.getpid()))
    home.release()
    seen: list[Running | None] = []

    def look() -> None:
        seen.extend(Home(tmp_path).running() for _ in range(300))

    lookers = [threading.Thread(target=look) for _ in range(4)]
    for each in lookers:
        each.start()
    for each in lookers:
        each.join()
    assert set(seen) == {None}


def test_a_server_that_has_not_announced_itself_is_not_the_one_before(tmp_path: Path) -> None:
    """`local down` would end whatever process has that number now."""
    (tmp_path / "server.json").write_text(json.dumps(vars(somewhere(1))))
    home = Home(tmp_path)
    home.claim()
    assert Home(tmp_path).running() is None
    home.release()


def test_a_home_that_is_taken_is_refused_soon(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.claim()
    began = time.monotonic()
    with pytest.raises(LocalServerError, match="already runs"):
        Home(tmp_path).claim()
    assert time.monotonic() - began < 30
    home.release()


@pytest.mark.parametrize("port", [-1, 65_536, 10**9])
def test_a_port_that_is_none_is_named(tmp_path: Path, port: int) -> None:
    with pytest.raises(InvalidRequest, match=f"port: {port} is none"):
        Settings(home=tmp_path, port=port)


def test_a_folder_of_somebody_elses_is_neither_claimed_nor_cleaned(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "scratch").mkdir(parents=True)
    (project / "scratch" / "notes").write_text("mine")
    (project / "train.py").write_text("mine")
    with pytest.raises(StorageError, match=r"holds train\.py and is no local SageMaker's folder"):
        Home(project).claim()
    with pytest.raises(StorageError, match="nothing was removed"):
        clean(project, None, lambda _: None)
    assert (project / "scratch" / "notes").read_text() == "mine"


def test_cleaning_leaves_what_a_user_put_beside_our_files(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with LocalSageMaker(home=home, engine=FakeEngine(None)):
        pass
    (home / "notes").write_text("mine")
    clean(home, None, lambda _: None)
    assert [each.name for each in home.iterdir()] == ["notes"]
    (home / "notes").unlink()
    clean(home, None, lambda _: None)
    assert not home.exists()


def test_every_folder_of_the_platform_is_cleaned(tmp_path: Path) -> None:
    names = [name for name in vars(Platform) if name.endswith("_folder")]
    settings = Settings(home=tmp_path)
    assert names
    for name in names:
        folder: Path = vars(Platform)[name].fget(SimpleNamespace(settings=settings))
        folder.mkdir()
    home = Home(tmp_path)
    assert home.strangers() == []
    assert {each.name for each in home.entries()} >= {name.split("_")[0] for name in names}


def test_what_a_killed_server_packed_or_unpacked_is_removed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.claim()
    home.release()
    scratch = tmp_path / "scratch"
    (scratch / "packed.tar.gz").write_bytes(b"half")
    (scratch / "unpacked" / "of").mkdir(parents=True)
    (scratch / "unpacked" / "of" / "function.py").write_text("")
    home.claim()
    try:
        assert list(scratch.iterdir()) == []
    finally:
        home.release()
