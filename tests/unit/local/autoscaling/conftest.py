"""A running local SageMaker whose endpoints are a fake fleet."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker
from sagedock.testing import FakeEngine
from tests.conftest import Local, succeed
from tests.unit.local.autoscaling.scaling_world import TARGET, FakeFleets


@dataclass(frozen=True)
class Scaled:
    """The server, its fleet, and boto3 clients of both services."""

    local: Local
    fleets: FakeFleets

    @property
    def autoscaling(self) -> Any:
        """A boto3 client of application-autoscaling."""
        return self.local.client("application-autoscaling")

    @property
    def cloudwatch(self) -> Any:
        """A boto3 client of cloudwatch."""
        return self.local.client("cloudwatch")

    def register(self, low: int = 1, high: int = 5, **members: Any) -> Any:
        """Register the target."""
        return self.autoscaling.register_scalable_target(
            **{**TARGET, "MinCapacity": low, "MaxCapacity": high, **members}
        )


def serve(home: Path, fleets: FakeFleets, **settings: Any) -> LocalSageMaker:
    """Return a server over a fleet, not started."""
    return LocalSageMaker(
        home=home, engine=FakeEngine(succeed), fleets=fleets, check_answers=True, **settings
    )


@pytest.fixture
def scaled(tmp_path: Path) -> Iterator[Scaled]:
    """A server over a fleet of one."""
    fleets = FakeFleets()
    with serve(tmp_path / "home", fleets) as server:
        yield Scaled(local=Local(server=server, engine=FakeEngine(succeed)), fleets=fleets)
