"""No tracked file names a package registry's host, or a place on one machine.

Where packages come from is the affair of each machine's own pip, apt and npm; a path of the machine
that a file was written on means nothing on any other.
"""

import re
from pathlib import Path

import pytest

from tests.laws.tree import short, tracked_files

# Written in halves, so that this file keeps its own law.
_HOSTS = (
    "pypi." + "org",
    "pypi." + "python.org",
    "python" + "hosted.org",
    "download.py" + "torch.org",
    "pypi.nv" + "idia.com",
    "deb." + "debian.org",
    "security." + "debian.org",
    "ftp." + "debian.org",
    "archive." + "ubuntu.com",
    "registry." + "npmjs.org",
    "registry." + "yarnpkg.com",
    "conda." + "anaconda.org",
)
#: `me` is nobody; pip's cache under root's home is looked for inside images.
_PLACES = (
    "/wo" + "rk/",
    "/opt/wh" + "eels/",
    "/ro" + r"ot/(?!\.cache\b)",
    "/ho" + "me/(?!me/)",
    "/Us" + "ers/",
)
_BANNED = re.compile(
    "|".join(map(re.escape, _HOSTS)) + rf"|(?<![\w.}}$)*~/])(?:{'|'.join(_PLACES)})"
)


@pytest.mark.parametrize("file", tracked_files(), ids=short)
def test_no_registry_host_and_no_path_of_one_machine(file: Path) -> None:
    text = file.read_text(encoding="utf-8", errors="replace")
    found = [
        f"line {number}: {match[0]}"
        for number, line in enumerate(text.splitlines(), 1)
        for match in _BANNED.finditer(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", [f"https://{_HOSTS[0]}/simple", f'"{_PLACES[0]}main/x"', "/ro" + "ot/.pyenv"]
)
def test_the_law_sees(text: str) -> None:
    assert _BANNED.search(text)


@pytest.mark.parametrize(
    "text", ["upperdir={scratch}/work/x", "./work/x", "a/root/b", "/home/me/a"]
)
def test_the_law_looks_at_absolute_paths_only(text: str) -> None:
    assert not _BANNED.search(text)
