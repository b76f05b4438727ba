"""The scratch folders of overlays, where this process may not write to the engine's volumes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sagedock.engine import ContainerSpec, OverlayMount
from sagedock.engine.overlays import overlay_mounts

LABELS = {"sagedock.home": "h", "sagedock.job": "j"}


class Client:
    """As much of Docker's client as overlays need; it keeps what containers were created with."""

    def __init__(self, mountpoint: Path) -> None:
        self.made: list[dict[str, Any]] = []
        self.removed = 0
        volume = SimpleNamespace(name="v", attrs={"Mountpoint": str(mountpoint)})
        self.volumes = SimpleNamespace(create=lambda _name, **_: volume)
        self.containers = SimpleNamespace(create=self._create)

    def _create(self, image: str, **members: Any) -> Any:
        self.made.append({"image": image, **members})
        return SimpleNamespace(put_archive=lambda *_: True, remove=self._remove)

    def _remove(self, *, force: bool) -> None:
        self.removed += 1


def test_a_server_that_is_killed_meanwhile_finds_the_container_that_makes_folders(
    tmp_path: Path,
) -> None:
    client: Any = Client(tmp_path / "not-ours")
    overlay = OverlayMount(target="/opt/ml/input", lower=tmp_path)
    overlay_mounts(client, ContainerSpec(name="c", image="i", labels=LABELS, overlays=(overlay,)))
    (made,) = client.made
    assert made["labels"] == LABELS
    assert client.removed == 1
