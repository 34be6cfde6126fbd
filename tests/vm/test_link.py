"""Both ends of the wire, in bytes, against each other, and against any bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import LocalProtocolError
from baseboard.ipmi.message import Message
from baseboard.vm import (
    AttentionReceived,
    CapabilitiesReceived,
    Capability,
    ControllerLink,
    Fault,
    LinkEvent,
    MachineLink,
    MachineReset,
    Operation,
    OperationReceived,
    RequestReceived,
    ResponseReceived,
    VersionReceived,
)

QEMU = "ff01a1 083fa1"
GET_DEVICE_ID = "00 18 01 e7 a0"


def feed(link: ControllerLink | MachineLink, wire: str | bytes) -> list[LinkEvent]:
    link.receive_data(bytes.fromhex(wire) if isinstance(wire, str) else wire)
    events = []
    while (event := link.next_event()) is not None:
        events.append(event)
    return events


def sent(link: ControllerLink | MachineLink) -> str:
    return link.data_to_send().hex()


def test_the_greeting_ends_what_an_earlier_connection_left() -> None:
    link = ControllerLink()
    link.greet()
    assert sent(link) == "6f1c00c0b5a0" + "ff01a1"
    assert sent(link) == ""
    link = ControllerLink(last_id=0x10)
    link.greet()
    assert sent(link) == "801c00c0a4a0" + "ff01a1"


@pytest.mark.parametrize("rest", ["", "aa", "03", "03aa", "001c01", "07aa", "00" * 1000])
def test_what_was_left_does_not_become_an_order(rest: str) -> None:
    """A machine that keeps its receiver over a reconnection, as QEMU does."""
    machine, link = MachineLink(), ControllerLink()
    assert feed(machine, rest) == []
    link.greet()
    assert feed(machine, link.data_to_send()) == [VersionReceived(1)]


def test_qemu_connects_and_gets_the_state_of_attention_and_interrupt() -> None:
    link = ControllerLink(attention=True, interrupt=True, interrupt_enabled=True)
    link.greet()
    link.data_to_send()
    all_but_interface = Capability(0x3F)
    assert feed(link, QEMU) == [VersionReceived(1), CapabilitiesReceived(all_but_interface)]
    assert sent(link) == "05a1" + "02a1"
    link.set_attention(False, False)
    link.set_interrupt(False)
    link.set_interrupt(False)
    assert sent(link) == "00a1" + "06a1"


def test_a_request_and_its_answer() -> None:
    link = ControllerLink()
    (request,) = feed(link, GET_DEVICE_ID)
    assert request == RequestReceived(0, Message(6, 0, 1, b""))
    assert isinstance(request, RequestReceived)
    link.send_response(request, bytes.fromhex("00 20 00"))
    assert sent(link) == "001c01002000c3a0"


def test_the_answer_keeps_id_and_lun_and_escapes_them() -> None:
    link = ControllerLink()
    (request,) = feed(link, "aab0 1b 01 44 a0")
    assert request == RequestReceived(0xA0, Message(6, 3, 1, b""))
    assert isinstance(request, RequestReceived)
    link.send_response(request, b"\xc2")
    assert sent(link) == "aab01f01c27ea0"


def test_an_odd_network_function_is_answered_with_itself() -> None:
    link = ControllerLink()
    (request,) = feed(link, "00 1c 01 e3 a0")
    assert isinstance(request, RequestReceived)
    link.send_response(request, b"\xc1")
    assert sent(link) == "001c01c122a0"


@pytest.mark.parametrize("length", [299, 5000])
def test_an_answer_that_no_machine_takes_is_c6(length: int) -> None:
    link = ControllerLink()
    link.send_response(RequestReceived(1, Message(6, 0, 1)), bytes(length))
    assert sent(link) == "011c01c61ca0"


def test_the_longest_answer_arrives() -> None:
    link, machine = ControllerLink(), MachineLink()
    machine.send_request(Message(6, 0, 1))
    link.send_response(RequestReceived(0, Message(6, 0, 1)), b"\xaa" * 298)
    answer = link.data_to_send()
    assert feed(machine, answer) == [ResponseReceived(0, 7, 0, 1, b"\xaa" * 298)]
    assert feed(machine, answer) == []  # nobody asks any more


# fmt: off
OPERATIONS = [
    (Operation.POWER_OFF,         0x01, "03a1"),
    (Operation.RESET,             0x02, "04a1"),
    (Operation.ENABLE_INTERRUPT,  0x04, "05a1"),
    (Operation.DISABLE_INTERRUPT, 0x04, "06a1"),
    (Operation.NMI,               0x08, "07a1"),
    (Operation.GRACEFUL_SHUTDOWN, 0x20, "09a1"),
    (Operation.DISABLE_INTERFACE, 0x40, "0aa1"),
    (Operation.ENABLE_INTERFACE,  0x40, "0ba1"),
]
# fmt: on


@pytest.mark.parametrize(("operation", "bit", "wire"), OPERATIONS)
def test_an_operation_is_sent_only_where_it_is_offered(operation: Operation, bit: int, wire: str) -> None:
    link = ControllerLink()
    assert not link.can(operation)
    with pytest.raises(LocalProtocolError):
        link.send_operation(operation)
    feed(link, bytes((0x08, 0xFF & ~bit, 0xA1)))
    link.data_to_send()
    with pytest.raises(LocalProtocolError, match=operation.name):
        link.send_operation(operation)
    assert sent(link) == ""
    feed(link, bytes((0x08, bit, 0xA1)))
    link.data_to_send()
    link.send_operation(operation)
    assert sent(link) == wire
    machine = MachineLink()
    assert feed(machine, wire) == [OperationReceived(operation)]


def test_a_machine_without_capabilities_gets_answers_and_nothing_else() -> None:
    link = ControllerLink(attention=True, interrupt=True, interrupt_enabled=True)
    (request,) = feed(link, GET_DEVICE_ID)
    assert isinstance(request, RequestReceived)
    link.set_attention(False, False)
    link.set_attention(True, True)
    link.set_interrupt(False)
    link.send_response(request, b"\x00")
    assert sent(link) == "001c0100e3a0"


def test_attention_does_not_interrupt_a_machine_that_has_no_interrupt() -> None:
    link = ControllerLink(attention=True, interrupt=True)
    feed(link, "08 10 a1")
    assert sent(link) == "01a1"


def test_the_machine_reports_its_reset() -> None:
    assert feed(ControllerLink(), "04a1") == [MachineReset()]


# fmt: off
MALFORMED = [
    pytest.param("00 18 01 e8 a0", Fault.CHECKSUM, id="checksum"),
    pytest.param("00 18 e8 a0",    Fault.SHORT,    id="short message"),
    pytest.param("08 a1",          Fault.SHORT,    id="capabilities without a byte"),
    pytest.param("ff a1",          Fault.SHORT,    id="version without a byte"),
    pytest.param("77 01 a1",       Fault.UNKNOWN,  id="unknown command"),
    pytest.param("03 a1",          Fault.UNKNOWN,  id="a machine does not order a power off"),
    pytest.param("00 18 01 e7 aa a0", Fault.ESCAPE, id="escape"),
]
# fmt: on


@pytest.mark.parametrize(("wire", "fault"), MALFORMED)
def test_malformed_frames_are_counted_and_survived(wire: str, fault: Fault) -> None:
    link = ControllerLink()
    assert feed(link, wire) == []
    assert link.faults[fault] == 1 == sum(link.faults.values())
    assert feed(link, GET_DEVICE_ID) == [RequestReceived(0, Message(6, 0, 1, b""))]
    assert sent(link) == ""


def test_terminators_alone_are_no_fault() -> None:
    link = ControllerLink()
    assert feed(link, "a0a1a1a0") == []
    assert not any(link.faults.values())


def test_a_conversation_of_both_ends() -> None:
    controller, machine = ControllerLink(interrupt_enabled=True), MachineLink()
    controller.greet()
    machine.greet()
    machine.send_capabilities(Capability(0x3F))
    assert feed(controller, machine.data_to_send()) == [
        VersionReceived(1),
        CapabilitiesReceived(Capability(0x3F)),
    ]
    assert feed(machine, controller.data_to_send()) == [
        VersionReceived(1),
        OperationReceived(Operation.ENABLE_INTERRUPT),
        AttentionReceived(False, False),
    ]
    assert not any(machine.faults.values())
    for number in range(300):  # ids come again
        message = Message(0x0A, 0, 0x43, bytes((number & 0xFF, 0xA0, 0xA1, 0xAA)))
        id_ = machine.send_request(message)
        assert id_ == number & 0xFF
        (request,) = feed(controller, machine.data_to_send())
        assert request == RequestReceived(id_, message)
        assert isinstance(request, RequestReceived)
        controller.send_response(request, b"\x00" + message.data)
        assert feed(machine, controller.data_to_send()) == [
            ResponseReceived(id_, 0x0B, 0, 0x43, b"\x00" + message.data)
        ]
    controller.set_attention(True, False)
    controller.set_attention(True, True)
    machine.send_reset()
    assert feed(machine, controller.data_to_send()) == [
        AttentionReceived(True, False),
        AttentionReceived(True, True),
    ]
    assert feed(controller, machine.data_to_send()) == [MachineReset()]


def test_a_request_that_is_too_long_is_our_own_fault() -> None:
    with pytest.raises(LocalProtocolError):
        MachineLink().send_request(Message(6, 0, 1, bytes(299)))


wires = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"\xa0", b"\xa1", b"\xaa", bytes.fromhex(QEMU), bytes.fromhex(GET_DEVICE_ID)]),
    ),
    max_size=10,
).map(b"".join)


@given(wires)
def test_any_bytes_are_survived_whole_and_one_at_a_time(data: bytes) -> None:
    for end in (ControllerLink, MachineLink):
        whole, slow = end(), end()
        expected = feed(whole, data)
        found = [event for byte in data for event in feed(slow, bytes((byte,)))]
        assert found == expected
        assert whole.faults == slow.faults
        assert whole.data_to_send() == slow.data_to_send()
