"""Docker's accounts of a container: both versions of cgroups, volumes, GPUs."""

import os
from pathlib import Path
from typing import Any

import pytest
from docker.errors import NotFound

from sagedock.engine import Gpu
from sagedock.engine.usage import gpus_of, has_gpus, usage_of, volumes_bytes

V1 = {
    "usage": 5_705_728,
    "limit": 268_435_456,
    "stats": {"total_inactive_file": 5_021_696, "inactive_file": 1},
}
V2 = {"usage": 5_705_728, "limit": 268_435_456, "stats": {"inactive_file": 5_021_696}}


STARTED = "2026-11-24T08:21:55.250000000Z"


def stats(memory: dict[str, Any]) -> dict[str, Any]:
    return {
        "read": "2026-11-24T08:21:56.500000000Z",
        "cpu_stats": {"cpu_usage": {"total_usage": 734_100_332}, "online_cpus": 2},
        "memory_stats": memory,
    }


@pytest.mark.parametrize("memory", [V1, V2], ids=["cgroup v1", "cgroup v2"])
def test_memory_leaves_out_what_the_kernel_would_drop(memory: dict[str, Any]) -> None:
    usage = usage_of(stats(memory), STARTED)
    assert usage is not None
    assert (usage.memory_bytes, usage.memory_limit_bytes) == (684_032, 268_435_456)
    assert usage.cpu_s == pytest.approx(0.734100332)
    assert usage.at_s - usage.started_at_s == 1.25


@pytest.mark.parametrize("memory", [{}, None, {"usage": 0, "limit": 0}])
def test_a_container_that_does_not_run_uses_nothing_that_is_known(memory: Any) -> None:
    assert usage_of(stats(memory), STARTED) is None


class Api:
    """As much of docker-py's client as volumes need."""

    base_url, api_version = "http://engine", "1.43"

    def __init__(self, *volumes: dict[str, Any], told: dict[str, int] | None = None) -> None:
        self.volumes = {each["Name"]: each for each in volumes}
        self.told = told or {}

    def inspect_volume(self, name: str) -> dict[str, Any]:
        if name not in self.volumes:
            raise NotFound(name)
        return self.volumes[name]

    def get(self, url: str, params: dict[str, str]) -> "Api":
        assert (url, params) == ("http://engine/v1.43/system/df", {"type": "volume"})
        return self

    def raise_for_status(self) -> None:
        pass

    def json(self) -> Any:
        rows = [{"Name": name, "UsageData": {"Size": size}} for name, size in self.told.items()]
        return {"Volumes": rows}


def test_volumes_are_looked_at_where_we_may(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(b"x" * 100_000)
    (tmp_path / "b").write_bytes(b"x" * 50_000)
    mounted = {"Name": "m", "Mountpoint": "/", "Options": {"type": "overlay"}}
    own = {"Name": "v", "Mountpoint": str(tmp_path), "Options": None}
    size = volumes_bytes(Api(own, mounted), ["v", "m", "gone"])
    assert size is not None
    assert 150_000 <= size < 170_000


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_the_engine_tells_where_we_may_not_look(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    own = {"Name": "v", "Mountpoint": str(tmp_path / "v"), "Options": None}
    assert volumes_bytes(Api(own, told={"v": 7, "others": 9}), ["v"]) == 7


def test_the_engine_tells_where_looking_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(folder: str, onerror: Any) -> Any:
        onerror(PermissionError(folder))

    monkeypatch.setattr(os, "walk", forbidden)
    api = Api({"Name": "v", "Mountpoint": "/v", "Options": None}, told={"v": 7, "others": 9})
    assert volumes_bytes(api, ["v"]) == 7
    api.api_version = "1.41"  # it would measure everything it has
    assert volumes_bytes(api, ["v"]) is None


def test_what_nvidia_smi_prints() -> None:
    assert gpus_of(b"80, 20000, 80000\n5, 0, 80000\n[N/A], 1, 2\nno devices were found\n") == (
        Gpu(utilization=80, memory=25),
        Gpu(utilization=5, memory=0),
    )


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ({"DeviceRequests": None, "Runtime": "runc"}, False),
        ({"DeviceRequests": [{"Capabilities": [["gpu"]]}], "Runtime": "runc"}, True),
        ({"DeviceRequests": [{"Capabilities": [["tpu"]]}]}, False),
        ({"Runtime": "nvidia"}, True),
        ({}, False),
    ],
)
def test_which_containers_have_gpus(host: dict[str, Any], expected: bool) -> None:
    assert has_gpus({"HostConfig": host}) is expected
