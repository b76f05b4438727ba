"""IAM's answers about roles: every role is there, services may assume it, and it may do all.

The local SageMaker checks no permissions, and takes any role that a request names, but one that IAM
was told here not to trust it, or to delete. SDKs ask IAM about that role before they send the
request, and refuse one that is absent or may not do enough.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sagedock.local.body import replay, whole_body
from sagedock.local.s3.xml import Node, write
from sagedock.local.trust import Trust

__all__ = ["Roles", "is_role_name", "path_and_name", "trusting"]

_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_MEDIA_TYPE = "text/xml"
_ALLOWED = "allowed"
_REFUSED = 400
#: Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
Form = Mapping[str, list[str]]


@dataclass(frozen=True)
class Roles:
    """IAM as an ASGI application: two answers are ours, every other is that of ``others``; what it
    is told of roles is remembered as ``trust``.

    GetRole makes a role that is absent, so that what is done with it next finds it too; but none
    that was deleted.
    SimulatePrincipalPolicy allows every action.
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
    """

    others: ASGIApp
    trust: Trust

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await whole_body(scope, receive, send)
        if body is None:
            return
        form = parse_qs(body.decode("latin-1"))
        match _first(form, "Action"):
            case "GetRole":
                await self._make_role("/", _first(form, "RoleName"), scope)
            case "SimulatePrincipalPolicy":
                path, name = path_and_name(_first(form, "PolicySourceArn"))
                await self._make_role(path, name, scope)
                await _simulated(form)(scope, receive, send)
                return
            case "CreateRole":
                send = self._remembering(send, form, "AssumeRolePolicyDocument")
            case "UpdateAssumeRolePolicy":
                send = self._remembering(send, form, "PolicyDocument")
            case "DeleteRole":
                send = self._remembering(send, form, None)
        await self.others(scope, replay(body), send)

    def _remembering(self, send: Send, form: Form, policy: str | None) -> Send:
        """Return ``send``, which remembers what IAM was told, if it answers that it took it;
        ``policy`` is the member that has the trust policy, None where the role is deleted.
        """

        async def remember(message: Message) -> None:
            if message.get("status", _REFUSED) < _REFUSED:
                name = _first(form, "RoleName")
                if policy is None:
                    self.trust.deleted(name)
                else:
                    self.trust.told(name, _first(form, policy))
            await send(message)

        return remember

    async def _make_role(self, path: str, name: str, scope: Scope) -> None:
        """Make the role; one that is there already stays as it is: that refusal is dropped."""
        if not is_role_name(name) or self.trust.is_deleted(name):
            return
        asked = {
            "Action": "CreateRole",
            "Version": "2010-05-08",
            "Path": path,
            "RoleName": name,
            "AssumeRolePolicyDocument": trusting("sagemaker"),
        }
        body = urlencode(asked).encode()
        headers = [each for each in scope["headers"] if each[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self.others({**scope, "headers": headers}, replay(body), _drop)


def _simulated(form: Form) -> Response:
    """Return one result for each action, over all resources, as IAM does since 2025."""
    actions = list(_members(form, "ActionNames"))
    if not actions or not _first(form, "PolicySourceArn"):
        return _refused("ActionNames and PolicySourceArn are required")
    resources = list(_members(form, "ResourceArns")) or ["*"]
    results = [("member", list(_result(action, resources))) for action in actions]
    return _answer("SimulatePrincipalPolicy", [("EvaluationResults", results)])


def _result(action: str, resources: list[str]) -> Iterator[tuple[str, Node]]:
    yield "EvalActionName", action
    yield "EvalResourceName", resources[0]
    yield "EvalDecision", _ALLOWED
    if len(resources) > 1:
        yield (
            "ResourceSpecificResults",
            [
                ("member", [("EvalResourceName", each), ("EvalResourceDecision", _ALLOWED)])
                for each in resources
            ],
        )


def _answer(operation: str, result: list[tuple[str, Node]]) -> Response:
    content: list[tuple[str, Node]] = [
        (f"{operation}Result", [*result, ("IsTruncated", False)]),
        ("ResponseMetadata", [("RequestId", str(uuid.uuid4()))]),
    ]
    document = write(f"{operation}Response", content, namespace=_NAMESPACE)
    return Response(document, media_type=_MEDIA_TYPE)


def _refused(message: str) -> Response:
    error: list[tuple[str, Node]] = [
        ("Type", "Sender"),
        ("Code", "ValidationError"),
        ("Message", message),
    ]
    content: list[tuple[str, Node]] = [("Error", error), ("RequestId", str(uuid.uuid4()))]
    document = write("ErrorResponse", content, namespace=_NAMESPACE)
    return Response(document, status_code=400, media_type=_MEDIA_TYPE)


def _first(form: Form, name: str) -> str:
    return form.get(name, [""])[0]


def _members(form: Form, name: str) -> Iterator[str]:
    """Yield a list of the query protocol: NAME.member.1, NAME.member.2, ..."""
    number = 1
    while value := _first(form, f"{name}.member.{number}"):
        yield value
        number += 1


def is_role_name(name: str) -> bool:
    """Say whether a role may be called so."""
    return _ROLE_NAME.fullmatch(name) is not None


def trusting(service: str) -> str:
    """Return the trust policy (JSON) of a role that a service may assume."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def path_and_name(arn: str) -> tuple[str, str]:
    """Return a role's path and name; for the ARN of a user or a group, no name."""
    _, is_role, rest = arn.partition(":role/")
    path, slash, name = rest.rpartition("/")
    return f"/{path}{slash}", name if is_role else ""


async def _drop(_: Message) -> None:
    return None
