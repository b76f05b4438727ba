"""Checkpoints: restored from S3 before the containers start, mirrored to it while they run.

What is new or changed below the local path is stored, what vanishes there is deleted. All hosts
share one prefix; files that end in ``paths.UNSYNCED`` are left alone.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sagedock.contract import paths
from sagedock.local.container_files import Stamp
from sagedock.local.mirror import Mirror, Mirrored
from sagedock.local.platform import Platform
from sagedock.local.training.channels import ChannelUnreadable, lay_out, relative_path
from sagedock.local.training.layout import checkpoint_path
from sagedock.local.uris import S3Uri

__all__ = ["checkpoint_mirror", "restore"]


def _prefix(request: Mapping[str, Any]) -> S3Uri:
    """Return the S3 prefix, as a folder."""
    uri = S3Uri.parse(request["CheckpointConfig"]["S3Uri"])
    return S3Uri(bucket=uri.bucket, key=f"{uri.key.strip('/')}/".lstrip("/"))


def restore(platform: Platform, request: Mapping[str, Any], folder: Path) -> None:
    """Lay the checkpoints that S3 has out in ``folder``, without copying them.

    Raises ChannelUnreadable.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if checkpoint_path(request) is None:
        return
    uri = _prefix(request)
    if not platform.objects.has_bucket(uri.bucket):
        raise ChannelUnreadable(
            f"The bucket of CheckpointConfig.S3Uri does not exist: {uri.bucket}"
        )
    found = platform.objects.objects(uri.bucket, uri.key)
    lay_out(
        ((relative_path(uri.key, each.key), each) for each in found if each.key[-1:] != "/"), folder
    )


def checkpoint_mirror(
    platform: Platform,
    request: Mapping[str, Any],
    containers: Iterable[str],
    restored: Path | None,
) -> Mirror:
    """Return what mirrors the checkpoints of running containers to S3: nothing, if there are none.

    ``restored`` is the folder that ``restore`` filled, or None where a killed server did.
    """
    path = checkpoint_path(request)
    if path is None:
        return Mirror(platform, ())
    uri, ids = _prefix(request), tuple(containers)
    known = _stamps(restored) if restored else _known_to_s3(platform, uri, len(ids))
    folders = [
        Mirrored(
            container=container,
            target=path,
            uri=uri,
            deletes=True,
            unsynced=paths.UNSYNCED,
            stored=dict(known),
        )
        for container in ids
    ]
    return Mirror(platform, folders)


def _known_to_s3(platform: Platform, uri: S3Uri, hosts: int) -> dict[str, Stamp]:
    """Return what one host must have had: it is stored anew, or deleted if it is gone.

    Of several hosts nobody knows which had what.
    """
    if hosts > 1:
        return {}
    found = platform.objects.objects(uri.bucket, uri.key)
    return {relative_path(uri.key, each.key): (-1, 0.0) for each in found}


def _stamps(folder: Path) -> dict[str, Stamp]:
    """Return the stamps of what was restored: as it is, it need not be stored again."""
    found: dict[str, Stamp] = {}
    for path in folder.rglob("*") if folder.is_dir() else ():
        status = path.lstat()
        if path.is_file():
            found[str(path.relative_to(folder))] = (status.st_size, status.st_mtime_ns)
    return found
