"""The hosts of an MPI job find each other, and none waits for one that is gone. No MPI needed."""

import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock.errors import ContractBroken
from sagedock.runtime.mpi import keys
from sagedock.runtime.mpi.follower import reach
from sagedock.runtime.mpi.leader import gathered
from sagedock.runtime.mpi.wire import Wire

KEY = "ssh-ed25519 " + "A" * 68
needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here")


@pytest.fixture
def port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def pair() -> Iterator[tuple[Wire, Wire]]:
    one, other = (Wire(each) for each in _connected())
    yield one, other
    one.close()
    other.close()


def _connected() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        return one, server.accept()[0]


def quiet(_: str) -> None:
    """Say nothing."""


def test_lines_arrive_as_they_were_sent(pair: tuple[Wire, Wire]) -> None:
    one, other = pair
    assert not other.spoke(within_s=0)
    one.send(host="algo-2", code=3)
    assert other.spoke(within_s=10)
    assert other.receive("code", "host") == ["3", "algo-2"]


def test_an_end_without_a_word_is_an_error(pair: tuple[Wire, Wire]) -> None:
    one, other = pair
    one.close()
    assert other.spoke(within_s=10)
    with pytest.raises(ConnectionError, match="the connection ended"):
        other.receive("exit")


@pytest.mark.parametrize(
    "line", [b"[]\n", b'{"key": 1}\n', b"GET / HTTP/1.1\n", b"x" * 20_000, b"[" * 20_000]
)
def test_what_is_no_message_of_ours_is_an_error(line: bytes) -> None:
    one, other = _connected()
    with one, other:
        one.sendall(line)
        with pytest.raises(ConnectionError, match="no message"):
            Wire(other).receive("host")


class Host(threading.Thread):
    """A host that speaks the follower's part, and notes what the leader says last."""

    def __init__(self, port: int, name: str, key: str = KEY) -> None:
        super().__init__(daemon=True)
        self.port, self.host, self.key, self.told = port, name, key, ""
        self.start()

    def run(self) -> None:
        wire = reach("127.0.0.1", self.port, patience=20, say=quiet)
        try:
            wire.send(host=self.host, key=self.key)
            (leaders,) = wire.receive("key")
            assert keys.is_public_key(leaders)
            wire.send(serves="yes")
            (self.told,) = wire.receive("exit")
        except OSError as error:
            self.told = str(error)
        finally:
            wire.close()


@needs_ssh
def test_all_are_gathered_and_told_the_end(port: int) -> None:
    others = [Host(port, "algo-3"), Host(port, "algo-2")]
    with gathered(["algo-2", "algo-3"], patience=20, say=quiet, port=port) as followers:
        config = followers.ssh_config.read_text()
        known = followers.ssh_config.with_name("known_hosts").read_text()
        assert followers.ssh_config.parent.stat().st_mode & 0o077 == 0
        followers.end(7)
    for host in others:
        host.join(60)
    assert [host.told for host in others] == ["7", "7"]
    assert sorted(known.splitlines()) == [f"algo-2 {KEY}", f"algo-3 {KEY}"]
    assert "StrictHostKeyChecking yes" in config
    assert not followers.ssh_config.exists()  # the keys went with the job


@needs_ssh
def test_strangers_and_bad_keys_are_turned_away(port: int) -> None:
    forged = 'command="x" ' + KEY
    strangers = [Host(port, "algo-9"), Host(port, "algo-2", key=forged + "\n")]
    for each in strangers:
        each.join(0.2)
    missing = gathered(["algo-2"], patience=1, say=quiet, port=port)
    with pytest.raises(ContractBroken, match="algo-2 did not come in"), missing:
        pass
    for each in strangers:
        each.join(60)
        assert each.told == "the connection ended"


@needs_ssh
def test_a_leader_that_fails_lets_the_others_go(port: int) -> None:
    host = Host(port, "algo-2")
    with (
        pytest.raises(RuntimeError),
        gathered(["algo-2"], patience=20, say=quiet, port=port),
    ):
        raise RuntimeError
    host.join(60)
    assert host.told == "the connection ended"


def test_a_leader_that_never_comes_is_named(port: int) -> None:
    with pytest.raises(ContractBroken, match=r"127\.0\.0\.1 did not take a connection for MPI"):
        reach("127.0.0.1", port, patience=0.5, say=quiet)


@pytest.mark.parametrize(
    ("text", "good"),
    [(KEY, True), (KEY + "\nssh-rsa x", False), ('command="rm" ' + KEY, False), ("", False)],
)
def test_public_keys_are_told_from_other_lines(text: str, good: bool) -> None:
    assert keys.is_public_key(text) is good


def test_sshd_serves_the_leader_and_mpirun_alone(tmp_path: Path) -> None:
    config = keys.server_config(tmp_path, KEY, {"SM_CURRENT_HOST": "algo-2", "QUOTED": "a 'b'\n"})
    text = config.read_text()
    assert "PasswordAuthentication no" in text
    assert f"sagedock.runtime.mpi.session {tmp_path}/environment.json" in text
    assert (tmp_path / "authorized_keys").read_text() == KEY + "\n"
    assert (tmp_path / "environment.json").stat().st_mode & 0o077 == 0
