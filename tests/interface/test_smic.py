"""SMIC: transactions in bytes, the driver against the engine, and whatever a host may do."""

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
from baseboard.interface.smic import Smic, SmicDriver
from baseboard.ipmi.message import Message

DATA, CONTROL, FLAGS = 0, 1, 2
RX, TX, SMI, EVT, SMS, BUSY = 0x80, 0x40, 0x10, 0x08, 0x04, 0x01


class Host:
    """A host by hand."""

    def __init__(self, smic: Smic) -> None:
        self.data, self.write_data = smic.registers[0]
        self.status, self.write_control = smic.registers[1]
        self.flags, self.write_flags = smic.registers[2]

    def transact(self, control: int, data: int | None = None) -> str:
        """One transaction; status, data and ready flags afterwards."""
        if data is not None:
            self.write_data(data)
        self.write_control(control)
        self.write_flags(self.flags() | BUSY)
        assert not self.flags() & BUSY
        return f"{self.status():02x} {self.data():02x} {self.flags() & (RX | TX):02x}"


@pytest.fixture
def smic() -> Smic:
    smic = Smic()
    HandlerSeam(smic.engine, echo)
    return smic


@pytest.fixture
def host(smic: Smic) -> Host:
    return Host(smic)


def test_a_transfer(host: Host) -> None:
    assert host.transact(0x40) == "c0 00 80"
    assert host.transact(0x41, 0x18) == "c1 18 40"
    assert host.transact(0x42, 0x01) == "c2 01 40"
    assert host.transact(0x43, 0x77) == "c3 00 80"
    assert host.transact(0x44) == "c4 1c 80"
    assert host.transact(0x45) == "c5 01 80"
    assert host.transact(0x45) == "c5 00 80"
    assert host.transact(0x45) == "c6 77 80"
    assert host.transact(0x46) == "c0 00 80"
    assert host.transact(0x40) == "c0 00 80"


# fmt: off
AT_THE_WRONG_TIME = [
    pytest.param("4201",                      "01", id="write next without start"),
    pytest.param("4301",                      "01", id="write end without start"),
    pytest.param("44",                        "01", id="read without an answer"),
    pytest.param("45",                        "01", id="read next without an answer"),
    pytest.param("46",                        "01", id="read end without an answer"),
    pytest.param("4118 40",                   "01", id="get status ends a transfer"),
    pytest.param("4118 4301 45",              "01", id="read next before read start"),
    pytest.param("4118 4301 44 44",           "01", id="read start twice"),
    pytest.param("4118 4301 44 46",           "01", id="read end before the last byte"),
    pytest.param("4118 4301 44 4201",         "01", id="write next while reading"),
    pytest.param("4118 4301 44 45 45 45",     "01", id="read next after the last byte"),
    pytest.param("47",                        "02", id="no control code"),
    pytest.param("00",                        "02", id="no control code either"),
    pytest.param("4118 ff",                   "02", id="no control code in a transfer"),
    pytest.param("60",                        "01", id="another stream"),
    pytest.param("4118" + " 4200" * 255,      "05", id="buffer full"),
    pytest.param("4118" + " 4200" * 254 + " 4300", "05", id="buffer full at the end"),
]
# fmt: on


@pytest.mark.parametrize(("transactions", "code"), AT_THE_WRONG_TIME)
def test_at_the_wrong_time(host: Host, transactions: str, code: str) -> None:
    for transaction in transactions.split():
        answer = host.transact(*bytes.fromhex(transaction))
    assert answer == f"c0 {code} 80"
    test_a_transfer(host)


def test_waiting_for_the_controller() -> None:
    smic = Smic()
    host = Host(smic)
    host.transact(0x41, 0x18)
    assert host.transact(0x43, 0x01) == "c3 00 00"
    request = smic.engine.next_event()
    assert isinstance(request, RequestReceived)
    assert smic.engine.unanswered() == (request,)
    assert smic.engine.respond(request.id, b"\x00")
    assert host.flags() == RX
    host.transact(0x41, 0x18)
    host.transact(0x43, 0x01)
    late = smic.engine.next_event()
    assert isinstance(late, RequestReceived)
    assert host.transact(0x44) == "c0 03 80", "no response yet"
    assert smic.engine.next_event() == RequestAbandoned(late.id)
    assert not smic.engine.respond(late.id, b"\x00")


def test_only_busy_is_the_hosts(smic: Smic, host: Host) -> None:
    before = host.flags()
    host.write_flags(0xFE)
    assert host.flags() == before
    host.write_flags(0x00)
    assert host.flags() == before


def test_attention(smic: Smic, host: Host) -> None:
    levels: list[bool] = []
    smic.latch.irq_changed = levels.append
    smic.engine.set_attention(True, True)
    assert host.flags() & SMS
    assert levels == []
    smic.engine.set_interrupt(True)
    assert levels == [True]
    test_a_transfer(host)
    assert host.flags() & SMS
    smic.engine.set_attention(False, False)
    assert not host.flags() & SMS
    assert levels == [True, False]
    smic.engine.set_event_attention(True)
    smic.engine.set_smi(True)
    assert host.flags() & (EVT | SMI) == EVT | SMI
    smic.engine.set_smi(False)
    assert host.flags() & (EVT | SMI) == EVT


@given(st.lists(messages, min_size=1, max_size=4))
def test_driver_and_engine(requests: list[Message]) -> None:
    smic = Smic()
    HandlerSeam(smic.engine, echo)
    driver = SmicDriver(Direct(smic.registers))
    for request in requests:
        driver.send_request(request, 0.0)
        assert run(driver) == answered(request)


class Lossy(Direct):
    """Registers of which some reads lie, and into which some writes get lost."""

    def __init__(self, smic: Smic, faults: list[str]) -> None:
        super().__init__(smic.registers)
        self.faults = faults

    def read(self, register: int) -> int:
        value = super().read(register)
        if self.faults and register in (CONTROL, FLAGS):
            fault = self.faults.pop()
            if register == CONTROL and fault == "status":
                return 0xC0
            if register == FLAGS and fault == "busy":
                return value | BUSY
            if register == FLAGS and fault == "not ready":
                return value & ~(RX | TX)
        return value


@given(messages, st.lists(st.sampled_from(["", "", "status", "busy", "not ready"]), max_size=60))
def test_a_lossy_latch(request: Message, faults: list[str]) -> None:
    """The answer, or a report; never a wrong answer, and afterwards all is well."""
    smic = Smic()
    HandlerSeam(smic.engine, echo)
    registers = Lossy(smic, faults)
    driver = SmicDriver(registers)
    driver.send_request(request, 0.0)
    outcome = run(driver)
    assert isinstance(outcome, TransferFailed) or outcome == answered(request)
    registers.faults = []
    driver.send_request(request, 0.0)
    assert run(driver) == answered(request)


@given(messages, st.data())
def test_abort_at_every_step(request: Message, data: st.DataObject) -> None:
    """GET_STATUS ends what is under way, wherever that is, and says so."""
    smic = Smic()
    if data.draw(st.booleans()):
        HandlerSeam(smic.engine, echo)
    driver = SmicDriver(Direct(smic.registers))
    driver.send_request(request, 0.0)
    for _ in range(data.draw(st.integers(0, 2 * len(request.data) + 12))):
        driver.step(0.0)
    if (outcome := driver.next_event()) is None:
        driver.abort(0.0)
        assert run(driver) in (TransferFailed(None, "aborted"), TransferFailed(0x01, "aborted"))
        assert smic.latch.status == 0xC0
    else:
        assert outcome == answered(request)
    driver.send_request(request, 0.0)
    assert run(driver, each=lambda: pump(smic.engine)) == answered(request)


@given(messages, st.data())
def test_a_stuck_busy_at_every_step(request: Message, data: st.DataObject) -> None:
    """The BMC stops in the middle: reported, and when it goes on all is well."""
    smic = Smic()
    HandlerSeam(smic.engine, echo)
    asked = smic.latch.host_asked
    driver = SmicDriver(Direct(smic.registers))
    driver.send_request(request, 0.0)
    for _ in range(data.draw(st.integers(0, 2 * len(request.data) + 8))):
        driver.step(0.0)
    if driver.phase.name not in ("IDLE", "LEAVING"):  # then nothing is left to be asked
        smic.latch.host_asked = lambda: None
        outcome = run(driver)
        assert isinstance(outcome, TransferFailed)
        assert outcome.reason.startswith("no progress while")
    elif driver.phase.name == "LEAVING":
        assert run(driver) == answered(request)
    smic.latch.host_asked = asked
    asked()
    driver.send_request(request, 100.0)
    assert run(driver, 100.0) == answered(request)


@given(messages, st.data())
def test_an_error_code_at_every_step(request: Message, data: st.DataObject) -> None:
    """The BMC answers RDY and a code in the middle: the transfer is begun again, or reported."""
    smic = Smic()
    HandlerSeam(smic.engine, echo)
    asked = smic.latch.host_asked
    fail_at = data.draw(st.sets(st.integers(0, 60), max_size=6))
    count = 0

    def sometimes() -> None:
        nonlocal count
        count += 1
        if count in fail_at:
            smic.engine.reset()
            smic.latch.data = 0x03
        else:
            asked()

    smic.latch.host_asked = sometimes
    driver = SmicDriver(Direct(smic.registers))
    driver.send_request(request, 0.0)
    outcome = run(driver)
    assert outcome == answered(request) or (isinstance(outcome, TransferFailed) and len(fail_at) > 3)
    smic.latch.host_asked = asked
    driver.send_request(request, 100.0)
    assert run(driver, 100.0) == answered(request)


def test_a_stuck_bmc_is_reported(smic: Smic) -> None:
    smic.latch.host_asked = lambda: None
    driver = SmicDriver(Direct(smic.registers))
    driver.send_request(Message(6, 0, 1), 0.0)
    outcome = run(driver)
    assert isinstance(outcome, TransferFailed)
    assert "no progress" in outcome.reason


def transact(smic: Smic, control: int, data: int) -> str:
    return Host(smic).transact(control, data)


accesses = st.one_of(
    st.tuples(st.just("read"), st.integers(0, 2)),
    st.tuples(st.just("write"), st.integers(0, 2), st.integers(0, 255)),
    st.tuples(st.just(transact), st.integers(0x3F, 0x48), st.integers(0, 255)),
    responses(20),
    FROM_THE_CONTROLLER,
)


@given(st.lists(accesses, min_size=1, max_size=80), st.integers(0, 80))
@settings(max_examples=300)
def test_any_access_and_a_cut_anywhere(sequence: list[Access], cut: int) -> None:
    """Nothing raises; and one that was moved to a new instance goes on as one that was not."""
    with_a_cut(Smic, sequence, cut)


@given(messages)
@settings(max_examples=25)
def test_a_cut_at_every_access_of_a_transfer(request: Message) -> None:
    with_a_cut_at_every_access(Smic(), SmicDriver, request)
