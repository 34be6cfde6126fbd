"""The client against a stub that is played: what it sends, and what it makes of the answers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from baseboard.attach.errors import AttachError, NotAttachable
from baseboard.attach.gdb import ACCESS_WATCH, BREAKPOINT, Gdb, GdbRefused, GdbTimeout
from baseboard.attach.gdb_packets import frame
from baseboard.attach.gdb_registers import Register, read_description
from baseboard.attach.gdb_stops import Ended, Syscall, Watch
from baseboard.errors import ConfigError, DecodeError
from tests.attach.peer import Play, played

# As QEMU 7.2 has it: the prefix xi is not declared.
TARGET_XML = (
    b'<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target>'
    b'<architecture>powerpc:common64</architecture><xi:include href="core.xml"/></target>'
)
CORE_XML = (
    b'<?xml version="1.0"?><feature name="org.gnu.gdb.power.core"><reg name="r0" bitsize="64"/>'
    b'<reg name="r1" bitsize="64"/><reg name="pc" bitsize="64" regnum="64"/><reg name="msr" bitsize="64"/>'
    b'<reg name="cr" bitsize="32" regnum="66"/></feature>'
)
BEGIN = [
    (b"qSupported:xmlRegisters=i386", b"PacketSize=1000;qXfer:features:read+;QCatchSyscalls+"),
    (b"qXfer:features:read:target.xml:0,400", b"m" + TARGET_XML[:100]),
    (b"qXfer:features:read:target.xml:64,400", b"l" + TARGET_XML[100:]),
    (b"qXfer:features:read:core.xml:0,400", b"l" + CORE_XML),
    (b"?", b"T05thread:01;"),
    (b"vCont?", b"vCont;c;C;s;S"),
]
DETACH = (b"D", b"OK")


def stub(*conversation: tuple[bytes, bytes], before: bytes = frame(b"T02thread:01;")) -> Play:
    """Expects each packet and answers it; what it did not expect, it says with an error of five letters."""

    def play(connection: socket.socket) -> None:
        connection.sendall(before)
        buffer = b""
        for expected, answer in (*BEGIN, *conversation):
            wanted = expected if expected == b"\3" else frame(expected)
            while wanted not in buffer:
                data = connection.recv(4096)
                if not data:
                    return
                buffer += data
                if len(buffer.replace(b"+", b"")) >= len(wanted) and wanted not in buffer:
                    connection.sendall(frame(b"E!" + buffer))
                    return
            buffer = buffer.partition(wanted)[2]
            connection.sendall(b"+" + (b"" if answer == b"-" else frame(answer)))
        connection.recv(4096)

    return play


Attach = Callable[..., AbstractContextManager[Gdb]]


@pytest.fixture
def attach(tmp_path: Path) -> Attach:
    @contextmanager
    def attached(*conversation: tuple[bytes, bytes]) -> Iterator[Gdb]:
        with played(tmp_path / "gdb", stub(*conversation)) as path:
            gdb = Gdb.connect(f"unix:{path}", "big", timeout=5)
            try:
                yield gdb
            finally:
                gdb.detach()

    return attached


def test_the_description_is_read_and_the_stop_at_attaching_is_passed_over(attach: Attach) -> None:
    with attach(DETACH) as gdb:
        assert gdb.architecture == "powerpc:common64"
        assert gdb.registers["msr"] == Register("msr", 65, 64)
        assert gdb.stop.thread == "01"
        gdb.detach()


def test_registers_and_memory(attach: Attach) -> None:
    with attach(
        (b"p40", b"0000000000000100"),
        (b"P42=80000001", b"OK"),
        (b"Hg02", b"OK"),
        (b"m1000,400", b"00" * 1024),
        (b"m1400,2", b"beef"),
        (b"M10,2:cafe", b"OK"),
        (b"g", b"0000"),
        (b"G0000", b"OK"),
        (b"Qqemu.PhyMemMode:1", b"OK"),
        DETACH,
    ) as gdb:
        assert gdb.read_register("pc") == 0x100
        gdb.write_register("cr", 0xF_8000_0001)
        gdb.select("02")
        gdb.select("02")
        assert gdb.read_memory(0x1000, 1026) == bytes(1024) + b"\xbe\xef"
        gdb.write_memory(0x10, b"\xca\xfe")
        assert gdb.read_registers() == b"\0\0"
        gdb.write_registers(b"\0\0")
        gdb.physical_memory(True)
        gdb.detach()


def test_points_are_cleared_before_leaving(attach: Attach) -> None:
    with attach(
        (b"Z0,40000,4", b"OK"),
        (b"Z4,f0007000,1", b"OK"),
        (b"vCont;c", b"T05thread:01;watch:f0007000;"),
        (b"z0,40000,4", b"OK"),
        (b"z4,f0007000,1", b"OK"),
        DETACH,
    ) as gdb:
        gdb.set_point(BREAKPOINT, 0x40000)
        gdb.set_point(ACCESS_WATCH, 0xF0007000, 1)
        assert gdb.run().watch == Watch("watch", 0xF0007000)
        gdb.clear_point(BREAKPOINT, 0x40000)
        gdb.detach()
        gdb.detach()


def test_a_running_target_is_stopped_before_leaving(attach: Attach) -> None:
    with attach((b"vCont;c", b"-"), (b"\3", b"T02thread:01;"), DETACH) as gdb:
        gdb.resume()
        with pytest.raises(GdbTimeout):
            gdb.wait(0.01)
        with pytest.raises(AttachError, match="runs"):
            gdb.read_register("pc")
        gdb.detach()


@pytest.mark.parametrize("said", [b"T02thread:02;", b"-"], ids=["QEMU says so", "QEMU 11.1 need not"])
def test_halting_what_others_let_run(said: bytes, attach: Attach) -> None:
    with attach((b"\3", said), (b"qC", b"QC01"), (b"Hg02", b"OK"), (b"p1", b"%016x" % 7), DETACH) as gdb:
        gdb.halt()
        gdb.select("02")
        assert gdb.read_register("r1") == 7


def test_every_thread_and_a_step_of_one(attach: Attach) -> None:
    with attach(
        (b"qfThreadInfo", b"m01,02"),
        (b"qsThreadInfo", b"m03"),
        (b"qsThreadInfo", b"l"),
        (b"Hg03", b"OK"),
        (b"vCont;s:03", b"T05thread:03;"),
        (b"vCont;s:03", b"T05thread:03;"),
        DETACH,
    ) as gdb:
        assert gdb.threads() == ["01", "02", "03"]
        gdb.select("03")
        assert gdb.step().thread == "03"
        gdb.step()


def test_a_stub_with_threads_without_end(attach: Attach) -> None:
    many = [(b"qsThreadInfo", b"m" + b"1," * 199 + b"1")] * 6
    with attach((b"qfThreadInfo", many[0][1]), *many, DETACH) as gdb:
        assert len(gdb.threads()) == 1200


def test_where_detaching_is_unknown_the_target_is_resumed(attach: Attach) -> None:
    with attach((b"D", b""), (b"vCont;c", b"-")) as gdb:
        gdb.detach()
        assert gdb.running


def test_system_calls_and_the_end_of_a_program(attach: Attach) -> None:
    with attach(
        (b"QCatchSyscalls:1;ff;4", b"OK"),
        (b"vCont;c", b"T05syscall_entry:ff;thread:01;"),
        (b"vCont;s:01", b"T05syscall_return:ff;thread:01;"),
        (b"vCont;c", b"W02"),
    ) as gdb:
        gdb.catch_syscalls([255, 4])
        assert gdb.run().syscall == Syscall(255, True)
        assert gdb.step().syscall == Syscall(255, False)
        assert gdb.run().ended == Ended.EXIT
        assert gdb.ended is not None
        assert gdb.ended.signal == 2
        with pytest.raises(AttachError, match="has ended"):
            gdb.read_registers()


def test_what_a_stub_refuses(attach: Attach) -> None:
    with attach((b"m0,4", b"E14"), (b"Z0,0,4", b""), (b"p40", b"zz"), DETACH) as gdb:
        with pytest.raises(GdbRefused, match="'E14'"):
            gdb.read_memory(0, 4)
        with pytest.raises(GdbRefused, match="does not know it"):
            gdb.set_point(BREAKPOINT, 0)
        with pytest.raises(GdbRefused, match="'zz'"):
            gdb.read_register("pc")
        with pytest.raises(NotAttachable, match="no register 'cpsr'; the target is powerpc"):
            gdb.read_register("cpsr")
        gdb.detach()


def test_a_stub_that_hangs_up(attach: Attach) -> None:
    with attach((b"p40", b"0000000000000100"), (b"\3", b"")) as gdb:
        assert gdb.read_register("pc") == 0x100
        with pytest.raises(AttachError, match="hung up"):
            gdb.command(b"qC")


@pytest.mark.parametrize("address", ["", "unix:", "1234", "tcp:localhost", "tcp:localhost:0", "tcp:h:99999"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ConfigError, match="unix:PATH or tcp:HOST:PORT"):
        Gdb.connect(address)


def test_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(AttachError, match="cannot connect"):
        Gdb.connect(f"unix:{tmp_path}/none")


@pytest.mark.parametrize(
    "text",
    [
        b"<target>",
        b'<target><reg name="r0"/></target>',
        b'<target><reg name="r0" bitsize="-1"/></target>',
        b'<target><reg name="r0" bitsize="8" regnum="x"/></target>',
        b'<!DOCTYPE t [<!ENTITY a "b">]><target>&a;</target>',
        b"\xff",
    ],
)
def test_hostile_descriptions(text: bytes) -> None:
    with pytest.raises(DecodeError):
        read_description(lambda _name: text)


def test_a_description_that_includes_for_ever() -> None:
    with pytest.raises(DecodeError, match="does not end"):
        read_description(lambda name: b'<target><xi:include href="%sx"/></target>' % name.encode())
