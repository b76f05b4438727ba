"""Objects: what is put comes back, byte for byte and header for header."""

import hashlib
import os
from urllib.parse import quote

import pytest

ODD_KEYS = [
    "plain.txt",
    "a b  c.txt",
    "plus+percent%25&amp;'quote\".csv",
    "ünïcödé/日本語/😀.bin",
    "back\\slash",
    "new\nline\ttab",
    "ends/with/",
    "/starts-with",
    "two//slashes",
    "dot/./segment",
    ".",
    "a/.hidden",
    "x" * 300,
    "deep/" * 200 + "end",
    "question?mark#hash",
    "tilde~colon:semi;at@",
    "\x01control",
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_key_is_put_read_listed_copied_and_deleted(s3, key, refused):
    body = key.encode() * 3
    s3.put_object(Bucket="kettle", Key=key, Body=body)
    assert s3.get_object(Bucket="kettle", Key=key)["Body"].read() == body
    [listed] = s3.list_objects_v2(Bucket="kettle")["Contents"]
    assert (listed["Key"], listed["Size"]) == (key, len(body))
    assert [o["Key"] for o in s3.list_objects(Bucket="kettle", Prefix=key)["Contents"]] == [key]
    s3.copy_object(Bucket="kettle", Key="copy", CopySource={"Bucket": "kettle", "Key": key})
    assert s3.get_object(Bucket="kettle", Key="copy")["Body"].read() == body
    s3.delete_object(Bucket="kettle", Key=key)
    assert refused(s3.get_object, Bucket="kettle", Key=key)[:2] == (404, "NoSuchKey")


def test_a_plain_key_is_a_plain_file(s3, server):
    s3.put_object(Bucket="kettle", Key="a/b.csv", Body=b"1,2\n")
    assert server.file("a/b.csv").read_bytes() == b"1,2\n"
    s3.delete_object(Bucket="kettle", Key="a/b.csv")
    assert list(server.file("").iterdir()) == []


@pytest.mark.parametrize("order", [("a", "a/b"), ("a/b", "a")])
def test_a_key_and_a_key_below_it_live_together(s3, server, order):
    for key in order:
        s3.put_object(Bucket="kettle", Key=key, Body=key.encode())
    server.restart()
    s3 = server.client()
    for key in order:
        assert s3.get_object(Bucket="kettle", Key=key)["Body"].read() == key.encode()
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="kettle")["Contents"]] == ["a", "a/b"]
    rolled = s3.list_objects_v2(Bucket="kettle", Delimiter="/")
    assert [o["Key"] for o in rolled["Contents"]] == ["a"]
    assert [o["Prefix"] for o in rolled["CommonPrefixes"]] == ["a/"]
    for key in order:
        s3.delete_object(Bucket="kettle", Key=key)
    s3.delete_bucket(Bucket="kettle")


def test_an_object_that_was_aside_becomes_a_plain_file_when_it_can(s3, server):
    s3.put_object(Bucket="kettle", Key="a/b", Body=b"x")
    s3.put_object(Bucket="kettle", Key="a", Body=b"old")
    s3.delete_object(Bucket="kettle", Key="a/b")
    s3.put_object(Bucket="kettle", Key="a", Body=b"new")
    assert server.file("a").read_bytes() == b"new"
    assert s3.get_object(Bucket="kettle", Key="a")["Body"].read() == b"new"
    assert not [path for path in (server.root / "aside").rglob("*") if path.is_file()]


@pytest.mark.parametrize("path", ["/kettle/../x", "/kettle/%2e%2e/x", "/kettle/a/..%2f..%2fx"])
def test_a_key_that_climbs_is_refused(s3, server, path):
    import http.client  # httpx would tidy the path up

    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    for method in ("PUT", "GET", "DELETE"):
        connection.request(method, path, body=b"x" if method == "PUT" else None)
        answer = connection.getresponse()
        assert (answer.status, b"<Code>InvalidURI</Code>" in answer.read()) == (400, True)
    connection.close()
    assert not (server.root / "x").exists()


def test_a_key_that_climbs_is_refused_from_boto3_and_in_every_other_place(s3, server, refused):
    s3.put_object(Bucket="kettle", Key="in", Body=b"x")
    assert refused(s3.put_object, Bucket="kettle", Key="../x", Body=b"x")[0] == 400
    source = {"Bucket": "kettle", "Key": "../../metadata.sqlite"}
    assert refused(s3.copy_object, Bucket="kettle", Key="y", CopySource=source)[0] == 400
    assert refused(s3.create_multipart_upload, Bucket="kettle", Key="a/../../y")[0] == 400
    objects = {"Objects": [{"Key": "../../metadata.sqlite"}, {"Key": "in"}]}
    answer = s3.delete_objects(Bucket="kettle", Delete=objects)
    assert [error["Code"] for error in answer["Errors"]] == ["InvalidURI"]
    assert [gone["Key"] for gone in answer["Deleted"]] == ["in"]
    assert (server.root / "metadata.sqlite").exists()
    assert "Contents" not in s3.list_objects_v2(Bucket="kettle", Prefix="../")


def test_headers_and_metadata_come_back_after_a_restart(s3, server):
    kept = {
        "ContentType": "text/csv; charset=utf-8",
        "ContentEncoding": "gzip",
        "ContentDisposition": 'attachment; filename="x.csv"',
        "ContentLanguage": "de",
        "CacheControl": "max-age=3",
        "Metadata": {"owner": "me", "purpose": "a b"},
        "StorageClass": "STANDARD_IA",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "alias/key",
    }
    put = s3.put_object(Bucket="kettle", Key="k", Body=b"x", Tagging="team=a&x=%26", **kept)
    server.restart()
    s3 = server.client()
    got = s3.get_object(Bucket="kettle", Key="k")
    assert {name: got[name] for name in kept} == kept
    assert got["ETag"] == put["ETag"] == f'"{hashlib.md5(b"x").hexdigest()}"'
    assert got["TagCount"] == 2
    head = s3.head_object(Bucket="kettle", Key="k")
    assert head["LastModified"] == got["LastModified"]
    tags = s3.get_object_tagging(Bucket="kettle", Key="k")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "a", "x": "&"}


def test_the_default_content_type_is_s3s(s3):
    s3.put_object(Bucket="kettle", Key="k.csv", Body=b"x")
    assert s3.head_object(Bucket="kettle", Key="k.csv")["ContentType"] == "binary/octet-stream"


def test_response_headers_can_be_asked_for(s3):
    s3.put_object(Bucket="kettle", Key="k", Body=b"x", ContentType="text/plain")
    got = s3.get_object(
        Bucket="kettle",
        Key="k",
        ResponseContentType="application/json",
        ResponseContentDisposition="inline",
        ResponseCacheControl="no-store",
        ResponseContentLanguage="fr",
        ResponseContentEncoding="identity",
    )
    assert got["ContentType"] == "application/json"
    assert got["ContentDisposition"] == "inline"
    assert (got["CacheControl"], got["ContentLanguage"]) == ("no-store", "fr")


def test_refusals_are_s3s_own_xml_with_request_ids(s3, http):
    answer = http.get("/kettle/missing%20key")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/xml"
    assert len(answer.headers["x-amz-request-id"]) == 16
    assert answer.headers["x-amz-id-2"]
    for part in (
        "<Code>NoSuchKey</Code>",
        "<Message>The specified key does not exist.</Message>",
        "<Key>missing key</Key>",
        f"<RequestId>{answer.headers['x-amz-request-id']}</RequestId>",
        "<HostId>",
    ):
        assert part in answer.text
    assert answer.text.startswith("<?xml")


def test_refusals_of_head_have_no_body(s3, http):
    for path in ("/kettle/missing", "/no-such-bucket", "/Bad_Name/k"):
        answer = http.head(path)
        assert answer.status_code in (400, 404)
        assert answer.content == b""


def test_limits_of_keys_metadata_and_tags(s3, refused):
    put = {"Bucket": "kettle", "Body": b""}
    s3.put_object(Key="k" * 1024, **put)
    assert refused(s3.put_object, Key="k" * 1025, **put)[:2] == (400, "KeyTooLongError")
    s3.put_object(Key="m", Metadata={"a": "x" * 2047}, **put)
    large = refused(s3.put_object, Key="m", Metadata={"a": "x" * 2048}, **put)
    assert large[:2] == (400, "MetadataTooLarge")
    many = "&".join(f"k{number}=v" for number in range(11))
    assert refused(s3.put_object, Key="t", Tagging=many, **put)[:2] == (400, "BadRequest")


def test_delete_objects_answers_each_key_and_can_be_quiet(s3, http, refused):
    for key in ("a", "b", "c"):
        s3.put_object(Bucket="kettle", Key=key, Body=b"")
    told = s3.delete_objects(Bucket="kettle", Delete={"Objects": [{"Key": "a"}, {"Key": "never"}]})
    assert [gone["Key"] for gone in told["Deleted"]] == ["a", "never"]
    quiet = s3.delete_objects(Bucket="kettle", Delete={"Objects": [{"Key": "b"}], "Quiet": True})
    assert "Deleted" not in quiet
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="kettle")["Contents"]] == ["c"]
    bare = http.post("/kettle?delete", content="<Delete><Object><Key>c</Key></Object></Delete>")
    assert "Missing required header for this request: Content-MD5" in bare.text


@pytest.mark.parametrize(
    "body", ["", "<Delete>", "<Other/>", "<Delete/>", '<!DOCTYPE x [<!ENTITY y "z">]><Delete/>']
)
def test_a_document_that_s3_cannot_read_is_refused(s3, http, body):
    import base64

    digest = base64.b64encode(hashlib.md5(body.encode()).digest()).decode()
    answer = http.post("/kettle?delete", content=body, headers={"content-md5": digest})
    assert (answer.status_code, "<Code>MalformedXML</Code>" in answer.text) == (400, True)


def test_tags_are_put_read_and_deleted(s3, refused):
    s3.put_object(Bucket="kettle", Key="k", Body=b"x", ContentType="text/plain")
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
    s3.put_object_tagging(Bucket="kettle", Key="k", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket="kettle", Key="k")["TagSet"] == tags
    assert s3.head_object(Bucket="kettle", Key="k")["ContentType"] == "text/plain"
    s3.delete_object_tagging(Bucket="kettle", Key="k")
    assert s3.get_object_tagging(Bucket="kettle", Key="k")["TagSet"] == []
    assert refused(s3.get_object_tagging, Bucket="kettle", Key="no")[:2] == (404, "NoSuchKey")


def test_a_copy_keeps_or_replaces_metadata(s3, refused):
    s3.put_object(
        Bucket="kettle",
        Key="k",
        Body=b"x",
        ContentType="text/csv",
        Metadata={"a": "1"},
        Tagging="t=1",
    )
    source = {"Bucket": "kettle", "Key": "k"}
    s3.copy_object(Bucket="kettle", Key="kept", CopySource=source)
    kept = s3.head_object(Bucket="kettle", Key="kept")
    assert (kept["ContentType"], kept["Metadata"]) == ("text/csv", {"a": "1"})
    assert kept["ETag"] == s3.head_object(Bucket="kettle", Key="k")["ETag"]
    assert s3.get_object_tagging(Bucket="kettle", Key="kept")["TagSet"]
    new = {"MetadataDirective": "REPLACE", "Metadata": {"b": "2"}, "ContentType": "text/html"}
    s3.copy_object(Bucket="kettle", Key="k", CopySource=source, TaggingDirective="REPLACE", **new)
    replaced = s3.head_object(Bucket="kettle", Key="k")
    assert (replaced["ContentType"], replaced["Metadata"]) == ("text/html", {"b": "2"})
    assert s3.get_object_tagging(Bucket="kettle", Key="k")["TagSet"] == []
    illegal = refused(s3.copy_object, Bucket="kettle", Key="k", CopySource=source)
    assert illegal[:2] == (400, "InvalidRequest")
    missing = {"Bucket": "kettle", "Key": "no"}
    none = refused(s3.copy_object, Bucket="kettle", Key="z", CopySource=missing)
    assert none[:2] == (404, "NoSuchKey")
    nowhere = refused(s3.copy_object, Bucket="nowhere", Key="z", CopySource=source)
    assert nowhere[:2] == (404, "NoSuchBucket")


def test_a_copy_crosses_buckets_and_is_another_file(s3, server):
    s3.create_bucket(Bucket="second")
    s3.put_object(Bucket="kettle", Key="k", Body=b"one")
    s3.copy({"Bucket": "kettle", "Key": "k"}, "second", "copied/k")
    server.file("k").write_bytes(b"two")
    assert s3.get_object(Bucket="second", Key="copied/k")["Body"].read() == b"one"


def test_object_attributes(s3):
    s3.put_object(Bucket="kettle", Key="k", Body=b"abc", ChecksumAlgorithm="SHA256")
    told = s3.get_object_attributes(
        Bucket="kettle",
        Key="k",
        ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"],
    )
    assert told["ETag"] == hashlib.md5(b"abc").hexdigest()
    assert (told["ObjectSize"], told["StorageClass"]) == (3, "STANDARD")
    assert told["Checksum"]["ChecksumSHA256"]


def test_only_the_null_version_exists(s3, refused):
    s3.put_object(Bucket="kettle", Key="k", Body=b"abc")
    assert s3.get_object(Bucket="kettle", Key="k", VersionId="null")["Body"].read() == b"abc"
    assert refused(s3.get_object, Bucket="kettle", Key="k", VersionId="x")[0] == 400
    [version] = s3.list_object_versions(Bucket="kettle")["Versions"]
    assert (version["VersionId"], version["IsLatest"]) == ("null", True)


def test_a_body_without_a_length_is_refused(s3, http):
    answer = http.put("/kettle/k", content=iter([b"a", b"b"]))
    assert (answer.status_code, "<Code>MissingContentLength</Code>" in answer.text) == (411, True)


def test_a_path_that_is_not_utf_8_is_refused(s3, http):
    answer = http.get("/kettle/" + quote(b"\xff\xfe"))
    assert (answer.status_code, "<Code>InvalidURI</Code>" in answer.text) == (400, True)


def test_a_path_without_a_bucket_is_refused(s3, http, server):
    answer = http.get(f"{server.url}//key")
    assert (answer.status_code, "<Code>InvalidBucketName</Code>" in answer.text) == (400, True)


def test_empty_and_large_bodies(s3):
    for size in (0, 1, 262_143, 262_144, 262_145, 3_000_001):
        body = os.urandom(size)
        s3.put_object(Bucket="kettle", Key="k", Body=body)
        assert s3.get_object(Bucket="kettle", Key="k")["Body"].read() == body
