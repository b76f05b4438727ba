import io
import tarfile
from pathlib import Path

import pytest

from sagedock.engine.overlays import _plain
from sagedock.engine.tars import tar_of
from sagedock.errors import StorageError


def test_files_and_folders_with_their_parents() -> None:
    made = tar_of({"/opt/ml/config/a.json": b"{}"}, ["/opt/ml/model"])
    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        names = {member.name: member for member in archive}
        content = archive.extractfile("opt/ml/config/a.json")
        assert content is not None
        assert content.read() == b"{}"
    assert set(names) == {"opt", "opt/ml", "opt/ml/config", "opt/ml/config/a.json", "opt/ml/model"}
    assert names["opt/ml/model"].isdir()
    assert names["opt/ml/config/a.json"].mode == 0o644


@pytest.mark.parametrize("name", ["a,b", "a:b", "a\\b", 'a"b'])
def test_a_path_that_mount_options_cannot_hold(name: str) -> None:
    with pytest.raises(StorageError, match="set SAGEDOCK_HOME to a plainer one"):
        _plain(Path("/home") / name)
