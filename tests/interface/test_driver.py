"""The hosts' ends before a BMC that is slow, reset, gone or wrong: each wait ends, and is reported."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interface.conversation import answered, echo, pump, run

from baseboard.errors import ConfigError, LocalProtocolError
from baseboard.interface import HandlerSeam, RequestReceived
from baseboard.interface.bt import Bt, BtDriver
from baseboard.interface.bus.smbus import SmBus
from baseboard.interface.driver import Direct, ResponseReceived, TransferFailed, transact
from baseboard.interface.kcs import Kcs, KcsDriver, on_port
from baseboard.interface.smic import Smic, SmicDriver
from baseboard.interface.ssif import Ssif, SsifDriver
from baseboard.ipmi.message import Message

REQUEST = Message(6, 0, 1, b"\x01\x02\x03")
KINDS: list[tuple[Any, Any]] = [(Kcs, KcsDriver), (Bt, BtDriver), (Smic, SmicDriver)]


def ssif_driver(ssif: Ssif) -> SsifDriver:
    bus = SmBus()
    bus.attach(ssif.target, address=0x10)
    return SsifDriver(bus)


class Constant:
    """Registers of which each reads the same for ever."""

    def __init__(self, value: int) -> None:
        self.value = value

    def read(self, register: int) -> int:
        return self.value

    def write(self, register: int, value: int) -> None:
        pass


@pytest.mark.parametrize(("make", "drive"), KINDS)
@given(value=st.sampled_from((0xFF, 0x00)) | st.integers(0, 255))
def test_nothing_there(make: Any, drive: Any, value: int) -> None:
    """FFh where no device answers; any other constant ends as well."""
    driver = drive(Constant(value))
    driver.send_request(REQUEST, 0.0)
    now = 0.0
    while (outcome := driver.next_event()) is None:
        driver.step(now)
        now += 0.5
        assert now < 100.0
    assert isinstance(outcome, TransferFailed)
    assert driver.next_deadline() is None


@pytest.mark.parametrize(("make", "drive"), KINDS)
@given(steps=st.integers(0, 40), silent=st.booleans())
def test_a_reset_at_every_step(make: Any, drive: Any, steps: int, silent: bool) -> None:
    """The request is begun again, or the reset is reported; no answer is cut short."""
    device = make()
    HandlerSeam(device.engine, echo)
    driver = drive(Direct(device.registers))
    driver.send_request(REQUEST, 0.0)
    for _ in range(steps):
        driver.step(0.0)
    if driver.next_event() is None:
        device.reset()
        if silent and make is Kcs:
            device.latch.status = 0  # what registers are that a reset clears, before firmware comes up
        assert run(driver) in (answered(REQUEST), TransferFailed(None, "no answer"))
    driver.send_request(REQUEST, 100.0)
    assert run(driver, 100.0) == answered(REQUEST)


@pytest.mark.parametrize(("make", "drive"), [(Kcs, KcsDriver), (Smic, SmicDriver)])
def test_a_long_wait_for_the_answer(make: Any, drive: Any) -> None:
    device = make()
    driver = drive(Direct(device.registers), timeout=1.0, response_timeout=60.0, retries=0)
    driver.send_request(REQUEST, 0.0)
    while driver.step(0.0):
        pass
    assert driver.next_deadline() == 60.0
    assert not driver.step(59.0)
    pump(device.engine)
    assert run(driver, 59.0) == answered(REQUEST)
    driver.send_request(REQUEST, 60.0)
    while driver.step(60.0):
        pass
    assert driver.step(120.0)
    outcome = run(driver, 120.0)
    assert isinstance(outcome, TransferFailed)
    assert outcome.reason.startswith("no progress while")


def test_without_retries_the_status_code_is_asked_for_all_the_same() -> None:
    kcs = Kcs()
    driver = KcsDriver(Direct(kcs.registers), retries=0)
    driver.send_request(REQUEST, 0.0)
    while driver.step(0.0):
        pass
    assert run(driver) == TransferFailed(0x01, "no progress while WAITING")
    assert kcs.latch.status & 0xC0 == 0x00, "and the interface is idle"


def test_a_dummy_byte_that_never_comes_is_a_reset() -> None:
    """[IPMI Figure 9-8]: OBF is waited for in the idle state at the end, too."""
    kcs = Kcs()
    HandlerSeam(kcs.engine, echo)
    driver = KcsDriver(Direct(kcs.registers), retries=0)
    driver.send_request(REQUEST, 0.0)
    while driver.phase.name != "READING":
        driver.step(0.0)
    kcs.latch.status = 0
    assert run(driver) == TransferFailed(0x01, "no progress while READING")


def test_a_bmc_that_sets_b2h_atn_for_ever() -> None:
    class Stuck(Constant):
        def read(self, register: int) -> int:
            return 0x08 if register == 0 else 0x05

    driver = BtDriver(Stuck(0), retries=0)
    driver.send_request(REQUEST, 0.0)
    assert driver.step(4.9)
    assert driver.next_event() is None
    assert driver.step(5.0)
    assert driver.next_event() == TransferFailed(None, "the BMC takes no request")


def test_an_h_busy_that_somebody_left() -> None:
    bt = Bt()
    HandlerSeam(bt.engine, echo)
    bt.registers[0].write(0x40)
    driver = BtDriver(Direct(bt.registers), retries=0)
    driver.begin()
    assert not bt.latch.control & 0x40
    driver.send_request(REQUEST, 0.0)
    assert run(driver) == answered(REQUEST)
    assert not bt.latch.control & 0x40


@pytest.mark.parametrize(("make", "drive"), [(Kcs, KcsDriver), (Smic, SmicDriver)])
def test_an_answer_without_end(make: Any, drive: Any) -> None:
    """A BMC that always has another byte: refused, and no memory is lost to it."""
    device = make()
    HandlerSeam(device.engine, lambda message, context: bytes(5000))
    driver = drive(Direct(device.registers), retries=0)
    driver.send_request(REQUEST, 0.0)
    outcome = run(driver)
    assert isinstance(outcome, TransferFailed)
    assert outcome.reason == "an answer of more than 1024 bytes"
    HandlerSeam(device.engine, echo)
    driver.send_request(REQUEST, 100.0)
    assert run(driver, 100.0) == answered(REQUEST)


def test_what_the_length_byte_cannot_count() -> None:
    bt = Bt()
    HandlerSeam(bt.engine, echo)
    driver = BtDriver(Direct(bt.registers))
    longest = Message(6, 0, 0x7F, bytes(251))
    driver.send_request(longest, 0.0)
    assert run(driver) == answered(longest)
    driver.send_request(Message(6, 0, 0x7F, bytes(252)), 0.0)
    assert run(driver) == ResponseReceived(7, 0, 0x7F, b"\xca"), "the answer has a byte more"
    driver.send_request(Message(6, 0, 0x7F, bytes(253)), 0.0)
    assert run(driver) == TransferFailed(None, "a request of 255 bytes: BT takes 254")


def test_a_sequence_number_that_is_in_use_is_not_used_again() -> None:
    """One request stays open while 300 others come and go."""
    bt = Bt(outstanding=2)
    driver = BtDriver(Direct(bt.registers), outstanding=2)
    driver.send_request(REQUEST, 0.0)
    while driver.step(0.0):
        pass
    first = bt.engine.next_event()
    assert isinstance(first, RequestReceived)
    for _ in range(300):
        driver.send_request(Message(6, 0, 2), 0.0)
        assert run(driver, each=lambda: pump(bt.engine)) == answered(Message(6, 0, 2))
    assert bt.engine.respond(first.id, b"\x00")
    assert run(driver) == ResponseReceived(7, 0, 1, b"\x00")


@pytest.mark.parametrize("outstanding", [0, 65])
def test_wrong_numbers_of_requests(outstanding: int) -> None:
    with pytest.raises(ConfigError, match="requests at a time: it must be 1 to 64"):
        BtDriver(Constant(0), outstanding=outstanding)


@pytest.mark.parametrize(("make", "drive"), [(Kcs, KcsDriver), (Smic, SmicDriver)])
@pytest.mark.parametrize("head", [b"\x1c\x02", b"\x18\x01", b"\x1d\x01", b"\x20\x01"])
def test_the_answer_to_another_request(make: Any, drive: Any, head: bytes) -> None:
    class Wrong(Direct):
        """The engine's answer with another head."""

        def read(self, register: int) -> int:
            value = super().read(register)
            if register == 0 and driver.phase.name in ("WAITING", "READING") and len(driver._response) < 2:
                return head[len(driver._response)]
            return value

    device = make()
    HandlerSeam(device.engine, echo)
    driver = drive(Wrong(device.registers), retries=1)
    driver.send_request(Message(6, 0, 1), 0.0)
    outcome = run(driver)
    assert isinstance(outcome, TransferFailed)
    assert outcome.reason == f"an answer to another request: {head.hex(' ')}"


@pytest.mark.parametrize(("make", "drive"), [*KINDS, (Ssif, ssif_driver)])
def test_abort(make: Any, drive: Any) -> None:
    device = make()
    driver = drive(Direct(device.registers) if make is not Ssif else device)
    driver.abort(0.0)
    assert driver.next_event() is None
    driver.send_request(REQUEST, 0.0)
    while driver.step(0.0):
        pass
    driver.abort(0.0)
    outcome = run(driver)
    assert isinstance(outcome, TransferFailed)
    assert outcome.reason == "aborted"
    driver.send_request(REQUEST, 1.0)
    assert run(driver, 1.0, each=lambda: pump(device.engine)) == answered(REQUEST)


@pytest.mark.parametrize(("make", "drive"), [KINDS[0], KINDS[2], (Ssif, ssif_driver)])
def test_one_request_at_a_time(make: Any, drive: Any) -> None:
    device = make()
    driver = drive(Direct(device.registers) if make is not Ssif else device)
    driver.send_request(REQUEST, 0.0)
    with pytest.raises(LocalProtocolError, match="takes one request at a time"):
        driver.send_request(REQUEST, 0.0)


@pytest.mark.parametrize(("make", "drive"), KINDS)
def test_transact_waits_for_a_slow_bmc(make: Any, drive: Any) -> None:
    device = make()
    waits: list[float | None] = []
    clock = 0.0

    def wait(deadline: float | None) -> None:
        nonlocal clock
        clock += 0.25
        waits.append(deadline)
        if len(waits) == 4:
            event = device.engine.next_event()
            assert isinstance(event, RequestReceived)
            device.engine.respond(event.id, b"\x00\x20")

    driver = drive(Direct(device.registers))
    answer = transact(driver, Message(6, 0, 1), now=lambda: clock, wait=wait)
    assert answer == ResponseReceived(7, 0, 1, b"\x00\x20")
    assert waits[:4] == [drive(Constant(0))._timeout] * 4


def test_a_latch_is_a_port() -> None:
    """A real host's registers have names and no numbers."""
    kcs = Kcs()
    HandlerSeam(kcs.engine, echo)
    driver = KcsDriver(on_port(kcs.latch))
    driver.send_request(REQUEST, 0.0)
    assert run(driver) == answered(REQUEST)
    kcs.engine.set_attention(True, False)
    assert driver.attention()
