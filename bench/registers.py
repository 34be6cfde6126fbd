"""Register accesses per second through the ISA binding, and Get Device ID over KCS registers.

    .venv/bin/python -m bench.registers

A plain loop over the public binding, with the whole controller behind it. The best of several rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from baseboard.bmc import Bmc, Core, Settings
from baseboard.bmc.commands import TABLES
from baseboard.interface import HandlerSeam
from baseboard.interface.bt import Bt
from baseboard.interface.bus.isa import IsaBus
from baseboard.interface.kcs import Kcs

ROUNDS = 7
DATA, STATUS = 0xCA2, 0xCA3
CONTROL, BUFFER = 0xE4, 0xE5


def machine() -> IsaBus:
    """A controller behind KCS and BT."""
    bus = IsaBus()
    core = Core(Bmc(Settings()), TABLES)
    for device, base, irq in ((Kcs(), DATA, 5), (Bt(), CONTROL, 6)):
        HandlerSeam(device.engine, core.handle)
        bus.attach(device, base=base, irq=irq)
    return bus


def kcs(bus: IsaBus) -> tuple[bytes, int]:
    """Get Device ID, as the flow charts have it; the answer, and how many accesses it took."""
    read, write = bus.read, bus.write
    accesses = 12
    write(STATUS, 0x61)
    read(STATUS)
    read(DATA)
    write(DATA, 0x18)
    read(STATUS)
    read(DATA)
    write(STATUS, 0x62)
    read(STATUS)
    read(DATA)
    write(DATA, 0x01)
    answer = bytearray()
    while read(STATUS) & 0xC1 == 0x41:
        answer.append(read(DATA))
        write(DATA, 0x68)
        accesses += 3
    read(DATA)
    return bytes(answer), accesses


def bt(bus: IsaBus) -> tuple[bytes, int]:
    """The same over BT."""
    read, write = bus.read, bus.write
    write(CONTROL, 0x01)
    for byte in (0x03, 0x18, 0x01, 0x01):
        write(BUFFER, byte)
    write(CONTROL, 0x04)
    while not read(CONTROL) & 0x08:
        pass
    write(CONTROL, 0x40)
    write(CONTROL, 0x08)
    write(CONTROL, 0x02)
    length = read(BUFFER)
    answer = bytes([read(BUFFER) for _ in range(length)])
    write(CONTROL, 0x40)
    return answer, 12 + length


def measure(transfer: Callable[[IsaBus], tuple[bytes, int]], times: int = 3000) -> tuple[float, float]:
    """Seconds for a transfer, and accesses per second; the best round."""
    bus = machine()
    answer, accesses = transfer(bus)
    assert len(answer) > 15, answer
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(times):
            transfer(bus)
        best = min(best, (time.perf_counter() - start) / times)
    return best, accesses / best


def main() -> None:
    """Measure, and print one line for each interface."""
    for name, transfer in (("KCS", kcs), ("BT", bt)):
        seconds, rate = measure(transfer)
        print(f"{name:4} Get Device ID {seconds * 1e6:6.1f} us   {rate:12,.0f} register accesses/s")


if __name__ == "__main__":
    main()
