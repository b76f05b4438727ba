"""A docker client of a few lines: it logs in, pushes and pulls."""

import hashlib
import json
from typing import Any

import httpx
import pytest

from sagedock.local.ecr import find_program
from tests.conftest import REGION, Local, plain_http

needs_registry = pytest.mark.skipif(
    find_program() is None, reason="no docker-registry: `make registry` gets it"
)
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
NAME = "team/app"
LABELS = {"made-for": "a test"}


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Docker:
    """Pushes as a docker client does."""

    def __init__(self, local: Local, region: str = REGION) -> None:
        (data,) = local.client("ecr", region).get_authorization_token()["authorizationData"]
        self.headers = {"authorization": f"Basic {data['authorizationToken']}"}
        self.url = f"{data['proxyEndpoint']}/v2"

    def ask(self, method: str, path: str, content: Any = None, **headers: str) -> httpx.Response:
        return plain_http().request(
            method,
            f"{self.url}{path}",
            content=content,
            headers={**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}},
        )

    def blob(self, content: bytes, name: str = NAME) -> dict[str, Any]:
        """Push a layer in two pieces, of no length that is told."""
        begun = self.ask("POST", f"/{name}/blobs/uploads/")
        assert begun.status_code == 202, begun.text
        half = len(content) // 2
        sent = self.ask(
            "PATCH", begun.headers["location"].removeprefix("/v2"), iter([content[:half]])
        )
        assert sent.status_code == 202, sent.text
        ended = self.ask(
            "PUT",
            f"{sent.headers['location'].removeprefix('/v2')}&digest={digest(content)}",
            iter([content[half:]]),
        )
        assert ended.status_code == 201, ended.text
        assert ended.headers["location"].startswith(f"/v2/{name}/blobs/")
        return {"size": len(content), "digest": digest(content), "mediaType": "x"}

    def manifest(self, *layers: bytes, name: str = NAME) -> bytes:
        config = {"architecture": "amd64", "os": "linux", "config": {"Labels": LABELS}}
        return json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": self.blob(json.dumps(config).encode() + b" " * len(layers[0]), name),
                "layers": [self.blob(each, name) for each in layers],
            }
        ).encode()

    def put(self, manifest: bytes, reference: str, name: str = NAME) -> httpx.Response:
        path = f"/{name}/manifests/{reference}"
        return self.ask("PUT", path, manifest, content_type=MANIFEST)
