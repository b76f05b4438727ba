"""The real cause is found in what scripts, pip, torchrun and shells leave on stderr."""

import pytest

from sagedock.runtime.cause import find_cause


def lines(text: str) -> list[str]:
    return text.strip("\n").split("\n")


PLAIN = """
epoch 1
Traceback (most recent call last):
  File "train.py", line 9, in <module>
    main()
  File "train.py", line 5, in main
    raise ValueError("bad data")
ValueError: bad data
"""

CHAINED = """
Traceback (most recent call last):
  File "a.py", line 1, in <module>
KeyError: 'label'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
RuntimeError: row 7 has no label
"""

RANK = """
[rank0]: Traceback (most recent call last):
[rank0]:   File "/opt/ml/code/train.py", line 2, in <module>
[rank0]:     raise ValueError("shard 3")
[rank0]: ValueError: shard 3
E1122 torch/distributed/elastic/multiprocessing/api.py:882] failed (exitcode: 1)
Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
train.py FAILED
"""

TWO_RANKS_AT_ONCE = """
[1,0]<stderr>:Traceback (most recent call last):
[1,1]<stderr>:Traceback (most recent call last):
[1,0]<stderr>:  File "train.py", line 2, in <module>
[1,1]<stderr>:  File "train.py", line 2, in <module>
[1,1]<stderr>:ValueError: shard 1
[1,0]<stderr>:ValueError: shard 0
MPI_ABORT was invoked on rank 0 in communicator MPI_COMM_WORLD
"""

AT_EXIT = """
Traceback (most recent call last):
  File "train.py", line 1, in <module>
ValueError: the cause
Exception ignored in: <function Pool.__del__ at 0x7f>
Traceback (most recent call last):
  File "pool.py", line 271, in __del__
ResourceWarning: unclosed pool
"""


@pytest.mark.parametrize(
    ("stderr", "headline"),
    [
        (PLAIN, "ValueError: bad data"),
        (CHAINED, "RuntimeError: row 7 has no label"),
        (RANK, "ValueError: shard 3"),
        (AT_EXIT, "ValueError: the cause"),
        (TWO_RANKS_AT_ONCE, "ValueError: shard 1"),
        ("  File 't.py', line 1\n    def f(\n         ^\nSyntaxError: '(' was never closed", None),
        ("usage: t.py [-h]\nt.py: error: unrecognized arguments: --epochs 3", None),
        ("terminate called after throwing an instance of 'c10::Error'", None),
        ("./train.sh: line 3: nosuch: command not found", None),
    ],
)
def test_headline(stderr: str, headline: str | None) -> None:
    cause = find_cause(lines(stderr))
    assert cause is not None
    assert cause.headline == (headline or lines(stderr)[-1])


def test_pip_error_before_its_notices() -> None:
    stderr = (
        "ERROR: Could not find a version that satisfies the requirement nosuch\n"
        "ERROR: No matching distribution found for nosuch\n"
        "[notice] A new release of pip is available"
    )
    cause = find_cause(lines(stderr))
    assert cause is not None
    assert cause.headline == "ERROR: No matching distribution found for nosuch"


def test_frames_and_message_of_several_lines() -> None:
    cause = find_cause(lines(PLAIN + "2 validation errors for Row\nlabel: missing"))
    assert cause is not None
    assert cause.message == ("2 validation errors for Row", "label: missing")
    assert cause.frames[-1] == '    raise ValueError("bad data")'


def test_terminal_colours_are_taken_off() -> None:
    cause = find_cause(["\x1b[1;31mValueError\x1b[0m: \x1b[31mred\x1b[0m"])
    assert cause is not None
    assert cause.headline == "ValueError: red"


def test_traceback_cut_before_its_exception_is_not_one() -> None:
    assert find_cause(["Traceback (most recent call last):", '  File "x.py", line 1']) is not None


def test_silence_has_no_cause() -> None:
    assert find_cause([]) is None
    assert find_cause(["", "  "]) is None
