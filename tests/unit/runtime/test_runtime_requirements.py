"""Where pip looks for what requirements.txt asks for."""

from pathlib import Path

import pytest

from sagedock.errors import InvalidRequest
from sagedock.runtime.requirements import Packages, find_packages, has_route, no_index_hint

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
GATEWAY = "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
SUBNET = "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
NOWHERE = Path("/nowhere")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "wheelhouse").mkdir()
    return tmp_path


def test_a_wheelhouse_is_the_only_place(data: Path) -> None:
    (data / "wheelhouse" / "mine-1-py3-none-any.whl").touch()
    found = find_packages(["train", "wheelhouse"], data, online=True, env={})
    assert found.options[:3] == ("--no-index", "--find-links", str(data / "wheelhouse"))
    assert found.offline


def test_a_wheelhouse_without_wheels_is_named(data: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"channel wheelhouse: .* holds no wheel"):
        find_packages(["wheelhouse"], data, online=True, env={})


def test_an_index_is_asked_only_where_there_is_a_way_out(data: Path) -> None:
    assert find_packages([], data, online=True, env={}) == Packages(options=(), offline=False)
    assert "--no-index" in find_packages([], data, online=False, env={}).options
    own = find_packages([], data, online=False, env={"PIP_NO_INDEX": "1"})
    assert own.options == ()  # the job knows what it does


@pytest.mark.parametrize(
    ("table", "way"),
    [(HEAD + GATEWAY + SUBNET, True), (HEAD + SUBNET, False), (HEAD, False), (None, False)],
)
def test_a_way_out_is_a_gateway(tmp_path: Path, table: str | None, way: bool) -> None:
    file = tmp_path / "route"
    if table is not None:
        file.write_text(table)
    assert has_route(file, NOWHERE) is way


@pytest.mark.parametrize(
    ("line", "way"),
    [
        (f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000400 0 0 00000003     eth0\n", True),
        (f"fe80{'0' * 28} 40 {'0' * 32} 00 {'0' * 32} 00000100 0 0 00000001     eth0\n", False),
        (f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 1 0 00200200       lo\n", False),
    ],
)
def test_a_way_out_by_ipv6(tmp_path: Path, line: str, way: bool) -> None:
    file = tmp_path / "ipv6_route"
    file.write_text(line)
    assert has_route(NOWHERE, file) is way


def test_what_to_do_is_said_only_where_no_index_was_reached() -> None:
    online, offline = (Packages(options=(), offline=each) for each in (False, True))
    assert "channel 'wheelhouse'" in str(no_index_hint(offline, ["ERROR: No matching"]))
    refused = "Failed to establish a new connection: Network is unreachable"
    assert "channel 'wheelhouse'" in str(no_index_hint(online, [refused]))
    assert no_index_hint(online, ["ERROR: No matching distribution found for x"]) is None
