"""KCS: the flow charts in bytes, the driver against the engine, and whatever a host may do."""

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

from baseboard.interface import HandlerSeam, RequestAbandoned, RequestReceived
from baseboard.interface.driver import Direct, TransferFailed
from baseboard.interface.kcs import Kcs, KcsDriver, Quirk
from baseboard.ipmi.message import Context, Message

DATA, STATUS, COMMAND = 0, 1, 1
IDLE, READ, WRITE, ERROR = 0x00, 0x40, 0x80, 0xC0


class Host:
    """A host by hand."""

    def __init__(self, kcs: Kcs) -> None:
        self.read_data, self.write_data = kcs.registers[0]
        self.status, self.command = kcs.registers[1]

    def state(self) -> int:
        """S1, S0; OBF is read away as the flow charts do."""
        status = self.status()
        assert not status & 0x02
        if status & 0x01:
            self.read_data()
        return status & 0xC0

    def begin(self, request: bytes) -> None:
        self.command(0x61)
        assert self.state() == WRITE
        for byte in request[:-1]:
            self.write_data(byte)
            assert self.state() == WRITE
        self.command(0x62)
        assert self.state() == WRITE
        self.write_data(request[-1])

    def answer(self) -> bytes:
        data = bytearray()
        while self.status() & 0xC0 == READ:
            assert self.status() & 0x01
            data.append(self.read_data())
            self.write_data(0x68)
        assert self.status() & 0xC1 == IDLE | 1, "the end of a read transfer has a dummy byte"
        assert self.read_data() == 0
        return bytes(data)

    def status_code(self) -> int:
        """The error exit.  [IPMI Figure 9-9]"""
        self.command(0x60)
        self.state()
        self.write_data(0x00)
        assert self.status() & 0xC1 == READ | 1
        code = self.read_data()
        self.write_data(0x68)
        assert self.state() == IDLE
        return code


@pytest.fixture
def kcs() -> Kcs:
    kcs = Kcs()
    HandlerSeam(kcs.engine, echo)
    return kcs


@pytest.fixture
def host(kcs: Kcs) -> Host:
    return Host(kcs)


def test_a_transfer(host: Host) -> None:
    host.begin(bytes.fromhex("18 01"))
    assert host.answer() == bytes.fromhex("1c 01 00")
    host.begin(bytes.fromhex("19 2f 01 02 03"))
    assert host.answer() == bytes.fromhex("1d 2f 00 03 02 01")


def test_after_a_reset_the_state_is_error(kcs: Kcs, host: Host) -> None:
    """[IPMI Table 9-2]; GET_STATUS brings no error, WRITE_START is legal."""
    assert host.status() == ERROR
    assert host.status_code() == 0x00
    host.begin(bytes.fromhex("18 01"))
    kcs.reset()
    assert host.status() == ERROR
    host.begin(bytes.fromhex("18 01"))
    assert host.answer() == bytes.fromhex("1c 01 00")


def test_command_bit(host: Host) -> None:
    host.command(0x61)
    assert host.status() & 0x08
    host.write_data(0x18)
    assert not host.status() & 0x08


# fmt: off
STATUS_CODES = [
    pytest.param("d00",                     0x02, id="data while idle"),
    pytest.param("c63",                     0x02, id="unknown control code"),
    pytest.param("c62",                     0x02, id="write end while idle"),
    pytest.param("c61 d18 c62 c62",         0x02, id="write end twice"),
    pytest.param("c61 c62 d18",             0x06, id="no command"),
    pytest.param("c61 d18 c62 d01 d67",     0x02, id="not READ while reading"),
    pytest.param("c61 d18 c62 d01 c62",     0x02, id="write end while reading"),
    pytest.param("c61 d18 d01",             0x01, id="abort while writing"),
    pytest.param("c61 d18 c62 d01",         0x01, id="abort while reading"),
    pytest.param("c61 d18 c62 d01 d68",     0x01, id="abort in the middle of reading"),
    pytest.param("c61 d18 c62 d01 d68 d68 d68", 0x00, id="no error"),
    pytest.param("c61" + " d18" * 301,      0x06, id="too long"),
    pytest.param("c61" + " d18" * 300 + " c62 d01", 0x06, id="too long by the last byte"),
]
# fmt: on


@pytest.mark.parametrize(("writes", "code"), STATUS_CODES)
def test_status_codes(host: Host, writes: str, code: int) -> None:
    assert host.status_code() == 0x00
    for write in writes.split():
        (host.command if write[0] == "c" else host.write_data)(int(write[1:], 16))
    assert host.status_code() == code
    assert host.status_code() == code, "kept until the next transfer"
    host.begin(bytes.fromhex("18 01"))
    assert host.answer() == bytes.fromhex("1c 01 00")
    assert host.status_code() == 0x00


def test_abort_while_the_controller_is_busy() -> None:
    kcs = Kcs()
    host = Host(kcs)
    host.begin(bytes.fromhex("18 01"))
    assert host.status() & 0xC3 == READ, "IBF is released at once, OBF comes with the answer"
    request = kcs.engine.next_event()
    assert isinstance(request, RequestReceived)
    assert request.message == Message(6, 0, 1)
    assert kcs.engine.unanswered() == (request,)
    assert host.status_code() == 0x01
    assert kcs.engine.next_event() == RequestAbandoned(request.id)
    assert not kcs.engine.respond(request.id, b"\x00")
    assert host.status() & 0xC1 == IDLE
    host.begin(bytes.fromhex("18 01"))
    pump(kcs.engine)
    assert host.answer() == bytes.fromhex("1c 01 00")


def test_a_request_that_nobody_took_is_forgotten_with_its_abort() -> None:
    kcs = Kcs()
    host = Host(kcs)
    host.begin(bytes.fromhex("18 01"))
    host.command(0x60)
    assert kcs.engine.next_event() is None


def test_interrupts(kcs: Kcs, host: Host) -> None:
    levels: list[bool] = []
    kcs.latch.irq_changed = levels.append
    host.status_code()
    assert levels == []
    kcs.engine.set_interrupt(True)
    host.command(0x61)
    assert levels == [True]
    host.status()
    assert levels == [True], "reading Status does not clear it"
    host.read_data()
    assert levels == [True, False]
    host.write_data(0x18)
    kcs.engine.set_interrupt(False)
    kcs.engine.set_interrupt(True)
    assert levels == [True, False, True, False, True], "the level follows OBF and enable"


def test_attention_interrupts_by_a_dummy_byte(kcs: Kcs, host: Host) -> None:
    host.status_code()
    host.read_data()
    kcs.engine.set_interrupt(True)
    kcs.engine.set_attention(True, False)
    assert host.status() == IDLE | 0x04
    kcs.engine.set_attention(True, True)
    assert kcs.latch.irq
    assert host.status() == IDLE | 0x05
    host.read_data()
    assert not kcs.latch.irq
    assert host.status() == IDLE | 0x04, "until the cause is gone"
    kcs.engine.set_attention(False, False)
    assert host.status() == IDLE
    host.begin(bytes.fromhex("18 01"))
    kcs.engine.set_attention(True, True)
    assert host.answer() == bytes.fromhex("1c 01 00")
    assert host.status() == IDLE | 0x04


def test_oem_bits(kcs: Kcs, host: Host) -> None:
    host.status_code()
    kcs.engine.set_oem(2)
    host.begin(bytes.fromhex("18 01"))
    assert host.answer() == bytes.fromhex("1c 01 00")
    assert host.status() & 0x30 == 0x20


@given(st.lists(messages, min_size=1, max_size=4), st.sampled_from((Quirk.NONE, Quirk.QEMU, *Quirk)))
def test_driver_and_engine(requests: list[Message], quirks: Quirk) -> None:
    kcs = Kcs(quirks=quirks)
    HandlerSeam(kcs.engine, echo)
    driver = KcsDriver(Direct(kcs.registers))
    for request in requests:
        driver.send_request(request, 0.0)
        assert run(driver) == answered(request)


class Lossy(Direct):
    """Registers of which some reads of Status lie, or whose OBF gets lost."""

    def __init__(self, kcs: Kcs, faults: list[str]) -> None:
        super().__init__(kcs.registers)
        self.kcs = kcs
        self.faults = faults

    def read(self, register: int) -> int:
        value = super().read(register)
        if register == STATUS and self.faults:
            fault = self.faults.pop()
            if fault == "no OBF":
                return value & ~0x01
            if fault == "lost OBF":
                self.kcs.latch.read_data()
                return value & ~0x01
            if fault == "IBF":
                return value | 0x02
            if fault == "error":
                return value | ERROR
        return value


@given(messages, st.lists(st.sampled_from(["", "", "", "no OBF", "lost OBF", "IBF", "error"]), max_size=60))
def test_a_lossy_latch(request: Message, faults: list[str]) -> None:
    """The answer, or a report; never a wrong answer, and afterwards all is well."""
    kcs = Kcs()
    HandlerSeam(kcs.engine, echo)
    registers = Lossy(kcs, faults)
    driver = KcsDriver(registers)
    driver.send_request(request, 0.0)
    outcome = run(driver)
    assert isinstance(outcome, TransferFailed) or outcome == answered(request)
    registers.faults = []
    driver.send_request(request, 0.0)
    assert run(driver) == answered(request)


def test_a_stuck_ibf_is_reported(kcs: Kcs) -> None:
    kcs.latch.host_wrote = lambda: None
    driver = KcsDriver(Direct(kcs.registers))
    driver.send_request(Message(6, 0, 1), 0.0)
    outcome = run(driver)
    assert isinstance(outcome, TransferFailed)
    assert "no progress" in outcome.reason


@given(messages, st.data())
def test_a_stuck_ibf_at_every_step(request: Message, data: st.DataObject) -> None:
    """The BMC stops in the middle: reported, and when it goes on all is well."""
    kcs = Kcs()
    HandlerSeam(kcs.engine, echo)
    wrote = kcs.latch.host_wrote
    driver = KcsDriver(Direct(kcs.registers))
    driver.send_request(request, 0.0)
    for _ in range(data.draw(st.integers(0, 2 * len(request.data) + 6))):
        driver.step(0.0)
    kcs.latch.host_wrote = lambda: None
    outcome = run(driver)
    assert isinstance(outcome, TransferFailed)
    assert outcome.reason.startswith("no progress while")
    assert kcs.latch.status & 0x02
    kcs.latch.host_wrote = wrote
    wrote()
    driver.send_request(request, 100.0)
    assert run(driver, 100.0) == answered(request)


@given(messages, st.data())
def test_abort_at_every_step(request: Message, data: st.DataObject) -> None:
    kcs = Kcs()
    if data.draw(st.booleans()):
        HandlerSeam(kcs.engine, echo)
    driver = KcsDriver(Direct(kcs.registers))
    driver.send_request(request, 0.0)
    for _ in range(data.draw(st.integers(0, 3 * len(request.data) + 8))):
        driver.step(0.0)
    if (outcome := driver.next_event()) is None:
        driver.abort(0.0)
        outcome = run(driver)
        assert outcome == TransferFailed(outcome.code, "aborted")  # type: ignore[union-attr]
        assert outcome.code in (0x00, 0x01)
    driver.send_request(request, 0.0)
    assert run(driver, each=lambda: pump(kcs.engine)) == answered(request)


accesses = st.one_of(
    st.tuples(st.just("read"), st.integers(0, 1)),
    st.tuples(st.just("write"), st.integers(0, 1), st.sampled_from((0x60, 0x61, 0x62, 0x68, 0x18, 0x01))),
    st.tuples(st.just("write"), st.integers(0, 1), st.integers(0, 255)),
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
    with_a_cut(lambda: Kcs(quirks=quirks), sequence, cut)


@given(messages)
@settings(max_examples=25)
def test_a_cut_at_every_access_of_a_transfer(request: Message) -> None:
    with_a_cut_at_every_access(Kcs(), KcsDriver, request)


def test_the_seam_sets_the_time_and_commits_before_the_answer(host: Host, kcs: Kcs) -> None:
    order: list[object] = []

    def handler(message: Message, context: Context) -> bytes:
        order.append(context.now)
        return b"\x00"

    def handled(now: float) -> None:
        order.append(("handled", now, kcs.engine.unanswered()[0].message.command))

    HandlerSeam(kcs.engine, handler, now=lambda: 7.0, handled=handled)
    host.begin(bytes.fromhex("18 01"))
    assert order == [7.0, ("handled", 7.0, 1)]
    assert host.answer() == bytes.fromhex("1c 01 00")
