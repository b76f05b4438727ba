"""The CodeBuild project: which machine, with which role, for how long."""

from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from sagedock.errors import InvalidRequest
from sagedock.images.names import OURS
from sagedock.images.remote.aws import Aws, Call
from sagedock.images.remote.changes import Change, differences
from sagedock.images.remote.wanted import Wanted

__all__ = ["project_changes", "read_project"]

_TAGS = [{"key": key, "value": value} for key, value in OURS.items()]


def read_project(aws: Aws, wanted: Wanted) -> Mapping[str, Any] | None:
    """Return the project as CodeBuild describes it, or None. Raises InvalidRequest for a project
    that somebody else made.
    """
    found = aws.call("codebuild", "BatchGetProjects", names=[wanted.project])["projects"]
    if not found:
        return None
    project: Mapping[str, Any] = found[0]
    if not all(tag in project.get("tags", ()) for tag in _TAGS):
        raise InvalidRequest(
            [
                f"--project: {wanted.project} is there, and sagedock did not make it, so it is not "
                "changed: choose another name"
            ]
        )
    return project


def project_changes(wanted: Wanted, now: Mapping[str, Any] | None) -> Iterator[Change]:
    """Yield what makes the project as it is to be; ``now`` is what ``read_project`` found."""
    then = _then(wanted)
    if now is None:
        environment = then["environment"]
        lines: tuple[str, ...] = (
            f"{environment['computeType']}, {environment['image']}, privileged, for Docker",
            f"for {wanted.timeout_min} min at most; cache: {wanted.cache}",
        )
        call = Call(service="codebuild", operation="CreateProject", parameters=then)
        yield Change(what=f"project {wanted.project}", verb="make", lines=lines, calls=(call,))
        return
    # Tags that somebody added stay.
    then["tags"] = now["tags"]
    if lines := tuple(differences(now, then)):
        call = Call(service="codebuild", operation="UpdateProject", parameters=then)
        yield Change(what=f"project {wanted.project}", verb="change", lines=lines, calls=(call,))


def _then(wanted: Wanted) -> dict[str, Any]:
    return {
        "name": wanted.project,
        "description": "builds and pushes container images; made by sagedock build --remote",
        # Each build names its own sources.
        "source": {
            "type": "S3",
            "location": f"{wanted.bucket_name}/{wanted.sources}none.zip",
            "buildspec": "buildspec.yml",
        },
        "artifacts": {
            "type": "S3",
            "location": wanted.bucket_name,
            "path": wanted.records.rstrip("/"),
            "namespaceType": "BUILD_ID",
            "name": "/",
            "packaging": "NONE",
        },
        "cache": _cache(wanted),
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": wanted.environment,
            "computeType": wanted.compute,
            # Docker in the build takes it. Source:
            # https://docs.aws.amazon.com/codebuild/latest/userguide/sample-docker.html
            "privilegedMode": True,
        },
        "serviceRole": wanted.role_arn,
        "timeoutInMinutes": wanted.timeout_min,
        "logsConfig": {
            "cloudWatchLogs": {"status": "ENABLED", "groupName": wanted.log_group},
            "s3Logs": {"status": "DISABLED"},
        },
        "tags": _TAGS,
    }


def _cache(wanted: Wanted) -> dict[str, Any]:
    """Return where layers and pip's files are kept between builds. Source:
    https://docs.aws.amazon.com/codebuild/latest/userguide/build-caching.html
    """
    match wanted.cache:
        case "local":
            modes = ["LOCAL_DOCKER_LAYER_CACHE", "LOCAL_CUSTOM_CACHE"]
            return {"type": "LOCAL", "modes": modes}
        case "s3":
            return {"type": "S3", "location": f"{wanted.bucket_name}/cache/{wanted.project}"}
        case "none":
            return {"type": "NO_CACHE"}
    assert_never(wanted.cache)
