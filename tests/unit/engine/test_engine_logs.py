"""A log that Docker ends before its last lines is read once more, and nothing comes twice."""

import io
from types import SimpleNamespace
from typing import Any, Self

from sagedock.engine.docker_engine import DockerEngine

STAMP = b"2026-01-02T03:04:05.678901234Z "


def frame(kind: int, line: bytes) -> bytes:
    data = STAMP + line
    return bytes([kind, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


class Answer:
    """What the engine answers: frames, or that there is no such container."""

    def __init__(self, frames: list[bytes], status_code: int = 200) -> None:
        self.raw, self.status_code = io.BytesIO(b"".join(frames)), status_code

    def raise_for_status(self) -> None:
        assert self.status_code == 200

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.raw.close()


def lines_of(followed: Answer, whole: Answer) -> list[tuple[str, bytes]]:
    def get(_url: str, params: dict[str, Any], **_: Any) -> Answer:
        return followed if params["follow"] else whole

    api = SimpleNamespace(base_url="http://engine", api_version="1.41", get=get)
    engine = DockerEngine(SimpleNamespace(api=api))  # type: ignore[arg-type]
    return [(each.stream, each.data) for each in engine.logs("one")]


ALL = [frame(1, b"a\n"), frame(2, b"warning\n"), frame(1, b"b\n"), frame(1, b"c\n")]
LINES = [("stdout", b"a\n"), ("stderr", b"warning\n"), ("stdout", b"b\n"), ("stdout", b"c\n")]


def test_lines_that_were_not_followed_are_read_afterwards() -> None:
    for followed in range(len(ALL) + 1):
        assert lines_of(Answer(ALL[:followed]), Answer(ALL)) == LINES


def test_a_container_that_is_gone_has_no_more_lines() -> None:
    assert lines_of(Answer(ALL[:2]), Answer([], 404)) == LINES[:2]
