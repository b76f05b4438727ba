"""A local S3 on a port of its own, and real boto3 clients of it, as users have them."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
import uvicorn
from botocore.config import Config
from botocore.exceptions import ClientError

from sagedock.local.s3 import ObjectStore, s3_app

BUCKET = "kettle"


@cache
def _session() -> Any:
    """One session for all: it reads the service's model once."""
    return boto3.Session()


class Served:
    """One uvicorn for all tests, which hands each request to the store of the moment."""

    def __init__(self) -> None:
        self.app: Any = None
        config = uvicorn.Config(self, host="127.0.0.1", port=0, log_level="error", lifespan="off")
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._uvicorn.run, daemon=True)
        self._thread.start()
        while not self._uvicorn.started:
            assert self._thread.is_alive()
            time.sleep(0.005)
        self.port = self._uvicorn.servers[0].sockets[0].getsockname()[1]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)

    def stop(self) -> None:
        self._uvicorn.should_exit = True
        self._thread.join()


@dataclass
class Server:
    """A served store that can be closed and opened again over the same folder."""

    root: Path
    served: Served
    store: ObjectStore = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.served.port}"

    def start(self) -> None:
        self.store = ObjectStore(self.root)
        self.served.app = s3_app(self.store)

    def stop(self) -> None:
        self.served.app = None
        self.store.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def client(self, region: str = "us-east-1", **config: Any) -> Any:
        return _session().client(
            "s3",
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            config=Config(retries={"max_attempts": 0}, **config),
        )

    def file(self, key: str, bucket: str = BUCKET) -> Path:
        return self.root / "buckets" / bucket / key

    def leftovers(self) -> list[Path]:
        """Temporary files and parts that nobody will ever use."""
        found = [*(self.root / "tmp").rglob("*"), *(self.root / "parts").rglob("*")]
        return [path for path in found if path.is_file()]


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    running = Served()
    yield running
    running.stop()


@pytest.fixture
def server(served: Served, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "s3", served)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3(server: Server) -> Any:
    """A client with boto3's defaults, and the bucket ``kettle``."""
    client = server.client()
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, verify=False) as client:
        yield client


@pytest.fixture
def refused() -> Callable[..., tuple[int, str, str]]:
    """Call, and return status, code and message of the error that S3 answers."""

    def refused(call: Callable[..., Any], **arguments: Any) -> tuple[int, str, str]:
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        answer = caught.value.response
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        return status, answer["Error"]["Code"], answer["Error"].get("Message", "")

    return refused
