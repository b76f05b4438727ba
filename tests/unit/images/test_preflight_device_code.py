"""GPU code is found in whatever pieces a file comes, and nothing else is taken for it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.images.preflight.device_code import Code, DeviceCodeScan, cubin_code
from tests.unit.images.made_images import fatbin, library

TWO = library(fatbin("sm_80", "sm_90a", "compute_90", ptx=(8, 4)), fatbin("sm_80"))


def scanned(data, size=10_000):
    scan = DeviceCodeScan()
    for at in range(0, len(data), size):
        scan.feed(data[at : at + size])
    return scan.result()


def named(found):
    return sorted(map(str, found.codes))


@pytest.mark.parametrize("size", [1, 100, 10_000])
def test_what_nvidias_own_tools_write(size):
    """A kernel that stores a number, by ptxas and fatbinary of CUDA 13.5, with --compress-all.

    `cuobjdump` tells of it sm_75, sm_90a, sm_100a, sm_100 (the family's), and PTX of two.
    """
    found = scanned((Path(__file__).parent / "kernel.fatbin").read_bytes(), size)
    assert named(found) == [
        *("compute_100f", "compute_90a", "sm_100a", "sm_100f", "sm_75", "sm_90a"),
    ]
    assert (found.fatbins.total(), found.damaged) == (1, 0)
    assert {code.ptx_version for code in found.codes if code.kind == "ptx"} == {(8, 8)}


@given(st.integers(1, 700))
def test_any_pieces_tell_the_same(size):
    found = scanned(TWO, size)
    assert named(found) == ["compute_90", "sm_80", "sm_90a"]
    assert (found.fatbins.total(), found.damaged) == (2, 0)
    (ptx,) = (code for code in found.codes if code.kind == "ptx")
    assert ptx.ptx_version == (8, 4)


@given(st.binary(max_size=400), st.binary(max_size=400), st.integers(1, 400))
def test_what_lies_around_makes_no_difference(before, after, size):
    assert named(scanned(before + fatbin("sm_75") + after, size)) == ["sm_75"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF",
        b"\x50\xed\x55\xba",
        b"\x50\xed\x55\xba" * 50,
        fatbin("sm_80")[:16] + b"\xff" * 200,
        fatbin("sm_80").replace(b"\x01\x00\x10\x00", b"\x02\x00\x10\x00", 1),
    ],
    ids=["empty", "no code", "the magic alone", "often", "no entry", "another version"],
)
def test_the_magic_alone_is_no_code(data):
    assert scanned(data) is None


@pytest.mark.parametrize("cut", [50, 200])
def test_a_fatbin_that_breaks_off_is_told(cut):
    found = scanned(fatbin("sm_80", "sm_90")[: -cut if cut == 50 else cut])
    assert found.damaged == 1


def test_an_entry_that_leads_out_of_its_fatbin_is_told():
    whole = bytearray(fatbin("sm_80", "sm_90"))
    second = 16 + 64 + 48
    whole[second + 8 : second + 16] = b"\xff" * 8
    found = scanned(bytes(whole) + b"x" * 1000)
    assert (named(found), found.damaged) == (["sm_80"], 1)


@pytest.mark.parametrize(
    ("code", "runs_on", "not_on"),
    [
        ("sm_80", [(8, 0), (8, 6), (8, 9)], [(7, 5), (9, 0)]),
        ("sm_86", [(8, 6), (8, 9)], [(8, 0), (9, 0)]),
        ("sm_90a", [(9, 0)], [(8, 9), (10, 0)]),
        ("sm_100f", [(10, 0), (10, 3)], [(12, 0), (9, 0)]),
        ("sm_100a", [(10, 0)], [(10, 3)]),
        ("compute_70", [(7, 0), (7, 5), (8, 0), (12, 0)], [(6, 1)]),
        ("compute_90a", [(9, 0)], [(10, 0), (8, 0)]),
        ("compute_100f", [(10, 0), (10, 3)], [(12, 0)]),
    ],
)
def test_which_gpus_take_which_code(code, runs_on, not_on):
    (found,) = scanned(fatbin(code)).codes
    assert str(found) == code
    assert [found.runs_on(each) for each in runs_on] == [True] * len(runs_on)
    assert [found.runs_on(each) for each in not_on] == [False] * len(not_on)


def test_fatbins_without_code_for_a_gpu_are_counted():
    found = scanned(library(fatbin("sm_80"), fatbin("sm_90"), fatbin("sm_90")))
    assert (found.without((8, 0)), found.without((9, 0)), found.without((7, 0))) == (2, 1, 3)


@pytest.mark.parametrize(
    ("abi", "flags", "capability"),
    [(7, 0x00500550, (8, 0)), (8, 0x06004B04, (7, 5)), (8, 0x06006402, (10, 0))],
)
def test_a_cubin_tells_its_architecture_in_its_flags(abi, flags, capability):
    head = bytearray(b"\x7fELF\x02\x01\x01\x33".ljust(64, b"\0"))
    head[8], head[18], head[48:52] = abi, 190, flags.to_bytes(4, "little")
    found = cubin_code(bytes(head))
    assert found is not None
    assert found.codes == {Code(kind="cubin", capability=capability)}
    head[18] = 62
    assert cubin_code(bytes(head)) is None
