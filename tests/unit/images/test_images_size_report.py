"""Sizes by layer, budgets and forecasts, of the engine's history and of layers measured before."""

import gzip
import hashlib
import io
import json
import tarfile
import zlib

import pytest

from sagedock.engine import ImageLayer
from sagedock.engine.image_layers import image_layers
from sagedock.errors import EngineError, StorageError
from sagedock.images.image import Image
from sagedock.images.packed_layers import keep_packed, known_packed, measure_packed
from sagedock.images.size_report import over_budget, size_lines, size_report
from sagedock.images.start_up import added_seconds, amount

MB = 1_000_000


def image(budget_mb=None):
    return Image(
        name="mine",
        kind="training",
        device="cpu",
        dockerfile="Dockerfile",
        target="final",
        repository="mine",
        tag="v1",
        base="debian:12",
        budget_mb=budget_mb,
    )


def layer(words, size, diff_id=None):
    return ImageLayer(made_by=words, size=size, diff_id=diff_id)


# --- the engine's history ------------------------------------------------------------------------


def entry(words, size=0, comment=""):
    return {"CreatedBy": words, "Size": size, "Comment": comment}


HISTORY = [
    entry('CMD ["train"]'),
    entry("COPY /opt/venv /opt/venv # buildkit", 800),
    entry("ENV A=b"),
    entry("RUN /bin/sh -c mkdir -p /run/sshd # buildkit"),
    entry("RUN |2 BASE=x DEVICE=cpu /bin/sh -c apt install -y a && b # buildkit", 70),
    entry("/bin/sh -c #(nop)  LABEL a=b"),
    entry("/bin/sh -c #(nop) COPY file:1 in / ", 3),
    entry("", 145, "Imported from -"),
]


def test_each_layer_has_the_instruction_that_made_it():
    found = image_layers(HISTORY, ["d0", "d1", "d2", "d3", "d4"])
    assert [(each.made_by, each.size, each.diff_id) for each in found] == [
        ("Imported from -", 145, "d0"),
        ("COPY file:1 in /", 3, "d1"),
        ("RUN apt install -y a && b", 70, "d2"),
        ("RUN mkdir -p /run/sshd", 0, "d3"),
        ("COPY /opt/venv /opt/venv", 800, "d4"),
    ]


def test_layers_with_bytes_alone_fit_where_no_empty_one_was_made():
    assert [each.diff_id for each in image_layers(HISTORY, ["a", "b", "c", "d"])] == list("abcd")


def test_where_the_two_do_not_fit_no_layer_is_mistaken_for_another():
    found = image_layers(HISTORY, ["d0"])
    assert [(each.size, each.diff_id) for each in found] == [
        (145, None),
        (3, None),
        (70, None),
        (800, None),
    ]
    assert image_layers([], []) == ()


# --- the report ----------------------------------------------------------------------------------


def test_what_is_known_is_taken_and_the_rest_estimated():
    layers = [layer("FROM", 100 * MB, "a"), layer("RUN", 200 * MB, "b"), layer("RUN true", 0, "c")]
    report = size_report(image(), layers, {"a": 40 * MB})
    assert [(row.packed, row.estimated) for row in report.layers] == [
        (40 * MB, False),
        (66 * MB, True),
        (0, False),
    ]
    assert (report.size, report.packed, report.estimated) == (300 * MB, 106 * MB, True)
    assert not size_report(image(), layers, {"a": 1, "b": 2}).estimated


def test_a_layer_that_the_engine_does_not_name_is_estimated():
    assert size_report(image(), [layer("RUN", MB)], {"": 5}).layers[0].packed == 330_000


@pytest.mark.parametrize(("size", "over"), [(100 * MB, False), (100 * MB + 1, True)])
def test_a_budget_is_what_the_image_may_take_at_most(size, over):
    assert size_report(image(100), [layer("RUN", size)], {}).over_budget is over
    assert not size_report(image(), [layer("RUN", size)], {}).over_budget


def test_an_image_over_its_budget_names_its_largest_layers_and_both_remedies():
    layers = [layer(f"RUN step {n}", n * 10 * MB) for n in range(1, 6)] + [layer("RUN tiny", 1)]
    said = over_budget(image(100), size_report(image(100), layers, {}))
    assert said.startswith("mine takes 150 MB, and its budget_mb in images.toml is 100.")
    assert "50 MB RUN step 5; 40 MB RUN step 4; 30 MB RUN step 3. Leave out" in said
    assert "or raise budget_mb to 151." in said
    assert "mine:v1 is built all the same" in said


def test_what_a_base_takes_is_summed_up_and_the_images_own_layers_are_named():
    base = [layer("FROM", 145 * MB, "a"), layer("RUN apt", 70 * MB, "b"), layer("ENV", 0, "c")]
    own = [layer("RUN pip", 60 * MB, "d"), layer("COPY app", 30 * MB, "e")]
    report = size_report(image(100), base + own, {}, base)
    assert [row.of_base for row in report.layers] == [True, True, True, False, False]
    said = over_budget(image(100), report)
    assert "is 100. 215 MB of that are its base's, debian:12. Its own largest layers: 60" in said
    assert "layers: 60 MB RUN pip; 30 MB COPY app. Leave out" in said
    alone = over_budget(image(100), size_report(image(100), base, {}, base))
    assert "Its own layers are small: start from a smaller base, or raise budget_mb to" in alone


def test_layers_are_a_bases_only_where_the_image_starts_from_it():
    layers = [layer("FROM", 145 * MB, "a"), layer("RUN", MB, "b")]
    for base in (
        [layer("FROM", 145 * MB, "x")],
        [*layers, layer("RUN", MB, "c")],
        [layer("FROM", 145 * MB)],
        [],
    ):
        report = size_report(image(100), layers, {}, base)
        assert not any(row.of_base for row in report.layers)
        assert "Its largest layers: 145 MB FROM" in over_budget(image(100), report)


def test_the_lines_say_what_is_an_estimate():
    layers = [layer("COPY " + "x" * 100, 1000 * MB, "a"), layer("RUN empty", 0, "b")]
    first, last = size_lines(size_report(image(2000), layers, {}))
    assert first.split("compressed")[0].split() == ["1.00", "GB", "about", "330", "MB"]
    assert first.endswith("...")
    assert "1.00 GB of at most 2.00 GB; about 330 MB compressed (an estimate" in last
    assert last.endswith("about 6 s of each start that has to download it")


def test_a_measured_size_is_not_about():
    layers = [layer("COPY x", 1000 * MB, "a")]
    first, last = size_lines(size_report(image(), layers, {"a": 106 * MB}))
    assert "about" not in first
    assert last.strip().startswith("1.00 GB; 106 MB compressed (measured): about 2 s of each start")


def test_a_start_takes_19_seconds_more_for_each_compressed_gb():
    assert [added_seconds(size) for size in (0, 1000 * MB, 17_700 * MB)] == [0, 19, 336]
    assert [amount(size) for size in (0, 6, 1500, MB, 1000 * MB)] == [
        "0 B",
        "6 B",
        "2 kB",
        "1 MB",
        "1.00 GB",
    ]


# --- compressed sizes ----------------------------------------------------------------------------


def tar(**files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            found = tarfile.TarInfo(name.replace("__", "/"))
            found.size = len(content)
            archive.addfile(found, io.BytesIO(content))
    return buffer.getvalue()


def test_layers_are_known_by_the_digest_of_what_is_compressed():
    plain, packed = tar(a=b"\0" * 500_000), tar(b=b"b" * 1000)
    compressed = gzip.compress(packed)
    archive = tar(
        id__layer_tar=plain, blobs__sha256__2=compressed, manifest=json.dumps([]).encode()
    )
    chunks = (archive[place : place + 1000] for place in range(0, len(archive), 1000))
    said: list[str] = []
    found = measure_packed(lambda: chunks, said.append)
    assert said == []
    digests = [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in (plain, packed)]
    assert list(found) == digests
    assert 300 < found[digests[0]] < 2000
    assert found[digests[1]] == len(compressed)


def test_a_layer_that_is_compressed_already_is_not_compressed_again(monkeypatch):
    def compressobj(**_):
        raise AssertionError("its size is known")

    monkeypatch.setattr("zlib.compressobj", compressobj)
    content = tar(b=b"b" * 1000)
    packed = gzip.compress(content)
    found = measure_packed(lambda: iter([tar(blobs__sha256__2=packed)]), print)
    assert found == {f"sha256:{hashlib.sha256(content).hexdigest()}": len(packed)}


@pytest.mark.parametrize(("name", "saves"), [("id{}/layer.tar", 2), ("blobs/sha256/{1}", 1)])
def test_a_layer_that_was_measured_before_is_not_compressed_again(monkeypatch, name, saves):
    contents = [tar(a=b"a" * 5000), tar(b=b"b" * 5000), tar(c=b"c" * 5000)]
    digests = [hashlib.sha256(each).hexdigest() for each in contents]
    names = [name.format(place, digest) for place, digest in enumerate(digests)]
    archive = tar(**dict(zip(names, contents, strict=True)))
    compressobj, compressed, saved = zlib.compressobj, [], []

    def counting(**how):
        compressed.append(how)
        return compressobj(**how)

    def save():
        saved.append(archive)
        return iter([archive])

    monkeypatch.setattr("zlib.compressobj", counting)
    ids = [f"sha256:{each}" for each in digests]
    found = measure_packed(save, print, {ids[0], ids[2]})
    assert (list(found), len(compressed), len(saved)) == ([ids[1]], 1, saves)
    assert found == {ids[1]: measure_packed(save, print)[ids[1]]}
    compressed.clear()
    saved.clear()
    assert measure_packed(save, print, set(ids)) == {}
    assert (compressed, len(saved)) == ([], 1)


def test_a_layer_that_cannot_be_measured_is_told():
    said = []
    zstd = b"\x28\xb5\x2f\xfd" + b"x" * 1000
    assert measure_packed(lambda: iter([tar(blobs__sha256__3=zstd)]), said.append) == {}
    assert said == ["blobs/sha256/3 is compressed with zstd, which is not read here"]


def test_an_archive_that_breaks_off_is_an_error():
    with pytest.raises(EngineError):
        measure_packed(lambda: iter([tar(a=tar(b=b"b" * 100_000))[:50_000]]), print)


def test_sizes_are_kept_and_added_to(tmp_path):
    file = tmp_path / "build" / "layers.json"
    assert known_packed(file) == {}
    keep_packed(file, {"a": 1})
    keep_packed(file, {"b": 2})
    assert known_packed(file) == {"a": 1, "b": 2}
    file.write_text("{")
    assert known_packed(file) == {}
    file.write_text('["a"]')
    assert known_packed(file) == {}
    with pytest.raises(StorageError, match=r"layers\.json"):
        keep_packed(file / "layers.json", {"a": 1})
