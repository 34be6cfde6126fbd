"""The VM wire before firmware, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.host.extern import HostExtern
from baseboard.host.seam import Answered, AttentionChanged, FirmwareFound, FirmwareLost, HostOrdered
from baseboard.ipmi.message import Message
from baseboard.vm.framing import Fault
from baseboard.vm.protocol import Operation

CAPABLE = bytes.fromhex("ff01a1 083fa1")  # as QEMU's ipmi-bmc-extern greets
GET_DEVICE_ID = bytes.fromhex("05 18 01 e2 a0")
HARD_RESET = bytes.fromhex("06 00 02 03 f5 a0")


class Firmware:
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: dict[int, Message] = {}
        self.abandoned: list[int] = []

    def submit(self, id_: int, message: Message, now: float) -> None:
        self.asked[id_] = message

    def abandon(self, id_: int, now: float) -> None:
        self.abandoned.append(id_)

    def id(self, netfn: int, command: int) -> int:
        """Of the latest request with this command."""
        return [i for i, m in self.asked.items() if (m.netfn, m.command) == (netfn, command)][-1]


class Pair:
    def __init__(self, *, infer: bool = True) -> None:
        self.firmware = Firmware()
        self.extern = HostExtern(self.firmware, infer=infer)
        self.extern.connect(0.0)
        assert self.extern.data_to_send().endswith(bytes.fromhex("ff01a1"))
        self.extern.receive_data(CAPABLE, 0.0)
        assert self.extern.data_to_send() == bytes.fromhex("06a1 00a1")

    def says(self, data: bytes, now: float = 0.0) -> str:
        self.extern.receive_data(data, now)
        return self.extern.data_to_send().hex(" ")

    def answers(self, netfn: int, command: int, answer: str, now: float = 0.0) -> str:
        id_ = self.firmware.id(netfn, command)
        self.extern.receive_event(Answered(id_, bytes.fromhex(answer)), now)
        return self.extern.data_to_send().hex(" ")


def test_a_request_and_its_answer() -> None:
    pair = Pair()
    assert pair.says(GET_DEVICE_ID) == ""
    assert list(pair.firmware.asked.values()) == [Message(6, 0, 1)]
    assert pair.answers(6, 1, "00 20 a0") == "05 1c 01 00 20 aa b0 1e a0"
    assert pair.extern.counters.answered == 1


def test_requests_queue_and_are_answered_by_their_ids() -> None:
    pair = Pair()
    pair.says(bytes.fromhex("01 18 01 e6 a0 02 18 04 e2 a0"))
    assert pair.answers(6, 4, "00") == "02 1c 04 00 de a0"
    assert pair.answers(6, 1, "00") == "01 1c 01 00 e2 a0"


def test_too_many_are_busy() -> None:
    pair = Pair()
    for _ in range(64):
        assert pair.says(GET_DEVICE_ID) == ""
    assert pair.says(GET_DEVICE_ID) == "05 1c 01 c0 1e a0"
    assert pair.extern.counters.busy == 1


def test_what_takes_too_long_is_answered_before_the_machine_gives_up() -> None:
    pair = Pair()
    pair.says(GET_DEVICE_ID, 10.0)
    assert pair.extern.next_deadline() == 13.5
    pair.extern.handle_deadline(13.4)
    assert pair.extern.data_to_send() == b""
    pair.extern.handle_deadline(13.5)
    assert pair.extern.data_to_send().hex(" ") == "05 1c 01 c3 1b a0"
    assert pair.firmware.abandoned == [pair.firmware.id(6, 1)]
    assert pair.answers(6, 1, "00 20") == ""  # late
    assert pair.extern.next_deadline() is None


def test_an_answer_that_does_not_fit() -> None:
    pair = Pair()
    pair.says(GET_DEVICE_ID)
    assert pair.answers(6, 1, "00" * 299) == "05 1c 01 c6 18 a0"


# fmt: off
ORDERS = [
    # data   the wire        on the host
    ("00",   "03 a1",        "power off"),
    ("02",   "04 a1",        "power cycle"),
    ("03",   "04 a1",        "hard reset"),
    ("04",   "07 a1",        "diagnostic interrupt"),
    ("05",   "09 a1",        "soft shutdown"),
    ("01",   "",             "power up"),
]
# fmt: on


@pytest.mark.parametrize(("data", "order", "what"), ORDERS)
def test_what_the_firmware_accepts_is_done(data: str, order: str, what: str) -> None:
    pair = Pair()
    request = bytes.fromhex(f"06 00 02 {data}")
    pair.says(request + bytes((-sum(request) & 0xFF,)) + b"\xa0")
    assert pair.answers(0, 2, "00") == f"06 04 02 00 f4 a0 {order}".strip()


@pytest.mark.parametrize("answer", ["c1", "d5", "cc 00"])
def test_what_it_refuses_is_not(answer: str) -> None:
    pair = Pair()
    pair.says(HARD_RESET)
    assert "04 a1" not in pair.answers(0, 2, answer)


def test_a_controller_that_orders_itself_is_not_outguessed() -> None:
    pair = Pair(infer=False)
    pair.says(HARD_RESET)
    assert pair.answers(0, 2, "00") == "06 04 02 00 f4 a0"
    pair.extern.receive_event(HostOrdered(Operation.RESET), 0.0)
    assert pair.extern.data_to_send() == bytes.fromhex("04a1")


def test_the_interrupt_follows_the_global_enables() -> None:
    pair = Pair()
    pair.extern.receive_event(AttentionChanged(True), 0.0)
    assert pair.extern.data_to_send() == bytes.fromhex("01a1")
    request = bytes.fromhex("07 18 2e 01")
    pair.says(request + bytes((-sum(request) & 0xFF,)) + b"\xa0")
    assert pair.answers(6, 0x2E, "00") == "07 1c 2e 00 af a0 05 a1 02 a1"
    pair.extern.receive_event(AttentionChanged(False), 0.0)
    assert pair.extern.data_to_send() == bytes.fromhex("00a1")


def test_the_enables_are_asked_for_when_the_firmware_appears() -> None:
    pair = Pair()
    pair.extern.receive_event(FirmwareFound("it"), 0.0)
    assert pair.answers(6, 0x2F, "00 09") == "05 a1"
    pair.extern.receive_event(FirmwareLost("reset"), 0.0)
    assert pair.extern.data_to_send() == bytes.fromhex("06a1")
    pair.extern.receive_event(FirmwareFound("it"), 0.0)
    assert pair.answers(6, 0x2F, "c1") == ""


def test_a_machine_that_offers_nothing_gets_no_orders() -> None:
    extern = HostExtern(Firmware())
    extern.connect(0.0)
    extern.data_to_send()
    extern.receive_event(HostOrdered(Operation.RESET), 0.0)
    assert extern.data_to_send() == b""
    assert extern.counters.orders_refused == 1


@pytest.mark.parametrize("end", ["reset", "disconnect", "connect"])
def test_a_machine_that_is_reset_or_gone_wants_no_answers(end: str) -> None:
    pair = Pair()
    pair.says(GET_DEVICE_ID)
    if end == "reset":
        pair.says(bytes.fromhex("04a1"))
    else:
        getattr(pair.extern, end)(1.0)
        pair.extern.data_to_send()
    assert pair.firmware.abandoned == [pair.firmware.id(6, 1)]
    assert pair.answers(6, 1, "00 20") == ""
    assert pair.extern.counters.abandoned == 1


def test_malformed_frames_are_counted() -> None:
    pair = Pair()
    assert pair.says(bytes.fromhex("05 18 01 e3 a0 18 a0")) == ""
    pair.extern.disconnect(0.0)
    assert pair.extern.faults[Fault.CHECKSUM] == pair.extern.faults[Fault.SHORT] == 1


def test_attention_is_told_to_who_connects_later() -> None:
    pair = Pair()
    pair.extern.disconnect(0.0)
    pair.extern.receive_event(AttentionChanged(True), 0.0)
    assert pair.extern.data_to_send() == b""
    pair.extern.connect(0.0)
    pair.extern.data_to_send()
    assert pair.says(CAPABLE) == "06 a1 01 a1"


@given(st.lists(st.binary(max_size=80), max_size=10))
def test_any_bytes_from_the_machine(pieces: list[bytes]) -> None:
    pair = Pair()
    for piece in pieces:
        pair.says(piece)
    for id_ in list(pair.firmware.asked):
        pair.extern.receive_event(Answered(id_, b"\0"), 0.0)
    sent = pair.extern.data_to_send()
    assert sent == b"" or sent.endswith((b"\xa0", b"\xa1"))
