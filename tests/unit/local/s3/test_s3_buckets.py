"""Buckets: names, regions, owners, deletion."""

import pytest


def test_a_bucket_is_created_seen_and_deleted(s3, server, refused):
    s3.head_bucket(Bucket="kettle")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["kettle"]
    assert server.file("").is_dir()
    s3.delete_bucket(Bucket="kettle")
    assert refused(s3.head_bucket, Bucket="kettle")[:2] == (404, "404")
    assert refused(s3.list_objects_v2, Bucket="kettle")[:2] == (404, "NoSuchBucket")


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "Upper",
        "under_score",
        "-start",
        "end-",
        "two..dots",
        "192.168.0.1",
        "xn--x",
        "x-s3alias",
    ],
)
def test_a_name_that_s3_does_not_allow_is_refused(server, http, name):
    answer = http.put(f"/{name}")
    assert answer.status_code == 400
    assert "<Code>InvalidBucketName</Code>" in answer.text
    assert server.store.buckets() == ()


def test_in_us_east_1_the_second_creation_succeeds_and_elsewhere_it_does_not(s3, server, refused):
    assert s3.create_bucket(Bucket="kettle")["Location"] == "/kettle"
    ireland = server.client("eu-west-1")
    where = {"LocationConstraint": "eu-west-1"}
    ireland.create_bucket(Bucket="green", CreateBucketConfiguration=where)
    status, code, _ = refused(
        ireland.create_bucket, Bucket="green", CreateBucketConfiguration=where
    )
    assert (status, code) == (409, "BucketAlreadyOwnedByYou")


@pytest.mark.parametrize(
    ("region", "constraint", "code"),
    [
        ("us-east-1", "us-east-1", "InvalidLocationConstraint"),
        ("us-east-1", "nowhere", "InvalidLocationConstraint"),
        ("eu-west-1", None, "IllegalLocationConstraintException"),
        ("eu-west-1", "eu-west-2", "IllegalLocationConstraintException"),
    ],
)
def test_a_location_that_does_not_fit_the_region_is_refused(server, http, region, constraint, code):
    scope = f"AWS4-HMAC-SHA256 Credential=k/20260101/{region}/s3/aws4_request, Signature=0"
    inner = f"<LocationConstraint>{constraint}</LocationConstraint>"
    body = f"<CreateBucketConfiguration>{inner}</CreateBucketConfiguration>" if constraint else ""
    answer = http.put("/there", content=body, headers={"authorization": scope})
    assert answer.status_code == 400
    assert f"<Code>{code}</Code>" in answer.text
    assert not server.store.has_bucket("there")


def test_the_region_of_a_bucket_is_told_and_survives_a_restart(s3, server):
    where = {"LocationConstraint": "ap-south-1"}
    s3.create_bucket(Bucket="mumbai", CreateBucketConfiguration=where)
    server.restart()
    s3 = server.client()
    assert s3.get_bucket_location(Bucket="mumbai")["LocationConstraint"] == "ap-south-1"
    assert s3.get_bucket_location(Bucket="kettle")["LocationConstraint"] is None
    assert s3.head_bucket(Bucket="mumbai")["BucketRegion"] == "ap-south-1"
    assert server.store.region("mumbai") == "ap-south-1"


def test_a_bucket_with_an_object_is_not_deleted(s3, server, refused):
    s3.put_object(Bucket="kettle", Key="deep/down", Body=b"x")
    assert refused(s3.delete_bucket, Bucket="kettle")[:2] == (409, "BucketNotEmpty")
    s3.delete_object(Bucket="kettle", Key="deep/down")
    s3.put_object(Bucket="kettle", Key="folder/", Body=b"")
    assert refused(s3.delete_bucket, Bucket="kettle")[:2] == (409, "BucketNotEmpty")
    s3.delete_object(Bucket="kettle", Key="folder/")
    s3.delete_bucket(Bucket="kettle")
    assert not server.file("").exists()


def test_a_new_bucket_knows_nothing_of_a_former_one_of_its_name(s3, server):
    s3.put_object(Bucket="kettle", Key="aside/", Body=b"x")
    upload = s3.create_multipart_upload(Bucket="kettle", Key="u")
    server.file("").rmdir()  # by hand
    s3.create_bucket(Bucket="kettle")
    assert "Contents" not in s3.list_objects_v2(Bucket="kettle")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="kettle")
    assert upload["UploadId"]


def test_a_folder_made_by_hand_is_a_bucket(s3, server):
    (server.root / "buckets" / "by-hand").mkdir()
    (server.root / "buckets" / "Not_A_Name").mkdir()
    names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert names == ["by-hand", "kettle"]
    assert server.store.region("by-hand") == "us-east-1"


def test_list_buckets_pages_and_filters(s3):
    for name in ("aaa", "aab", "bbb"):
        s3.create_bucket(Bucket=name)
    pages = s3.get_paginator("list_buckets").paginate(Prefix="aa", PaginationConfig={"PageSize": 1})
    assert [[bucket["Name"] for bucket in page["Buckets"]] for page in pages] == [["aaa"], ["aab"]]


def test_the_expected_owner_is_checked(s3, refused):
    s3.head_bucket(Bucket="kettle", ExpectedBucketOwner="123456789012")
    other = refused(s3.list_objects_v2, Bucket="kettle", ExpectedBucketOwner="999999999999")
    assert other == (403, "AccessDenied", "Access Denied")
    odd = refused(s3.list_objects_v2, Bucket="kettle", ExpectedBucketOwner="me")
    assert odd[:2] == (400, "InvalidBucketOwnerAWSAccountID")


def test_a_bucket_is_found_by_host_name_too(s3, server, http):
    s3.put_object(Bucket="kettle", Key="a/b", Body=b"virtual")
    for host in (
        "kettle.localhost:9000",
        "kettle.s3.us-east-1.amazonaws.com",
        "kettle.s3.localhost",
    ):
        assert http.get("/a/b", headers={"host": host}).text == "virtual"
    assert http.get("/kettle/a/b", headers={"host": "localhost:9000"}).text == "virtual"
    assert http.get("/kettle/a/b", headers={"host": "s3.us-east-1.amazonaws.com"}).text == "virtual"
