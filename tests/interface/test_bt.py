"""BT: the flags in bytes, the driver against the engine, and whatever a host may do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.interface.accesses import (
    FROM_THE_CONTROLLER,
    Access,
    messages,
    responses,
    with_a_cut,
    with_a_cut_at_every_access,
)
from tests.interface.conversation import answered, echo, pump, run

from baseboard.errors import ConfigError
from baseboard.interface import HandlerSeam, RequestAbandoned, RequestReceived, ResetRequested
from baseboard.interface.bt import Bt, BtDriver, Quirk
from baseboard.interface.driver import Direct, TransferFailed
from baseboard.ipmi.message import Message

CLR_WR, CLR_RD, H2B, B2H, SMS, OEM0, H_BUSY, B_BUSY = (1 << bit for bit in range(8))
requests = messages.filter(lambda message: message[:3] != (6, 0, 0x36))
"""Get BT Interface Capabilities is answered by the interface."""


class Host:
    """A host by hand."""

    def __init__(self, bt: Bt) -> None:
        self.control, self.write_control = bt.registers[0]
        self.read, self.write = bt.registers[1]
        self.mask, self.write_mask = bt.registers[2]

    def ask(self, message: str) -> None:
        self.write_control(CLR_WR)
        for byte in bytes.fromhex(message):
            self.write(byte)
        self.write_control(H2B)

    def answer(self) -> str:
        assert self.control() & B2H
        self.write_control(H_BUSY)
        assert self.control() & H_BUSY
        self.write_control(B2H)
        self.write_control(CLR_RD)
        length = self.read()
        data = bytes((length, *(self.read() for _ in range(length))))
        self.write_control(H_BUSY)
        return data.hex(" ")


@pytest.fixture
def bt() -> Bt:
    bt = Bt()
    HandlerSeam(bt.engine, echo)
    return bt


@pytest.fixture
def host(bt: Bt) -> Host:
    return Host(bt)


def test_a_transfer(host: Host) -> None:
    assert host.control() == 0
    host.ask("03 18 05 01")
    assert host.control() == B2H
    assert host.answer() == "04 1c 05 01 00"
    assert host.control() == 0
    host.ask("06 19 06 2f 01 02 03")
    assert host.answer() == "07 1d 06 2f 00 03 02 01"


def test_an_answer_can_be_read_again(host: Host) -> None:
    host.ask("03 18 05 01")
    assert [host.read() for _ in range(7)] == [0x04, 0x1C, 0x05, 0x01, 0x00, 0xFF, 0xFF]
    host.write_control(CLR_RD)
    assert host.read() == 0x04


def test_capabilities(host: Host) -> None:
    """[IPMI 22.10]"""
    host.ask("03 18 01 36")
    assert host.answer() == "09 1c 01 36 00 08 ff ff 0a 00"


def test_several_requests_at_a_time() -> None:
    bt = Bt(outstanding=2)
    host = Host(bt)
    host.ask("03 18 01 01")
    assert host.control() == 0
    host.ask("03 18 02 02")
    assert host.control() == B_BUSY, "that was one as many as may be"
    host.ask("03 18 03 03")
    assert host.control() == B_BUSY | H2B, "it stays in the buffer"
    first, second = bt.engine.next_event(), bt.engine.next_event()
    assert isinstance(first, RequestReceived)
    assert isinstance(second, RequestReceived)
    assert bt.engine.unanswered() == (first, second)
    assert bt.engine.respond(second.id, b"\x00")
    assert host.control() == B_BUSY | B2H, "an answer out, the third request taken"
    assert bt.engine.respond(first.id, b"\x00")
    assert not bt.engine.respond(first.id, b"\x00")
    third = bt.engine.next_event()
    assert isinstance(third, RequestReceived)
    assert host.answer() == "04 1c 02 02 00"
    assert host.answer() == "04 1c 01 01 00"
    bt.engine.forget(third.id)
    assert not bt.engine.respond(third.id, b"\x00")
    assert host.control() == 0


def test_answers_that_nobody_reads_do_not_pile_up(bt: Bt, host: Host) -> None:
    for sequence in range(40):
        host.ask(f"03 18 {sequence:02x} 01")
    assert host.control() & B_BUSY
    assert len(bt.engine.export().answers) == 8
    answers = [host.answer() for _ in range(10)]
    assert answers[0] == "04 1c 00 01 00"
    assert host.control() == 0


# fmt: off
MALFORMED = [
    pytest.param("",               id="nothing"),
    pytest.param("03",             id="length alone"),
    pytest.param("02 18 01",       id="no command"),
    pytest.param("04 18 01 01",    id="less than promised"),
]
# fmt: on


@pytest.mark.parametrize("message", MALFORMED)
def test_malformed_requests_are_dropped(host: Host, message: str) -> None:
    host.ask(message)
    assert host.control() == 0
    host.ask("03 18 05 01 77 77")
    assert host.answer() == "04 1c 05 01 00", "and more bytes than the length says do not count"


def test_long_answers() -> None:
    for size, answer in ((252, bytes(252)), (253, b"\xca")):
        bt = Bt()
        HandlerSeam(bt.engine, lambda message, context, size=size: bytes(size))  # type: ignore[misc]
        host = Host(bt)
        host.ask("03 18 05 01")
        assert bytes.fromhex(host.answer()) == bytes((len(answer) + 3, 0x1C, 5, 1)) + answer


def test_interrupts(bt: Bt, host: Host) -> None:
    levels: list[bool] = []
    bt.latch.irq_changed = levels.append
    host.ask("03 18 05 01")
    host.write_mask(0x01)
    assert host.mask() == 0x01, "only a rise counts"
    host.answer()
    host.ask("03 18 05 01")
    assert host.mask() == 0x03
    assert levels == [True]
    host.answer()
    assert levels == [True]
    host.write_mask(0x03)
    assert host.mask() == 0x01
    assert levels == [True, False]
    bt.engine.set_attention(True, False)
    assert host.control() == SMS
    assert levels == [True, False]
    host.write_control(SMS)
    assert host.control() == 0
    bt.engine.set_attention(True, True)
    assert levels == [True, False, True]
    host.write_mask(0x00)
    assert levels == [True, False, True, False]
    bt.engine.set_attention(False, False)
    assert host.control() == SMS, "only the host clears it"


def test_a_driver_that_is_interrupted(bt: Bt, host: Host) -> None:
    """It enables, and clears what came; the maker's bits of the mask stay."""
    HandlerSeam(bt.engine, echo)
    driver = BtDriver(Direct(bt.registers))
    driver.enable_interrupt(True)
    host.write_mask(0x15)
    assert not driver.acknowledge_interrupt()
    driver.send_request(Message(6, 0, 1), 0.0)
    driver.step(0.0)
    assert bt.latch.irq
    assert host.mask() == 0x17
    assert driver.acknowledge_interrupt()
    assert not bt.latch.irq
    assert host.mask() == 0x15
    assert run(driver) == answered(Message(6, 0, 1))
    driver.enable_interrupt(False)
    driver.send_request(Message(6, 0, 1), 0.0)
    assert run(driver) == answered(Message(6, 0, 1))
    assert not bt.latch.irq


def test_oem_bits(bt: Bt, host: Host) -> None:
    host.write_control(OEM0)
    assert bt.engine.oem
    assert host.control() == OEM0
    bt.engine.clear_oem()
    assert not bt.engine.oem
    host.write_mask(0x1C)
    assert host.mask() == 0x1C


def test_reset() -> None:
    """[IPMI 11.6.3], BMC_HWRST"""
    bt = Bt()
    host = Host(bt)
    host.write_mask(0x01)
    host.ask("03 18 05 01")
    host.ask("03 18 06 01")
    request = bt.engine.next_event()
    assert isinstance(request, RequestReceived)
    host.write_control(H_BUSY)
    host.write_mask(0x80)
    host.write_mask(0x80)
    assert (host.control(), host.mask()) == (0, 0)
    assert bt.engine.next_event() == RequestAbandoned(request.id)
    assert bt.engine.next_event() == ResetRequested()
    assert bt.engine.next_event() is None
    assert not bt.engine.respond(request.id, b"\x00")
    assert host.control() == 0


@pytest.mark.parametrize("options", [{"outstanding": 0}, {"outstanding": 65}, {"response_time": 0}])
def test_wrong_settings(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        Bt(**options)  # type: ignore[arg-type]


@given(st.lists(requests, min_size=1, max_size=4), st.sampled_from((Quirk.NONE, Quirk.QEMU, *Quirk)))
def test_driver_and_engine(requests: list[Message], quirks: Quirk) -> None:
    bt = Bt(quirks=quirks)
    HandlerSeam(bt.engine, echo)
    driver = BtDriver(Direct(bt.registers))
    driver.begin()
    for request in requests:
        driver.send_request(request, 0.0)
        assert run(driver) == answered(request)


@given(st.lists(requests, min_size=1, max_size=20), st.integers(1, 8), st.integers(1, 8), st.randoms())
def test_many_requests_answered_in_any_order(requests, ours, theirs, random) -> None:  # type: ignore[no-untyped-def]
    bt = Bt(outstanding=theirs)
    driver = BtDriver(Direct(bt.registers), outstanding=ours)
    for request in requests:
        driver.send_request(request, 0.0)
    taken: list[RequestReceived] = []
    outcomes = []
    for _ in range(500):
        driver.step(0.0)
        while isinstance(event := bt.engine.next_event(), RequestReceived):
            taken.append(event)
        if taken and random.random() < 0.3:
            event = taken.pop(random.randrange(len(taken)))
            assert bt.engine.respond(event.id, b"\x00" + event.message.data[::-1])
        if (outcome := driver.next_event()) is not None:
            outcomes.append(outcome)
    assert sorted(outcomes) == sorted(answered(request) for request in requests)


class Lossy(Direct):
    """Registers of which some reads of BT_CTRL lie, and into which some writes get lost."""

    def __init__(self, bt: Bt, faults: list[str]) -> None:
        super().__init__(bt.registers)
        self.faults = faults

    def read(self, register: int) -> int:
        value = super().read(register)
        if register == 0 and self.faults:
            fault = self.faults.pop()
            if fault == "no B2H_ATN":
                return value & ~B2H
            if fault == "busy":
                return value | B_BUSY
        return value

    def write(self, register: int, value: int) -> None:
        if register == 0 and value == H2B and self.faults and self.faults[-1] == "lost H2B_ATN":
            self.faults.pop()
            return
        super().write(register, value)


@given(requests, st.lists(st.sampled_from(["", "no B2H_ATN", "busy", "lost H2B_ATN"]), max_size=30))
def test_a_lossy_latch(request: Message, faults: list[str]) -> None:
    """The answer, or a report; never a wrong answer, and afterwards all is well."""
    bt = Bt()
    HandlerSeam(bt.engine, echo)
    registers = Lossy(bt, faults)
    driver = BtDriver(registers)
    driver.send_request(request, 0.0)
    outcome = run(driver)
    assert isinstance(outcome, TransferFailed) or outcome == answered(request)
    registers.faults = []
    driver.send_request(request, 100.0)
    assert run(driver, 100.0) == answered(request)


@given(requests, st.data())
def test_abort_at_every_step(request: Message, data: st.DataObject) -> None:
    """What had been asked is forgotten here, and its answer dropped when it comes."""
    bt = Bt()
    driver = BtDriver(Direct(bt.registers))
    driver.send_request(request, 0.0)
    for _ in range(data.draw(st.integers(0, 3))):
        driver.step(0.0)
        if data.draw(st.booleans()):
            pump(bt.engine)
    if (outcome := driver.next_event()) is None:
        driver.abort(0.0)
        assert driver.next_event() == TransferFailed(None, "aborted")
        assert driver.next_deadline() is None
    else:
        assert outcome == answered(request)
    other = data.draw(requests.filter(lambda other: other[:3] != request[:3]))
    driver.send_request(other, 0.0)
    assert run(driver, each=lambda: pump(bt.engine)) == answered(other)


def test_a_stuck_bmc_is_reported_and_reset(bt: Bt) -> None:
    driver = BtDriver(Direct(bt.registers))
    bt.latch.set_busy(True)
    driver.send_request(Message(6, 0, 1), 0.0)
    assert run(driver) == TransferFailed(None, "the BMC takes no request")
    driver.reset()
    driver.send_request(Message(6, 0, 1), 0.0)
    assert run(driver) == answered(Message(6, 0, 1))


def ask(bt: Bt, message: str) -> None:
    Host(bt).ask(message)


accesses = st.one_of(
    st.tuples(st.just("read"), st.integers(0, 2)),
    st.tuples(st.just("write"), st.sampled_from((0, 2)), st.integers(0, 7).map(lambda bit: 1 << bit)),
    st.tuples(st.just("write"), st.integers(0, 2), st.integers(0, 255)),
    st.tuples(st.just(ask), st.sampled_from(("03 18 05 01", "03 18 05 36", "05 18 07 01 02 03", "09 01"))),
    responses(400),
    FROM_THE_CONTROLLER,
)


@given(
    st.lists(accesses, min_size=1, max_size=80),
    st.integers(0, 80),
    st.sampled_from((Quirk.NONE, Quirk.QEMU, *Quirk)),
)
@settings(max_examples=300)
def test_any_access_and_a_cut_anywhere(sequence: list[Access], cut: int, quirks: Quirk) -> None:
    """Nothing raises; and one that was moved to a new instance goes on as one that was not."""
    bt = with_a_cut(lambda: Bt(quirks=quirks, outstanding=3), sequence, cut)
    assert len(bt.engine.export().undelivered) <= 70


@given(requests)
@settings(max_examples=25)
def test_a_cut_at_every_access_of_a_transfer(request: Message) -> None:
    with_a_cut_at_every_access(Bt(), BtDriver, request)
