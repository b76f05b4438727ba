"""Folders of tests in memory, where there is enough of it: what a test writes, it need not wait for
a disk to have kept. Tests in containers keep theirs on the disk, which is what Docker mounts.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")  # where Linux has files in memory
_ENOUGH = 2 << 30


def _place() -> Path | None:
    """Return where folders are made: in memory, or None, where temporary files are made."""
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ENOUGH:
        return None
    return _MEMORY


@contextmanager
def folder() -> Iterator[Path]:
    """Make a folder that is gone afterwards."""
    made = Path(tempfile.mkdtemp(prefix="sagedock-test-", dir=_place()))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder of the test's own, as pytest's fixture of this name gives, but gone afterwards."""
    with folder() as made:
        yield made
