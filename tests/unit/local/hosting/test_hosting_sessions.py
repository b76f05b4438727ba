"""Stateful sessions: requests of one go to the instance that has it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.local.hosting.connection import Answer
from sagedock.local.hosting.passing import Asked
from sagedock.local.hosting.routes import Backend
from sagedock.local.hosting.sessions import Sessions
from sagedock.testing import Call, Reply, serving
from tests.conftest import Local
from tests.unit.local.hosting.hosting_local import awaited, deploy, invoke, variant

_NAME = "x-amzn-sagemaker-"


def remembering(lasts: timedelta) -> Any:
    """Return a model whose containers each count the requests of the sessions that they have."""
    kept: dict[str, dict[str, int]] = {}

    def answer(call: Call) -> Reply:
        if call.path == "/ping":
            return Reply()
        container = call.container.spec.labels["sagedock.instance"]
        sessions = kept.setdefault(container, {})
        asked = call.headers.get(_NAME + "session-id")
        if asked == "NEW_SESSION":
            name = f"s-{container}-{len(sessions)}"
            sessions[name] = 0
            until = (datetime.now(UTC) + lasts).strftime("%Y-%m-%dT%H:%M:%SZ")
            made = {"X-Amzn-SageMaker-New-Session-Id": f"{name}; Expires={until}"}
            return Reply(body=container.encode(), headers=made)
        if asked not in sessions:
            return Reply(status=400, body=b"no such session")
        sessions[asked] += 1
        if call.body == b"close":
            del sessions[asked]
            closed = {"X-Amzn-SageMaker-Closed-Session-Id": asked}
            return Reply(body=container.encode(), headers=closed)
        return Reply(body=container.encode())

    return serving(answer)


def begin(local: Local) -> tuple[str, bytes]:
    answer = invoke(local, SessionId="NEW_SESSION")
    name, _, until = answer["NewSessionId"].partition("; ")
    assert until.startswith("Expires=20")
    return name, answer["Body"]


def test_requests_of_a_session_go_to_the_instance_that_has_it(local: Local) -> None:
    local.engine.program = remembering(timedelta(hours=1))
    deploy(local, variant(InitialInstanceCount=3))
    begun = [begin(local) for _ in range(6)]
    for _ in range(5):
        for name, container in begun:
            assert invoke(local, SessionId=name)["Body"] == container


def test_a_session_that_was_closed_is_no_more(local: Local) -> None:
    local.engine.program = remembering(timedelta(hours=1))
    deploy(local, variant(InitialInstanceCount=2))
    name, _ = begin(local)
    assert invoke(local, b"close", SessionId=name)["ClosedSessionId"] == name
    with pytest.raises(ClientError, match="no such session"):
        invoke(local, SessionId=name)


def test_a_stream_of_a_session(local: Local) -> None:
    local.engine.program = remembering(timedelta(hours=1))
    deploy(local, variant(InitialInstanceCount=3))
    name, container = begin(local)
    runtime = local.client("sagemaker-runtime")
    for _ in range(5):
        answer = runtime.invoke_endpoint_with_response_stream(
            EndpointName="endpoint-1", Body=b"", SessionId=name
        )
        assert b"".join(each["PayloadPart"]["Bytes"] for each in answer["Body"]) == container
    with pytest.raises(ClientError, match="failed to satisfy constraint"):
        runtime.invoke_endpoint_with_response_stream(
            EndpointName="endpoint-1", Body=b"", SessionId="NEW_SESSION"
        )


def test_a_session_whose_instance_is_gone_is_asked_of_another(local: Local) -> None:
    local.engine.program = remembering(timedelta(hours=1))
    deploy(local, variant(InitialInstanceCount=2))
    name, container = begin(local)
    for each in list(local.engine.all.values()):
        if each.spec.labels["sagedock.instance"].encode() == container:
            local.engine.kill(each.id)

    def is_refused() -> bool:
        try:
            invoke(local, SessionId=name)
        except ClientError as error:
            return "no such session" in str(error)
        return False

    awaited(is_refused)


def asked(session: str) -> Asked:
    return Asked.of(
        [(b"x-amzn-sagemaker-session-id", session.encode())],
        operation="InvokeEndpoint",
        endpoint="e",
        region="us-west-2",
        request_id="1",
    )


def answered(told: bytes) -> Answer:
    answer = Answer()
    answer.headers = [(b"x-amzn-sagemaker-new-session-id", told)]
    return answer


def test_a_session_ends_with_its_time() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    clock = [now]
    sessions = Sessions(lambda: clock[0])
    backend = Backend("127.0.0.1", 1)
    sessions.learn(asked("NEW_SESSION"), answered(b"a; Expires=2026-01-01T00:00:10Z"), backend)
    assert sessions.backend(asked("a")) is backend
    clock[0] = now + 10
    assert sessions.backend(asked("a")) is None


@pytest.mark.parametrize(
    "told", [b"", b"a", b"a; Expires=never", b"a; Expires=2026-13-01T00:00:10Z", b"a\r\nb"]
)
def test_what_names_no_session_is_none(told: bytes) -> None:
    sessions = Sessions(lambda: 0.0)
    sessions.learn(asked("NEW_SESSION"), answered(told), Backend("127.0.0.1", 1))
    assert sessions.backend(asked("a")) is None
