"""Event logs: the layout that was recorded from QEMU 7.2, LoPAR's variants, and bytes that are none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import DecodeError, LocalProtocolError
from baseboard.spapr.events import ADD, REMOVE, EpowEvent, EventLog, HotplugEvent, decode, encode, shortened

NOON = 1_795_262_400.0  # 2026-11-21 12:00:00

# As QEMU 7.2 writes them; its log identifier is in the host's byte order, which stands big-endian here.
HOTPLUG = (
    "063460e5 0000006c 86008e00 00000000 00000000 49424d00"
    "5048 0030 00 00 0000 20261121 12000000 0000000000000000 48 0000 03 0000000000000000 00000000"
    "00000007 00000000"
    "5548 0018 00 00 0000 80 00 00 00 000000000000000000000000"
    "4850 0014 01 00 0000"
)
EPOW = (
    "06340040 0000006c 86008e00 00000000 00000000 49424d00"
    "5048 0030 00 00 0000 20261121 12000000 0000000000000000 48 0000 03 0000000000000000 00000000"
    "00000007 00000000"
    "5548 0018 00 00 0000 a0 00 00 d0 000000000000000000000000"
    "4550 0014 02 00 0000 03 01 01 00 0000000000000000"
)


@pytest.mark.parametrize(
    ("event", "log"),
    [
        pytest.param(
            HotplugEvent(1, ADD, index=0x1000_0001), HOTPLUG + "01010200 1000000100000000", id="core"
        ),
        pytest.param(
            HotplugEvent(2, ADD, count=4, index=0x8000_0004),
            HOTPLUG + "02010400 0000000480000004",
            id="memory",
        ),
        pytest.param(HotplugEvent(2, ADD, count=4), HOTPLUG + "02010300 0000000400000000", id="count"),
        pytest.param(
            HotplugEvent(5, REMOVE, index=0x4000_0018), HOTPLUG + "05020200 4000001800000000", id="PCI"
        ),
        pytest.param(
            HotplugEvent(4, ADD, index=0x2000_0001), HOTPLUG + "04010200 2000000100000000", id="PHB"
        ),
        pytest.param(EpowEvent(), EPOW, id="power down"),
    ],
)
def test_logs_of_qemu(event: HotplugEvent | EpowEvent, log: str) -> None:
    data = bytes.fromhex(log)
    assert len(data) == 116
    assert encode(event, 7, NOON) == data
    read = decode(data)
    assert read.event == event
    assert (read.date, read.log_id) == ("2026-11-21 12:00:00", 7)


def test_the_host_byte_order_is_a_quirk() -> None:
    log = encode(EpowEvent(), 1, NOON, native_log_id=True)
    assert log[64:68].hex() == "01000000"
    assert encode(EpowEvent(), 1, NOON)[64:68].hex() == "00000001"


@pytest.mark.parametrize(
    ("event", "section"),
    [  # [LoPAR Table 10.29]
        (HotplugEvent(5, ADD, name="C24"), "4850 0010 01 00 0000 05 01 01 00 43323400"),
        (
            HotplugEvent(2, REMOVE, count=2, token=0xCAFE, transactional=False),
            "4850 0018 01 00 0000 02 02 03 c0 0000000200000000 0000cafe",
        ),
    ],
)
def test_what_qemu_never_sends(event: HotplugEvent, section: str) -> None:
    log = encode(event, 0, NOON)
    assert log[96:] == bytes.fromhex(section)
    assert int.from_bytes(log[4:8], "big") == len(log) - 8
    assert decode(log).event == event


def test_a_clock_out_of_range_gives_no_date() -> None:
    assert decode(encode(EpowEvent(), 0, 1e30)).date is None


def test_what_cannot_be_said() -> None:
    with pytest.raises(LocalProtocolError, match="index, a count or a name"):
        encode(HotplugEvent(1, ADD), 0, NOON)
    with pytest.raises(LocalProtocolError, match="no connector's name"):
        encode(HotplugEvent(1, ADD, name="CPU\0"), 0, NOON)


def test_a_log_without_extended_part() -> None:
    assert decode(bytes.fromhex("01700060 00000000")) == EventLog(1, 3, 2, 0, 0, 0x60)


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        pytest.param("0634", "8 bytes at least; there are 2", id="no fixed part"),
        pytest.param("06340040 0000006c 8600", "the log is cut: 10 of 116 bytes", id="cut"),
        pytest.param(EPOW.replace("5548 0018", "5548 0004"), r"section b'UH' has length 4", id="short"),
        pytest.param(EPOW.replace("5548 0018", "5548 0030"), r"section b'UH' has length 48; 44", id="long"),
        pytest.param(HOTPLUG + "02010500 0000000400000000", "identifier type 5", id="identifier"),
        pytest.param(HOTPLUG + "05010100 4141414141414141", "with a NUL behind it", id="name"),
    ],
)
def test_what_is_no_log_is_refused_with_the_reason(log: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode(bytes.fromhex(log))


@given(st.binary(max_size=160))
def test_any_bytes_are_a_log_or_a_decode_error(data: bytes) -> None:
    for log in (data, bytes.fromhex(EPOW)[:24] + data, bytes.fromhex(HOTPLUG) + data):
        try:
            decode(log)
        except DecodeError:
            pass


CELL = st.integers(0, 0xFFFF_FFFF)


@given(
    st.integers(0, 255),
    st.integers(0, 255),
    st.one_of(
        st.fixed_dictionaries({"index": CELL}),
        st.fixed_dictionaries({"count": CELL}),
        st.fixed_dictionaries({"count": CELL, "index": CELL}),
        st.fixed_dictionaries({"name": st.text("ABC 0123456789", max_size=20)}),
    ),
    st.none() | CELL,
    st.booleans(),
)
def test_every_request_comes_back(
    resource: int, action: int, what: dict[str, Any], token: int | None, transactional: bool
) -> None:
    event = replace(HotplugEvent(resource, action, token=token, transactional=transactional), **what)
    assert decode(encode(event, 0, NOON)).event == event


@pytest.mark.parametrize(
    ("room", "length"),
    [(2048, 116), (116, 116), (115, 96), (96, 96), (95, 95), (8, 8), (0, 0)],
)
def test_a_log_that_is_too_long_loses_its_last_section(room: int, length: int) -> None:
    """[LoPAR 10.3.2.2]: what is left says of itself how long it is, and how many sections it has."""
    log = shortened(encode(HotplugEvent(1, ADD, index=0x1000_0001), 7, 0), room)
    assert len(log) == length
    if length == 96:
        assert [section.id for section in decode(log).sections] == ["PH", "UH"]
        assert log[4:8] == bytes.fromhex("00000058")
        assert log[51] == 2
