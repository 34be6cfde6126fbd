"""Logs in words, from what people paste."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import DecodeError
from baseboard.spapr.events import ADD, REMOVE, EpowEvent, HotplugEvent, decode, encode
from baseboard.spapr.events.explain import explain, kernel_lines, read_logs

NOON = 1_795_262_400.0  # 2026-11-21 12:00:00
EPOW = encode(EpowEvent(), 7, NOON)
REQUEST = HotplugEvent(2, REMOVE, count=2, index=0x8000_0004, token=5, transactional=False)

# As a kernel prints logs (rtasd); two of them.
KERNEL = """\
[   10.123456] RTAS: 1 -------- RTAS event begin --------
[   10.123457] RTAS 0: 01700060 00000000
[   10.123458] RTAS: 1 -------- RTAS event end ----------
[   11.000000] RTAS: 2 -------- RTAS event begin --------
[   11.000001] RTAS 0: 06340040 00000018 86008e00 00000000 00000000 49424d00
[   11.000002] RTAS 1: 41424308 00000000
[   11.000003] RTAS: 2 -------- RTAS event end ----------
"""


def test_a_kernels_messages() -> None:
    logs = read_logs(KERNEL.encode())
    assert [log.hex() for log in logs] == [
        "0170006000000000",
        "0634004000000018" + "86008e00000000000000000049424d00" + "4142430800000000",
    ]


def test_lines_are_as_the_kernel_has_them() -> None:
    assert kernel_lines(EPOW).startswith(
        "RTAS 0: 06340040 0000006c 86008e00 00000000 00000000 49424d00\nRTAS 1: 5048"
    )
    assert read_logs(kernel_lines(EPOW).encode()) == [EPOW]


@pytest.mark.parametrize("given_", [EPOW, EPOW.hex().encode(), EPOW.hex(" ", 4).encode() + b"\n"])
def test_other_forms(given_: bytes) -> None:
    assert read_logs(given_) == [EPOW]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "nothing was given"),
        (b" \n", "nothing was given"),
        (b"hello", "neither hex digits nor"),
        (b"063", "neither hex digits nor"),
        (b"RTAS 0: 063", "RTAS 0: an odd number"),
    ],
)
def test_what_is_none(data: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        read_logs(data)


def test_a_request_in_words() -> None:
    words = dict(explain(decode(encode(REQUEST, 7, NOON))))
    assert words["request"] == (
        "remove memory: 2 connectors from 0x80000004, as many as can be; token 0x00000005"
    )
    assert words["type"] == "hot plug"
    assert words["date"] == "2026-11-21 12:00:00"
    assert words["  subsystem"] == "platform firmware (0x80)"


def test_a_warning_in_words() -> None:
    words = dict(explain(decode(EPOW)))
    assert words["warning"] == "system shutdown: normal shutdown, no delay, this partition"
    battery = dict(explain(decode(encode(EpowEvent(3, 2, 0), 7, NOON))))
    assert battery["warning"] == "system shutdown: utility power lost, on battery, the whole system"


def test_a_log_of_something_else() -> None:
    first, second = (
        dict(explain(decode(log))) for log in read_logs(KERNEL.encode().replace(b"41424308", b"41420008"))
    )
    assert (first["severity"], first["type"]) == ("error, synchronous", "unknown (0x60)")
    assert (second["section AB"], second["  bytes"]) == ("unknown, version 0", "none")


def test_a_log_that_would_colour_the_terminal() -> None:
    log = encode(HotplugEvent(5, ADD, name="C\x1b[31m4"), 0, 0).replace(b"UH", b"\x1bU")
    lines = [f"{name} {value}" for name, value in explain(decode(log))]
    assert "section '\\x1bU' unknown, version 0" in lines
    assert "request add PCI: connector 'C\\x1b[31m4'" in lines
    assert all(line.isprintable() for line in lines)


def test_a_second_head_that_is_too_short() -> None:
    log = bytearray(EPOW + bytes.fromhex("5048000900000000ff"))
    log[7] += 9
    assert dict(explain(decode(bytes(log))))["log identifier"] == "0x00000007"


@given(st.binary(max_size=300))
def test_whatever_is_pasted_is_explained_or_refused(data: bytes) -> None:
    for given_ in (data, EPOW[:24] + data, EPOW[:72] + data):
        try:
            for log in read_logs(given_):
                assert all((name + value).isprintable() for name, value in explain(decode(log)))
        except DecodeError:
            pass
