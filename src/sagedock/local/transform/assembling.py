"""Answers put together to the object that is stored.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformOutput.html
"""

from typing import BinaryIO, Literal

__all__ = ["Assembler", "AssemblyType", "output_key"]

AssemblyType = Literal["None", "Line"]

#: What an output's key has more than its input's. Source: API_TransformOutput, S3OutputPath.
_SUFFIX = ".out"


class Assembler:
    """Writes answers into a file in the order of their payloads, in whatever order they come."""

    def __init__(self, file: BinaryIO, assemble_with: AssemblyType) -> None:
        self._file = file
        self._lines = assemble_with == "Line"
        self._next = 0
        self._early: dict[int, bytes] = {}

    @property
    def written(self) -> int:
        """How many answers are in the file."""
        return self._next

    @property
    def early(self) -> int:
        """How many answers wait for those before them."""
        return len(self._early)

    def take(self, number: int, answer: bytes) -> None:
        """Take the answer to payload ``number``, counted from 0."""
        if number != self._next:
            self._early[number] = answer
            return
        self._write(answer)
        while (waiting := self._early.pop(self._next, None)) is not None:
            self._write(waiting)

    def _write(self, answer: bytes) -> None:
        """Write one answer; with Line it ends with a newline, which is not doubled (unverified)."""
        self._file.write(answer)
        if self._lines and not answer.endswith(b"\n"):
            self._file.write(b"\n")
        self._next += 1


def output_key(relative: str) -> str:
    """Return the key of an input's output below S3OutputPath."""
    return f"{relative}{_SUFFIX}"
