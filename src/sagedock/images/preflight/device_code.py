"""GPU code in a file: the fatbins of nvcc, found while the file streams by.

A fatbin is a header (magic, version, length) and entries, one for each architecture: machine code
(a cubin, for ``sm_90``) or PTX (``compute_90``), often compressed. Only their headers are read, so
a library of gigabytes costs no memory. NVIDIA documents no layout: this one was read from what its
own `fatbinary` of CUDA 13.5 writes and `cuobjdump` tells, and from libraries built with 12.1, 13.0.
"""

import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Code", "DeviceCode", "DeviceCodeScan", "cubin_code"]

_MAGIC = b"\x50\xed\x55\xba"
_FATBIN = struct.Struct("<4sHHQ")
#: kind, version, length of the header and of what follows, PTX minor and major, architecture, flags
_ENTRY = struct.Struct("<HHIQ8xHHI8xQ")
_PTX, _CUBIN = 1, 2
_LONGEST_ENTRY_HEADER = 64 * 1024
_OF_ONE_CHIP, _OF_A_FAMILY = 0x100000, 0x200000
_ARCHITECTURES = range(10, 1000)
#: A file with more kinds of fatbins than this is told of by the first ones.
_MOST_REGIONS = 1_000
_ELF_HEADER, _ELF_MACHINE_CUDA, _ELF_NEWER_ABI = 64, 190, 8


@dataclass(frozen=True, kw_only=True, order=True)
class Code:
    """Code for one architecture. ``only`` is ``a`` for this very chip, ``f`` for its family.

    ``ptx_version`` is the language's, of PTX alone.
    """

    kind: Literal["cubin", "ptx"]
    capability: tuple[int, int]
    only: Literal["", "a", "f"] = ""
    ptx_version: tuple[int, int] = (0, 0)

    def __str__(self) -> str:
        major, minor = self.capability
        return f"{'sm' if self.kind == 'cubin' else 'compute'}_{major}{minor}{self.only}"

    def runs_on(self, capability: tuple[int, int]) -> bool:
        """Say whether a GPU takes it: cubins within a major version, PTX from its own on.

        Source: https://docs.nvidia.com/cuda/cuda-c-programming-guide/#application-compatibility
        """
        if self.only == "a":
            return capability == self.capability
        same = self.kind == "ptx" and not self.only
        return capability >= self.capability and (same or capability[0] == self.capability[0])


@dataclass(frozen=True, kw_only=True)
class DeviceCode:
    """All fatbins of a file, alike ones together: which code each has, and how many there are.

    ``damaged`` counts those whose entries lead outside of them.
    """

    fatbins: Counter[frozenset[Code]] = field(default_factory=Counter)
    damaged: int = 0

    @property
    def codes(self) -> frozenset[Code]:
        """All code of all fatbins."""
        return frozenset().union(*self.fatbins)

    def without(self, capability: tuple[int, int]) -> int:
        """Return how many fatbins have nothing for a GPU of ``capability``."""
        return sum(
            count
            for codes, count in self.fatbins.items()
            if not any(code.runs_on(capability) for code in codes)
        )


class DeviceCodeScan:
    """Finds the fatbins of a file that is fed piece by piece."""

    def __init__(self) -> None:
        self._left = b""
        self._skip = 0
        self._until: int | None = None  # bytes left of the fatbin that is read now
        self._codes: set[Code] = set()
        self._fatbins: Counter[frozenset[Code]] = Counter()
        self._damaged = 0

    def feed(self, piece: bytes) -> None:
        """Look at the file's next bytes."""
        if self._skip >= len(piece):
            self._skip -= len(piece)
            return
        data, at = self._left + piece[self._skip :], 0
        self._skip = 0
        while at is not None and at < len(data):
            reached = self._search(data, at) if self._until is None else self._entry(data, at)
            if reached is None:
                break
            at = reached
        self._skip = max(0, at - len(data))
        self._left = data[at:]

    def result(self) -> DeviceCode | None:
        """Return what was found, None where there is no GPU code."""
        if self._skip or (self._until is not None and self._codes):
            self._damaged += 1  # the file ends within a fatbin
        if self._until is not None:
            self._close()
        if not self._fatbins and not self._damaged:
            return None
        return DeviceCode(fatbins=self._fatbins, damaged=self._damaged)

    def _search(self, data: bytes, at: int) -> int | None:
        """Return where a fatbin's entries begin, or where to go on; None for want of bytes."""
        found = data.find(_MAGIC, at)
        if found < 0:
            return max(at, len(data) - len(_MAGIC) + 1) if len(data) - at >= len(_MAGIC) else None
        if len(data) - found < _FATBIN.size:
            return found if found > at else None
        header: int
        _, version, header, length = _FATBIN.unpack_from(data, found)
        if version != 1 or header != _FATBIN.size or not length:
            return found + len(_MAGIC)  # four bytes that only look like one
        self._until, self._codes = length, set()
        return found + header

    def _entry(self, data: bytes, at: int) -> int | None:
        until = self._until or 0
        if until < _ENTRY.size:
            self._close()
            return at + until
        if len(data) - at < _ENTRY.size:
            return None
        fields: tuple[int, ...] = _ENTRY.unpack_from(data, at)
        kind, _, header, payload, ptx_minor, ptx_major, arch, flags = fields
        whole = header + payload
        if not _ENTRY.size <= header <= _LONGEST_ENTRY_HEADER or whole > until:
            self._damaged += bool(self._codes)  # without any, those bytes were no fatbin
            self._close()
            return at
        if kind in (_PTX, _CUBIN) and arch in _ARCHITECTURES:
            self._codes.add(_code(kind, arch, flags, (ptx_major, ptx_minor)))
        self._until = until - whole
        if not self._until:
            self._close()
        return at + whole

    def _close(self) -> None:
        codes = frozenset(self._codes)
        if codes and (codes in self._fatbins or len(self._fatbins) < _MOST_REGIONS):
            self._fatbins[codes] += 1
        self._until = None


def cubin_code(head: bytes) -> DeviceCode | None:
    """Return the code of a file that is a cubin itself, of whose ``head`` 64 bytes are enough.

    Where its architecture lies in the flags depends on the version of its ABI.
    """
    if head[:4] != b"\x7fELF" or len(head) < _ELF_HEADER:
        return None
    (machine,), (flags,) = struct.unpack_from("<H", head, 18), struct.unpack_from("<I", head, 48)
    if machine != _ELF_MACHINE_CUDA:
        return None
    arch = flags >> 8 & 0xFF if head[8] >= _ELF_NEWER_ABI else flags & 0xFF
    code = Code(kind="cubin", capability=divmod(arch, 10))
    return DeviceCode(fatbins=Counter([frozenset([code])]))


def _code(kind: int, arch: int, flags: int, ptx_version: tuple[int, int]) -> Code:
    only: Literal["", "a", "f"] = ""
    if flags & _OF_ONE_CHIP:
        only = "a"
    elif flags & _OF_A_FAMILY:
        only = "f"
    capability = divmod(arch, 10)
    if kind == _CUBIN:
        return Code(kind="cubin", capability=capability, only=only)
    return Code(kind="ptx", capability=capability, only=only, ptx_version=ptx_version)
