"""containers/vendor.sh takes the file of vendor.versions, and no other."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NAME = "aws-efa-installer-1.2.3.tar.gz"
CONTENT = b"an installer"
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def containers(tmp_path: Path) -> Path:
    folder = tmp_path / "containers"
    (folder / "training").mkdir(parents=True)
    (folder / "vendor").mkdir()
    shutil.copy(ROOT / "containers" / "vendor.sh", folder)
    shutil.copy(ROOT / "containers" / "training" / "vendor.sh", folder / "training")
    return folder


def take(containers: Path, *words: str, sum_: str = SUM) -> subprocess.CompletedProcess[str]:
    (containers / "training" / "vendor.versions").write_text(
        f"efa_version=1.2.3\nefa_sha256={sum_}\n"
    )
    return subprocess.run(
        [str(containers / "vendor.sh"), *words], capture_output=True, text=True, check=False
    )


def left(containers: Path) -> list[str]:
    return [each.name for each in (containers / "vendor").iterdir()]


def given(tmp_path: Path) -> str:
    (tmp_path / "a download.tgz").write_bytes(CONTENT)
    return str(tmp_path / "a download.tgz")


def test_the_right_file_is_put_there_under_its_own_name(containers: Path, tmp_path: Path) -> None:
    done = take(containers, "efa", given(tmp_path))
    assert done.returncode == 0, done.stderr
    assert left(containers) == [NAME]
    assert (containers / "vendor" / NAME).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("sum_", "words"),
    [
        ("", f"says no efa_sha256 of {NAME}, so it is not installed"),
        (SUM.upper(), "says no efa_sha256"),
        ("$(exit 0)", "says no efa_sha256"),
        ("1" * 64, f"has the SHA-256 {SUM}, not {'1' * 64}"),
    ],
)
def test_any_other_is_refused_and_nothing_is_left(
    containers: Path, tmp_path: Path, sum_: str, words: str
) -> None:
    done = take(containers, "efa", given(tmp_path), sum_=sum_)
    assert done.returncode == 1
    assert words in done.stderr
    assert SUM in done.stderr  # to be compared, and written down
    assert left(containers) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["efa"], "usage: vendor.sh efa|compat FILE-OR-URL"),
        (["driver", "x"], "driver is neither efa nor compat"),
        (["efa", "/no/such/file"], "/no/such/file is no file"),
        (["efa", "http://example.com/x.tgz"], "is not encrypted: use https"),
    ],
)
def test_bad_words_are_told(containers: Path, words: list[str], said: str) -> None:
    done = take(containers, *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert left(containers) == []


def test_no_variable_names_other_sums(
    containers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "others").write_text(f"efa_version=1.2.3\nefa_sha256={SUM}\n")
    monkeypatch.setenv("VERSIONS", str(tmp_path / "others"))
    done = take(containers, "efa", given(tmp_path), sum_="1" * 64)
    assert (done.returncode, left(containers)) == (1, [])


def test_our_own_versions_name_one_of_each() -> None:
    text = (ROOT / "containers" / "training" / "vendor.versions").read_text(encoding="utf-8")
    values = dict(line.split("=") for line in text.splitlines() if line and line[0] != "#")
    assert values.keys() == {"efa_version", "efa_sha256", "compat_version", "compat_sha256"}
    assert values["efa_version"]
    assert values["compat_version"]
