"""Files that tell of packages, and are links: read where they lead, or told as not read."""

import datetime
import tarfile
import time

import pytest

from sagedock.images.preflight.saved import read_saved
from sagedock.images.sbom.audit import audit
from sagedock.images.sbom.document import document, text_of
from sagedock.images.sbom.inventory import Inventory, inventory
from sagedock.images.sbom.layer import LayerReader
from sagedock.images.sbom.making import Sbom
from sagedock.images.sbom.osv import Osv
from tests.unit.images.answering import Answer, answering
from tests.unit.images.made_images import Content, layer, saved
from tests.unit.images.sbom_images import ID, SITE, deb, dist, found_in, jar, status

HIDDEN = f"{SITE}/evil-1.0.dist-info"
HEAD = b"Name: evil\nVersion: 1.0\n"
STORE = "nix/store/.links/0abc"
NOT_READ = "is a link to a file that was not read"


def linked(path: str, target: str, kind: bytes = tarfile.LNKTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.type, entry.linkname = kind, target
    return entry


def hardlinked(files: dict[str, Content], *links: tuple[str, str]) -> Inventory:
    archive = saved(layer(files, *(linked(path, target) for path, target in links)))
    return inventory(read_saved(iter([archive]), lambda _: None, LayerReader().read))


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (f"{HIDDEN}/METADATA", HEAD),
        ("var/lib/dpkg/status", deb("evil", "1").encode()),
        ("var/lib/dpkg/status.d/evil", deb("evil", "1").encode()),
        ("opt/evil.jar", jar(("a", "evil", "1"))),
        (f"{SITE}/pip/_vendor/vendor.txt", b"evil==1.0\n"),
        (f"{SITE}/evil.egg-info", HEAD),
    ],
)
def test_a_link_to_what_was_not_read_is_told(path: str, content: bytes) -> None:
    for found in (
        hardlinked({STORE: content}, (path, STORE)),
        found_in({STORE: content}, {path: f"/{STORE}"}),
    ):
        assert found.packages == ()
        assert found.unread == (f"/{path}: {NOT_READ}",)


@pytest.mark.parametrize(
    ("content", "link", "told"),
    [
        ({f"{STORE}/METADATA": HEAD}, HIDDEN, "METADATA"),
        ({f"{STORE}/PKG-INFO": HEAD}, f"{SITE}/evil.egg-info", "PKG-INFO"),
        ({f"{STORE}/PKG-INFO": HEAD}, f"{SITE}/evil.egg/EGG-INFO", "PKG-INFO"),
        ({f"{STORE}/vendor.txt": b"evil==1"}, f"{SITE}/pip/_vendor", "vendor.txt"),
        ({f"{STORE}/status": deb("evil", "1").encode()}, "var/lib/dpkg", "status"),
        ({f"{STORE}/evil": deb("evil", "1").encode()}, "var/lib/dpkg/status.d", "evil"),
    ],
)
def test_a_folder_that_is_a_link_hides_nothing(
    content: dict[str, Content], link: str, told: str
) -> None:
    found = found_in(content, {link: f"/{STORE}"})
    assert found.packages == ()
    assert found.unread == (f"/{link}/{told}: {NOT_READ}",)


def test_what_is_read_where_the_link_leads_is_listed_once() -> None:
    found = found_in(
        {
            **dist("one", "1"),
            "lib/two.jar": jar(("a", "two", "1")),
            "usr/share/java/two.jar": "../../../lib/two.jar",
            "srv/one.dist-info": f"/{SITE}/one-1.dist-info",
            "srv/three-1.dist-info/METADATA": f"/{SITE}/one-1.dist-info/METADATA",
            "opt/gone.jar": "nowhere.jar",
            "usr/lib/python3": "/opt/venv/lib/python3.11",
        }
    )
    assert [each.name for each in found.packages] == ["a:two", "one"]
    assert found.unread == ()


def test_links_that_lead_too_far_are_told_and_soon() -> None:
    """Linux follows 40 links, each to a path of 4 KiB: 100,000 such would take hours."""
    far: dict[str, Content] = {f"l{n}": f"{'x/../' * 800}l{n + 1}" for n in range(39)}
    far |= {"x/y": b"", f"l{39}": STORE, f"{STORE}/a.txt": HEAD, "opt/round.jar": "round.jar"}
    links: dict[str, Content] = {f"opt/{n}.dist-info/METADATA": "/l0/a.txt" for n in range(900)}
    began = time.process_time()
    found = found_in({**far, **links, "var/lib/dpkg/status.d": "status.d"})
    assert time.process_time() - began < 30
    assert len(found.unread) == 902


def test_a_hard_link_to_what_was_read_is_read_too() -> None:
    found = hardlinked(dist("one", "1"), (f"{HIDDEN}/METADATA", f"{SITE}/one-1.dist-info/METADATA"))
    assert [each.path for each in found.packages] == [HIDDEN, f"{SITE}/one-1.dist-info"]
    assert found.unread == ()


@pytest.mark.parametrize(
    ("target", "content"),
    [
        ("usr/share/doc/a/copyright", b"\xff"),
        (f"{SITE}/b-1.dist-info/RECORD", b"x"),
        (f"{SITE}/b-1.dist-info/direct_url.json", b"{}"),
        ("etc/os-release", b"ID=debian\n"),
    ],
)
@pytest.mark.parametrize("path", [f"{HIDDEN}/METADATA", "opt/evil.jar", "var/lib/dpkg/status"])
def test_what_was_kept_of_a_file_of_another_kind_is_no_text(
    path: str, target: str, content: bytes
) -> None:
    found = hardlinked({target: content}, (path, target))
    assert found.packages == ()
    assert found.unread == (f"/{path}: {NOT_READ}",)


def test_hard_links_to_headers_that_are_no_text_are_told() -> None:
    files: dict[str, Content] = {f"{SITE}/b-1.dist-info/METADATA": HEAD + b"X: \xff\n"}
    target = f"{SITE}/b-1.dist-info/METADATA"
    found = hardlinked(files, ("opt/a.jar", target), (f"{SITE}/b-1.dist-info/RECORD", target))
    assert [(each.name, each.record_sha256) for each in found.packages] == [("evil", "")]
    assert found.unread == (f"/opt/a.jar: {NOT_READ}",)


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE])
def test_what_is_no_plain_file_is_told(kind: bytes) -> None:
    path = f"{HIDDEN}/METADATA"
    archive = saved(layer({}, linked(path, "not/in/this/layer", kind)))
    found = inventory(read_saved(iter([archive]), lambda _: None, LayerReader().read))
    assert [each.partition(": ")[0] for each in found.unread] == [f"/{path}"]


def test_an_empty_status_misses_nothing() -> None:
    assert found_in({**status(), "var/lib/dpkg/status": b""}).unread == ()


def test_other_package_managers_behind_a_link_are_told() -> None:
    found = found_in({"usr/lib/apk/db/installed": b"P:musl\n", "lib": "usr/lib"})
    (told,) = found.unread
    assert told.startswith("/lib/apk/db/installed: is of apk")


def test_an_audit_does_not_pass_what_is_behind_a_link() -> None:
    found = hardlinked({STORE: HEAD}, (f"{HIDDEN}/METADATA", STORE))
    made = document(found, ID)
    sbom = Sbom(document=made, text=text_of(made), made=True)
    with answering(lambda _: Answer(500)) as host:
        told = audit(sbom, Osv(f"http://{host}"), today=datetime.date(2026, 11, 30))
    assert told.not_audited
