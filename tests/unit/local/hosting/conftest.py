"""A local SageMaker whose containers are servers, and whose times are short."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock import LocalSageMaker
from sagedock.testing import FakeEngine, serving
from tests.conftest import BUCKET, IMAGE, REGION, Local
from tests.unit.local.hosting.hosting_local import echo


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """A local SageMaker with a bucket, an image, and containers that answer what they are sent."""
    engine = FakeEngine(serving(echo), images=[IMAGE])
    with LocalSageMaker(
        home=tmp_path / "home",
        engine=engine,
        check_answers=True,
        shutdown_grace_s=0.2,
        endpoint_startup_s=1.0,
        endpoint_stop_grace_s=0.5,
        invocation_s=2.0,
        stream_s=2.0,
    ) as server:
        made = Local(server=server, engine=engine)
        made.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield made
