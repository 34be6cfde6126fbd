"""Firmware that does anything at any time: our drivers report something, and work again when it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.responder.python_firmware import AspeedPort, BtFirmware, KcsFirmware, Npcm7xxPort, Port
from tests.responder.test_conversations import ASK, answer_to, run

from baseboard.interface.bt.driver import BtDriver
from baseboard.interface.driver import Driver, DriverEvent
from baseboard.interface.kcs import KcsDriver
from baseboard.responder import AspeedIbt, AspeedKcs, Npcm7xxKcs

TURNS = 5000
KCS_DOES = st.one_of(
    st.just(("input",)),
    st.tuples(st.just("output"), st.integers(0, 255)),
    st.tuples(st.just("status"), st.integers(0, 255)),
    st.sampled_from([("status", 0x80), ("status", 0x40), ("output", 0x1C), ("properly",), ("properly",)]),
)
BT_DOES = st.one_of(
    st.tuples(st.just("control"), st.integers(0, 255)),
    st.tuples(st.just("fifo"), st.integers(0, 255)),
    st.sampled_from([("control", 0x08), ("control", 0x80), ("fifo", 0x03), ("fifo", 0xFF), ("properly",)]),
)


def outcome(driver: Driver, acts: Iterator[Callable[[], object]]) -> DriverEvent:
    """One act of the firmware's between two steps, which take their time."""
    now = 0.0
    for _ in range(TURNS):
        next(acts)()
        driver.step(now)
        now += 0.1
        if (event := driver.next_event()) is not None:
            return event
    raise AssertionError("no outcome")


def again(acts: list[Callable[[], object]]) -> Iterator[Callable[[], object]]:
    while True:
        yield from acts


def kcs_act(port: Port, firmware: KcsFirmware, what: tuple[object, ...]) -> Callable[[], object]:
    kind, *rest = what
    acts: dict[object, Callable[[], object]] = {
        "input": port.read_input,
        "output": lambda: port.write_output(rest[0]),  # type: ignore[arg-type]
        "status": lambda: port.write_status(rest[0]),  # type: ignore[arg-type]
        "properly": firmware.service,
    }
    return acts[kind]


@pytest.mark.parametrize("chip", ["aspeed", "npcm7xx"])
@settings(max_examples=60)
@given(does=st.lists(KCS_DOES, min_size=1, max_size=30))
def test_kcs(chip: str, does: list[tuple[object, ...]]) -> None:
    port: Port
    if chip == "aspeed":
        aspeed = AspeedKcs()
        port, host = AspeedPort(aspeed, 3), aspeed.host(3)
    else:
        npcm7xx = Npcm7xxKcs()
        port, host = Npcm7xxPort(npcm7xx, 2), npcm7xx.host(2)
    firmware = KcsFirmware(port)
    driver = KcsDriver(host)
    driver.send_request(ASK, 0.0)
    outcome(driver, again([kcs_act(port, firmware, what) for what in does]))
    port.block.reset()
    firmware.restart()
    driver = KcsDriver(host)
    driver.send_request(ASK, 0.0)
    assert run(driver, firmware) == answer_to(ASK)


def bt_act(block: AspeedIbt, firmware: BtFirmware, what: tuple[object, ...]) -> Callable[[], object]:
    kind, *rest = what
    acts: dict[object, Callable[[], object]] = {
        "control": lambda: block.write(0x10, 4, rest[0]),  # type: ignore[arg-type]
        "fifo": lambda: block.write(0x14, 4, rest[0]),  # type: ignore[arg-type]
        "properly": firmware.service,
    }
    return acts[kind]


@settings(max_examples=60)
@given(does=st.lists(BT_DOES, min_size=1, max_size=30))
def test_bt(does: list[tuple[object, ...]]) -> None:
    block = AspeedIbt()
    firmware = BtFirmware(block)
    driver = BtDriver(block.host())
    driver.begin()
    driver.send_request(ASK, 0.0)
    outcome(driver, again([bt_act(block, firmware, what) for what in does]))
    block.reset()
    firmware.restart()
    driver = BtDriver(block.host())
    driver.begin()
    driver.send_request(ASK, 0.0)
    assert run(driver, firmware) == answer_to(ASK)
