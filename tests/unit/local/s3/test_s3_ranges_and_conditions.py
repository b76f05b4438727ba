"""Parts of objects, and requests that depend on what is there."""

from datetime import UTC, datetime, timedelta

import pytest

BODY = bytes(range(256)) * 8


@pytest.fixture
def stored(s3):
    s3.put_object(Bucket="kettle", Key="k", Body=BODY, ContentType="text/plain")
    return s3.head_object(Bucket="kettle", Key="k")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("bytes=2000-", 2000, 2048),
        ("bytes=-10", 2038, 2048),
        ("bytes=-5000", 0, 2048),
        ("bytes=2040-9999", 2040, 2048),
        ("bytes=0-", 0, 2048),
    ],
)
def test_a_range(s3, stored, asked, start, end):
    got = s3.get_object(Bucket="kettle", Key="k", Range=asked)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["Body"].read() == BODY[start:end]
    assert got["ContentRange"] == f"bytes {start}-{end - 1}/2048"
    assert got["ContentLength"] == end - start
    head = s3.head_object(Bucket="kettle", Key="k", Range=asked)
    assert (head["ContentLength"], head["ContentRange"]) == (end - start, got["ContentRange"])


@pytest.mark.parametrize("asked", ["bytes=2048-", "bytes=9999-99999", "bytes=-0"])
def test_a_range_outside_the_object(stored, http, asked):
    answer = http.get("/kettle/k", headers={"range": asked})
    assert answer.status_code == 416
    assert "<Code>InvalidRange</Code>" in answer.text
    assert "<ActualObjectSize>2048</ActualObjectSize>" in answer.text


@pytest.mark.parametrize(
    "asked", ["bytes=9-5", "bytes=-", "rows=1-2", "bytes=0-1,4-5", "bytes=a-b"]
)
def test_a_range_that_is_none_is_ignored(stored, http, asked):
    answer = http.get("/kettle/k", headers={"range": asked})
    assert (answer.status_code, answer.content) == (200, BODY)


def test_a_range_of_an_empty_object(s3, http):
    s3.put_object(Bucket="kettle", Key="empty", Body=b"")
    assert http.get("/kettle/empty", headers={"range": "bytes=0-"}).status_code == 416


def test_a_large_range_is_streamed(s3):
    body = BODY * 2000
    s3.put_object(Bucket="kettle", Key="large", Body=body)
    got = s3.get_object(Bucket="kettle", Key="large", Range="bytes=1000-3999999")
    assert got["Body"].read() == body[1000:4000000]


def test_reading_on_conditions(s3, stored, http, refused):
    tag, now = stored["ETag"], datetime.now(UTC)
    past, future = now - timedelta(days=1), now + timedelta(days=1)
    read = {"Bucket": "kettle", "Key": "k"}
    for kept in (
        {"IfMatch": tag},
        {"IfMatch": "*"},
        {"IfNoneMatch": '"other"'},
        {"IfModifiedSince": past},
        {"IfUnmodifiedSince": future},
        {"IfMatch": tag, "IfUnmodifiedSince": past},
        {"IfNoneMatch": '"other"', "IfModifiedSince": future},
    ):
        assert s3.get_object(**read, **kept)["Body"].read() == BODY
        s3.head_object(**read, **kept)
    for failed in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": past}):
        assert refused(s3.get_object, **read, **failed)[:2] == (412, "PreconditionFailed")
        assert refused(s3.head_object, **read, **failed)[0] == 412
    for same in ({"IfNoneMatch": tag}, {"IfModifiedSince": future}):
        assert refused(s3.get_object, **read, **same)[0] == 304
    answer = http.get("/kettle/k", headers={"if-none-match": tag})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    last = {"if-modified-since": answer.headers["last-modified"]}
    assert http.get("/kettle/k", headers=last).status_code == 304
    assert http.get("/kettle/k", headers={"if-modified-since": "never"}).status_code == 200


def test_writing_on_conditions(s3, stored, refused):
    put = {"Bucket": "kettle", "Body": b"new"}
    assert refused(s3.put_object, Key="k", IfNoneMatch="*", **put)[:2] == (
        412,
        "PreconditionFailed",
    )
    assert s3.get_object(Bucket="kettle", Key="k")["Body"].read() == BODY
    s3.put_object(Key="fresh", IfNoneMatch="*", **put)
    assert refused(s3.put_object, Key="none", IfMatch='"x"', **put)[:2] == (404, "NoSuchKey")
    assert refused(s3.put_object, Key="k", IfMatch='"x"', **put)[:2] == (412, "PreconditionFailed")
    s3.put_object(Key="k", IfMatch=stored["ETag"], **put)
    assert refused(s3.put_object, Key="k", IfNoneMatch='"x"', **put)[:2] == (501, "NotImplemented")


def test_deleting_on_conditions(s3, stored, refused):
    wrong = refused(s3.delete_object, Bucket="kettle", Key="k", IfMatch='"x"')
    assert wrong[:2] == (412, "PreconditionFailed")
    s3.delete_object(Bucket="kettle", Key="k", IfMatch=stored["ETag"])
    assert "Contents" not in s3.list_objects_v2(Bucket="kettle")


def test_copying_on_conditions(s3, stored, refused):
    copy = {"Bucket": "kettle", "Key": "copy", "CopySource": "kettle/k"}
    past = datetime.now(UTC) - timedelta(days=1)
    for failed in (
        {"CopySourceIfMatch": '"x"'},
        {"CopySourceIfNoneMatch": stored["ETag"]},
        {"CopySourceIfUnmodifiedSince": past},
        {"CopySourceIfModifiedSince": datetime.now(UTC) + timedelta(days=1)},
    ):
        assert refused(s3.copy_object, **copy, **failed)[:2] == (412, "PreconditionFailed")
    s3.copy_object(**copy, CopySourceIfMatch=stored["ETag"], CopySourceIfModifiedSince=past)
