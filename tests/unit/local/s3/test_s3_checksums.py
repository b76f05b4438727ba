"""Checksums: verified on the way in, told on the way out, in each form that clients send."""

import base64
import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.local.s3.checksums import ALGORITHMS, Digests, combined, composite
from sagedock.local.s3.chunked import ChunkedDecoder
from sagedock.local.s3.errors import S3Error

BODY = b"123456789"


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


#: The check values of the CRC catalogue, and hashlib's.
KNOWN = {
    "crc32": b64(bytes.fromhex("cbf43926")),
    "crc32c": b64(bytes.fromhex("e3069283")),
    "crc64nvme": b64(bytes.fromhex("ae8b14860a799888")),
    "sha1": b64(hashlib.sha1(BODY).digest()),
    "sha256": b64(hashlib.sha256(BODY).digest()),
    "sha512": b64(hashlib.sha512(BODY).digest()),
}


def chunked(body: bytes, trailers: str = "", size: int = 4, signed: bool = False) -> bytes:
    """Encode ``body`` as aws-chunked."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)] + [b""]
    mark = f";chunk-signature={'0' * 64}" if signed else ""
    coded = b"".join(
        f"{len(piece):x}{mark}\r\n".encode() + piece + (b"\r\n" if piece else b"")
        for piece in pieces
    )
    return coded + trailers.encode() + b"\r\n"


def in_chunks(size: int, **more: str) -> dict[str, str]:
    return {
        "content-encoding": "aws-chunked",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(size),
        **more,
    }


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_checksum_is_verified_stored_and_told(s3, http, algorithm):
    name = f"x-amz-checksum-{algorithm}"
    put = http.put("/kettle/k", content=BODY, headers={name: KNOWN[algorithm]})
    assert (put.status_code, put.headers[name]) == (200, KNOWN[algorithm])
    for method in ("GET", "HEAD"):
        told = http.request(method, "/kettle/k", headers={"x-amz-checksum-mode": "ENABLED"})
        assert told.headers[name] == KNOWN[algorithm]
        assert told.headers["x-amz-checksum-type"] == "FULL_OBJECT"
        assert name not in http.request(method, "/kettle/k").headers
    [listed] = s3.list_objects_v2(Bucket="kettle")["Contents"]
    assert listed["ChecksumAlgorithm"] == [algorithm.upper()]
    wrong = b64(bytes(len(base64.b64decode(KNOWN[algorithm]))))
    refused = http.put("/kettle/k", content=b"other", headers={name: wrong})
    assert (refused.status_code, "<Code>BadDigest</Code>" in refused.text) == (400, True)
    assert s3.get_object(Bucket="kettle", Key="k")["Body"].read() == BODY


def test_an_object_without_a_checksum_gets_s3s_own(s3, http):
    http.put("/kettle/k", content=BODY)
    head = s3.head_object(Bucket="kettle", Key="k", ChecksumMode="ENABLED")
    assert head["ChecksumCRC64NVME"] == KNOWN["crc64nvme"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content-md5": b64(bytes(16))}, "BadDigest"),
        ({"content-md5": "nonsense"}, "InvalidDigest"),
        ({"x-amz-checksum-crc32": "nonsense"}, "InvalidRequest"),
        ({"x-amz-checksum-crc32": KNOWN["sha1"]}, "InvalidRequest"),
        ({"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "x"}, "InvalidRequest"),
        ({"x-amz-checksum-xxhash64": "AAAAAAAAAAA="}, "InvalidRequest"),
        ({"x-amz-sdk-checksum-algorithm": "CRC32"}, "InvalidRequest"),
        (
            {"x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": KNOWN["crc32"]},
            "InvalidRequest",
        ),
    ],
)
def test_a_checksum_that_is_wrong_leaves_nothing(s3, http, server, headers, code):
    answer = http.put("/kettle/k", content=BODY, headers=headers)
    assert (answer.status_code, f"<Code>{code}</Code>" in answer.text) == (400, True)
    assert not server.file("k").exists()
    assert server.leftovers() == []


def test_content_md5_is_taken(s3, http):
    right = {"content-md5": b64(hashlib.md5(BODY).digest())}
    assert http.put("/kettle/k", content=BODY, headers=right).status_code == 200


def test_botos_defaults_validate_whole_objects_and_ranges(s3):
    for size in (1, 300_000):
        body = BODY * size
        s3.put_object(Bucket="kettle", Key="k", Body=body)
        whole = s3.get_object(Bucket="kettle", Key="k")
        assert whole["ChecksumCRC32"] == b64(zlib.crc32(body).to_bytes(4, "big"))
        assert whole["Body"].read() == body
        for asked in ("bytes=0-4", "bytes=0-"):
            part = s3.get_object(Bucket="kettle", Key="k", Range=asked)
            assert part["Body"].read() == (body[:5] if asked.endswith("4") else body)
            assert "ChecksumCRC32" not in part


@pytest.mark.parametrize("signed", [False, True])
def test_a_body_in_chunks_with_a_trailing_checksum(s3, http, signed):
    trailer = f"x-amz-checksum-crc32:{KNOWN['crc32']}\r\n"
    if signed:
        trailer += "x-amz-trailer-signature:0\r\n"
    headers = in_chunks(9, **{"x-amz-trailer": "x-amz-checksum-crc32"})
    body = chunked(BODY, trailer, signed=signed)
    put = http.put("/kettle/k", content=body, headers=headers)
    assert (put.status_code, put.headers["x-amz-checksum-crc32"]) == (200, KNOWN["crc32"])
    got = s3.get_object(Bucket="kettle", Key="k")
    assert got["Body"].read() == BODY
    assert "ContentEncoding" not in got


def test_the_objects_own_encoding_is_kept_apart_from_the_requests(s3, http):
    headers = in_chunks(9, **{"content-encoding": "gzip,aws-chunked"})
    http.put("/kettle/k", content=chunked(BODY), headers=headers)
    assert s3.head_object(Bucket="kettle", Key="k")["ContentEncoding"] == "gzip"


@pytest.mark.parametrize(
    ("body", "size", "code"),
    [
        (chunked(BODY, "x-amz-checksum-crc32:AAAAAA==\r\n"), 9, "BadDigest"),
        (chunked(BODY, "x-amz-checksum-crc32:!\r\n"), 9, "InvalidRequest"),
        (chunked(BODY), 9, "MalformedTrailerError"),
        (chunked(BODY, "nonsense\r\n"), 9, "MalformedTrailerError"),
        (chunked(BODY), 8, "IncompleteBody"),
        (chunked(BODY), 10, "IncompleteBody"),
        (chunked(BODY)[:-8], 9, "IncompleteBody"),
        (b"zz\r\n", 9, "IncompleteBody"),
        (b"4\r\n12345\r\n0\r\n\r\n", 5, "IncompleteBody"),
        (b"1" * 20_000, 9, "IncompleteBody"),
    ],
)
def test_a_body_in_chunks_that_is_wrong_leaves_nothing(s3, http, server, body, size, code):
    headers = in_chunks(size, **{"x-amz-trailer": "x-amz-checksum-crc32"})
    answer = http.put("/kettle/k", content=body, headers=headers)
    assert (answer.status_code, f"<Code>{code}</Code>" in answer.text) == (400, True)
    assert not server.file("k").exists()
    assert server.leftovers() == []


@given(body=st.binary(max_size=200), size=st.integers(1, 50), step=st.integers(1, 60))
def test_chunks_decode_whatever_pieces_they_arrive_in(body, size, step):
    coded = chunked(body, "x-a:b\r\n", size=size)
    decoder = ChunkedDecoder()
    out = b""
    for start in range(0, len(coded), step):
        assert not decoder.complete
        out += b"".join(decoder.feed(coded[start : start + step]))
    assert (out, decoder.complete, decoder.trailers) == (body, True, {"x-a": "b"})


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.sampled_from(ALGORITHMS[:3]))
def test_the_crc_of_a_whole_follows_from_its_parts(pieces, algorithm):
    def value(data: bytes) -> str:
        digests = Digests([algorithm])
        digests.update(data)
        return digests.values()[algorithm]

    parts = [(value(piece), len(piece)) for piece in pieces]
    assert combined(algorithm, parts) == value(b"".join(pieces))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_known_values_in_any_pieces(algorithm):
    digests = Digests([algorithm])
    for piece in (b"", BODY[:4], b"", BODY[4:]):
        digests.update(piece)
    assert digests.values() == {algorithm: KNOWN[algorithm]}
    assert digests.md5 == hashlib.md5(BODY).digest()
    assert composite(algorithm, [KNOWN[algorithm]]).endswith("=-1")


def test_a_digest_is_not_taken_for_a_length():
    with pytest.raises(S3Error, match="IncompleteBody"):
        list(ChunkedDecoder().feed(b"-5\r\nabc"))
