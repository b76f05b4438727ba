"""Listings: order, prefixes, delimiters and pages, against a model of ten lines."""

import time
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagedock.local.s3.listing import list_page
from sagedock.local.s3.store import ObjectStore
from tests.amount import amount

KEYS = [
    "a",
    "a b/+&.txt",
    "a-",
    "a.txt",
    "a/",
    "a/b/c",
    "a/b/d",
    "a/e",
    "a0",
    "b//c",
    "é/1",
    "é/2",
    "😀",
]


def expected(keys, prefix="", delimiter="", after=""):
    """What S3 lists, by its documentation: keys and common prefixes in byte order."""
    shown = []
    for key in sorted(keys, key=str.encode):
        if not key.startswith(prefix) or key.encode() <= after.encode():
            continue
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        item = key[: cut + len(delimiter)] if cut >= 0 else key
        if item not in shown and item != after:
            shown.append(item)
    return shown


@pytest.fixture
def filled(s3):
    for key in KEYS:
        s3.put_object(Bucket="kettle", Key=key, Body=b"")
    return s3


PREFIXES = ("", "a", "a/", "a/b", "é", "none", "/", "b//", "a b/+")
CASES = list(
    product(("list_objects", "list_objects_v2"), PREFIXES, ("", "/", "b", "/b"), (1, 3, 9))
)


def test_both_versions_list_the_same_in_pages_of_any_size(filled):
    for operation, prefix, delimiter, size in CASES:
        arguments = {"Bucket": "kettle", "Prefix": prefix, "MaxKeys": size}
        if delimiter:
            arguments["Delimiter"] = delimiter
        keys, prefixes = [], []
        for page in filled.get_paginator(operation).paginate(**arguments):
            keys += [item["Key"] for item in page.get("Contents", ())]
            prefixes += [item["Prefix"] for item in page.get("CommonPrefixes", ())]
            assert len(page.get("Contents", ())) + len(page.get("CommonPrefixes", ())) <= size
        wanted = expected(KEYS, prefix, delimiter)
        assert keys == [item for item in wanted if item in KEYS and item not in prefixes]
        assert sorted([*keys, *prefixes], key=str.encode) == wanted


def test_start_after_and_marker(filled):
    after = filled.list_objects_v2(Bucket="kettle", StartAfter="a/b/c")
    assert [item["Key"] for item in after["Contents"]] == expected(KEYS, after="a/b/c")
    assert after["StartAfter"] == "a/b/c"
    marked = filled.list_objects(Bucket="kettle", Marker="a/b", Delimiter="/")
    # Some keys below a/ follow the marker: their common prefix is listed.
    assert [item["Prefix"] for item in marked["CommonPrefixes"]] == ["a/", "b/", "é/"]


def test_what_a_page_says_of_itself(filled, http, refused):
    none = filled.list_objects_v2(Bucket="kettle", MaxKeys=0)
    assert (none["KeyCount"], none["IsTruncated"]) == (0, False)
    two = filled.list_objects_v2(Bucket="kettle", MaxKeys=2, FetchOwner=True)
    assert (two["KeyCount"], two["IsTruncated"], two["MaxKeys"]) == (2, True, 2)
    assert two["Contents"][0]["Owner"]["ID"]
    next_ = filled.list_objects_v2(Bucket="kettle", ContinuationToken=two["NextContinuationToken"])
    assert next_["ContinuationToken"] == two["NextContinuationToken"]
    assert filled.list_objects_v2(Bucket="kettle", MaxKeys=5000)["MaxKeys"] == 1000
    assert http.get("/kettle?list-type=2&max-keys=x").status_code == 400
    assert http.get("/kettle?list-type=2&continuation-token=%25").status_code == 400
    assert http.get("/kettle?encoding-type=base64").status_code == 400
    plain = http.get("/kettle?list-type=2&prefix=a%20b").text
    assert "<Key>a b/+&amp;.txt</Key>" in plain
    coded = http.get("/kettle?list-type=2&prefix=a%20b&encoding-type=url").text
    assert "<Key>a%20b/%2B%26.txt</Key>" in coded


segments = st.sampled_from(["a", "b", "a-", "a!", "ab", "0", "é", "", "."])
many_keys = st.lists(st.lists(segments, min_size=1, max_size=4).map("/".join), unique=True)


@settings(max_examples=amount(60, quick=20), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    keys=many_keys,
    prefix=st.lists(segments, max_size=2).map("/".join),
    delimiter=st.sampled_from(["", "/", "a"]),
    after=st.lists(segments, max_size=3).map("/".join),
    limit=st.integers(1, 5),
)
def test_pages_add_up_to_what_s3_lists(tmp_path_factory, keys, prefix, delimiter, after, limit):
    store = ObjectStore(tmp_path_factory.mktemp("s3"))
    store.create_bucket("kettle", "us-east-1")
    keys = [key for key in keys if key]
    for key in keys:
        source = store.temporary()
        source.write_bytes(b"")
        store.put_file("kettle", key, source)
    shown = []
    last, truncated = after, True
    while truncated:
        page = list_page(
            store, "kettle", prefix=prefix, delimiter=delimiter, after=last, limit=limit
        )
        shown += sorted([*(item.key for item in page.contents), *page.prefixes], key=str.encode)
        last, truncated = page.last, page.truncated
    store.close()
    assert shown == expected(keys, prefix, delimiter, after)


def _fill(folder: Path, count: int) -> list[str]:
    keys = [f"{number % 7}/{number:05d}" for number in range(count)]
    for key in keys:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return sorted(keys)


def test_many_dropped_files_are_listed_completely(s3, server):
    thousands = amount(4, quick=2)
    keys = _fill(server.file("set"), thousands * 1000)
    started = time.monotonic()
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="kettle", Prefix="set/"))
    assert [item["Key"] for page in pages for item in page["Contents"]] == [
        f"set/{key}" for key in keys
    ]
    assert len(pages) == thousands
    assert time.monotonic() - started < 180  # a few seconds; a page that read all would take more
    rolled = s3.list_objects_v2(Bucket="kettle", Prefix="set/", Delimiter="/")
    assert [item["Prefix"] for item in rolled["CommonPrefixes"]] == [f"set/{n}/" for n in range(7)]


def test_a_page_looks_only_at_the_files_it_shows(tmp_path, monkeypatch):
    store = ObjectStore(tmp_path / "s3")
    store.create_bucket("kettle", "us-east-1")
    _fill(store.folder("kettle"), 1_000)
    looked = []
    real = store.load
    monkeypatch.setattr(store, "load", lambda *args: looked.extend(args[1]) or real(*args))
    page = list_page(store, "kettle", prefix="", delimiter="", after="3/", limit=10)
    assert len(looked) == len(page.contents) == 10
    store.close()
