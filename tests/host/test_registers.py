"""Firmware that answers, and firmware that does not: what a host is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baseboard.host.registers import RETRIES, RegisterResponder
from baseboard.host.seam import Answered, AttentionChanged, FirmwareFound, FirmwareLost
from baseboard.interface.bt.driver import BtDriver
from baseboard.interface.kcs import KcsDriver, on_port
from baseboard.ipmi.message import Message
from tests.host.firmware import GET_DEVICE_ID, Bench, RawKcs, raw

BOTH = pytest.mark.parametrize("interface", ["kcs", "bt"])


@BOTH
def test_requests_are_answered_in_their_order(interface: str) -> None:
    bench = Bench(interface)
    for number in range(5):
        bench.submit(number, Message(0x30, 0, number, b"ab"))
    bench.turn()
    assert bench.answers() == {number: f"00 {number:02x} 61 62" for number in range(5)}
    assert [request.message.command for request in bench.asked] == [0, 1, 2, 3, 4]
    assert bench.responder.counters.answered == bench.responder.counters.requests == 5
    assert bench.responder.counters.retries == 0
    assert bench.responder.idle


@BOTH
def test_what_never_comes_is_a_timeout(interface: str) -> None:
    bench = Bench(interface)
    bench.answer = lambda request: None
    bench.submit(1)
    bench.submit(2)
    bench.rest()
    assert bench.answers() == {1: "c3", 2: "c3"}
    assert bench.responder.counters.timed_out == 2


@BOTH
def test_a_late_answer_is_nobodys(interface: str) -> None:
    bench = Bench(interface)
    bench.answer = lambda request: None
    bench.submit(1)
    bench.rest()
    assert bench.answers() == {1: "c3"}
    late = bench.asked[-1]
    bench.device.engine.respond(late.id, b"\0late")
    bench.answer = lambda request: b"\0\x20"
    bench.submit(2, Message(0x06, 0, 0x04))
    bench.rest()
    assert bench.answers() == {1: "c3", 2: "00 20"}


@BOTH
def test_too_many_and_too_long(interface: str) -> None:
    bench = Bench(interface, capacity=3, longest=10)
    bench.submit(9, Message(0x30, 0, 1, bytes(11)))
    for number in range(4):
        bench.submit(number)
    bench.turn()
    assert bench.answers() == {9: "c6", 3: "c0", 0: "00 01", 1: "00 01", 2: "00 01"}


FAULTS = [
    # what the firmware answers to 18 01, the first and all further times
    pytest.param("1c 01 00 20", "", "00 20", 0, id="as it should"),
    pytest.param("1c 04 00 20", "1c 01 00 20", "00 20", 1, id="another command, then the right one"),
    pytest.param("1c 04 00 20", "1c 04 00 20", "ff", 2, id="another command each time"),
    pytest.param("2c 01 00 20", "2c 01 00 20", "ff", 2, id="another network function"),
    pytest.param("18 01 00 20", "18 01 00 20", "ff", 2, id="the request itself"),
    pytest.param("1c 01", "1c 01", "ff", 2, id="no completion code"),
    pytest.param("1c", "1c", "ff", 2, id="one byte"),
    pytest.param("error", "1c 01 00 20", "00 20", 1, id="the error state, then an answer"),
    pytest.param("error", "error", "ff", 2, id="the error state each time"),
    pytest.param("1c 01 00" + "55" * 997, "", "00" + " 55" * 997, 0, id="as long as Linux may answer"),
]


@pytest.mark.parametrize(("first", "further", "expected", "retries"), FAULTS)
def test_faults(first: str, further: str, expected: str, retries: int) -> None:
    texts = [first]

    def answer(request: bytes) -> bytes | None:
        assert request == bytes.fromhex("18 01")
        text = texts.pop() if texts else further
        return None if text == "error" else bytes.fromhex(text)

    responder, arrived, answers = raw(answer)
    assert answers == [expected]
    assert len(arrived) == retries + 1
    assert responder.counters.retries == retries


def test_an_answer_without_end_is_cut_off() -> None:
    """By the driver, after 1024 bytes, as often as the request is tried."""
    answers = [*[bytes(1_000_000)] * (1 + RETRIES), bytes.fromhex("1c 01 00 20")]
    port = RawKcs(lambda request: answers.pop(0))
    responder = RegisterResponder(KcsDriver(on_port(port), retries=0), lambda: False)
    now = 0.0
    for id_, expected in ((1, "ff"), (2, "00 20")):
        responder.submit(id_, GET_DEVICE_ID, now)
        while (event := responder.next_event()) is None:
            responder.step(now)
            now += 0.001
            assert now < 20.0
        assert event == Answered(id_, bytes.fromhex(expected))


@given(steps=st.integers(0, 60), gap=st.sampled_from((0.0, 1.0, 30.0)))
@settings(max_examples=60)
def test_a_reset_of_the_bmc_at_any_moment(steps: int, gap: float) -> None:
    bench = Bench()
    bench.submit(1, Message(0x30, 0, 1, b"abcdef"))
    bench.submit(2)
    for _ in range(steps):
        bench.responder.step(bench.now)
        bench.firmware()
    bench.device.reset()
    bench.responder.lost("the BMC was reset", bench.now)
    bench.now += gap
    bench.turn()
    bench.responder.found("again", bench.now)
    bench.rest()
    answers = bench.answers()
    assert answers.keys() == {1, 2}
    assert set(answers.values()) <= {"00 01", "00 01 61 62 63 64 65 66", "d2"}
    assert [type(event) for event in bench.events if isinstance(event, (FirmwareLost, FirmwareFound))] == [
        FirmwareLost,
        FirmwareFound,
    ]
    bench.submit(3)
    bench.rest()
    assert bench.answers()[3] == "00 01"


@given(steps=st.integers(0, 60))
@settings(max_examples=60)
def test_a_request_is_abandoned_at_any_byte(steps: int) -> None:
    bench = Bench()
    bench.submit(1, Message(0x30, 0, 1, b"abcdef"))
    bench.submit(2)
    for _ in range(steps):
        bench.responder.step(bench.now)
        bench.firmware()
    bench.responder.abandon(1, bench.now)
    bench.responder.abandon(7, bench.now)
    bench.rest()
    answers = bench.answers()
    assert answers[2] == "00 01"
    assert answers.get(1, "00 01 61 62 63 64 65 66") == "00 01 61 62 63 64 65 66"


class Garbage:
    """Registers that give what somebody chose, for ever."""

    def __init__(self, values: bytes) -> None:
        self.values = values
        self.at = 0

    def read(self, register: int) -> int:
        self.at += 1
        return self.values[self.at % len(self.values)]

    def write(self, register: int, value: int) -> None:
        pass


@pytest.mark.parametrize("interface", ["kcs", "bt"])
@given(values=st.binary(min_size=1, max_size=40))
@settings(max_examples=80)
def test_whatever_the_registers_say_every_request_is_answered(interface: str, values: bytes) -> None:
    registers, now = Garbage(values), 0.0
    driver = (KcsDriver if interface == "kcs" else BtDriver)(registers, retries=0)
    responder = RegisterResponder(driver, lambda: bool(registers.read(0) & 4))
    responder.submit(1, GET_DEVICE_ID, now)
    responder.submit(2, GET_DEVICE_ID, now)
    answered: list[object] = []
    while len(answered) < 2:
        for _ in range(20):
            responder.step(now)
            responder.look()
        while (event := responder.next_event()) is not None:
            if not isinstance(event, AttentionChanged):
                answered.append(event)
        now += 0.25
        assert now < 30.0
    assert responder.counters.requests == 2


@BOTH
def test_attention(interface: str) -> None:
    bench = Bench(interface)
    bench.device.engine.set_attention(True, False)
    bench.responder.look()
    bench.responder.look()
    bench.turn()
    assert bench.events == [AttentionChanged(True)]
    bench.device.engine.set_attention(False, False)
    if interface == "bt":
        bench.device.registers[0].write(0x10)  # the host clears it
    bench.responder.look()
    bench.turn()
    assert bench.events == [AttentionChanged(True), AttentionChanged(False)]
    assert bench.responder.counters.attentions == 1


def test_the_end_answers_what_is_open() -> None:
    bench = Bench()
    bench.answer = lambda request: None
    bench.submit(1)
    bench.submit(2)
    bench.turn()
    bench.responder.close()
    bench.turn()
    assert bench.answers() == {1: "ff", 2: "ff"}


def test_while_nobody_is_there_requests_wait_as_long_as_they_can() -> None:
    bench = Bench()
    bench.responder.lost("not up yet", bench.now)
    bench.submit(1)
    bench.now += 4.0
    bench.submit(2)
    bench.turn()
    assert bench.answers() == {}
    bench.now += 2.0
    bench.turn()
    assert bench.answers() == {1: "d2"}
    bench.responder.found("it", bench.now)
    bench.turn()
    assert bench.answers() == {1: "d2", 2: "00 01"}
