"""A build: started, followed to its end with its phases and its log, and stopped."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from sagedock.errors import BuildFailed, InvalidRequest
from sagedock.images.remote.aws import Aws, Call

__all__ = ["Follower", "require_success", "start_build", "stop_build"]

Say = Callable[[str], None]

_IN_PROGRESS = "IN_PROGRESS"
#: Remedies by the status of a build. Source: Build's buildStatus in the service's model.
_REMEDIES = {
    "FAILED": "the log above says what the command said",
    "FAULT": "CodeBuild itself failed: build again",
    "STOPPED": "somebody stopped it: build again",
    "TIMED_OUT": "give it a longer --timeout, or a larger --compute-type",
}
#: Phases before the first command of the buildspec.
_EARLY = ("SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE")
#: Source: https://github.com/tmokmss/deploy-time-build/issues/72
_NEW_ROLE = (
    "no command of buildspec.yml ran; a role that is new reaches each service after a minute or "
    "so: build again"
)
#: Seconds: between two looks; of silence after the end, for CloudWatch has the last lines late.
_POLL_S, _QUIET_S = 5.0, 10.0


def start_build(aws: Aws, call: Call) -> str:
    """Start a build, and return its id: ``PROJECT:UUID``.

    Its token makes a request that is sent again the same one, for five minutes: an answer that was
    lost starts no second build. After Ctrl-C it tells which build that was, and this is stopped.
    Source: StartBuild's idempotencyToken in the service's model.
    """
    once = replace(call, parameters={**call.parameters, "idempotencyToken": uuid4().hex})
    try:
        return _started_id(aws, once)
    except KeyboardInterrupt:
        stop_build(aws, _started_id(aws, once))
        raise


def _started_id(aws: Aws, call: Call) -> str:
    return str(aws.send(call)["build"]["id"])


def stop_build(aws: Aws, build_id: str) -> None:
    """Stop a build; one that has ended stays as it ended."""
    aws.call("codebuild", "StopBuild", id=build_id)


@dataclass(kw_only=True)
class Follower:
    """Shows the phases and the log of one build, each once."""

    aws: Aws
    build_id: str
    say: Say
    sleep: Callable[[float], None] = time.sleep
    poll_s: float = _POLL_S
    quiet_s: float = _QUIET_S
    _told: set[str] = field(default_factory=set)
    _token: str | None = None

    def follow(self) -> Mapping[str, Any]:
        """Return the build as CodeBuild describes it, once it has ended and its log was shown."""
        while True:
            build = self._build()
            self._tell_phases(build)
            self.tell_log(build)
            if build["buildStatus"] != _IN_PROGRESS:
                self._tell_the_rest(build)
                return build
            self.sleep(self.poll_s)

    def _build(self) -> Mapping[str, Any]:
        answer = self.aws.call("codebuild", "BatchGetBuilds", ids=[self.build_id])
        if not answer["builds"]:
            raise InvalidRequest(
                [f"{self.build_id}: CodeBuild knows no such build here: check id and --region"]
            )
        found: Mapping[str, Any] = answer["builds"][0]
        return found

    def _tell_phases(self, build: Mapping[str, Any]) -> None:
        for phase in build.get("phases", ()):
            kind, status = phase["phaseType"], phase.get("phaseStatus", _IN_PROGRESS)
            if f"{kind} {status}" in self._told or kind == "COMPLETED":
                continue
            self._told.add(f"{kind} {status}")
            seconds = phase.get("durationInSeconds")
            took = f" ({seconds} s)" if seconds else ""
            self.say(f"phase {kind}: {status}{took}")

    def tell_log(self, build: Mapping[str, Any]) -> int:
        """Show the lines since the last call, and return how many there were."""
        logs, lines = build.get("logs", {}), 0
        if not logs.get("groupName") or not logs.get("streamName"):  # not before it is provisioned
            return 0
        where = {"logGroupName": logs["groupName"], "logStreamName": logs["streamName"]}
        while True:
            token = {"nextToken": self._token} if self._token else {}
            page = self.aws.find(
                "logs",
                "GetLogEvents",
                absent=("ResourceNotFoundException",),
                startFromHead=True,
                **where,
                **token,
            )
            if page is None:
                return lines
            for event in page["events"]:
                self.say(event["message"].rstrip("\n"))
            lines += len(page["events"])
            if page["nextForwardToken"] == self._token:
                return lines
            self._token = page["nextForwardToken"]

    def _tell_the_rest(self, build: Mapping[str, Any]) -> None:
        """Read on until no line has come for a while."""
        silent = 0.0
        while silent < self.quiet_s:
            self.sleep(self.poll_s)
            silent = 0.0 if self.tell_log(build) else silent + self.poll_s


def require_success(build: Mapping[str, Any]) -> None:
    """Raise BuildFailed, with what CodeBuild says of each phase, unless the build succeeded."""
    status = build["buildStatus"]
    if status == "SUCCEEDED":
        return
    told = "".join(f"\n  {line}" for line in _failures(build))
    remedy = _REMEDIES.get(status, "look at it in CodeBuild")
    if status == "FAILED" and next(_failed(build), {}).get("phaseType") in _EARLY:
        remedy = _NEW_ROLE
    raise BuildFailed(f"the build {build['id']} ended {status}: {remedy}{told}")


def _failed(build: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for phase in build.get("phases", ()):
        if phase.get("phaseStatus", "SUCCEEDED") not in ("SUCCEEDED", _IN_PROGRESS):
            yield phase


def _failures(build: Mapping[str, Any]) -> Iterator[str]:
    for phase in _failed(build):
        where = f"{phase['phaseType']} {phase['phaseStatus']}"
        contexts = phase.get("contexts") or []
        if not contexts:
            yield where
        for context in contexts:
            words = (where, context.get("statusCode"), context.get("message"))
            yield ": ".join(word for word in words if word)
