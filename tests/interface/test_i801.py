"""The SMBus controller: drivers do what the datasheet says, and anybody may do anything.

The drivers follow the datasheet's description of software's part, not our controller. [ICH9 5.20, 21.2]
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interface.conversation import echo, pump
from tests.interface.smbus_memory import Memory
from tests.moved import through_text

from baseboard.interface import HandlerSeam
from baseboard.interface.bus.i801 import Controller, I801Function, Quirk
from baseboard.interface.bus.smbus import SmBus
from baseboard.interface.ssif import Ssif

STS, CNT, CMD, SLVA, D0, D1, BLOCK, PEC, AUX_STS, AUX_CTL, SLV_CMD = 0, 2, 3, 4, 5, 6, 7, 8, 12, 13, 17
START, INTREN, KILL, LAST_BYTE = 0x40, 0x01, 0x02, 0x20
DS, INUSE, ALERT, FAILED, DEV_ERR, INTR, BUSY = 0x80, 0x40, 0x20, 0x10, 0x04, 0x02, 0x01
QUICK, BYTE, BYTE_DATA, WORD_DATA, PROCESS_CALL, BLOCK_DATA = (kind << 2 for kind in range(6))
E32B, AAC = 0x02, 0x01
SSIF = 0x10
GET_DEVICE_ID, ANSWER = b"\x18\x01", b"\x1c\x01\x00"


class Host:
    """A controller, its bus with an SSIF and a memory, and the driver's part."""

    def __init__(self, quirks: Quirk = Quirk.NONE) -> None:
        self.ssif = Ssif()
        HandlerSeam(self.ssif.engine, echo)
        self.memory = Memory()
        self.bus = SmBus()
        self.bus.attach(self.ssif.target, address=SSIF)
        self.bus.attach(self.memory, address=0x50)
        self.function = I801Function(self.bus, self.ssif, pin=1, quirks=quirks)
        self.function.write_configuration(4, 1)
        self.read, self.write = self.function.read, self.function.write

    def run(self, kind: int, address: int, *, read: bool = False, **registers: int) -> int:
        """A transfer from set-up to status, which is cleared."""
        self.write(SLVA, address << 1 | read)
        for name, value in registers.items():
            self.write({"command": CMD, "d0": D0, "d1": D1}[name], value)
        self.write(CNT, kind | START)
        status = self.read(STS)
        self.write(STS, status & ~INUSE)
        return status & ~INUSE

    def write_block(self, command: int, data: bytes, control: int = 0) -> int:
        self.read(CNT)
        for byte in data:
            self.write(BLOCK, byte)
        return self.run(BLOCK_DATA | control, SSIF, command=command, d0=len(data))

    def read_block(self, command: int) -> bytes | int:
        status = self.run(BLOCK_DATA, SSIF, read=True, command=command)
        if status != INTR:
            return status
        self.read(CNT)
        return bytes(self.read(BLOCK) for _ in range(self.read(D0)))


@pytest.fixture
def host() -> Host:
    return Host()


def test_who_it_is(host: Host) -> None:
    read = host.function.read_configuration
    assert (read(0, 4), read(8, 4) >> 8) == (0x29308086, 0x0C0500)
    assert read(0x20, 4) == 0x00000001, "BAR 4 is I/O"
    host.function.write_configuration(0x20, 0xFFFFFFFF, 4)
    assert read(0x20, 4) == 0xFFFFFFE1, "of 32 bytes"
    assert read(0x40) == 0x01, "enabled"


def test_a_disabled_controller_is_not_there(host: Host) -> None:
    host.function.write_configuration(0x40, 0)
    host.write(CMD, 0x55)
    assert (host.read(CMD), host.read(D0, 2)) == (0xFF, 0xFFFF)
    host.function.write_configuration(0x40, 1)
    assert host.read(CMD) == 0


@pytest.mark.parametrize("read", [False, True])
def test_quick(host: Host, read: bool) -> None:
    assert host.run(QUICK, 0x50, read=read) == INTR
    assert host.memory.quick == [read]
    assert host.run(QUICK, 0x51, read=read) == DEV_ERR


def test_bytes_and_words(host: Host) -> None:
    assert host.run(BYTE_DATA, 0x50, command=0x20, d0=0xA5) == INTR
    assert host.run(BYTE_DATA, 0x50, read=True, command=0x20) == INTR
    assert host.read(D0) == 0xA5
    assert host.run(WORD_DATA, 0x50, command=0x30, d0=0x34, d1=0x12) == INTR
    assert host.memory.content[0x30:0x32] == b"\x34\x12"
    assert host.run(WORD_DATA, 0x50, read=True, command=0x40) == INTR
    assert (host.read(D0), host.read(D1)) == (0x40, 0x41)
    assert host.run(BYTE, 0x50, command=0x77) == INTR, "send byte: where the memory is read next"
    assert host.run(BYTE, 0x50, read=True) == INTR
    assert host.read(D0) == 0x77
    for kind in (BYTE, BYTE_DATA, WORD_DATA):
        assert host.run(kind, 0x51, command=1) == host.run(kind, 0x51, read=True) == DEV_ERR


@pytest.mark.parametrize("kind", [4, 6, 7])
def test_kinds_that_are_not_there(host: Host, kind: int) -> None:
    assert host.run(kind << 2, 0x50) == host.run(kind << 2, 0x50, read=True) == DEV_ERR


@pytest.mark.parametrize("aux", [E32B, E32B | AAC])
def test_a_request_in_blocks(host: Host, aux: int) -> None:
    host.write(AUX_CTL, aux)
    assert host.write_block(0x02, GET_DEVICE_ID) == INTR
    assert host.read_block(0x03) == ANSWER
    assert host.read(AUX_STS) == 0


@pytest.mark.parametrize("count", [0, 33, 255])
def test_a_block_of_no_length(host: Host, count: int) -> None:
    host.write(AUX_CTL, E32B)
    assert host.run(BLOCK_DATA, SSIF, command=2, d0=count) == DEV_ERR


def test_a_busy_controller_is_not_acknowledged(host: Host) -> None:
    """The host sees DEV_ERR until the answer is there, and then the answer."""
    host.ssif.engine.wake = lambda: None
    host.write(AUX_CTL, E32B)
    assert host.write_block(0x02, GET_DEVICE_ID) == INTR
    assert [host.read_block(0x03), host.read_block(0x03)] == [DEV_ERR, DEV_ERR]
    pump(host.ssif.engine)
    assert host.read_block(0x03) == ANSWER


def byte_by_byte(host: Host, count: int, data: bytes = b"") -> Iterator[int]:
    """What software does without the buffer, until the controller is done."""
    host.write(BLOCK, data[0] if data else 0)
    host.write(CNT, BLOCK_DATA | START)
    for number in range(1, count + 1):
        status = host.read(STS) & ~INUSE
        assert status == DS | BUSY
        if number == count and not data:
            host.write(CNT, BLOCK_DATA | LAST_BYTE)
        yield host.read(BLOCK)
        if data and number < count:
            host.write(BLOCK, data[number])
        host.write(STS, DS)
    assert host.read(STS) & ~INUSE == INTR
    host.write(STS, INTR)


def test_a_request_byte_by_byte(host: Host) -> None:
    host.write(SLVA, SSIF << 1)
    host.write(CMD, 0x02)
    host.write(D0, 4)
    assert bytes(byte_by_byte(host, 4, b"\x18\x01\xaa\xbb")) == b"\x18\x01\xaa\xbb"
    host.write(SLVA, SSIF << 1 | 1)
    host.write(CMD, 0x03)
    assert bytes(byte_by_byte(host, 5)) == b"\x1c\x01\x00\xbb\xaa"
    assert host.read(D0) == 5


def test_reading_ends_with_the_byte_that_is_called_last(host: Host) -> None:
    host.write(AUX_CTL, E32B)
    host.write_block(0x02, GET_DEVICE_ID)
    host.write(AUX_CTL, 0)
    host.write(SLVA, SSIF << 1 | 1)
    host.write(CMD, 0x03)
    assert bytes(byte_by_byte(host, 2)) == b"\x1c\x01"


def test_a_block_that_is_killed(host: Host) -> None:
    host.write(SLVA, SSIF << 1)
    host.write(CMD, 0x02)
    host.write(D0, 4)
    host.write(CNT, BLOCK_DATA | START)
    assert host.read(STS) == DS | BUSY
    host.write(CNT, BLOCK_DATA | START)
    assert host.read(STS) & ~INUSE == DS | BUSY, "START while busy"
    host.write(CNT, KILL)
    assert host.read(STS) & ~INUSE == DS | FAILED
    host.write(CNT, KILL | QUICK | START)
    host.write(STS, 0xFF)
    assert host.read(STS) == 0, "none starts while KILL is set"


@pytest.mark.parametrize(("offset", "value", "width"), [(0x40, 0x09, 1), (0x40, 0x09, 4), (0x3F, 0x0900, 2)])
def test_a_soft_reset(host: Host, offset: int, value: int, width: int) -> None:
    """SSRESET ends what is under way; the bit reads 0."""
    host.write(SLVA, SSIF << 1)
    host.write(D0, 4)
    host.write(CNT, BLOCK_DATA | START | INTREN)
    assert host.function.level
    host.function.write_configuration(offset, value, width)
    assert host.function.read_configuration(0x40) == 0x01
    assert not host.function.level
    assert (host.read(STS), host.read(D0)) == (0, 4)
    assert host.run(QUICK, 0x50) == INTR


def test_the_semaphore(host: Host) -> None:
    assert [host.read(STS), host.read(STS)] == [0, INUSE]
    host.write(STS, 0)
    assert host.read(STS) == INUSE
    host.write(STS, INUSE)
    assert [host.read(STS), host.read(STS)] == [0, INUSE]


def test_status_bits_are_cleared_by_ones(host: Host) -> None:
    host.write(SLVA, 0x51 << 1)
    host.write(CNT, QUICK | START)
    host.write(SLVA, 0x50 << 1)
    host.write(CNT, QUICK | START)
    assert host.read(STS) == DEV_ERR | INTR
    host.write(STS, INTR)
    assert host.read(STS) == DEV_ERR | INUSE
    host.write(STS, 0xFF)
    assert host.read(STS) == 0


def test_a_wrong_packet_error_code(host: Host) -> None:
    """The memory knows no codes: what follows its bytes is the next byte."""
    host.write(AUX_CTL, AAC)
    assert host.run(BYTE_DATA, 0x50, read=True, command=0x20) == DEV_ERR
    assert (host.read(AUX_STS), host.read(PEC)) == (0x01, 0x21)
    host.write(AUX_STS, 0x01)
    assert host.read(AUX_STS) == 0
    host.write(AUX_CTL, E32B)
    host.write(PEC, 0x00)
    assert host.write_block(0x02, GET_DEVICE_ID, 0x80) == DEV_ERR, "a code by hand that is wrong"
    host.write(PEC, 0x66)  # CRC-8 of 20 02 02 18 01, by another implementation
    assert host.write_block(0x02, GET_DEVICE_ID, 0x80) == INTR


def test_interrupts(host: Host) -> None:
    levels: list[bool] = []
    host.function.intx = levels.append
    host.write(SLVA, 0x50 << 1)
    host.write(CNT, QUICK | START)
    assert levels == []
    host.write(CNT, INTREN)
    assert levels == [True]
    host.write(STS, INTR)
    assert levels == [True, False]
    host.write(CNT, QUICK | START | INTREN)
    assert levels[2:] == [True]
    host.function.reset()
    assert levels[3:] == [False]


def test_an_alert(host: Host) -> None:
    """The controller latches it, and the alert response address tells who it was."""
    host.write(AUX_CTL, E32B)
    host.ssif.engine.set_interrupt(True)
    assert host.write_block(0x02, GET_DEVICE_ID) == INTR | ALERT
    assert host.run(BYTE, 0x0C, read=True) == INTR
    assert host.read(D0) == 0x20
    assert host.run(BYTE, 0x0C, read=True) == DEV_ERR, "it has let go"
    host.write(SLV_CMD, 0x04)
    assert host.write_block(0x02, GET_DEVICE_ID) == INTR, "disabled"


accesses = st.tuples(
    st.booleans(),
    st.one_of(st.sampled_from((STS, CNT, CMD, SLVA, D0, BLOCK, AUX_CTL)), st.integers(-4, 40)),
    st.one_of(
        st.sampled_from((0x14 | START, 0x18 | START, DS, 0x20, 0x21, 0xA0, 0xA1, 2, 3, 0xFF)),
        st.integers(0, 1 << 32),
    ),
    st.sampled_from((1, 1, 1, 2, 4)),
)


@given(
    st.lists(accesses, max_size=60),
    st.integers(0, 60),
    st.one_of(st.sampled_from((Quirk.NONE, Quirk.QEMU)), st.integers(0, Quirk.QEMU.value).map(Quirk)),
)
def test_any_access_and_a_cut_anywhere(
    sequence: list[tuple[bool, int, int, int]], cut: int, quirks: Quirk
) -> None:
    """Nothing raises, nothing grows; and what was moved to a new instance goes on as what was not."""
    stays, moves = Host(quirks), Host(quirks)
    for number, (writes, offset, value, width) in enumerate(sequence):
        if number == cut:
            old, moves = moves, Host(quirks)
            moves.memory.content[:], moves.memory.position = old.memory.content, old.memory.position
            moves.ssif.target.restore(old.ssif.target.export())
            moves.ssif.engine.restore(old.ssif.engine.export())
            moves.function.controller.restore(through_text(old.function.controller.export()))
            moves.function.restore(through_text(old.function.export()))
        results = []
        for one in (stays, moves):
            if writes:
                one.write(offset, value, width)
            else:
                results.append(one.read(offset, width))
        assert results[:1] == results[1:]
    assert stays.function.controller.export() == moves.function.controller.export()
    assert stays.function.export() == moves.function.export()
    assert len(stays.function.controller.export().block) == 32


def test_a_controller_without_pci() -> None:
    bus = SmBus()
    controller = Controller(bus)
    controller.registers[SLVA].write(0x20)
    controller.registers[CNT].write(START)
    assert controller.registers[STS].read() == DEV_ERR, "nobody is there"
