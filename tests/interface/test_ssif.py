"""SSIF: blocks in bytes, the driver against the engine, and whatever a host may do on the bus."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.interface.accesses import Access
from tests.interface.conversation import answered, echo, pump, run
from tests.moved import through_text

from baseboard.interface import HandlerSeam, RequestAbandoned, RequestReceived
from baseboard.interface.bus.smbus import Failure, SmBus, packet_error_code
from baseboard.interface.driver import TransferFailed
from baseboard.interface.ssif import Quirk, Ssif, SsifDriver
from baseboard.ipmi.message import Message

ADDRESS = 0x10
NACK = Failure.NOT_ACKNOWLEDGED

messages = st.builds(
    Message,
    st.integers(0, 31).map(lambda half: half * 2),
    st.integers(0, 3),
    st.integers(0, 255),
    st.one_of(st.binary(max_size=40), st.integers(0, 252).map(lambda size: bytes(range(size)))),
).filter(lambda message: message[:3] != (6, 0, 0x57))


@pytest.fixture
def ssif() -> Ssif:
    ssif = Ssif()
    HandlerSeam(ssif.engine, echo)
    return ssif


@pytest.fixture
def bus(ssif: Ssif) -> SmBus:
    bus = SmBus()
    bus.attach(ssif.target, address=ADDRESS)
    return bus


def write(bus: SmBus, command: int, block: str) -> bool:
    return bus.write_block(ADDRESS, command, bytes.fromhex(block))


def read(bus: SmBus, command: int, parameters: str = "") -> str | Failure:
    block = bus.read_block(ADDRESS, command, parameters=bytes.fromhex(parameters), pec=True)
    return block if isinstance(block, Failure) else block.hex()


def test_packet_error_code() -> None:
    assert packet_error_code(b"123456789") == 0xF4  # the check value of CRC-8/SMBUS


def test_a_single_part(bus: SmBus) -> None:
    assert read(bus, 0x03) is NACK
    assert write(bus, 0x02, "18 01 02")
    assert read(bus, 0x03) == "1c010002"
    assert read(bus, 0x03) == "1c010002", "until the next request"
    assert read(bus, 0x09) is NACK


def test_busy() -> None:
    ssif = Ssif()
    bus = SmBus()
    bus.attach(ssif.target, address=ADDRESS)
    assert write(bus, 0x02, "18 01")
    assert read(bus, 0x03) is NACK
    request = ssif.engine.next_event()
    assert isinstance(request, RequestReceived)
    assert ssif.engine.unanswered() == (request,)
    assert read(bus, 0x03) is NACK
    assert ssif.engine.respond(request.id, b"\x00")
    assert read(bus, 0x03) == "1c0100"
    assert write(bus, 0x02, "18 02")
    assert read(bus, 0x03) is NACK, "a new request discards the answer"
    late = ssif.engine.next_event()
    assert isinstance(late, RequestReceived)
    assert write(bus, 0x02, "18 03")
    assert ssif.engine.next_event() == RequestAbandoned(late.id)
    assert not ssif.engine.respond(late.id, b"\x00")


# fmt: off
ENDS = [
    pytest.param([(0x06, 32), (0x08, 1)],                        id="start and end"),
    pytest.param([(0x06, 32), (0x08, 32)],                       id="a full end"),
    pytest.param([(0x06, 32), (0x07, 7)],                        id="a short middle part"),
    pytest.param([(0x06, 32), (0x07, 32), (0x07, 0)],            id="an empty middle part"),
    pytest.param([(0x06, 32), (0x07, 32), (0x07, 32), (0x08, 5)], id="two middle parts"),
]
# fmt: on


@pytest.mark.parametrize("parts", ENDS)
def test_a_request_in_parts(parts: list[tuple[int, int]]) -> None:
    ssif = Ssif()
    bus = SmBus()
    bus.attach(ssif.target, address=ADDRESS)
    message = bytes(range(0x18, 0x18 + sum(size for _, size in parts)))
    position = 0
    for command, size in parts:
        assert ssif.engine.next_event() is None
        assert bus.write_block(ADDRESS, command, message[position : position + size])
        position += size
    event = ssif.engine.next_event()
    assert isinstance(event, RequestReceived)
    assert event.message == Message(6, 0, 0x19, message[2:])
    assert not write(bus, 0x07, "00"), "the message has ended"
    assert not write(bus, 0x08, "00")


def test_an_answer_in_parts(bus: SmBus, ssif: Ssif) -> None:
    HandlerSeam(ssif.engine, lambda message, context: bytes(range(80)))
    write(bus, 0x02, "18 01")
    answer = bytes.fromhex("1c 01") + bytes(range(80))
    first = "0001" + answer[:30].hex()
    second = "00" + answer[30:61].hex()
    last = "ff" + answer[61:].hex()
    assert [read(bus, 0x03), read(bus, 0x09), read(bus, 0x09)] == [first, second, last]
    assert read(bus, 0x09) is NACK
    assert read(bus, 0x0A, "00") == second
    assert read(bus, 0x09) == last
    assert read(bus, 0x0A, "01 00") == second, "with a count"
    assert read(bus, 0x0A, "01") == last
    assert read(bus, 0x0A, "ff") == last
    assert read(bus, 0x0A, "02") is NACK
    assert bus.write_block(ADDRESS, 0x0A, b"\x00"), "or as a write of its own"
    assert read(bus, 0x09) == second
    assert read(bus, 0x03) == first


def test_capabilities(bus: SmBus) -> None:
    """[IPMI 22.9]; of other interfaces the controller knows."""
    write(bus, 0x02, "18 57 00")
    assert read(bus, 0x03) == "1c57000088ffff"
    write(bus, 0x02, "18 57 01")
    assert read(bus, 0x03) == "1c570001"


def test_lengths(bus: SmBus, ssif: Ssif) -> None:
    assert write(bus, 0x02, "18")
    assert read(bus, 0x03) is NACK, "no command"
    assert write(bus, 0x06, "18 01")
    assert not write(bus, 0x08, "00"), "a start part is full"
    message = bytes.fromhex("18 01") + bytes(254)
    assert bus.write_block(ADDRESS, 0x06, message[:32])
    for position in range(32, 256, 32):
        assert bus.write_block(ADDRESS, 0x07, message[position : position + 32])
    assert bus.write_block(ADDRESS, 0x07, b"")
    assert read(bus, 0x03) == "1c01c6"
    for size, answer in ((253, None), (254, "1c01ca")):
        HandlerSeam(ssif.engine, lambda message, context, size=size: bytes(size))  # type: ignore[misc]
        write(bus, 0x02, "18 01")
        block = read(bus, 0x03)
        assert block == answer if answer else str(block).startswith("00011c01")


# fmt: off
WRITES = [  # what is written, and how much of it is acknowledged
    pytest.param("02 02 18 01",       4, True,  id="whole"),
    pytest.param("02 02 18 01 32",    5, True,  id="with the right packet error code"),
    pytest.param("02 02 18 01 33",    4, False, id="with a wrong one"),
    pytest.param("02 02 18 01 32 00", 5, False, id="more than that"),
    pytest.param("02 03 18 01",       4, False, id="less than the count says"),
    pytest.param("02 21 18 01",       1, False, id="a count above 32"),
    pytest.param("04 02 18 01",       0, False, id="an unknown command"),
    pytest.param("07 02 18 01",       0, False, id="a middle part without a start"),
    pytest.param("02",                1, False, id="a command alone"),
    pytest.param("",                  0, False, id="nothing"),
]
# fmt: on


@pytest.mark.parametrize(("data", "acknowledged", "executed"), WRITES)
def test_what_is_acknowledged(data: str, acknowledged: int, executed: bool) -> None:
    ssif = Ssif()
    bus = SmBus()
    bus.attach(ssif.target, address=ADDRESS)
    raw = bytes.fromhex(data)
    right = packet_error_code(bytes.fromhex("20 02 02 18 01"))
    raw = bytes(right if byte == 0x32 else right ^ 1 if byte == 0x33 else byte for byte in raw)
    assert bus.write(ADDRESS, raw) == acknowledged
    assert (ssif.engine.next_event() is not None) is executed
    assert bus.write(0x11, raw) == -1


def test_without_packet_error_codes() -> None:
    ssif = Ssif(pec=False)
    HandlerSeam(ssif.engine, echo)
    bus = SmBus()
    bus.attach(ssif.target, address=ADDRESS)
    assert not bus.write_block(ADDRESS, 0x02, b"\x18\x01", pec=True)
    assert bus.write_block(ADDRESS, 0x02, b"\x18\x01")
    assert bus.read_block(ADDRESS, 0x03) == b"\x1c\x01\x00"
    assert bus.read_block(ADDRESS, 0x03, pec=True) is Failure.PACKET_ERROR


def test_alert(ssif: Ssif) -> None:
    levels: list[bool] = []
    bus = SmBus(levels.append)
    bus.attach(ssif.target, address=ADDRESS)
    write(bus, 0x02, "18 01")
    assert levels == []
    assert bus.alert_response() is None
    ssif.engine.set_interrupt(True)
    assert levels == [True], "an answer that was not read"
    read(bus, 0x03)
    assert levels == [True, False]
    ssif.engine.set_attention(True, False)
    assert levels == [True, False]
    ssif.engine.set_attention(True, True)
    assert levels == [True, False, True]
    assert bus.alert_response() == ADDRESS
    assert levels == [True, False, True, False], "the alert response address lets it go"
    write(bus, 0x02, "18 01")
    assert levels[-1]
    ssif.engine.set_interrupt(False)
    assert not levels[-1]


@given(st.lists(messages, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_driver_and_engine(requests: list[Message], alerts: bool, pec: bool) -> None:
    ssif = Ssif(pec=pec)
    HandlerSeam(ssif.engine, echo)
    ssif.engine.set_interrupt(alerts)
    bus = SmBus()
    bus.attach(ssif.target, address=ADDRESS)
    driver = SsifDriver(bus, pec=pec)
    for request in requests:
        driver.send_request(request, 0.0)

        def serve_alert() -> None:
            if bus.alert.level:
                assert driver.alerted(0.0)

        assert run(driver, each=serve_alert) == answered(request)


class Lossy(SmBus):
    """A bus on which bytes change and transfers are not acknowledged."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__()
        self.faults = faults

    def write(self, address: int, data: bytes) -> int:
        fault = self.faults.pop() if self.faults else ""
        if fault == "nack":
            return -1
        if fault == "byte":
            data = data[:-1] + bytes((data[-1] ^ 0x10,))
        return super().write(address, data)

    def write_read(self, address: int, data: bytes, length: int, *, block: bool = False) -> bytes | None:
        raw = super().write_read(address, data, length, block=block)
        fault = self.faults.pop() if self.faults else ""
        if fault == "nack":
            return None
        if fault == "byte" and raw:
            return raw[:1] + bytes((raw[1] ^ 0x10,)) + raw[2:]
        return raw


@given(messages, st.lists(st.sampled_from(["", "", "nack", "byte"]), max_size=40))
def test_a_lossy_bus(request: Message, faults: list[str]) -> None:
    """With packet error codes: the answer, or a report; never a wrong answer."""
    ssif = Ssif()
    HandlerSeam(ssif.engine, echo)
    bus = Lossy(faults)
    bus.attach(ssif.target, address=ADDRESS)
    driver = SsifDriver(bus)
    driver.send_request(request, 0.0)
    outcome = run(driver)
    assert isinstance(outcome, TransferFailed) or outcome == answered(request)
    bus.faults = []
    driver.send_request(request, 100.0)
    assert run(driver, 100.0) == answered(request)


class Faulty(SmBus):
    """A bus on which one transfer, the n-th, is not what the host meant. What follows is."""

    def __init__(self, fault: str, number: int) -> None:
        super().__init__()
        self.fault = fault
        self.left = number

    def _now(self) -> bool:
        self.left -= 1
        return self.left == -1

    def write(self, address: int, data: bytes) -> int:
        if not self._now():
            return super().write(address, data)
        match self.fault:
            case "refused" | "lost":
                return -1
            case "cut" | "short":
                return super().write(address, data[: len(data) // 2])
            case "long":
                return super().write(address, data + b"\x00") - 1  # not acknowledged to its end
            case "twice":
                super().write(address, data)
                return super().write(address, data)
            case "changed":
                return super().write(address, data[:-2] + bytes((data[-2] ^ 0x04, data[-1])))
            case command:  # another one comes before it
                super().write(address, bytes.fromhex(command))
                return super().write(address, data)

    def write_read(self, address: int, data: bytes, length: int, *, block: bool = False) -> bytes | None:
        if not self._now():
            return super().write_read(address, data, length, block=block)
        match self.fault:
            case "refused" | "cut":
                return None
            case "lost" | "twice":  # the host did not get it, and asks for the next
                super().write_read(address, data, length, block=block)
                return None
            case "short":
                raw = super().write_read(address, data, length, block=block)
                return raw and raw[: len(raw) // 2] + b"\xff" * (len(raw) - len(raw) // 2)
            case "long":
                raw = super().write_read(address, data, length, block=block)
                return raw and bytes((raw[0] + 1,)) + raw[1:] + b"\x00"
            case "changed":
                raw = super().write_read(address, data, length, block=block)
                return raw and raw[:2] + bytes((raw[2] ^ 0x04,)) + raw[3:]
            case command:
                super().write(address, bytes.fromhex(command))
                return super().write_read(address, data, length, block=block)


NAMED = ("refused", "lost", "cut", "short", "long", "twice", "changed")
# whole blocks in the wrong place: a middle part, an end part, a request, a start part that is not full
# no number tells a middle part that came twice, or from elsewhere, from one that was due; and the last part
# of an answer, to which a foreign retry has moved, has none either: only the host's software can see that
UNSEEN = ("twice", "07 20" + "00" * 32, "0a ff")
FOREIGN = (
    "07 20" + "00" * 32,
    "08 01 00",
    "02 02 18 02",
    "06 02 18 01",
    "03",
    "09",
    "0a ff",
    "55 01 00",
    "02",
)


@pytest.mark.parametrize("fault", NAMED + FOREIGN, ids=lambda fault: fault[:8].strip())
@pytest.mark.parametrize("length", [2, 33, 100])
def test_a_fault_at_every_step(fault: str, length: int) -> None:
    """The answer, or a report that there is none; never another's answer, and the next request succeeds."""
    request = Message(0x2E, 0, 0x01, bytes(range(length)))
    recovered = reported = 0
    for number in range(40):
        ssif = Ssif()
        HandlerSeam(ssif.engine, echo)
        bus = Faulty(fault, number)
        bus.attach(ssif.target, address=ADDRESS)
        driver = SsifDriver(bus)
        driver.send_request(request, 0.0)
        outcome = run(driver)
        if bus.left >= 0:
            assert outcome == answered(request), "no fault any more"
            break
        if isinstance(outcome, TransferFailed):
            reported += 1
        else:
            assert outcome == answered(request) or (fault in UNSEEN and length > 32), number
            recovered += 1
        driver.send_request(Message(0x2E, 0, 0x02, b"next"), 100.0)
        assert run(driver, 100.0) == answered(Message(0x2E, 0, 0x02, b"next"))
    else:
        raise AssertionError("transfers without end")
    assert recovered + reported == number
    assert recovered, "most are made good"


def test_a_bmc_without_answer_is_reported() -> None:
    bus = SmBus()
    bus.attach(Ssif().target, address=ADDRESS)
    driver = SsifDriver(bus)
    driver.send_request(Message(6, 0, 1), 0.0)
    assert run(driver) == TransferFailed(None, "no success in 250 tries while READING")


accesses = st.one_of(
    st.tuples(st.just("start"), st.booleans()),
    st.tuples(st.just("write"), st.one_of(st.integers(0, 10), st.integers(0, 255))),
    st.tuples(st.just("read")),
    st.tuples(st.just("stop")),
    st.tuples(st.just("block"), st.integers(1, 10), st.binary(max_size=32)),
    st.tuples(st.just("block"), st.integers(6, 8), st.just(bytes(32))),
    st.tuples(st.just("block"), st.just(2), st.binary(min_size=2, max_size=4)),
    st.tuples(st.just("fetch"), st.sampled_from((3, 9, 10)), st.binary(max_size=3)),
    st.tuples(st.just("alert response")),
    st.tuples(st.just("respond"), st.binary(min_size=1, max_size=400)),
    st.tuples(st.just("attention"), st.booleans(), st.booleans()),
    st.tuples(st.just("enable"), st.booleans()),
    st.tuples(st.just("reset")),
)


def do(ssif: Ssif, bus: SmBus, access: Access) -> object:
    kind, *rest = access
    target = ssif.target
    if kind == "start":
        return target.start(*rest)
    if kind == "write":
        return target.write(*rest)
    if kind == "read":
        return target.read()
    if kind == "stop":
        target.stop()
    elif kind == "block":
        return bus.write_block(ADDRESS, *rest)
    elif kind == "fetch":
        return bus.read_block(ADDRESS, rest[0], parameters=rest[1])
    elif kind == "alert response":
        return bus.alert_response()
    elif kind == "respond":
        event = ssif.engine.next_event()
        if isinstance(event, RequestReceived):
            assert ssif.engine.respond(event.id, rest[0])
        return event
    elif kind == "attention":
        ssif.engine.set_attention(*rest)
    elif kind == "enable":
        ssif.engine.set_interrupt(rest[0])
    elif kind == "reset":
        ssif.reset()
    return None


def on_a_bus(ssif: Ssif) -> SmBus:
    bus = SmBus()
    bus.attach(ssif.target, address=ADDRESS)
    return bus


@given(st.lists(accesses, max_size=60), st.integers(0, 60), st.sampled_from((Quirk.NONE, Quirk.QEMU)))
@settings(max_examples=300)
def test_any_access_and_a_cut_anywhere(sequence: list[Access], cut: int, quirks: Quirk) -> None:
    """Nothing raises; and one that was moved to a new instance goes on as one that was not."""
    stays, moves = Ssif(quirks=quirks), Ssif(quirks=quirks)
    stays_on, moves_on = on_a_bus(stays), on_a_bus(moves)
    for number, access in enumerate(sequence):
        if number == cut:
            moves = Ssif.from_state(through_text(moves.export()))
            moves_on = on_a_bus(moves)
        assert do(stays, stays_on, access) == do(moves, moves_on, access)
        assert stays_on.alert.level == moves_on.alert.level
    assert stays.export() == moves.export()


@given(messages)
@settings(max_examples=25)
def test_a_cut_at_every_byte_of_a_transfer(request: Message) -> None:
    ssif = Ssif()

    class Moving:
        """A new device for each byte."""

        alert = False
        alert_changed = staticmethod(lambda level: None)

        def __getattr__(self, name: str) -> object:
            nonlocal ssif
            ssif = Ssif.from_state(ssif.export())
            pump(ssif.engine)
            return getattr(ssif.target, name)

    bus = SmBus()
    bus.attach(Moving(), address=ADDRESS)  # type: ignore[arg-type]
    driver = SsifDriver(bus)
    driver.send_request(request, 0.0)
    assert run(driver) == answered(request)
