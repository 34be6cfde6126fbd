"""Get Device ID through the registers of a BMC's chip, from our host drivers to firmware, in one process.

    .venv/bin/python -m bench.firmware

In Python: a plain interrupt handler over the register model. In C: the images of `firmware/`, in a machine of
ours (extra `machine`). The best of several rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from baseboard.errors import ConfigError
from baseboard.interface import HandlerSeam
from baseboard.interface.bt.driver import BtDriver
from baseboard.interface.driver import Direct, Driver, ResponseReceived
from baseboard.interface.kcs import Kcs, KcsDriver
from baseboard.ipmi.message import Message
from baseboard.machine import BOARDS, ArmMachine, Elf
from baseboard.responder import AspeedLpc, Npcm7xxKcs

ROUNDS = 7
GET_DEVICE_ID = Message(0x06, 0, 0x01)
ANSWER = bytes.fromhex("1c 01 00 20 01 01 00 02 84 000000 0026 00000000")
PREBUILT = Path(__file__).parent.parent / "firmware" / "prebuilt"
IDR3, ODR3, STR3 = 0x2C, 0x38, 0x44


class PythonFirmware:
    """The least that KCS firmware does, on channel 3 of Aspeed's block."""

    def __init__(self, block: AspeedLpc) -> None:
        self.block = block
        for offset, value in ((0x00, 0x80), (0x08, 0x08), (0x10, 0x04)):
            block.write(offset, 4, value)
        self.sent = 0
        self.last = False
        block.lines[140].changed = self.interrupt

    def interrupt(self, level: bool) -> None:
        """The line came up: the host wrote."""
        if not level:
            return
        read, write = self.block.kcs.read, self.block.kcs.write
        status = read(STR3, 4)
        if status & 0x08:
            write(STR3, 4, 0x80)
            write(ODR3, 4, 0)
            self.last = read(IDR3, 4) == 0x62
            self.sent = 0
        elif self.last:
            sent = self.sent
            self.sent = sent + 1
            if sent == len(ANSWER):
                write(STR3, 4, 0x00)
                read(IDR3, 4)
                write(ODR3, 4, 0)
            else:
                if not sent:
                    write(STR3, 4, 0x40)
                read(IDR3, 4)
                write(ODR3, 4, ANSWER[sent])
        else:
            write(ODR3, 4, 0)
            read(IDR3, 4)


def without_chip() -> Callable[[], ResponseReceived]:
    """Driver and our engine on the bare latch."""
    kcs = Kcs()
    HandlerSeam(kcs.engine, lambda message, context: ANSWER[2:])
    driver = KcsDriver(Direct(kcs.registers))
    return lambda: ask(driver, lambda: None)


def in_python() -> Callable[[], ResponseReceived]:
    """Driver and firmware, no code of a processor."""
    block = AspeedLpc()
    PythonFirmware(block)
    driver = KcsDriver(block.kcs.host(3))
    return lambda: ask(driver, lambda: None)


def in_c(image: str, board: str, block: Any, host: Callable[[Any], Driver]) -> Callable[[], ResponseReceived]:
    """Driver, and an image of the firmware."""
    machine = ArmMachine(BOARDS[board], block)
    machine.load(Elf.from_file(PREBUILT / f"{image}.elf"))
    machine.run(5000)
    driver = host(block)
    return lambda: ask(driver, machine.wait)


def ask(driver: Driver, wait: Callable[[], None]) -> ResponseReceived:
    """One request."""
    driver.send_request(GET_DEVICE_ID, 0.0)
    while (event := driver.next_event()) is None:
        if not driver.step(0.0):
            wait()
    assert isinstance(event, ResponseReceived), event
    return event


def measure(transfer: Callable[[], ResponseReceived], times: int) -> float:
    """Seconds; the best round."""
    assert len(transfer().data) == len(ANSWER) - 2
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(times):
            transfer()
        best = min(best, (time.perf_counter() - start) / times)
    return best


def main() -> None:
    """Measure, and print one line for each."""
    # fmt: off
    rows: list[tuple[str, Callable[[], Callable[[], ResponseReceived]], int]] = [
        ("Python, no chip",       without_chip, 1000),
        ("Python, Aspeed KCS",    in_python, 1000),
        ("C, Aspeed KCS",         lambda: in_c("ast2600-interrupt", "ast2600-evb", AspeedLpc(),
                                              lambda block: KcsDriver(block.kcs.host(3))), 50),
        ("C, Aspeed iBT",         lambda: in_c("ast2600-interrupt", "ast2600-evb", AspeedLpc(),
                                              lambda block: BtDriver(block.ibt.host())), 50),
        ("C, NPCM7xx KCS",        lambda: in_c("npcm750-interrupt", "npcm750-evb", Npcm7xxKcs(),
                                              lambda block: KcsDriver(block.host(1))), 50),
        ("C, NPCM7xx KCS, polls", lambda: in_c("npcm750-polled", "npcm750-evb", Npcm7xxKcs(),
                                               lambda block: KcsDriver(block.host(1))), 50),
    ]
    # fmt: on
    for name, make, times in rows:
        try:
            transfer = make()
        except ConfigError as error:
            print(f"{name:24} {error}")
        else:
            print(f"{name:24} Get Device ID {measure(transfer, times) * 1e6:8.1f} us")


if __name__ == "__main__":
    main()
