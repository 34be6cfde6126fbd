"""Stop replies, as QEMU 7.2 and qemu-user 10 send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.attach.gdb_stops import Ended, Stop, Syscall, Watch, is_stop, parse_stop
from baseboard.errors import DecodeError


@pytest.mark.parametrize(
    ("payload", "stop"),
    [
        pytest.param(b"S05", Stop(5), id="a signal alone"),
        pytest.param(b"T05thread:01;", Stop(5, "01"), id="a breakpoint"),
        pytest.param(
            b"T05thread:p01.02;watch:00000000f0007000;",
            Stop(5, "p01.02", Watch("watch", 0xF0007000)),
            id="a watchpoint",
        ),
        pytest.param(
            b"T05thread:02;awatch:1000;", Stop(5, "02", Watch("awatch", 0x1000)), id="either access"
        ),
        pytest.param(
            b"T05syscall_entry:ff;thread:01;",
            Stop(5, "01", syscall=Syscall(0xFF, True)),
            id="enters sys_rtas",
        ),
        pytest.param(b"T05syscall_return:4;", Stop(5, syscall=Syscall(4, False)), id="returns from write"),
        pytest.param(b"W03", Stop(3, ended=Ended.EXIT), id="exited"),
        pytest.param(b"W00;process:1", Stop(0, ended=Ended.EXIT), id="exited, multiprocess"),
        pytest.param(b"X0b", Stop(11, ended=Ended.SIGNAL), id="ended by a signal"),
    ],
)
def test_stop_replies(payload: bytes, stop: Stop) -> None:
    assert is_stop(payload)
    assert parse_stop(payload) == stop


@pytest.mark.parametrize("payload", [b"OK", b"E14", b"", b"Text=0;Data=0", b"05", b"vCont;c;C;s;S", b"T0"])
def test_other_answers(payload: bytes) -> None:
    assert not is_stop(payload)


@pytest.mark.parametrize("payload", [b"OK", b"T05watch:xyz;", b"Txx", b"S", b"", b"\xff\xff", b"W"])
def test_nonsense_is_a_decode_error(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_stop(payload)


@given(st.binary(max_size=40))
def test_any_bytes(payload: bytes) -> None:
    try:
        parse_stop(b"T05" + payload)
    except DecodeError:
        pass


def test_qemu_11_begins_with_the_core() -> None:
    assert is_stop(b"T05core:01;")
    assert parse_stop(b"T05core:01;awatch:1e789140;").watch == Watch("awatch", 0x1E789140)
