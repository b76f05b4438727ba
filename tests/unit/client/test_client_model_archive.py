"""model.tar.gz with a program in it."""

import io
import tarfile
from pathlib import Path

import pytest

from sagedock.client.model_archive import write_model_archive
from sagedock.client.source import Source
from sagedock.errors import InvalidRequest


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def written(model: Path | None, source: Source) -> dict[str, bytes]:
    out = io.BytesIO()
    write_model_archive(out, model, source)
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        return {
            member.name: file.read()
            for member in archive
            if (file := archive.extractfile(member)) is not None
        }


@pytest.fixture
def source(tmp_path: Path) -> Source:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "inference.py").write_text("new")
    return Source(entry_point="inference.py", source_dir=str(folder))


def test_the_models_files_stay_and_its_code_is_replaced(tmp_path: Path, source: Source) -> None:
    files = {"./model.pt": b"m", "./code/inference.py": b"old", "code/old.py": b"", "codex": b"c"}
    found = written(packed(tmp_path / "model.tar.gz", files), source)
    assert found == {"./model.pt": b"m", "codex": b"c", "code/inference.py": b"new"}


def test_a_model_of_code_alone(source: Source) -> None:
    assert written(None, source) == {"code/inference.py": b"new"}


@pytest.mark.parametrize("content", [b"no archive", b"", b"\x1f\x8b\x08\x00broken"])
def test_what_is_no_archive_is_refused(tmp_path: Path, source: Source, content: bytes) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=r"^model_data: model\.tar\.gz is no model") as refused:
        write_model_archive(io.BytesIO(), path, source)
    (told,) = str(refused.value).splitlines()
    assert told.endswith("pack the model's folder: tar -czf model.tar.gz -C FOLDER .")


def test_a_cut_archive_is_refused(tmp_path: Path, source: Source) -> None:
    path = packed(tmp_path / "model.tar.gz", {"a": bytes(range(256)) * 4096})
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InvalidRequest, match="is no model"):
        write_model_archive(io.BytesIO(), path, source)
