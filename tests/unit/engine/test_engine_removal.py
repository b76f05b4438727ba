"""A container that somebody else is removing."""

from types import SimpleNamespace
from typing import Any

import pytest
import requests
from docker.errors import APIError, NotFound

from sagedock.engine.docker_engine import DockerEngine
from sagedock.errors import EngineError


class Api:
    """Docker's API, whose removal of a container answers ``problem``."""

    def __init__(self, problem: str, *, gone: bool = False) -> None:
        self.problem, self.gone = problem, gone
        self.called: list[str] = []

    def inspect_container(self, container: str) -> dict[str, Any]:
        return {"Name": f"/{container}"}

    def remove_container(self, container: str, **_: Any) -> None:
        response = requests.Response()
        response.status_code = 409
        raise APIError("conflict", response=response, explanation=self.problem)

    def wait(self, container: str, condition: str) -> None:
        self.called.append(f"wait {container} {condition}")
        if self.gone:
            raise NotFound("no such container")

    def remove_volume(self, name: str, **_: Any) -> None:
        self.called.append(f"remove {name}")


def engine(api: Api) -> DockerEngine:
    client: Any = SimpleNamespace(api=api)
    return DockerEngine(client)


@pytest.mark.parametrize("gone", [False, True])
def test_a_removal_that_is_under_way_is_awaited_and_the_volume_removed(gone: bool) -> None:
    api = Api("removal of container probe is already in progress", gone=gone)
    engine(api).remove("probe")
    assert api.called == ["wait probe removed", "remove probe-scratch"]


def test_another_conflict_is_an_error() -> None:
    api = Api("you cannot remove a running container")
    with pytest.raises(EngineError, match="removing container probe"):
        engine(api).remove("probe")
    assert api.called == []
