"""One layer, read once: which files it has, and what of them the checks want to know."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from sagedock.images.preflight.archive import Bytes
from sagedock.images.preflight.device_code import DeviceCode, DeviceCodeScan, cubin_code
from sagedock.images.preflight.files import Entry, Files, Leak
from sagedock.images.preflight.layer_files import read_files
from sagedock.images.preflight.secrets import secrets_in

__all__ = ["read_layer"]

_MIB = 1024 * 1024
#: Of each layer, one megabyte in so many is compressed, to tell what all of it would be.
_SAMPLED = 32
#: How much of a file is searched for secrets, and kept of one whose text is wanted.
_SEARCHED, _KEPT = 4 * _MIB, 64 * 1024
_DPKG = "var/lib/dpkg/status"
_KEPT_OF_DPKG = 16 * _MIB
_LONGEST_SHEBANG = 256
#: All texts of a layer together: an image that has more is not made to be read.
_KEPT_OF_ALL = 64 * _MIB
_EXECUTABLE = 0o111
#: Files whose text the checks read.
_WANTED = re.compile(
    r".*\.(?:dist|egg)-info/WHEEL|(?:.*/)?torch/version\.py|(?:.*/)?cuda[^/]*/version\.(?:json|txt)"
    r"|etc/ld\.so\.conf(?:\.d/[^/]+)?|etc/os-release|usr/lib/os-release|var/lib/dpkg/status(?:\.d/.*)?"
)
_LIBC = re.compile(r"(?:.*/)?libc(?:\.so\.6|-2\.\d+\.so)")
_GLIBC_SAYS = re.compile(rb"GNU C Library [^\n]{0,80}? version (\d+\.\d+)")


def read_layer(source: Bytes) -> Files:
    """Return a layer's files. Whatever it holds, only this is kept in memory."""
    sample = _Sample(source)
    layer = read_files(Bytes(sample.chunks()), _looked_at)
    layer.size, layer.packed_size = sample.size, sample.packed_size
    return layer


def _looked_at(layer: Files, path: str, entry: Entry, content: Iterator[memoryview]) -> Entry:
    beginning, rest = _beginning(content)
    layer.leaks += [Leak(path=path, what=what) for what in secrets_in(path, beginning)]
    code = None
    if beginning[:4] == b"\x7fELF" or path.endswith(".fatbin"):
        code = _device_code(beginning, rest)
    elif entry.size > len(beginning) and b"\0" not in beginning[: 8 * 1024]:
        layer.unread += 1
    text = _text(path, entry, beginning, rest)
    layer.kept += len(text)
    return replace(entry, text=text if layer.kept <= _KEPT_OF_ALL else b"", code=code)


def _beginning(content: Iterator[memoryview]) -> tuple[bytes, Iterator[memoryview]]:
    pieces, size = [], 0
    for piece in content:
        pieces.append(bytes(piece))
        size += len(piece)
        if size >= _SEARCHED:
            break
    return b"".join(pieces), content


def _device_code(beginning: bytes, rest: Iterator[memoryview]) -> DeviceCode | None:
    if (itself := cubin_code(beginning)) is not None:
        return itself
    scan = DeviceCodeScan()
    for piece in chain([beginning], rest):
        scan.feed(bytes(piece))
    return scan.result()


def _text(path: str, entry: Entry, beginning: bytes, rest: Iterator[memoryview]) -> bytes:
    if path == _DPKG:
        whole = beginning + b"".join(map(bytes, rest)) if entry.size <= _KEPT_OF_DPKG else b""
        return _packages_of_dpkg(whole)
    if _WANTED.fullmatch(path):
        return beginning[:_KEPT]
    if _LIBC.fullmatch(path) and (said := _GLIBC_SAYS.search(beginning)):
        return said[1]
    if entry.mode & _EXECUTABLE and beginning[:2] == b"#!":
        return beginning[:_LONGEST_SHEBANG].partition(b"\n")[0]
    return b""


def _packages_of_dpkg(status: bytes) -> bytes:
    """Return the lines of names, states and versions: the rest is most of it."""
    return b"\n".join(re.findall(rb"^(?:(?:Package|Status|Version): .*|)$", status, re.MULTILINE))


class _Sample:
    """Passes a layer's bytes on, and compresses some of them as a push would all."""

    def __init__(self, source: Bytes) -> None:
        self._source = source
        self.size = 0
        self._taken = 0
        self._packed = 0

    @property
    def packed_size(self) -> int:
        """The size of the whole layer, compressed as what was taken of it."""
        return round(self._packed * self.size / self._taken) if self._taken else 0

    def chunks(self) -> Iterator[bytes]:
        """Yield the layer, a megabyte at a time."""
        number = 0
        while chunk := self._source.up_to(_MIB):
            if number % _SAMPLED == 0:
                self._taken += len(chunk)
                self._packed += len(zlib.compress(chunk))
            number += 1
            self.size += len(chunk)
            yield chunk
