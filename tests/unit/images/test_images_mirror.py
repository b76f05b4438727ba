"""The package mirror is read from apt's own sources, in both formats."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "containers" / "base" / "mirror.sh"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the scripts need bash")


@pytest.fixture
def apt(tmp_path):
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def mirror(apt, codename="bookworm", **variables):
    environ = {"PATH": os.environ["PATH"], "APT_ETC": str(apt), **variables}
    return subprocess.run(
        [SCRIPT, codename], env=environ, capture_output=True, text=True, check=False
    )


def test_stanzas(apt):
    (apt / "sources.list.d" / "tools.sources").write_text(
        "Types: deb\nURIs: http://tools.test/apt\nSuites: bookworm\nComponents: nonfree\n"
    )
    (apt / "sources.list.d" / "os.sources").write_text(
        "# a comment\nTypes: deb\nURIs: http://security.test/debian\n"
        "Suites: bookworm-security\nComponents: main\n\n"
        "Types: deb deb-src\nURIs: http://mirror.test/debian http://second.test/debian\n"
        "Suites: bookworm bookworm-updates\nComponents: main contrib\n"
    )
    assert mirror(apt).stdout == "http://mirror.test/debian\n"


def test_one_line_sources(apt):
    (apt / "sources.list").write_text(
        "# deb http://commented.test/debian bookworm main\n"
        "deb-src http://sources.test/debian bookworm main\n"
        "deb http://tools.test/apt bookworm stable\n"
        "deb [arch=amd64 signed-by=/usr/share/k.gpg] http://mirror.test/debian bookworm main\n"
    )
    assert mirror(apt).stdout == "http://mirror.test/debian\n"


def test_another_release_is_no_mirror(apt):
    (apt / "sources.list").write_text("deb http://mirror.test/ubuntu noble main universe\n")
    done = mirror(apt)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "set MIRROR" in done.stderr


def test_no_sources_at_all(tmp_path):
    assert mirror(tmp_path).returncode == 1


def test_mirror_is_overridden_by_the_environment(apt):
    assert mirror(apt, MIRROR="http://mine.test/debian").stdout == "http://mine.test/debian\n"
