"""Memory maps: the bytes of [LoPAR C.6.6.2] with QEMU 7.2's flags, both versions, and bytes that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import DecodeError
from baseboard.spapr.devices import Device, Dimm
from baseboard.spapr.memory import (
    BlockSet,
    decode_v1,
    decode_v2,
    encode_v1,
    encode_v2,
    lmb_map,
    ram_pieces,
)
from baseboard.spapr.settings import MachineSettings

GIB = 1 << 30
SETTINGS = MachineSettings(ram=GIB, max_ram=2 * GIB, slots=4)
DIMM = Dimm("d0", 0, GIB + 0x1000_0000, 0x2000_0000, node=1)
DEVICES: list[Device] = [DIMM]

V2 = (
    "00000004"
    "00000004 0000000000000000 00000000 ffffffff 000000a0"  # below the device memory
    "00000001 0000000040000000 80000004 ffffffff 00000000"  # a gap
    "00000002 0000000050000000 80000005 00000001 00000108"  # the DIMM
    "00000001 0000000070000000 80000007 ffffffff 00000000"
)
V1 = (
    "00000008"
    "0000000000000000 00000000 00000000 ffffffff 000000a0"
    "0000000010000000 00000000 00000000 ffffffff 000000a0"
    "0000000020000000 00000000 00000000 ffffffff 000000a0"
    "0000000030000000 00000000 00000000 ffffffff 000000a0"
    "0000000040000000 80000004 00000000 ffffffff 00000000"
    "0000000050000000 80000005 00000000 00000001 00000008"
    "0000000060000000 80000006 00000000 00000001 00000008"
    "0000000070000000 80000007 00000000 ffffffff 00000000"
)


def test_both_versions() -> None:
    sets = lmb_map(SETTINGS, DEVICES)
    assert encode_v1(sets) == bytes.fromhex(V1)
    assert encode_v2(sets) == bytes.fromhex(V2)


def test_decoders_read_the_same_map() -> None:
    first, second = decode_v1(bytes.fromhex(V1)), decode_v2(bytes.fromhex(V2))
    assert encode_v1(second) == encode_v1(first)
    assert second[2] == BlockSet(2, 0x5000_0000, 0x8000_0005, 1, 0x108)


def test_a_hole_below_the_device_memory_is_reserved() -> None:
    settings = MachineSettings(ram=0x5000_0000, max_ram=0x7000_0000, slots=1)
    assert [(one.address, one.blocks, one.flags) for one in lmb_map(settings, ())] == [
        (0, 8, 0xA0),
        (2 * GIB, 2, 0),
    ]


@pytest.mark.parametrize(
    ("numa", "pieces"),
    [
        ((), [(0, 4 * GIB, 0), (4 * GIB, 2 * GIB, 0)]),
        ((2 * GIB, 4 * GIB), [(0, 2 * GIB, 0), (2 * GIB, 2 * GIB, 1), (4 * GIB, 2 * GIB, 1)]),
        ((GIB, 0, 5 * GIB), [(0, GIB, 0), (GIB, GIB, 2), (2 * GIB, 2 * GIB, 2), (4 * GIB, 2 * GIB, 2)]),
    ],
)
def test_memory_from_the_start_is_in_powers_of_two(
    numa: tuple[int, ...], pieces: list[tuple[int, int, int]]
) -> None:
    assert ram_pieces(MachineSettings(ram=6 * GIB, numa=numa)) == pieces


@pytest.mark.parametrize(
    "value",
    ["", "00000001", "00000001" + "00" * 23, "00000000 00", "ffffffff" + "00" * 24],
)
def test_what_is_no_map(value: str) -> None:
    for decode in (decode_v1, decode_v2):
        with pytest.raises(DecodeError, match="entries of 24 bytes"):
            decode(bytes.fromhex(value))


def test_a_map_without_end_is_refused() -> None:
    with pytest.raises(DecodeError, match="4294967295 blocks"):
        decode_v2(bytes.fromhex("00000001 ffffffff 0000000000000000 80000000 00000000 00000000"))


@given(st.integers(0, 3), st.binary(max_size=80))
def test_any_bytes_are_a_map_or_a_decode_error(count: int, data: bytes) -> None:
    for decode in (decode_v1, decode_v2):
        try:
            decode(count.to_bytes(4, "big") + data)
        except DecodeError:
            pass


CELL = st.integers(0, 0xFFFF_FFFF)


@given(
    st.lists(
        st.builds(BlockSet, st.integers(1, 64), st.integers(0, (1 << 64) - 1), CELL, CELL, CELL), max_size=5
    )
)
def test_every_map_comes_back(sets: list[BlockSet]) -> None:
    assert decode_v2(encode_v2(sets)) == sets
