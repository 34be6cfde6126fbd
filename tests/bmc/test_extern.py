"""The machine's end of the VM wire in bytes: every request is answered, whatever the controller does.

The bytes are those of QEMU 7.2's `ipmi-bmc-extern` where it does the same; `tests/interop/test_extern.py`
asks it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.moved import through_text

from baseboard.bmc.extern import MOST_OPEN, Answered, Extern, ExternEvent
from baseboard.bmc.extern_seam import ExternSeam
from baseboard.interface.driver import Direct, DriverEvent, ResponseReceived, TransferFailed
from baseboard.interface.kcs.device import Kcs
from baseboard.interface.kcs.driver import KcsDriver
from baseboard.ipmi.message import Message
from baseboard.vm import AttentionReceived, Capability, ControllerLink, Fault, Operation, OperationReceived
from baseboard.vm import RequestReceived as Asked

GET_DEVICE_ID = Message(6, 0, 1)
GREETING = "ff01a1 083fa1"


def events(extern: Extern) -> list[ExternEvent]:
    found = []
    while (event := extern.next_event()) is not None:
        found.append(event)
    return found


def feed(extern: Extern, wire: str) -> list[ExternEvent]:
    extern.receive_data(bytes.fromhex(wire))
    return events(extern)


def sent(extern: Extern) -> str:
    return extern.data_to_send().hex()


@pytest.fixture
def extern() -> Extern:
    """Connected, its greeting taken."""
    extern = Extern()
    extern.connect()
    assert sent(extern) == GREETING.replace(" ", "")
    return extern


def test_a_request_and_its_answer(extern: Extern) -> None:
    extern.request(77, GET_DEVICE_ID, 0.0)
    assert sent(extern) == "001801e7a0"
    assert extern.next_deadline() == 4.0
    assert feed(extern, "00 1c 01 00 20 c3 a0") == [Answered(77, b"\x00\x20")]
    assert extern.next_deadline() is None
    assert feed(extern, "00 1c 01 00 20 c3 a0") == []


def test_capabilities_are_those_that_were_asked_for() -> None:
    extern = Extern(Capability.POWER_OFF | Capability.INTERFACE_ENABLE)
    extern.connect()
    assert sent(extern) == "ff01a10841a1"


def test_nobody_is_connected() -> None:
    extern = Extern()
    extern.request(1, GET_DEVICE_ID, 0.0)
    assert events(extern) == [Answered(1, b"\xd2")]
    assert sent(extern) == ""
    assert extern.next_deadline() is None


def test_the_connection_is_lost(extern: Extern) -> None:
    assert feed(extern, "02a1") == [AttentionReceived(True, True)]
    extern.request(1, GET_DEVICE_ID, 0.0)
    extern.data_to_send()
    extern.request(2, GET_DEVICE_ID, 0.0)
    extern.disconnect()
    assert events(extern) == [Answered(1, b"\xd2"), Answered(2, b"\xd2"), AttentionReceived(False, False)]
    assert extern.next_deadline() is None
    extern.disconnect()
    assert feed(extern, "00 1c 01 00 e3 a0") == []
    extern.connect()
    assert sent(extern) == GREETING.replace(" ", "")


def test_what_an_earlier_connection_left_is_forgotten(extern: Extern) -> None:
    extern.request(1, GET_DEVICE_ID, 0.0)
    extern.data_to_send()
    assert feed(extern, "00 1c 01 aa") == []
    extern.connect()
    assert events(extern) == [Answered(1, b"\xd2")]
    extern.request(2, GET_DEVICE_ID, 0.0)
    assert sent(extern).endswith("001801e7a0")
    assert feed(extern, "00 1c 01 00 e3 a0") == [Answered(2, b"\x00")]


def test_no_answer_in_four_seconds(extern: Extern) -> None:
    extern.request(1, GET_DEVICE_ID, 10.0)
    extern.request(2, GET_DEVICE_ID, 11.0)
    extern.data_to_send()
    assert extern.next_deadline() == 14.0
    extern.handle_deadline(13.9)
    assert events(extern) == []
    extern.handle_deadline(14.0)
    assert events(extern) == [Answered(1, b"\xc3")]
    assert extern.next_deadline() == 15.0
    assert feed(extern, "00 1c 01 00 e3 a0") == []  # late
    assert feed(extern, "01 1c 01 00 e2 a0") == [Answered(2, b"\x00")]


@pytest.mark.parametrize("wire_id", [0xA0, 0xA1, 0xAA])
def test_the_time_out_of_a_request_whose_id_is_escaped(extern: Extern, wire_id: int) -> None:
    """QEMU builds the answer from the escaped bytes, and its KCS hangs."""
    for number in range(wire_id):
        extern.request(number, GET_DEVICE_ID, 0.0)
        extern.data_to_send()
        extern.abandon(number)
    extern.request(wire_id, GET_DEVICE_ID, 0.0)
    assert sent(extern).startswith(f"aa{wire_id | 0x10:02x}1801")
    extern.handle_deadline(4.0)
    assert events(extern) == [Answered(wire_id, b"\xc3")]


# fmt: off
NO_ANSWER = [
    pytest.param("00 1c 01 00 e4 a0",          id="checksum"),
    pytest.param("00 1c 01 e3 a0",             id="too short"),
    pytest.param("01 1c 01 00 e2 a0",          id="another id"),
    pytest.param("00 18 01 00 e7 a0",          id="not a response"),
    pytest.param("00 1c 02 00 e2 a0",          id="another command"),
    pytest.param("00 20 01 00 df a0",          id="another network function"),
    pytest.param("00 1c 01 00 e3 aa a0",       id="an escape before the end"),
    pytest.param("a0 a1 a0",                   id="terminators alone"),
    pytest.param("ff 01 a1",                   id="version"),
]
# fmt: on


@pytest.mark.parametrize("wire", NO_ANSWER)
def test_what_is_no_answer_changes_nothing(extern: Extern, wire: str) -> None:
    """In QEMU an answer with a wrong id ends the time-out, and a pending escape damages the next message."""
    extern.request(1, GET_DEVICE_ID, 0.0)
    extern.data_to_send()
    assert feed(extern, wire) == []
    assert extern.next_deadline() == 4.0
    assert feed(extern, "00 1c 01 00 e3 a0") == [Answered(1, b"\x00")]


def test_special_bytes_are_escaped_both_ways(extern: Extern) -> None:
    extern.request(1, Message(0x28, 0, 0xA1, b"\xaa\xa0"), 0.0)
    assert sent(extern) == "00aab0aab1aabaaab075a0"
    assert feed(extern, "00 a4 aab1 00 aaba aab1 70 a0") == [Answered(1, b"\x00\xaa\xa1")]


@pytest.mark.parametrize(("length", "answers"), [(298, []), (299, [Answered(1, b"\xc6")])])
def test_a_request_that_is_too_long(extern: Extern, length: int, answers: list[ExternEvent]) -> None:
    extern.request(1, Message(6, 0, 1, bytes(length)), 0.0)
    assert events(extern) == answers
    assert (sent(extern) == "") == bool(answers)


@pytest.mark.parametrize("filler", ["00", "aab0"])
@pytest.mark.parametrize("more", [0, 300, 5000])
def test_an_answer_that_is_too_long(extern: Extern, filler: str, more: int) -> None:
    extern.request(1, GET_DEVICE_ID, 0.0)
    extern.data_to_send()
    wire = bytes.fromhex("00 1c 01 00" + filler * (299 + more) + "a0")
    for byte in wire[:-1]:
        extern.receive_data(bytes((byte,)))
        assert extern.next_event() is None
    extern.receive_data(wire[-1:])
    assert events(extern) == [Answered(1, b"\xc6")]
    extern.request(2, GET_DEVICE_ID, 0.0)
    extern.data_to_send()
    assert feed(extern, "01 1c 01 00 e2 a0") == [Answered(2, b"\x00")]


def test_an_overlong_answer_to_nobody(extern: Extern) -> None:
    extern.request(1, GET_DEVICE_ID, 0.0)
    extern.data_to_send()
    assert feed(extern, "05 1c 01" + "00" * 300 + "a0") == []
    assert feed(extern, "aa" * 400 + "a0") == []
    assert feed(extern, "00 1c 01" + "00" * 300 + "a1") == []
    assert extern.next_deadline() == 4.0


def test_what_is_given_up_is_not_sent_any_more(extern: Extern) -> None:
    extern.request(1, GET_DEVICE_ID, 0.0)
    extern.abandon(1)
    extern.request(2, GET_DEVICE_ID, 0.0)
    extern.handle_deadline(4.0)
    assert sent(extern) == ""
    assert events(extern) == [Answered(2, b"\xc3")]


def test_a_peer_that_does_not_read_costs_no_memory(extern: Extern) -> None:
    """QEMU aborts."""
    for number in range(1000):
        extern.request(number, GET_DEVICE_ID, float(number))
        extern.handle_deadline(float(number))
    answers = events(extern)
    assert len(answers) == 996
    assert set(answers) == {Answered(number, b"\xc3") for number in range(996)}
    assert len(extern.data_to_send()) == 4 * 5


def test_too_many_at_once(extern: Extern) -> None:
    for number in range(MOST_OPEN + 1):
        extern.request(number, GET_DEVICE_ID, 0.0)
    assert events(extern) == [Answered(MOST_OPEN, b"\xc0")]


def test_several_are_answered_in_any_order(extern: Extern) -> None:
    extern.request(1, GET_DEVICE_ID, 0.0)
    extern.request(2, Message(6, 0, 2), 0.0)
    assert sent(extern) == "001801e7a0" + "011802e5a0"
    assert feed(extern, "01 1c 02 c1 20 a0 00 1c 01 00 e3 a0") == [Answered(2, b"\xc1"), Answered(1, b"\x00")]


def test_the_reset_of_the_machine_is_told_once(extern: Extern) -> None:
    extern.machine_reset()
    assert sent(extern) == "04a1"
    assert sent(extern) == ""


def test_a_reset_that_nobody_heard_of_is_told_after_connecting() -> None:
    extern = Extern()
    extern.machine_reset()
    extern.machine_reset()
    extern.connect()
    assert sent(extern) == "ff01a1" + "083fa1" + "04a1"


def test_attention_and_operations_go_out(extern: Extern) -> None:
    assert feed(extern, "01a1 02a1 00a1") == [
        AttentionReceived(True, False),
        AttentionReceived(True, True),
        AttentionReceived(False, False),
    ]
    assert feed(extern, "03a1 04a1 05a1 06a1 07a1 09a1") == [
        OperationReceived(operation) for operation in Operation if operation < Operation.DISABLE_INTERFACE
    ]
    assert feed(extern, "0aa1 0ba1 08a1 77a1") == []  # not offered, or unknown


def test_what_was_not_offered_is_not_done() -> None:
    extern = Extern(Capability.NONE)
    extern.connect()
    assert feed(extern, "01a1 03a1 04a1 05a1 07a1 09a1") == []


def test_faults_are_counted_over_connections(extern: Extern) -> None:
    feed(extern, "00 1c 01 00 e4 a0")
    extern.connect()
    feed(extern, "00 1c 01 00 e4 a0")
    extern.disconnect()
    assert extern.faults[Fault.CHECKSUM] == 2 == sum(extern.faults.values())


steps = st.lists(
    st.one_of(
        st.tuples(st.just("request"), st.integers(0, 5)),
        st.tuples(st.just("abandon"), st.integers(0, 5)),
        st.tuples(st.just("bytes"), st.binary(max_size=12)),
        st.tuples(st.just("answer"), st.integers(0, 5)),
        st.tuples(st.sampled_from(["take", "connect", "disconnect", "reset"]), st.none()),
        st.tuples(st.just("wait"), st.floats(0, 5)),
    ),
    max_size=60,
)


@given(steps)
def test_every_request_is_answered_once_in_time(taken: list[tuple[str, object]]) -> None:
    extern, now, waiting = Extern(), 0.0, dict[int, float]()

    def check() -> None:
        for event in events(extern):
            if isinstance(event, Answered):
                assert waiting.pop(event.id) + 4.0 >= now
                assert event.data
        assert extern.next_deadline() == (min(waiting.values()) + 4.0 if waiting else None)

    actions: dict[str, Callable[[], object]] = {
        "take": extern.data_to_send,
        "connect": extern.connect,
        "disconnect": extern.disconnect,
        "reset": extern.machine_reset,
    }
    for what, value in taken:
        if what == "request" and value not in waiting:
            assert isinstance(value, int)
            waiting[value] = now
            extern.request(value, GET_DEVICE_ID, now)
        elif what == "abandon":
            assert isinstance(value, int)
            waiting.pop(value, None)
            extern.abandon(value)
        elif what == "bytes":
            assert isinstance(value, bytes)
            extern.receive_data(value)
        elif what == "answer":
            assert isinstance(value, int)
            extern.receive_data(bytes((value, 0x1C, 1, 0, -(value + 0x1D) & 0xFF, 0xA0)))
        elif what == "wait":
            assert isinstance(value, float)
            until = now + value
            while (deadline := extern.next_deadline()) is not None and deadline <= until:
                now = deadline
                extern.handle_deadline(now)
                check()
            now = until
        elif what in actions:
            actions[what]()
        check()


# A state that goes on elsewhere


def moved(extern: Extern, now: float, then: float) -> Extern:
    return Extern.from_state(through_text(extern.export(now)), then)


def test_what_had_not_left_waits_for_a_controller_as_long_as_it_has_time(extern: Extern) -> None:
    extern.request(7, GET_DEVICE_ID, 10.0)
    extern.request(8, GET_DEVICE_ID, 11.0)
    there = moved(extern, 12.0, 500.0)
    assert (there.knows(7), there.knows(8), there.knows(9)) == (True, True, False)
    assert not there.connected
    assert sent(there) == ""
    assert there.next_deadline() == 502.0, "two of four seconds are over"
    there.handle_deadline(502.0)
    assert events(there) == [Answered(7, b"\xc3")]
    there.connect()
    assert sent(there) == "ff01a1083fa1" + "001801e7a0"
    assert feed(there, "00 1c 01 00 e3 a0") == [Answered(8, b"\x00")]


def test_what_was_on_the_wire_is_answered_as_when_the_connection_is_lost(extern: Extern) -> None:
    extern.request(7, GET_DEVICE_ID, 0.0)
    extern.data_to_send()
    extern.request(8, GET_DEVICE_ID, 0.0)
    assert feed(extern, "02a1") == [AttentionReceived(True, True)]
    there = moved(extern, 0.0, 0.0)
    assert events(there) == [Answered(7, b"\xd2"), AttentionReceived(False, False)]
    assert (there.knows(7), there.knows(8)) == (False, True)


def test_events_that_nobody_took_faults_and_a_reset_that_nobody_was_told(extern: Extern) -> None:
    extern.request(7, GET_DEVICE_ID, 0.0)
    extern.data_to_send()
    extern.receive_data(bytes.fromhex("00 1c 01 00 e4 a0 00 1c 01 00 e3 a0 01a1 07a1"))
    there = moved(moved(extern, 0.0, 0.0), 0.0, 0.0)
    assert there.faults[Fault.CHECKSUM] == 1
    assert there.knows(7), "its answer waits"
    assert events(there) == [
        Answered(7, b"\x00"), AttentionReceived(True, False), OperationReceived(Operation.NMI),
        AttentionReceived(False, False),
    ]  # fmt: skip
    away = Extern()
    away.machine_reset()
    away = moved(away, 0.0, 0.0)
    away.connect()
    assert sent(away).endswith("04a1"), sent(away)


@given(st.integers(0, 40), st.booleans())
def test_a_cut_at_every_step_of_an_exchange(cut: int, answers: bool) -> None:
    """KCS, the machine's end and all that is between them go on in new instances; nothing is left hanging."""
    host = Host()
    link = ControllerLink()

    def controller() -> None:
        link.receive_data(host.extern.data_to_send())
        while (event := link.next_event()) is not None:
            if isinstance(event, Asked) and answers:
                link.send_response(event, b"\x00\x20")
        host.extern.receive_data(link.data_to_send())
        host.seam.pump()

    host.extern.connect()
    driver = host.driver
    driver.send_request(GET_DEVICE_ID, host.now)
    outcome = None
    for step in range(200):
        if step == cut:
            kcs = Kcs.from_state(host.kcs.export())
            extern = Extern.from_state(host.extern.export(host.now), host.now + 50.0)
            now = host.now + 50.0
            host = Host(kcs, extern, now)
            driver._registers = Direct(kcs.registers)
            driver._deadline = None if driver._deadline is None else driver._deadline + 50.0
            host.extern.connect()
            link = ControllerLink()
        if not driver.step(host.now):
            controller()
            if not answers:
                host.now += 0.5
                host.extern.handle_deadline(host.now)
                host.seam.pump()
        if (outcome := driver.next_event()) is not None:
            break
    assert outcome in [ResponseReceived(7, 0, 1, code) for code in (b"\x00\x20", b"\xd2", b"\xc3")]


class Host:
    """KCS before a controller elsewhere, and the host's end of it."""

    def __init__(self, kcs: Kcs | None = None, extern: Extern | None = None, now: float = 0.0) -> None:
        self.kcs = kcs or Kcs()
        self.now = now
        self.orders: list[Operation] = []
        self.driver = KcsDriver(Direct(self.kcs.registers))
        self.extern = extern or Extern()
        self.seam = ExternSeam(self.kcs.engine, self.extern, operate=self.orders.append, now=lambda: self.now)

    def ask(self, command: int) -> DriverEvent | None:
        self.driver.send_request(Message(6, 0, command), self.now)
        return self.answer()

    def answer(self) -> DriverEvent | None:
        while self.driver.step(self.now):
            pass
        return self.driver.next_event()


def test_kcs_before_a_controller_elsewhere() -> None:
    host = Host()
    assert host.ask(1) == ResponseReceived(7, 0, 1, b"\xd2")
    host.extern.connect()
    link = ControllerLink(attention=True, interrupt=True, interrupt_enabled=True)
    link.greet()
    link.receive_data(host.extern.data_to_send())
    while link.next_event() is not None:
        pass
    host.extern.receive_data(link.data_to_send())
    host.seam.pump()
    assert host.kcs.latch.read_status() & 4  # SMS_ATN
    assert host.kcs.latch.irq
    assert host.ask(1) is None
    link.receive_data(host.extern.data_to_send())
    asked = link.next_event()
    assert isinstance(asked, Asked)
    link.send_response(asked, b"\x00\x20")
    link.send_operation(Operation.NMI)
    host.extern.receive_data(link.data_to_send())
    host.seam.pump()
    assert host.answer() == ResponseReceived(7, 0, 1, b"\x00\x20")
    assert host.orders == [Operation.NMI]


def test_kcs_gives_a_request_up_and_asks_another() -> None:
    host = Host()
    host.extern.connect()
    host.ask(1)
    host.extern.data_to_send()
    host.driver.abort(host.now)
    assert isinstance(host.answer(), TransferFailed)
    assert host.extern.next_deadline() is None
    host.now = 100.0
    host.ask(2)
    assert host.extern.next_deadline() == 104.0
    host.extern.data_to_send()
    host.extern.receive_data(bytes.fromhex("00 1c 01 00 e3 a0 01 1c 02 c1 20 a0"))
    host.seam.pump()
    assert host.answer() == ResponseReceived(7, 0, 2, b"\xc1")


def test_a_device_that_moved_with_a_request_open_is_answered() -> None:
    host = Host()
    host.extern.connect()
    host.ask(1)
    moved = Host(Kcs.from_state(host.kcs.export()))
    latch = moved.kcs.latch
    assert latch.read_status() == 0x41  # reading, OBF
    assert latch.read_data() == 0x1C
    latch.write_data(0x68)
    latch.read_data()
    latch.write_data(0x68)
    assert latch.read_data() == 0xD2


def test_the_machine_was_reset() -> None:
    host = Host()
    host.extern.connect()
    host.extern.data_to_send()
    changes: list[None] = []
    host.seam.changed = lambda: changes.append(None)
    host.seam.machine_reset()
    assert changes
    assert sent(host.extern) == "04a1"
