"""Presigned URLs, used with plain HTTP as their receivers use them."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.presigned import check_not_expired
from tests.conftest import plain_http


@pytest.fixture(params=["s3v4", "s3"])
def signer(request, s3, server):
    return server.client(signature_version=request.param)


def test_a_presigned_put_and_get(signer):
    where = {"Bucket": "kettle", "Key": "a b/ü+.txt"}
    put = signer.generate_presigned_url("put_object", Params={**where, "ContentType": "text/x"})
    assert (
        plain_http().put(put, content=b"hello", headers={"content-type": "text/x"}).status_code
        == 200
    )
    get = signer.generate_presigned_url(
        "get_object", Params={**where, "ResponseContentDisposition": "attachment; filename=x"}
    )
    answer = plain_http().get(get)
    assert (answer.status_code, answer.text) == (200, "hello")
    assert answer.headers["content-type"] == "text/x"
    assert answer.headers["content-disposition"] == "attachment; filename=x"


def test_a_header_asked_for_in_a_url_cannot_break_out_of_it(s3, http):
    s3.put_object(Bucket="kettle", Key="k", Body=b"x")
    broken = http.get("/kettle/k?response-content-type=a%0d%0aset-cookie:b")
    assert (broken.status_code, "<Code>InvalidArgument</Code>" in broken.text) == (400, True)
    name = http.get("/kettle/k", params={"response-content-disposition": " attachment; ü😀.txt"})
    assert "attachment; ü😀.txt".encode() in dict(name.headers.raw)[b"content-disposition"]
    hoisted = {"X-Amz-Signature": "0", "X-Amz-Date": "20990101T000000Z", "X-Amz-Expires": "9"}
    put = http.put("/kettle/k", params={**hoisted, "x-amz-meta-a": "b\r\nc"}, content=b"x")
    assert put.status_code == 400


def test_a_presigned_url_that_is_too_old(signer):
    signer.put_object(Bucket="kettle", Key="k", Body=b"x")
    for operation in ("get_object", "put_object"):
        where = {"Bucket": "kettle", "Key": "k"}
        url = signer.generate_presigned_url(operation, Params=where, ExpiresIn=-1)
        url = url.replace("X-Amz-Expires=-1", "X-Amz-Expires=0")
        method = "GET" if operation == "get_object" else "PUT"
        answer = plain_http().request(method, url, content=b"new" if method == "PUT" else None)
        assert answer.status_code == 403
        assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in answer.text
        assert "<ServerTime>" in answer.text
    assert signer.get_object(Bucket="kettle", Key="k")["Body"].read() == b"x"


def test_metadata_in_the_url_stands_for_headers(s3, server):
    """SDKs other than boto3 move x-amz- headers into the query."""
    url = server.client(signature_version="s3v4").generate_presigned_url(
        "put_object", Params={"Bucket": "kettle", "Key": "k"}
    )
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query), ("x-amz-meta-colour", "red")])
    plain_http().put(parts._replace(query=query).geturl(), content=b"x")
    assert s3.head_object(Bucket="kettle", Key="k")["Metadata"] == {"colour": "red"}


def _query(**changed: str) -> dict[str, str]:
    query = {
        "X-Amz-Signature": "0",
        "X-Amz-Date": "20260101T000000Z",
        "X-Amz-Expires": "3600",
    }
    return query | {f"X-Amz-{name}": value for name, value in changed.items()}


def test_the_moment_of_expiry():
    check_not_expired(_query(), datetime(2026, 1, 1, 0, 59, 59, tzinfo=UTC))
    with pytest.raises(S3Error) as caught:
        check_not_expired(_query(), datetime(2026, 1, 1, 1, 0, 0, tzinfo=UTC))
    assert caught.value.fields == {
        "X-Amz-Expires": "3600",
        "Expires": "2026-01-01T01:00:00Z",
        "ServerTime": "2026-01-01T01:00:00Z",
    }


@pytest.mark.parametrize(
    "query",
    [_query(Expires="604801"), _query(Expires="soon"), _query(Expires=""), _query(Date="today")],
)
def test_nonsense_in_a_presigned_url(query):
    with pytest.raises(S3Error, match="AuthorizationQueryParametersError"):
        check_not_expired(query, datetime.now(UTC))
