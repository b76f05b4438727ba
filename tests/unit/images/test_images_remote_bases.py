"""Bases that a remote build may not find: in ECR without a login, or on this machine alone."""

from dataclasses import replace

import pytest

from sagedock.engine import Image as EngineImage
from sagedock.errors import EngineError
from sagedock.images.remote.bases import base_warnings
from sagedock.testing import FakeEngine
from tests.unit.images.remote_builds import image, wanted

HOST = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"


class Engine(FakeEngine):
    """Has one image; ``digests`` are the names by which registries have it."""

    def __init__(self, name: str, *digests: str) -> None:
        super().__init__(None, [name])
        self.digests = digests

    def image(self, reference: str) -> EngineImage:
        return replace(super().image(reference), digests=self.digests)


def test_a_base_in_ecr_takes_a_login() -> None:
    build = wanted(images=(image(base=f"{HOST}/pytorch:2"),))
    (told,) = base_warnings(build, None)
    assert told == (
        f"mine: its base {HOST}/pytorch:2 is in ECR, and nobody logs in there: add "
        f"--login-registry {HOST}"
    )
    assert base_warnings(replace(build, registries=(HOST,)), None) == ()


def test_a_base_of_a_base_counts_and_one_of_the_matrix_does_not() -> None:
    lowest = image(name="low", repository="team/low", base=f"{HOST}/pytorch@sha256:{'0' * 64}")
    upper = image(base="team/low:1")
    found = base_warnings(wanted(images=(upper,), matrix=(lowest, upper)), Engine("team/low:1"))
    assert [each.partition(":")[0] for each in found] == ["low"]
    own = image(base="sagedock/base:bookworm-py3.11")
    assert base_warnings(wanted(images=(own,)), Engine(own.base)) == ()


@pytest.mark.parametrize("digests", [(), (f"{HOST}/team/base@sha256:1",)])
def test_a_base_that_this_machine_alone_has_is_told(digests: tuple[str, ...]) -> None:
    build = wanted(images=(image(base="team/base:1"),))
    (told,) = base_warnings(build, Engine("team/base:1", *digests))
    assert told.startswith("mine: its base team/base:1 is known in this machine's engine alone")
    assert "`sagedock push team/base:1 --target aws`" in told


@pytest.mark.parametrize(
    ("base", "known"),
    [
        ("debian:12", "debian"),
        ("docker.io/library/debian:12", "debian"),
        ("host:5000/team/base", "host:5000/team/base"),
    ],
)
def test_a_base_that_a_registry_gave_is_not(base: str, known: str) -> None:
    build = wanted(images=(image(base=base),))
    assert base_warnings(build, Engine(base, f"{known}@sha256:1")) == ()


def test_what_the_engine_does_not_have_or_tell_is_not_told() -> None:
    class Failing(FakeEngine):
        def image(self, reference: str) -> EngineImage:
            raise EngineError("timed out")

    build = wanted(images=(image(base="debian:12"),))
    for engine in (None, FakeEngine(None), Failing(None)):
        assert base_warnings(build, engine) == ()
