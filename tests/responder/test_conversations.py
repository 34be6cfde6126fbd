"""Our host drivers and firmware that is not our engine, over the registers of each chip."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.responder.python_firmware import AspeedPort, BtFirmware, KcsFirmware, Npcm7xxPort, Port, echo

from baseboard.interface.bt.driver import BtDriver
from baseboard.interface.driver import Driver, DriverEvent, Registers, ResponseReceived, TransferFailed
from baseboard.interface.kcs import KcsDriver
from baseboard.ipmi.message import Message
from baseboard.responder import AST2400, AST2600, AspeedIbt, AspeedKcs, Npcm7xxKcs

ASK = Message(6, 0, 1, b"\x10\x20\x30")
MESSAGES = st.builds(
    Message,
    st.integers(0, 31).map(lambda netfn: netfn * 2),
    st.integers(0, 3),
    st.integers(0, 255),
    st.binary(max_size=250),
)


def aspeed(channel: int) -> Callable[[], tuple[Port, Registers]]:
    def make() -> tuple[Port, Registers]:
        block = AspeedKcs(AST2600 if channel & 1 else AST2400)
        return AspeedPort(block, channel), block.host(channel)

    return make


def npcm7xx(channel: int) -> Callable[[], tuple[Port, Registers]]:
    def make() -> tuple[Port, Registers]:
        block = Npcm7xxKcs()
        return Npcm7xxPort(block, channel), block.host(channel)

    return make


CHANNELS = [
    *(pytest.param(aspeed(channel), id=f"aspeed-{channel}") for channel in (1, 2, 3, 4)),
    *(pytest.param(npcm7xx(channel), id=f"npcm7xx-{channel}") for channel in (1, 2, 3)),
]
EACH_CHIP = [CHANNELS[2], CHANNELS[4]]


def answer_to(message: Message) -> ResponseReceived:
    netfn, lun, command, data = message
    return ResponseReceived(netfn | 1, lun, command, b"\x00" + data[::-1])


def run(driver: Driver, firmware: KcsFirmware | BtFirmware, now: float = 0.0) -> DriverEvent:
    """Both until there is an outcome; time passes when neither has anything to do."""
    for _ in range(20_000):
        worked = firmware.service() | driver.step(now)
        if (event := driver.next_event()) is not None:
            return event
        if not worked:
            deadline = driver.next_deadline()
            assert deadline is not None
            now = max(now, deadline)
    raise AssertionError("no outcome")


def kcs_accesses() -> list[tuple[int, int]]:
    """Every write that a transfer of ASK makes, the three bytes of its error exit after them."""
    request = bytes((ASK.netfn << 2, ASK.command)) + ASK.data
    written = [(1, 0x61), *((0, byte) for byte in request[:-1]), (1, 0x62), (0, request[-1])]
    return written + [(0, 0x68)] * len(echo(request))


def host_writes(host: Registers, firmware: KcsFirmware, writes: list[tuple[int, int]]) -> None:
    """The host's writes, each when the firmware has taken the one before, as drivers do it."""
    for register, value in writes:
        if host.read(1) & 1:
            host.read(0)
        host.write(register, value)
        while firmware.service():
            pass


@pytest.mark.parametrize("make", CHANNELS)
@settings(max_examples=15)
@given(messages=st.lists(MESSAGES, min_size=1, max_size=3))
def test_kcs(make: Callable[[], tuple[Port, Registers]], messages: list[Message]) -> None:
    port, host = make()
    firmware = KcsFirmware(port)
    driver = KcsDriver(host)
    for message in messages:
        driver.send_request(message, 0.0)
        assert run(driver, firmware) == answer_to(message)
    assert not firmware.codes
    assert not port.irq


@pytest.mark.parametrize("make", EACH_CHIP)
@pytest.mark.parametrize("at", range(len(kcs_accesses()) + 1))
def test_kcs_abort_at_every_byte(make: Callable[[], tuple[Port, Registers]], at: int) -> None:
    """The code is 01h where something was under way, and the next request is answered."""
    port, host = make()
    firmware = KcsFirmware(port)
    driver = KcsDriver(host)
    host_writes(host, firmware, kcs_accesses()[:at])
    host_writes(host, firmware, [(1, 0x60), (0, 0x00)])
    under_way = 0 < at < len(kcs_accesses())
    assert host.read(1) & 0xC1 == 0x41
    assert host.read(0) == (1 if under_way else 0)
    host_writes(host, firmware, [(0, 0x68)])
    assert host.read(1) & 0xC1 == 0x01
    driver.send_request(ASK, 0.0)
    assert run(driver, firmware) == answer_to(ASK)


@pytest.mark.parametrize("make", EACH_CHIP)
@pytest.mark.parametrize("wrong", [(1, 0x62), (1, 0x77), (0, 0x55)], ids=["write end", "other", "data"])
@pytest.mark.parametrize("at", range(len(kcs_accesses()) + 1))
def test_kcs_illegal_at_every_byte(
    make: Callable[[], tuple[Port, Registers]], wrong: tuple[int, int], at: int
) -> None:
    """A wrong byte anywhere: the error state where it is illegal, and the driver finds its way out."""
    port, host = make()
    firmware = KcsFirmware(port)
    driver = KcsDriver(host)
    accesses = kcs_accesses()
    host_writes(host, firmware, [*accesses[:at], wrong])
    writing = 1 <= at <= len(ASK.data) + 2
    request_byte_due = 1 <= at <= len(ASK.data) + 3
    legal = writing if wrong == (1, 0x62) else wrong[0] == 0 and request_byte_due
    if not legal:
        assert host.read(1) & 0xC0 == 0xC0
        assert firmware.codes == [2]
    driver.send_request(ASK, 0.0)
    assert run(driver, firmware) == answer_to(ASK)


@pytest.mark.parametrize("make", EACH_CHIP)
@pytest.mark.parametrize("writes", [[(1, 0x61), *[(0, 1)] * 280], [(1, 0x61), (1, 0x62), (0, 0x18)]])
def test_kcs_wrong_length(make: Callable[[], tuple[Port, Registers]], writes: list[tuple[int, int]]) -> None:
    port, host = make()
    firmware = KcsFirmware(port)
    host_writes(host, firmware, writes)
    assert firmware.codes[0] == 6
    assert host.read(1) & 0xC0 == 0xC0
    driver = KcsDriver(host)
    driver.send_request(ASK, 0.0)
    assert run(driver, firmware) == answer_to(ASK)


@pytest.mark.parametrize("make", EACH_CHIP)
@pytest.mark.parametrize("steps", range(14))
def test_kcs_bmc_reset_in_mid_transfer(make: Callable[[], tuple[Port, Registers]], steps: int) -> None:
    port, host = make()
    firmware = KcsFirmware(port)
    driver = KcsDriver(host)
    driver.send_request(ASK, 0.0)
    for _ in range(steps):
        firmware.service()
        driver.step(0.0)
    assert driver.next_event() is None, "the transfer was over before"
    port.block.reset()
    assert not port.irq
    firmware.restart()
    assert run(driver, firmware) == answer_to(ASK)


@pytest.mark.parametrize("make", EACH_CHIP)
@settings(max_examples=100)
@given(
    accesses=st.lists(
        st.one_of(
            st.tuples(st.just("r"), st.integers(0, 1)),
            st.tuples(st.just("w"), st.integers(0, 1), st.integers(0, 255)),
            st.sampled_from([("w", 1, 0x61), ("w", 1, 0x62), ("w", 1, 0x60), ("w", 0, 0x68), ("reset",)]),
            st.just(("service",)),
        ),
        max_size=40,
    )
)
def test_kcs_any_host(make: Callable[[], tuple[Port, Registers]], accesses: list[tuple[object, ...]]) -> None:
    """Whatever a host does, with or without waiting: a proper driver comes through afterwards."""
    port, host = make()
    firmware = KcsFirmware(port)
    for kind, *rest in accesses:
        if kind == "r":
            host.read(*rest)  # type: ignore[arg-type]
        elif kind == "w":
            host.write(*rest)  # type: ignore[arg-type]
        elif kind == "reset":
            port.block.reset()
            firmware.restart()
        else:
            firmware.service()
    driver = KcsDriver(host)
    driver.send_request(ASK, 0.0)
    assert run(driver, firmware) == answer_to(ASK)


@pytest.mark.parametrize("make", EACH_CHIP)
def test_kcs_silent_firmware(make: Callable[[], tuple[Port, Registers]]) -> None:
    """No answer: the driver reports it, and the firmware was told of an abort each time."""
    port, host = make()
    firmware = KcsFirmware(port, lambda request: b"")
    driver = KcsDriver(host)
    driver.send_request(ASK, 0.0)
    event = run(driver, firmware)
    assert isinstance(event, TransferFailed)
    firmware.execute = echo
    driver.send_request(ASK, 100.0)
    assert run(driver, firmware, 100.0) == answer_to(ASK)


# BT


@settings(max_examples=40)
@given(messages=st.lists(MESSAGES, min_size=1, max_size=3))
def test_bt(messages: list[Message]) -> None:
    block = AspeedIbt()
    firmware = BtFirmware(block)
    driver = BtDriver(block.host())
    for message in messages:
        driver.send_request(message, 0.0)
        assert run(driver, firmware) == answer_to(message)
    assert not block.latch.control & ~0x10


@pytest.mark.parametrize("steps", range(3))
def test_bt_bmc_reset_in_mid_transfer(steps: int) -> None:
    block = AspeedIbt()
    firmware = BtFirmware(block)
    driver = BtDriver(block.host())
    driver.send_request(ASK, 0.0)
    for step in range(steps):
        driver.step(0.0)
        if step:
            firmware.service()
    assert driver.next_event() is None, "the transfer was over before"
    block.reset()
    assert not block.irq
    firmware.restart()
    assert run(driver, firmware) == answer_to(ASK)


@settings(max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("r"), st.integers(0, 2)),
            st.tuples(st.just("w"), st.integers(0, 2), st.integers(0, 255)),
            st.just(("service",)),
        ),
        max_size=40,
    )
)
def test_bt_any_host(accesses: list[tuple[object, ...]]) -> None:
    """Whatever a host does: after a driver's start the next request is answered."""
    block = AspeedIbt()
    firmware = BtFirmware(block)
    host = block.host()
    for kind, *rest in accesses:
        if kind == "r":
            host.read(*rest)  # type: ignore[arg-type]
        elif kind == "w":
            host.write(*rest)  # type: ignore[arg-type]
        else:
            firmware.service()
    if host.read(0) & 0x40:
        host.write(0, 0x40)
    driver = BtDriver(host)
    driver.begin()
    driver.send_request(ASK, 0.0)
    assert run(driver, firmware) == answer_to(ASK)


@pytest.mark.parametrize("length", [0, 1, 2])
def test_bt_too_short(length: int) -> None:
    """There is nothing to answer, and nothing hangs."""
    block = AspeedIbt()
    firmware = BtFirmware(block)
    host = block.host()
    host.write(0, 0x01)
    for byte in (length, 0x18, 0x05)[: length + 1]:
        host.write(1, byte)
    host.write(0, 0x04)
    assert block.irq
    firmware.service()
    assert not block.irq
    assert host.read(0) == 0
