import io
import tarfile
from pathlib import Path

import pytest

from sagedock.engine.overlays import _plain
from sagedock.engine.tars import tar_of_folders
from sagedock.errors import StorageError


def test_folders_come_with_their_parents() -> None:
    made = tar_of_folders(["/scratch/0/upper", "/scratch/0/work"])
    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        members = {member.name: member for member in archive}
    assert list(members) == ["scratch", "scratch/0", "scratch/0/upper", "scratch/0/work"]
    assert all(member.isdir() and member.mode == 0o755 for member in members.values())


@pytest.mark.parametrize("name", ["a,b", "a:b", "a\\b", 'a"b'])
def test_a_path_that_mount_options_cannot_hold(name: str) -> None:
    with pytest.raises(StorageError, match="set SAGEDOCK_HOME to a plainer one"):
        _plain(Path("/home") / name)
