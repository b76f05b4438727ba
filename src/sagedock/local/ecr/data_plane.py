"""ECR's registry, as docker clients speak to it: ``/v2/`` on the address of all other services.

Whoever logs in with a password of GetAuthorizationToken pushes to and pulls from the region that it
is for. Layers are carried to and from the process that keeps them, below a name with the region in
front; manifests and tags are ours, for ECR has rules about them that registries do not know.
Sources: https://distribution.github.io/distribution/spec/api/ and, for what refers to images,
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

import json
import logging
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sagedock.api import ecr_messages as words
from sagedock.errors import LocalServerError, StorageError
from sagedock.local.body import LARGEST_BODY, whole_body
from sagedock.local.ecr.carrier import Carried, RegistryBroke, carry
from sagedock.local.ecr.manifests import Manifest, NotAManifest
from sagedock.local.ecr.process import RegistryProcess
from sagedock.local.ecr.pushed import Pushed, PushedImages, TagIsImmutable
from sagedock.local.ecr.referrers import REFERRERS_TYPE, referrers_index, referring
from sagedock.local.ecr.tokens import BadToken, Tokens

__all__ = ["DATA_PATH", "DataPlane"]

_log = logging.getLogger(__name__)

DATA_PATH = "/v2/"
_PATH = re.compile(
    r"/v2/(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)/"
    r"(?P<what>manifests|blobs|tags|referrers)/(?P<rest>[\w.:+/=-]*)"
)
_VERSION = (b"docker-distribution-api-version", b"registry/2.0")
#: What is between two machines, and not for the next; and what is ours to know.
_OURS_ALONE = frozenset(
    {
        b"authorization",
        b"connection",
        b"date",
        b"expect",
        b"host",
        b"keep-alive",
        b"transfer-encoding",
    }
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CREATED, _NO_SUCH = 201, 404


class _Refused(Exception):
    """An error of the registry: its status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


@dataclass(frozen=True)
class _Asked:
    """What a request is about."""

    region: str
    name: str
    what: str
    rest: str

    @property
    def kept_as(self) -> str:
        """The repository's name in the process that keeps it."""
        return f"{self.region}/{self.name}"


@dataclass
class DataPlane:
    """An ASGI application."""

    process: RegistryProcess
    tokens: Tokens
    pushed: PushedImages
    account: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            await self._answer(request, send)
        except ClientDisconnect:
            return
        except _Refused as refused:
            said = {"errors": [{"code": refused.code, "message": refused.message}]}
            await self._respond(request, send, refused.status, json.dumps(said).encode())
        except (LocalServerError, StorageError, RegistryBroke) as error:
            said = {"errors": [{"code": "UNAVAILABLE", "message": str(error)}]}
            await self._respond(request, send, 503, json.dumps(said).encode())

    async def _answer(self, request: Request, send: Send) -> None:
        region = self._region(request)
        if request.url.path == DATA_PATH:
            await self._respond(request, send, 200, b"{}")
            return
        found = _PATH.fullmatch(request.url.path)
        if found is None or ".." in found["rest"]:
            raise _Refused(_NO_SUCH, "UNSUPPORTED", "there is nothing at this path")
        asked = _Asked(region, **found.groupdict())
        if not await run_in_threadpool(self.pushed.has_repository, region, asked.name):
            said = words.repository_not_found(asked.name, self.account).message
            raise _Refused(_NO_SUCH, "NAME_UNKNOWN", str(said))
        match (asked.what, request.method):
            case ("tags", "GET"):
                await self._tags(asked, request, send)
            case ("referrers", "GET"):
                await self._referrers(asked, request, send)
            case ("manifests", "GET" | "HEAD"):
                await self._manifest(asked, request, send)
            case ("manifests", "PUT"):
                await self._put_manifest(asked, request, send)
            case ("blobs", "GET" | "HEAD" | "POST" | "PATCH" | "PUT"):
                await self._carry(asked, request, send)
            case ("blobs", "DELETE") if asked.rest.startswith("uploads/"):
                await self._carry(asked, request, send)
            case _:
                raise _Refused(405, "UNSUPPORTED", "use ECR's API: BatchDeleteImage deletes images")

    def _region(self, request: Request) -> str:
        """Return the region that the caller's password is for. The words are unverified."""
        try:
            return self.tokens.region_of_header(request.headers.get("authorization", ""))
        except BadToken as error:
            if error.expired:
                said = "Your authorization token has expired. Reauthenticate and try again."
                raise _Refused(403, "DENIED", said) from error
            said = "log in with the password that GetAuthorizationToken gives"
            raise _Refused(401, "UNAUTHORIZED", said) from error

    async def _tags(self, asked: _Asked, request: Request, send: Send) -> None:
        images = await run_in_threadpool(self.pushed.every, asked.region, asked.name)
        tags = sorted(tag for each in images for tag in each.tags)
        await self._respond(
            request, send, 200, json.dumps({"name": asked.name, "tags": tags}).encode()
        )

    async def _referrers(self, asked: _Asked, request: Request, send: Send) -> None:
        if not _DIGEST.fullmatch(asked.rest):
            raise _Refused(400, "DIGEST_INVALID", f"{asked.rest} is no digest")
        kinds = request.query_params.getlist("artifactType")
        images = await run_in_threadpool(self.pushed.every, asked.region, asked.name)
        body = referrers_index(referring(images, asked.rest, kinds))
        filtered = ((b"oci-filters-applied", b"artifactType"),) if kinds else ()
        await self._respond(request, send, 200, body, REFERRERS_TYPE, filtered)

    async def _manifest(self, asked: _Asked, request: Request, send: Send) -> None:
        image = await run_in_threadpool(self.pushed.of, asked.region, asked.name, asked.rest)
        if image is None:
            raise _Refused(_NO_SUCH, "MANIFEST_UNKNOWN", "Requested image not found")
        headers = ((b"docker-content-digest", image.digest.encode()),)
        body = image.manifest.encode()
        await self._respond(request, send, 200, body, image.media_type, headers)

    async def _put_manifest(self, asked: _Asked, request: Request, send: Send) -> None:
        body = await whole_body(request.scope, request.receive, send)
        if body is None:
            return
        tag = None if _DIGEST.fullmatch(asked.rest) else asked.rest
        try:
            manifest = Manifest.read(body, request.headers.get("content-type"))
        except NotAManifest as error:
            raise _Refused(400, "MANIFEST_INVALID", str(error)) from error
        if tag is None and manifest.digest != asked.rest:
            raise _Refused(400, "DIGEST_INVALID", f"the manifest's digest is {manifest.digest}")
        try:
            await self._put(asked, manifest, tag)
        except TagIsImmutable as error:
            refusal = words.tag_is_immutable(asked.name, str(error))
            raise _Refused(refusal.http_status, refusal.code, str(refusal.message)) from error
        headers = (
            (b"docker-content-digest", manifest.digest.encode()),
            (b"location", f"/v2/{asked.name}/manifests/{manifest.digest}".encode()),
            *(((b"oci-subject", manifest.subject.encode()),) if manifest.subject else ()),
        )
        await self._respond(request, send, _CREATED, b"", None, headers)

    async def _put(self, asked: _Asked, manifest: Manifest, tag: str | None) -> None:
        """Keep a manifest whose layers are there, and write it down with its tag."""
        where = (asked.region, asked.name)
        if tag is not None:
            await run_in_threadpool(self.pushed.require_free, *where, tag, manifest.digest)
        socket = await run_in_threadpool(self.process.ensure)
        below = f"/v2/{asked.kept_as}"
        await self._keep(socket, f"{below}/manifests/{manifest.digest}", manifest)
        image = Pushed(
            digest=manifest.digest,
            media_type=manifest.media_type,
            manifest=manifest.text,
            size=manifest.size,
            config=manifest.config,
            config_media_type=manifest.config_media_type,
            pushed=time.time(),
            subject=manifest.subject,
            artifact_type=manifest.artifact_type,
            **await _configuration(socket, f"{below}/blobs/{manifest.config}"),
        )
        await run_in_threadpool(self.pushed.put, *where, image, tag)

    async def _keep(self, socket: str, target: str, manifest: Manifest) -> None:
        """Have the process keep a manifest: it refuses one whose layers it does not have."""
        body = manifest.text.encode()
        headers = (
            (b"content-type", manifest.media_type.encode()),
            (b"content-length", str(len(body)).encode()),
        )
        carried = await carry(socket, "PUT", target, headers, _one(body))
        try:
            said = await carried.body()
        finally:
            carried.close()
        if carried.status != _CREATED:
            raise _Refused(carried.status, *_error_in(said))

    async def _carry(self, asked: _Asked, request: Request, send: Send) -> None:
        """Carry a layer, or a piece of one, in or out."""
        socket = await run_in_threadpool(self.process.ensure)
        query = urlencode(
            [
                (key, f"{asked.region}/{value}" if key == "from" else value)
                for key, value in parse_qsl(request.url.query, keep_blank_values=True)
            ]
        )
        target = f"/v2/{asked.kept_as}/{asked.what}/{asked.rest}{'?' if query else ''}{query}"
        sent = [(key, value) for key, value in request.headers.raw if key not in _OURS_ALONE]
        has_body = request.method in ("POST", "PATCH", "PUT")
        carried = await carry(
            socket, request.method, target, sent, request.stream() if has_body else None
        )
        try:
            await self._pass_on(asked, carried, request, send)
        except RegistryBroke as error:  # the answer has begun: its end is all that can be told
            _log.warning("a layer of %s was cut off: %s", asked.name, error)
        finally:
            carried.close()

    async def _pass_on(self, asked: _Asked, carried: Carried, request: Request, send: Send) -> None:
        before = f"/v2/{asked.kept_as}/".encode()
        headers = [
            (name, value.replace(before, f"/v2/{asked.name}/".encode(), 1))
            if name == b"location"
            else (name, value)
            for name, value in carried.headers
            if name not in _OURS_ALONE
        ]
        await send({"type": "http.response.start", "status": carried.status, "headers": headers})
        if request.method != "HEAD":
            async for piece in carried.pieces():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _respond(
        self,
        request: Request,
        send: Send,
        status: int,
        body: bytes,
        media_type: str | None = "application/json",
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        response = Response(
            b"" if request.method == "HEAD" else body, status, media_type=media_type
        )
        response.raw_headers = [
            (b"content-length", str(len(body)).encode()),
            *((name, value) for name, value in response.raw_headers if name != b"content-length"),
            *headers,
            _VERSION,
        ]
        if status == 401:
            realm = f'Basic realm="{request.base_url}",service="ecr.amazonaws.com"'
            response.raw_headers.append((b"www-authenticate", realm.encode()))
        await response(request.scope, request.receive, send)


async def _one(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _configuration(socket: str, target: str) -> dict[str, Any]:
    """Return what an image's configuration says of architecture and labels; nothing of one that
    is none: of several images, or of something that is no image.
    """
    nothing: dict[str, Any] = {"architecture": "", "labels": {}}
    carried = await carry(socket, "GET", target)
    try:
        sizes = [int(value) for name, value in carried.headers if name == b"content-length"]
        if carried.status != 200 or not sizes or sizes[0] > LARGEST_BODY:
            return nothing
        said = json.loads(await carried.body())
    except (ValueError, RecursionError):
        return nothing
    finally:
        carried.close()
    document = _object(said)
    labels = _object(_object(document.get("config")).get("Labels"))
    return {
        "architecture": str(document.get("architecture") or ""),
        "labels": {name: value for name, value in labels.items() if isinstance(value, str)},
    }


def _object(said: object) -> dict[str, Any]:
    return said if isinstance(said, dict) else {}


def _error_in(body: bytes) -> tuple[str, str]:
    """Return the code and the message of the registry's own refusal."""
    try:
        first = json.loads(body)["errors"][0]
        return str(first["code"]), str(first.get("message") or first["code"])
    except (ValueError, LookupError, TypeError):
        return "UNKNOWN", body.decode(errors="replace") or "no reason given"
