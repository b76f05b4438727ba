"""``sagedock sbom`` and ``audit``: places, tables, JSON, exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock.cli import main
from sagedock.testing import FakeEngine
from tests.unit.images.answering import Answer, Asked, answering
from tests.unit.images.made_images import layer, saved
from tests.unit.images.sbom_images import SITE, copyrights, deb, dist, status

IMAGE = "team/app:1"
PLACE = Path("build/sbom/team/app/1.cdx.json")
FILES = {
    **status(deb("zlib1g", "1.2"), deb("libc6", "2.36")),
    **copyrights("zlib1g", "Zlib"),
    "usr/share/doc/libc6/copyright": b"/usr/share/common-licenses/LGPL-2.1",
    **dist("probe", "1", "License-Expression: AGPL-3.0-or-later"),
    **dist("choice", "1", "License-Expression: AGPL-3.0-only OR MIT"),
}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    made = FakeEngine(None, [IMAGE])
    made.archive_of_images = saved(layer(FILES))
    monkeypatch.setattr("sagedock.engine.connect", lambda: made)
    monkeypatch.chdir(tmp_path)
    return made


def test_a_document_for_each_image(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sbom", IMAGE]) == 0
    told = capsys.readouterr()
    assert told.out == f"{PLACE}\n"
    assert told.err.endswith("team/app:1: 2 Debian packages, 2 Python distributions\n")
    assert json.loads(PLACE.read_bytes())["bomFormat"] == "CycloneDX"
    engine.archive_of_images = b""  # it is not read again
    assert main(["sbom", IMAGE]) == 0


def test_the_document_itself(engine: FakeEngine, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["sbom", IMAGE, "--output", "-"]) == 0
    assert capfdbinary.readouterr().out == PLACE.read_bytes()
    assert main(["sbom", IMAGE, "--output", "own.json"]) == 0
    assert Path("own.json").read_bytes() == PLACE.read_bytes()


def test_a_table_of_licences(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sbom", IMAGE, "--licences"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["Zlib", "1", "zlib1g", "1.2"] in lines
    assert ["unknown", "1", "libc6", "2.36"] in lines
    assert main(["sbom", IMAGE, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)[IMAGE]
    assert told["packages_without_licence"] == 1
    assert {"licence": "unknown", "count": 1, "packages": ["libc6 2.36"]} in told["licences"]


def test_what_is_denied_is_exit_code_11(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sbom", IMAGE, "--deny", "AGPL-3.0"]) == 11
    told = capsys.readouterr().err
    assert "team/app:1: probe 1: AGPL-3.0-or-later" in told
    assert "choice" not in told.partition("--deny")[2]  # MIT will do
    assert main(["sbom", IMAGE, "--deny", "unknown"]) == 11
    told = capsys.readouterr().err
    assert "1 package of no known licence (--deny unknown): read in the image what each" in told
    assert "team/app:1: libc6 2.36: its copyright file points to LGPL-2.1\n" in told
    assert main(["sbom", IMAGE, "--deny", "unknown", "--deny", "Zlib"]) == 11
    told = capsys.readouterr().err
    assert "1 package cannot be used without a licence of --deny (Zlib): build without" in told
    assert "1 package of no known licence" in told
    assert main(["sbom", IMAGE, "--deny", "GPL-3.0-only"]) == 0
    assert main(["sbom", IMAGE, "--deny", "name:Foo License"]) == 0
    assert "--deny name:Foo License: no package here has" in capsys.readouterr().err


def test_what_no_licence_is_known_of_is_told_not_to_be_judged(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "1 package has no known licence, so it was not judged: `--deny unknown` lists it\n"
    for denied, code in (("GPL-3.0-only", 0), ("AGPL-3.0", 11)):
        assert main(["sbom", IMAGE, "--deny", denied]) == code
        assert said in capsys.readouterr().err
    assert main(["sbom", IMAGE, "--deny", "unknown"]) == 11
    assert main(["sbom", IMAGE]) == 0
    assert "not judged" not in capsys.readouterr().err


@pytest.fixture
def unread(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """An engine that no image can be read of."""

    def saved(_: str) -> Iterator[bytes]:
        raise AssertionError("an image is read")

    monkeypatch.setattr(engine, "saved", saved)
    return engine


def test_what_cannot_be_denied_is_told_before_an_image_is_read(
    unread: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sbom", IMAGE, "--deny", "GPL", "--deny", "AGPLv3"]) == 2
    told = capsys.readouterr()
    assert "--deny GPL: is no identifier of SPDX's list, or not a whole one" in told.err
    assert "--deny AGPLv3: is no" in told.err
    assert told.out == ""


@pytest.mark.parametrize("command", ["sbom", "audit"])
def test_a_build_folder_that_takes_no_file_is_told_before_an_image_is_read(
    unread: FakeEngine, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    Path("build").write_text("a file in its place")
    assert main([command, IMAGE]) == 7
    told = capsys.readouterr().err
    assert f"{PLACE}: cannot be written (Not a directory): make its folder writable" in told
    assert "reading" not in told
    assert Path("build").read_text() == "a file in its place"


def test_every_place_is_tried_before_the_first_image_is_read(
    unread: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    unread.images.add("other:1")
    PLACE.parents[1].mkdir(parents=True)
    Path("build/sbom/other").write_text("")
    assert main(["sbom", IMAGE, "other:1"]) == 7
    assert "build/sbom/other/1.cdx.json: cannot be written" in capsys.readouterr().err
    assert list(PLACE.parents[1].iterdir()) == []


@pytest.mark.parametrize("output", ["no/such/folder/x", "."])
def test_an_output_that_cannot_be_written_is_told_before_an_image_is_read(
    unread: FakeEngine, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    assert main(["sbom", IMAGE, "--output", output]) == 7
    assert "name another file" in capsys.readouterr().err


def test_trying_an_output_changes_nothing(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("own.json").write_text("mine")
    assert main(["sbom", "absent:1", "--output", "own.json"]) == 3
    assert main(["sbom", "absent:1", "--output", "new.json"]) == 3
    assert Path("own.json").read_text() == "mine"
    assert not Path("new.json").exists()
    assert main(["sbom", IMAGE, "--output", "/dev/null"]) == 0


def test_a_document_that_lies_there_needs_no_room(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["sbom", IMAGE]) == 0
    monkeypatch.setattr("tempfile.TemporaryFile", None)  # nothing is tried
    assert main(["sbom", IMAGE]) == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["sbom", "absent:1"], 3, "absent:1"),
        (["sbom"], 2, "containers/images.toml"),
        (["sbom", IMAGE, "--output", "no/such/folder/x"], 7, "--output"),
        (["sbom", IMAGE, "other:1", "--output", "-"], 2, "several images"),
        (["audit", IMAGE, "--url", "osv.example"], 2, "--url osv.example: is no address"),
        (["audit", IMAGE, "--timeout", "0"], 2, "--timeout 0: give a number"),
        (["audit", IMAGE, "--allow", "absent.toml"], 2, "absent.toml"),
        (["audit", IMAGE, "--source", "ruby"], 2, "ruby"),
    ],
)
def test_wrong_input_is_told(
    engine: FakeEngine,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    said: str,
) -> None:
    assert main(words) == code
    assert said in capsys.readouterr().err


def test_a_password_in_an_address_is_not_told(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for url, shown in (("ftp://me:s3 cret@host", "ftp://host"), ("me:s3cret@host", "host")):
        monkeypatch.setenv("SAGEDOCK_OSV_URL", url)
        assert main(["audit", IMAGE]) == 2
        told = capsys.readouterr().err
        assert f"--url {shown}: is no address" in told
        assert "cret" not in told


def test_what_is_not_read_is_told(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.archive_of_images = saved(layer({f"{SITE}/x-1.dist-info/METADATA": b"\0"}))
    assert main(["sbom", IMAGE]) == 0
    assert "not read, so packages may be missing: /opt" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["sbom", "audit"])
def test_ctrl_c_ends_it_with_code_130_and_leaves_nothing(
    engine: FakeEngine,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    def interrupted(_: str) -> Iterator[bytes]:
        yield engine.archive_of_images[:1000]
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "saved", interrupted)
    assert main([command, IMAGE]) == 130
    assert "stopped; nothing was made or changed" in capsys.readouterr().err
    assert not PLACE.exists()


def vulnerable(asked: Asked) -> Answer:
    if asked.method == "GET":
        return Answer(404)
    names = [each["package"]["name"] for each in json.loads(asked.body)["queries"]]
    found = [{"vulns": [{"id": "PYSEC-1"}]} if name == "probe" else {} for name in names]
    return Answer(pieces=(json.dumps({"results": found}).encode(),))


def clean(asked: Asked) -> Answer:
    found = [{} for _ in json.loads(asked.body)["queries"]]
    return Answer(pieces=(json.dumps({"results": found}).encode(),))


def test_an_audit_s_exit_codes(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(clean) as host:
        assert main(["audit", IMAGE, "--url", f"http://{host}"]) == 0
        told = capsys.readouterr()
        assert "not asked" in told.out
        monkeypatch.setenv("SAGEDOCK_OSV_URL", f"http://{host}")
        assert main(["audit", IMAGE, "--source", "python", "--source", "debian", "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said["passed"] is True
        assert [row["verdict"] for row in said["rows"]] == ["clean", "clean", "no packages"]
    with answering(vulnerable) as host:
        assert main(["audit", IMAGE, "--url", f"http://{host}"]) == 12
        told = capsys.readouterr()
        assert "PYSEC-1" in told.out
        assert "1 known vulnerabilities" in told.err
    assert main(["audit", IMAGE, "--url", "http://127.0.0.1:1"]) == 13
    told = capsys.readouterr()
    assert "not audited" in told.out
    assert "could not be audited, which is no pass: no answer for 2 of 2" in told.err


def test_an_audit_s_findings_are_let_pass(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("allow.toml").write_text(
        '[[allow]]\nfinding = "PYSEC-1"\nreason = "never run"\nexpires = 9999-12-31\n'
    )
    with answering(vulnerable) as host:
        assert main(["audit", IMAGE, "--url", f"http://{host}", "--allow", "allow.toml"]) == 0
    assert "let pass: never run" in capsys.readouterr().out
