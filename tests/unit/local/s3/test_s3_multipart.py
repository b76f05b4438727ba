"""Multipart uploads, by boto3's transfer manager and by hand."""

import base64
import hashlib
import os
import zlib

import pytest

MIB = 1024 * 1024
FIRST, LAST = os.urandom(5 * MIB), b"the end"


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def begin(s3, key="k", **arguments):
    named = {"ChecksumAlgorithm": "CRC32", **arguments}
    return s3.create_multipart_upload(Bucket="kettle", Key=key, **named)["UploadId"]


def send(s3, upload, number, body, key="k", **arguments):
    answer = s3.upload_part(
        Bucket="kettle", Key=key, UploadId=upload, PartNumber=number, Body=body, **arguments
    )
    checksum = {name: answer[name] for name in answer if name.startswith("ChecksumCRC")}
    return {"PartNumber": number, "ETag": answer["ETag"], **checksum}


def complete(s3, upload, parts, key="k", **arguments):
    return s3.complete_multipart_upload(
        Bucket="kettle", Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **arguments
    )


def test_upload_file_and_download_file_of_30_mb(s3, server, tmp_path):
    body = os.urandom(30 * MIB)
    (tmp_path / "up").write_bytes(body)
    extra = {"ContentType": "application/x-tar", "Metadata": {"a": "b"}}
    s3.upload_file(str(tmp_path / "up"), "kettle", "big/file", ExtraArgs=extra)
    s3.download_file("kettle", "big/file", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == body
    assert server.file("big/file").read_bytes() == body
    head = s3.head_object(Bucket="kettle", Key="big/file", ChecksumMode="ENABLED")
    assert head["ETag"].endswith('-4"')
    assert (head["ContentType"], head["Metadata"]) == ("application/x-tar", {"a": "b"})
    assert head["ChecksumType"] == "COMPOSITE"
    assert head["ChecksumCRC32"].endswith("-4")
    got = s3.get_object(Bucket="kettle", Key="big/file")
    assert got["Body"].read() == body
    assert server.leftovers() == []


def test_the_tag_and_the_composite_checksum_are_made_from_the_parts(s3):
    upload = begin(s3)
    parts = [send(s3, upload, 1, FIRST), send(s3, upload, 2, LAST)]
    done = complete(s3, upload, parts)
    digests = hashlib.md5(FIRST).digest() + hashlib.md5(LAST).digest()
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    crcs = b"".join(zlib.crc32(part).to_bytes(4, "big") for part in (FIRST, LAST))
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (f"{crc32(crcs)}-2", "COMPOSITE")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_a_full_object_checksum_is_that_of_the_whole(s3, http, algorithm):
    """The combined value must equal the one that a single PUT of the same bytes gets."""
    from sagedock.local.s3.checksums import Digests

    name = f"x-amz-checksum-{algorithm.lower()}"
    whole = Digests([algorithm.lower()])
    whole.update(FIRST + LAST)
    [value] = whole.values().values()
    asked = {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": "FULL_OBJECT"}
    created = http.post("/kettle/k?uploads", headers=asked).text
    upload = created.partition("<UploadId>")[2].partition("<")[0]
    tags = [
        http.put(f"/kettle/k?partNumber={n}&uploadId={upload}", content=body).headers["etag"]
        for n, body in ((1, FIRST), (2, LAST))
    ]
    inner = "".join(
        f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>"
        for n, tag in enumerate(tags, 1)
    )
    body = f"<CompleteMultipartUpload>{inner}</CompleteMultipartUpload>"
    wrong = base64.b64encode(bytes(len(base64.b64decode(value)))).decode()
    refused = http.post(f"/kettle/k?uploadId={upload}", content=body, headers={name: wrong})
    assert (refused.status_code, "<Code>BadDigest</Code>" in refused.text) == (400, True)
    done = http.post(f"/kettle/k?uploadId={upload}", content=body, headers={name: value})
    assert done.status_code == 200
    got = s3.get_object(Bucket="kettle", Key="k")
    assert got["ResponseMetadata"]["HTTPHeaders"][name] == value
    assert got["ChecksumType"] == "FULL_OBJECT"
    assert got["Body"].read() == FIRST + LAST


def test_parts_in_any_order_a_part_twice_and_one_that_is_left_out(s3, server):
    upload = begin(s3)
    last = send(s3, upload, 7, LAST)
    send(s3, upload, 5, b"never used")
    send(s3, upload, 2, b"replaced")
    first = send(s3, upload, 2, FIRST)
    complete(s3, upload, [first, last])
    assert s3.get_object(Bucket="kettle", Key="k")["Body"].read() == FIRST + LAST
    assert server.leftovers() == []


def test_what_complete_refuses(s3, refused):
    upload = begin(s3)
    small, last = send(s3, upload, 1, b"small"), send(s3, upload, 2, LAST)

    def refusal(parts, **arguments):
        return refused(lambda: complete(s3, upload, parts, **arguments))[:2]

    assert refusal([last, small]) == (400, "InvalidPartOrder")
    assert refusal([small, last]) == (400, "EntityTooSmall")
    assert refusal([{**last, "ETag": '"0"'}]) == (400, "InvalidPart")
    assert refusal([{**last, "PartNumber": 3}]) == (400, "InvalidPart")
    assert refusal([{**last, "ChecksumCRC32": "AAAAAA=="}]) == (400, "InvalidPart")
    without = {name: last[name] for name in ("PartNumber", "ETag")}
    assert refusal([without]) == (400, "InvalidRequest")
    assert refusal([last], MpuObjectSize=99) == (400, "InvalidRequest")
    assert refusal([]) == (400, "MalformedXML")
    assert "Contents" not in s3.list_objects_v2(Bucket="kettle")
    complete(s3, upload, [last], MpuObjectSize=len(LAST))


def test_completing_again_succeeds_and_anything_else_finds_no_upload(s3, refused):
    upload = begin(s3)
    part = send(s3, upload, 1, LAST)
    first = complete(s3, upload, [part])
    assert complete(s3, upload, [part])["ETag"] == first["ETag"]
    gone = (404, "NoSuchUpload")
    assert refused(lambda: send(s3, upload, 1, LAST))[:2] == gone
    abort = {"Bucket": "kettle", "Key": "k", "UploadId": upload}
    assert refused(s3.abort_multipart_upload, **abort)[:2] == gone
    assert refused(s3.list_parts, **abort)[:2] == gone
    assert refused(s3.list_parts, **{**abort, "UploadId": "../../tmp"})[:2] == gone


def test_abort_removes_the_parts(s3, server):
    upload = begin(s3)
    send(s3, upload, 1, FIRST)
    assert server.leftovers()
    s3.abort_multipart_upload(Bucket="kettle", Key="k", UploadId=upload)
    assert server.leftovers() == []
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="kettle")


def test_an_upload_goes_on_after_a_restart(s3, server):
    upload = begin(s3, Metadata={"a": "b"}, ContentType="text/plain")
    part = send(s3, upload, 1, FIRST)
    server.restart()
    s3 = server.client()
    complete(s3, upload, [part, send(s3, upload, 2, LAST)])
    head = s3.head_object(Bucket="kettle", Key="k")
    assert (head["Metadata"], head["ContentType"]) == ({"a": "b"}, "text/plain")
    assert head["ContentLength"] == len(FIRST + LAST)


def test_complete_keeps_conditions(s3, refused):
    s3.put_object(Bucket="kettle", Key="k", Body=b"there")
    upload = begin(s3)
    part = send(s3, upload, 1, LAST)
    failed = refused(lambda: complete(s3, upload, [part], IfNoneMatch="*"))
    assert failed[:2] == (412, "PreconditionFailed")
    assert s3.get_object(Bucket="kettle", Key="k")["Body"].read() == b"there"


def test_parts_are_copied_from_objects(s3, refused):
    s3.put_object(Bucket="kettle", Key="source", Body=FIRST + LAST)
    upload = begin(s3)
    copy = {"Bucket": "kettle", "Key": "k", "UploadId": upload, "CopySource": "kettle/source"}
    parts = []
    for number, wanted in ((1, f"bytes=0-{5 * MIB - 1}"), (2, f"bytes={5 * MIB}-{5 * MIB + 2}")):
        told = s3.upload_part_copy(**copy, PartNumber=number, CopySourceRange=wanted)
        told = told["CopyPartResult"]
        parts.append(
            {
                "PartNumber": number,
                "ETag": told["ETag"],
                "ChecksumCRC32": told["ChecksumCRC32"],
            }
        )
    beyond = refused(s3.upload_part_copy, **copy, PartNumber=3, CopySourceRange="bytes=0-99999999")
    assert beyond[:2] == (400, "InvalidArgument")
    complete(s3, upload, parts)
    assert s3.get_object(Bucket="kettle", Key="k")["Body"].read() == FIRST + b"the"


def test_a_large_object_is_copied_in_parts_by_the_transfer_manager(s3):
    body = FIRST * 3
    s3.put_object(Bucket="kettle", Key="source", Body=body)
    s3.copy({"Bucket": "kettle", "Key": "source"}, "kettle", "copy")
    assert s3.get_object(Bucket="kettle", Key="copy")["Body"].read() == body


def test_one_part_of_an_object_can_be_read(s3, refused):
    upload = begin(s3)
    complete(s3, upload, [send(s3, upload, 1, FIRST), send(s3, upload, 4, LAST)])
    second = s3.get_object(Bucket="kettle", Key="k", PartNumber=2)
    assert second["Body"].read() == LAST
    assert second["PartsCount"] == 2
    beyond = refused(s3.get_object, Bucket="kettle", Key="k", PartNumber=3)
    assert beyond[:2] == (416, "InvalidPartNumber")
    s3.put_object(Bucket="kettle", Key="whole", Body=b"abc")
    assert s3.get_object(Bucket="kettle", Key="whole", PartNumber=1)["Body"].read() == b"abc"


def test_parts_and_uploads_are_listed_in_pages(s3):
    upload = begin(s3, "a/one")
    for number in (1, 2, 3):
        send(s3, upload, number, b"x" * number, "a/one")
    pages = s3.get_paginator("list_parts").paginate(
        Bucket="kettle", Key="a/one", UploadId=upload, PaginationConfig={"PageSize": 2}
    )
    parts = [(part["PartNumber"], part["Size"]) for page in pages for part in page["Parts"]]
    assert parts == [(1, 1), (2, 2), (3, 3)]
    second, third = begin(s3, "a/one"), begin(s3, "b b")
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket="kettle", PaginationConfig={"PageSize": 1}
    )
    found = [(item["Key"], item["UploadId"]) for page in pages for item in page["Uploads"]]
    assert found == [("a/one", upload), ("a/one", second), ("b b", third)]
    rolled = s3.list_multipart_uploads(Bucket="kettle", Delimiter="/")
    assert [item["Prefix"] for item in rolled["CommonPrefixes"]] == ["a/"]
    assert [item["Key"] for item in rolled["Uploads"]] == ["b b"]


def test_an_upload_that_declared_no_checksum_gets_s3s_own_of_the_whole(s3):
    """boto3 sends CRC32 with each part, whatever the upload declared."""
    upload = s3.create_multipart_upload(Bucket="kettle", Key="k")["UploadId"]
    parts = [send(s3, upload, 1, FIRST), send(s3, upload, 2, LAST)]
    assert parts[1]["ChecksumCRC32"] == crc32(LAST)
    multi = complete(
        s3, upload, [{"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in parts]
    )
    assert multi["ChecksumType"] == "FULL_OBJECT"
    s3.copy_object(
        Bucket="kettle", Key="copy", CopySource="kettle/k", ChecksumAlgorithm="CRC64NVME"
    )
    copy = s3.head_object(Bucket="kettle", Key="copy", ChecksumMode="ENABLED")
    assert copy["ChecksumCRC64NVME"] == multi["ChecksumCRC64NVME"]


def test_checksums_that_contradict_the_upload_are_refused(s3, refused):
    upload = begin(s3, ChecksumAlgorithm="SHA256")
    status, code, message = refused(lambda: send(s3, upload, 1, LAST, ChecksumAlgorithm="CRC32"))
    assert (status, code) == (400, "InvalidRequest")
    assert message == (
        "Checksum Type mismatch occurred, expected checksum Type: sha256, "
        "actual checksum Type: crc32"
    )
    odd = {"ChecksumAlgorithm": "SHA256", "ChecksumType": "FULL_OBJECT"}
    status, code, message = refused(lambda: begin(s3, **odd))
    assert message == (
        "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm."
    )
    assert refused(lambda: send(s3, begin(s3), 10_001, b""))[:2] == (400, "InvalidArgument")
