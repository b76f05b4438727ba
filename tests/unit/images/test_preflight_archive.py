"""Archives are read once, in bounded memory, and whatever they hold leads nowhere."""

import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.errors import EngineError
from sagedock.images.preflight.archive import Bytes, members
from sagedock.images.preflight.layer import read_layer
from sagedock.images.preflight.saved import read_saved
from tests.unit.images.made_images import layer, saved

LONG = "/".join(["folder"] * 20) + "/file"


def pieces(data, size):
    return (data[at : at + size] for at in range(0, len(data), size))


def read(data, size=1000):
    found = members(Bytes(pieces(data, size)))
    return [(member, b"".join(map(bytes, content))) for member, content in found]


@pytest.mark.parametrize(
    "form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=str
)
@pytest.mark.parametrize("size", [1, 511, 512, 4096])
def test_names_links_and_contents(form, size):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, content in (("a", b""), (LONG, b"x" * 1000), ("é", b"end")):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o750
            archive.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../elsewhere"
        archive.addfile(link)
    found = read(buffer.getvalue(), size)
    told = [(each.name, each.kind, content) for each, content in found]
    assert told[:3] == [("a", "file", b""), (LONG, "file", b"x" * 1000), ("é", "file", b"end")]
    assert (found[3][0].kind, found[3][0].link, found[0][0].mode) == (
        *("symlink", "../elsewhere"),
        0o750,
    )


def test_what_nobody_takes_is_skipped():
    data = layer({"a": b"x" * 5000, "b": b"y"})
    assert [member.name for member, _ in members(Bytes(pieces(data, 700)))] == ["a", "b"]


def test_sizes_beyond_eight_gigabytes_are_understood():
    entry = tarfile.TarInfo("big")
    entry.size = 9 * 2**30
    head = entry.tobuf(tarfile.GNU_FORMAT)
    member, _ = next(iter(members(Bytes(iter([head])))))
    assert member.size == entry.size
    with pytest.raises(EngineError, match="ends after 512 bytes"):
        read(head)


def test_a_header_without_end_is_refused_before_it_is_read():
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 2**33

    def endless():
        yield entry.tobuf(tarfile.GNU_FORMAT)
        raise AssertionError("read on")

    with pytest.raises(EngineError, match="header of 8589934592 bytes"):
        list(members(Bytes(endless())))


@pytest.mark.parametrize("cut", [100, 513, 1500])
def test_an_archive_that_breaks_off_is_told(cut):
    data = layer({"a": b"x" * 2000})
    if cut < 512:
        data = b"no tar" * 200
    with pytest.raises(EngineError, match=r"ends after|broken"):
        read(data[:cut] if cut > 512 else data)


@given(st.binary(max_size=3000))
def test_any_bytes_end_in_members_or_in_an_error(data):
    try:
        read(data)
    except EngineError:
        return


def test_names_that_lead_out_are_counted_and_left_out():
    found = read_layer(
        Bytes(iter([layer({"../../etc/passwd": b"x", "a/../../b": b"x", "/c": b"x", "./d": b""})]))
    )
    assert found.outside == 2
    assert set(found.entries) == {"c", "d"}


def test_names_longer_than_any_system_takes_are_left_out():
    found = read_layer(Bytes(iter([layer({"x" * 5000: b"x", "x" * 4096: b"x"})])))
    assert (found.outside, [len(name) for name in found.entries]) == (1, [4096])


def test_what_is_kept_of_texts_has_a_limit_for_all_together():
    wheels = {f"{number}.dist-info/WHEEL": bytes(200_000) for number in range(1100)}
    found = read_layer(Bytes(iter([layer(wheels)])))
    assert len(found.entries) == 1100
    assert sum(len(each.text) for each in found.entries.values()) == 64 * 2**20


@pytest.mark.parametrize("blobs", [False, True], ids=["older", "newer"])
@pytest.mark.parametrize("size", [1000, 65536])
def test_layers_come_in_the_manifests_order(blobs, size):
    layers = [layer({f"{number}": b"x"}) for number in range(6)]
    found = read_saved(pieces(saved(*layers, blobs=blobs), size), lambda _: None)
    assert [list(each.entries) for each in found.layers] == [[str(number)] for number in range(6)]
    assert found.config["architecture"] == "amd64"


def test_layers_compressed_by_gzip_are_read():
    data = saved(gzip.compress(layer({"a": b"x" * 100_000})), blobs=True)
    (only,) = read_saved(pieces(data, 700), lambda _: None).layers
    assert only.entries["a"].size == 100_000


def test_layers_compressed_by_zstd_are_refused_with_a_remedy():
    data = saved(b"\x28\xb5\x2f\xfd" + b"x" * 600, blobs=True)
    with pytest.raises(EngineError, match=r"zstd.*build the image with gzip"):
        read_saved(iter([data]), lambda _: None)


def test_a_layer_that_is_a_link_to_another_is_read_once_and_stands_twice():
    one = layer({"a": b"x"})
    data = saved(one)
    name = next(member.name for member, _ in members(Bytes(iter([data]))))
    other = tarfile.TarInfo("other/layer.tar")
    other.type, other.linkname = tarfile.SYMTYPE, f"../{name}"
    manifest = f'[{{"Config": "c.json", "Layers": ["{name}", "other/layer.tar"]}}]'.encode()
    whole = layer({name: one, "c.json": b'{"config": {}}', "manifest.json": manifest}, other)
    found = read_saved(iter([whole]), lambda _: None)
    assert [list(each.entries) for each in found.layers] == [["a"], ["a"]]


@pytest.mark.parametrize(
    "manifest", [b"[]", b"{}", b"[1]", b'[{"Config": "absent", "Layers": []}]', b"not JSON"]
)
def test_an_archive_that_is_no_image_is_told(manifest):
    with pytest.raises(EngineError, match=r"is no image|no configuration"):
        read_saved(iter([layer({"manifest.json": manifest})]), lambda _: None)


def test_progress_counts_every_byte():
    told = []
    data = saved(layer({"a": b"x" * 9000}))
    read_saved(pieces(data, 4096), told.append)
    assert told == sorted(told)
    assert told[-1] == len(data)


def test_the_compressed_size_is_told_from_a_sample():
    hard = layer({"a": bytes(range(256)) * 16})
    (found,) = read_saved(iter([saved(hard)]), lambda _: None).layers
    assert 0 < found.packed_size < found.size == len(hard)
