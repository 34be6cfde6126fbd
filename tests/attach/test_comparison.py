"""Where two platforms answer differently: what counts and what does not."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from baseboard.attach.comparison import Comparison, Said

CC = "ibm,configure-connector"
# A hot-plug log of QEMU 7.2: add 2 blocks of memory from 0x80000004.
LOG = (
    "063460e50000006c86008e00000000000000000049424d005048003000000000202611210930120000000000000000004800000300000000"
    "0000000000000000000000000000000055480018000000008000000000000000000000000000000048500014010000000201040000000002"
    "80000004"
)


def area(name: str, value: bytes, index: int = 0x8000_0004) -> bytes:
    text = name.encode() + b"\0"
    return (struct.pack(">5I", index, 0, 20, len(value), 20 + len(text)) + text + value).ljust(4096, b"\0")


def told(status: int, name: str = "", value: bytes = b"") -> Said:
    return (status,), area(name, value)


def test_results() -> None:
    compare = Comparison().differences
    assert compare("get-sensor-state", ((0, 1), b""), ((0, 1), b"")) == []
    assert compare("get-sensor-state", ((-3, 0), b""), ((0, 1), b"")) == [
        "result 0: ours -3, QEMU's 0",
        "result 1: ours 0, QEMU's 1",
    ]
    assert compare("set-power-level", ((-3,), b""), ((-3, 7), b"")) == []  # which we leave as it is


def test_memory() -> None:
    compare = Comparison().differences
    said = ((0,), b"\0\1\0"), ((0,), b"\0\1\1")
    assert compare("ibm,get-system-parameter", *said) == ["memory: ours 000100, QEMU's 000101"]


def test_an_event_has_a_time_of_its_own() -> None:
    ours, theirs = bytes.fromhex(LOG), bytearray.fromhex(LOG)
    theirs[36:44] = bytes.fromhex("2019010100000000")
    compare = Comparison().differences
    assert compare("check-exception", ((0,), ours), ((0,), bytes(theirs))) == []
    theirs[115] = 5
    (text,) = compare("check-exception", ((0,), ours), ((0,), bytes(theirs)))
    assert text.startswith("event: ours HotplugEvent(")
    assert compare("check-exception", ((1,), b""), ((0,), b"")) == ["result 0: ours 1, QEMU's 0"]


def test_a_work_area_that_cannot_be_read() -> None:
    compare = Comparison().differences
    assert compare(CC, ((3,), b""), ((3,), b"")) == []
    assert compare(CC, ((3,), b""), ((-3,), b"")) == ["result 0: ours 3, QEMU's -3"]


def test_properties_in_any_order() -> None:
    compare = Comparison().differences
    assert compare(CC, told(2, "memory@40000000"), told(2, "memory@40000000")) == []
    assert compare(CC, told(3, "reg", b"1"), told(3, "device_type", b"memory")) == []
    assert compare(CC, told(3, "device_type", b"memory"), told(3, "reg", b"2")) == []
    assert compare(CC, told(3, "ours", b""), told(0)) == [
        "result 0: ours 3, QEMU's 0",
        "ours: ours empty, QEMU's none",
        "reg: ours 31, QEMU's 32",
    ]
    assert compare(CC, told(-9003), told(2)) == ["result 0: ours -9003, QEMU's 2"]


@given(st.lists(st.tuples(st.integers(-3, 5), st.binary(max_size=80)), max_size=8))
def test_any_work_area(said: list[tuple[int, bytes]]) -> None:
    comparison = Comparison()
    for status, data in said:
        comparison.differences(CC, told(status), ((status,), data.ljust(4096, b"\xff")))
