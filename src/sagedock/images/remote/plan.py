"""Everything that a remote build does to AWS, before any of it is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.images.remote.aws import Aws, Call
from sagedock.images.remote.bucket import bucket_changes, read_bucket
from sagedock.images.remote.changes import Change
from sagedock.images.remote.log_group import log_group_changes, read_log_group
from sagedock.images.remote.packing import Packed
from sagedock.images.remote.project import project_changes, read_project
from sagedock.images.remote.role import read_role, role_changes
from sagedock.images.remote.wanted import Wanted

__all__ = ["NOTHING", "State", "lasting_changes", "planned", "read_state", "start_call"]

_MB = 1_000_000


@dataclass(frozen=True, kw_only=True)
class State:
    """What is on AWS now; None for what is not there."""

    bucket: Mapping[str, Any] | None = None
    role: Mapping[str, Any] | None = None
    log_group: Mapping[str, Any] | None = None
    project: Mapping[str, Any] | None = None


#: An account in which nothing was made yet.
NOTHING = State()


def read_state(aws: Aws, wanted: Wanted) -> State:
    """Return what there is. Nothing is changed. Raises SagedockErrors for what is somebody
    else's, and for what may not be looked at.
    """
    return State(
        bucket=read_bucket(aws, wanted),
        role=read_role(aws, wanted),
        log_group=read_log_group(aws, wanted),
        project=read_project(aws, wanted),
    )


def lasting_changes(wanted: Wanted, state: State) -> tuple[Change, ...]:
    """Return what is to be made or changed, in the order in which it is: none the second time."""
    return (
        *bucket_changes(wanted, state.bucket),
        *log_group_changes(wanted, state.log_group),
        *role_changes(wanted, state.role),
        *project_changes(wanted, state.project),
    )


def planned(wanted: Wanted, state: State, packed: Packed) -> tuple[Change, ...]:
    """Return the lasting changes, the upload of the sources, and the build."""
    key = packed.key(wanted.sources)
    where = {"Bucket": wanted.bucket_name, "Key": key, "ExpectedBucketOwner": wanted.account}
    upload = {
        **where,
        "ChecksumAlgorithm": "SHA256",
        "Body": f"{packed.count} files, {packed.size} bytes",
    }
    variables = tuple(f"{name}={value}" for name, value in wanted.variables().items())
    return (
        *lasting_changes(wanted, state),
        Change(
            what=f"{packed.count} files, {packed.size / _MB:.1f} MB",
            verb="send",
            lines=(f"to s3://{wanted.bucket_name}/{key}",),
            calls=(Call(service="s3", operation="PutObject", parameters=upload),),
        ),
        Change(
            what=f"a build of {', '.join(image.name for image in wanted.images)}",
            verb="start",
            lines=variables,
            calls=(start_call(wanted, packed),),
        ),
    )


def start_call(wanted: Wanted, packed: Packed) -> Call:
    """Return the call that starts the build of sources that are in the bucket."""
    variables = [
        {"name": name, "value": value, "type": "PLAINTEXT"}
        for name, value in wanted.variables().items()
    ]
    return Call(
        service="codebuild",
        operation="StartBuild",
        parameters={
            "projectName": wanted.project,
            "sourceLocationOverride": f"{wanted.bucket_name}/{packed.key(wanted.sources)}",
            "environmentVariablesOverride": variables,
        },
    )
