"""Names that we give images: written down first, taken away once, and never the user's own."""

from pathlib import Path
from typing import Any

import pytest

from sagedock.engine import GivenNames
from sagedock.errors import StorageError
from sagedock.testing import FakeEngine

NAME = "127.0.0.1:5000/app:1"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(None, images=["app:1", "other:1"])


@pytest.fixture
def names(tmp_path: Path) -> GivenNames:
    return GivenNames(tmp_path / "names")


def id_of(engine: FakeEngine, name: str) -> str:
    return engine.image(name).id


def test_a_name_is_given_and_taken_away(engine: FakeEngine, names: GivenNames) -> None:
    names.give(engine, id_of(engine, "app:1"), NAME)
    assert id_of(engine, NAME) == id_of(engine, "app:1")
    assert names.every() == (NAME,)
    assert names.take(engine, NAME)
    assert engine.images == {"app:1", "other:1"}
    assert names.every() == ()
    assert not names.take(engine, NAME)


def test_what_a_name_meant_before_it_means_again(engine: FakeEngine, names: GivenNames) -> None:
    engine.tag("other:1", NAME)
    for _ in range(2):  # the second time it is ours already
        names.give(engine, id_of(engine, "app:1"), NAME)
    names.take(engine, NAME)
    assert id_of(engine, NAME) == id_of(engine, "other:1")


def test_a_name_that_an_image_has_already_stays_the_user_s(
    engine: FakeEngine, names: GivenNames
) -> None:
    engine.tag("app:1", NAME)
    names.give(engine, id_of(engine, "app:1"), NAME)
    assert names.every() == ()
    names.take(engine, NAME)
    assert id_of(engine, NAME) == id_of(engine, "app:1")


def test_a_name_that_the_user_gave_another_image_since_is_his(
    engine: FakeEngine, names: GivenNames
) -> None:
    names.give(engine, id_of(engine, "app:1"), NAME)
    engine.tag("other:1", NAME)
    assert not names.take(engine, NAME)
    assert id_of(engine, NAME) == id_of(engine, "other:1")
    assert names.every() == ()


def test_one_of_ours_given_another_image_is_ours_still(
    engine: FakeEngine, names: GivenNames
) -> None:
    for image in ("app:1", "other:1"):
        names.give(engine, id_of(engine, image), NAME)
    assert id_of(engine, NAME) == id_of(engine, "other:1")
    names.take(engine, NAME)
    assert engine.images == {"app:1", "other:1"}


class Killed(BaseException):
    """The program that gave the name is no more."""


class Dying:
    """An engine of a program that is killed before its ``last`` call: none comes after that."""

    def __init__(self, engine: FakeEngine, last: int) -> None:
        self._engine, self._left = engine, last

    def __getattr__(self, name: str) -> Any:
        self._left -= 1
        if self._left < 0:
            raise Killed
        return getattr(self._engine, name)


@pytest.mark.parametrize("before", [None, "other:1"])
@pytest.mark.parametrize("calls", range(8))
def test_a_kill_between_any_steps_loses_no_name(
    engine: FakeEngine, names: GivenNames, calls: int, before: str | None
) -> None:
    if before:
        engine.tag(before, NAME)
    was = {name: id_of(engine, name) for name in engine.images}
    dying: Any = Dying(engine, calls)
    try:
        with names.lent(dying, was["app:1"], NAME):
            dying.__getattr__("push")
    except Killed:
        pass
    for each in names.every():
        names.take(engine, each)
    assert {name: id_of(engine, name) for name in engine.images} == was
    assert names.every() == ()


def test_a_name_that_a_pull_makes_is_known_before_it_is_there(
    engine: FakeEngine, names: GivenNames
) -> None:
    with names.expected(engine, NAME):
        assert names.every() == (NAME,)
        engine.tag("app:1", NAME)
    assert engine.images == {"app:1", "other:1"}
    assert names.every() == ()


@pytest.mark.parametrize("calls", range(12))
def test_a_kill_while_an_image_is_pulled_and_named_loses_no_name(
    engine: FakeEngine, names: GivenNames, calls: int
) -> None:
    pulled, own = "127.0.0.1:5000/new@sha256:1", "registry/new:sha256-1"
    engine.registry[pulled] = "sha256:2"
    before = set(engine.images)
    dying: Any = Dying(engine, calls)
    try:
        with names.expected(dying, pulled):
            image = dying.pull(pulled, user="", password="")
            names.give(dying, image.id, own)
        assert set(names.every()) == {own}
    except Killed:
        pass
    for each in names.every():
        names.take(engine, each)
    assert engine.images == before


def test_a_folder_that_cannot_be_written_is_told(engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    names = GivenNames(tmp_path / "file" / "names")
    with pytest.raises(StorageError, match="set SAGEDOCK_HOME"):
        names.give(engine, id_of(engine, "app:1"), NAME)
    assert engine.images == {"app:1", "other:1"}


def test_a_file_that_is_no_record_is_told(names: GivenNames) -> None:
    names.folder.mkdir()
    (names.folder / "a.json").write_text("{}")
    with pytest.raises(StorageError, match=r"a\.json.*remove"):
        names.every()
