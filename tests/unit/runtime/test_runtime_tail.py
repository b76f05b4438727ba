"""The tail holds the last lines however the stream is cut, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from sagedock.runtime.tail import Tail


@given(
    lines=st.lists(st.text(st.characters(codec="ascii", exclude_characters="\r\n"), max_size=9)),
    cuts=st.lists(st.integers(1, 30)),
)
def test_cuts_do_not_matter(lines: list[str], cuts: list[int]) -> None:
    stream = "\n".join(lines).encode()
    tail = Tail(lines=5, width=9)
    for size in cuts:
        tail.feed(stream[:size])
        stream = stream[size:]
    tail.feed(stream)
    assert tail.lines()[-5:] == tuple([line for line in lines if line][-5:])


def test_progress_bar_keeps_its_last_drawing() -> None:
    tail = Tail()
    tail.feed(b"\r10%|#   |\r20%|##  |\r100%|####|\nValueError: x\n")
    assert tail.lines()[-2:] == ("100%|####|", "ValueError: x")


def test_memory_is_bounded() -> None:
    tail = Tail(lines=3, width=10)
    for _ in range(100):
        tail.feed(b"x" * 1_000_000)
    tail.feed(b"\na\nb\nc\nd")
    assert tail.lines() == ("a", "b", "c", "d")
    tail.feed(b"e\n" + b"y" * 50)
    assert tail.lines() == ("b", "c", "de", "y" * 10)


def test_invalid_utf8_becomes_valid() -> None:
    tail = Tail()
    tail.feed(b"caf\xe9 \xff\n")
    assert tail.lines() == ("caf� �",)
