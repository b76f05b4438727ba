"""A local SageMaker whose containers are servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagedock import LocalSageMaker
from sagedock.testing import FakeEngine, serving
from tests.conftest import BUCKET, IMAGE, REGION, Local
from tests.unit.local.hosting.hosting_local import echo


@contextmanager
def started(
    home: Path, *, engine: FakeEngine | None = None, bucket: bool = True, **settings: float
) -> Iterator[Local]:
    engine = engine or FakeEngine(serving(echo), images=[IMAGE])
    with LocalSageMaker(
        home=home,
        engine=engine,
        check_answers=True,
        shutdown_grace_s=0.2,
        endpoint_stop_grace_s=0.5,
        **settings,
    ) as server:
        made = Local(server=server, engine=engine)
        if bucket:
            made.client("s3").create_bucket(
                Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        yield made


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """A local SageMaker with a bucket, an image, and containers that answer what they are sent."""
    with started(tmp_path / "home") as made:
        yield made


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Local]:
    """The same, for what takes too long: it waits a second or two for containers."""
    with started(tmp_path / "home", endpoint_startup_s=2.0, invocation_s=1.0, stream_s=1.0) as made:
        yield made
