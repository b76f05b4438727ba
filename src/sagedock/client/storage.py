"""Files to and from S3."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from sagedock.errors import InvalidRequest, StorageError

__all__ = [
    "download",
    "ensure_bucket",
    "files_below",
    "found",
    "require_object",
    "split_uri",
    "upload",
]

_PARALLEL_FILES = 8
#: By which S3 says that there is no such thing, and that whoever asks may not know whether. An
#: answer without a body, as HeadObject's, has the status for its code.
_ABSENT = ("404", "NoSuchBucket", "NoSuchKey")
_HIDDEN = ("403", "AccessDenied")


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of ``s3://bucket/key``."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise InvalidRequest([f"{uri!r} is not an S3 URI: give s3://bucket/key"])
    return bucket, key


@contextmanager
def found(uri: str, *, word: str = "") -> Iterator[None]:
    """Raise InvalidRequest, which names the parameter ``word``, where S3 does not have ``uri``."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        start = f"{word}: {uri}" if word else uri
        if code in _ABSENT:
            what = f"no bucket {split_uri(uri)[0]}" if code == "NoSuchBucket" else "nothing there"
            raise InvalidRequest([f"{start}: {what}: check the URI"]) from error
        if code in _HIDDEN:
            raise InvalidRequest(
                [f"{start}: not there, or not yours to use: check the URI and its permissions"]
            ) from error
        raise


def require_object(client: Any, uri: str, *, word: str) -> None:
    """Raise InvalidRequest, which names ``word``, where S3 has no object ``uri``."""
    bucket, key = split_uri(uri)
    if not key:
        raise InvalidRequest([f"{word}: {uri}: names a bucket: give s3://bucket/key"])
    with found(uri, word=word):
        client.head_object(Bucket=bucket, Key=key)


def ensure_bucket(client: Any, bucket: str, *, region: str, owner: str) -> bool:
    """Make ``bucket`` if it is not there, and say whether it was made.

    Raises InvalidRequest if another account has it: data must not go there.
    """
    from botocore.exceptions import ClientError

    try:
        client.head_bucket(Bucket=bucket, ExpectedBucketOwner=owner)
    except ClientError as error:
        match error.response["Error"]["Code"]:
            case "404" | "NoSuchBucket":
                _make_bucket(client, bucket, region)
                return True
            case "403" | "AccessDenied":
                raise InvalidRequest(
                    [
                        f"bucket {bucket}: not allowed, or another account's: "
                        "give output_path=s3://<a bucket of yours>/"
                    ]
                ) from error
            case _:
                raise
    return False


def _make_bucket(client: Any, bucket: str, region: str) -> None:
    # us-east-1 is the one region that must not be named (source: API_CreateBucket).
    place = (
        {}
        if region == "us-east-1"
        else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    )
    try:
        client.create_bucket(Bucket=bucket, **place)
    except client.exceptions.BucketAlreadyOwnedByYou:
        return  # another program of this account was faster


def files_below(path: Path) -> tuple[tuple[Path, str], ...]:
    """Return each file with its key below the upload's prefix, sorted.

    A single file's key is its name. Links are followed. Raises InvalidRequest for what is not
    there or holds no file.
    """
    if path.is_file():
        return ((path, path.name),)
    if not path.is_dir():
        raise InvalidRequest([f"{path}: no such file or folder: check the path"])
    files = sorted(found for found in path.rglob("*") if found.is_file())
    if not files:
        raise InvalidRequest([f"{path}: the folder holds no file: put the data there"])
    return tuple((found, found.relative_to(path).as_posix()) for found in files)


def upload(client: Any, path: Path, uri: str) -> None:
    """Copy a file, or all files of a folder, below the prefix ``uri``."""
    bucket, prefix = split_uri(uri)
    start = f"{prefix.rstrip('/')}/" if prefix else ""

    def send(each: tuple[Path, str]) -> None:
        client.upload_file(str(each[0]), bucket, start + each[1])

    with ThreadPoolExecutor(_PARALLEL_FILES) as pool:
        list(pool.map(send, files_below(path)))


def download(client: Any, uri: str, folder: Path) -> tuple[Path, ...]:
    """Copy the object ``uri``, or all objects below that prefix, into ``folder``."""
    bucket, prefix = split_uri(uri)
    with found(uri):
        keys = tuple(_keys(client, bucket, prefix))
    if not keys:
        raise InvalidRequest([f"{uri}: nothing there: check the URI"])
    targets = {key: folder / _relative(key, prefix) for key in keys}
    for key, target in targets.items():
        _require_inside(target, folder, key)
        _make_folder(target.parent)

    def fetch(each: tuple[str, Path]) -> None:
        client.download_file(bucket, each[0], str(each[1]))

    with ThreadPoolExecutor(_PARALLEL_FILES) as pool:
        list(pool.map(fetch, targets.items()))
    return tuple(targets.values())


def _keys(client: Any, bucket: str, prefix: str) -> Iterator[str]:
    """Yield the key ``prefix`` if there is such an object, else the keys of that folder."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
    if prefix in keys and not prefix.endswith("/"):
        yield prefix
        return
    folder = f"{prefix.rstrip('/')}/" if prefix else ""
    yield from (key for key in keys if key.startswith(folder) and not key.endswith("/"))


def _relative(key: str, prefix: str) -> str:
    if key == prefix:
        return PurePosixPath(key).name
    return key.removeprefix(prefix.rstrip("/")).lstrip("/")


def _require_inside(target: Path, folder: Path, key: str) -> None:
    if not target.resolve().is_relative_to(folder.resolve()):
        raise StorageError(f"the key {key!r} leads out of {folder}: it was not fetched")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}: choose another folder") from error
