"""How many RTAS calls a machine answers in a second; how long a replay and a large tree take.

    python -m bench.spapr

Prints one line a figure. Calls go through the public `rtas.call`, and through argument blocks in guest
memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from baseboard.machine import Ppc64Machine
from baseboard.machine.ppc64 import PROGRAM
from baseboard.spapr import fdt, vector5
from baseboard.spapr.call_log import CallLog
from baseboard.spapr.device_tree import device_tree
from baseboard.spapr.guest_memory import ByteMemory, write_cells
from baseboard.spapr.hcalls import Hypervisor
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.replaying import replay
from baseboard.spapr.rtas import TOKENS
from baseboard.spapr.saved import export, restore

SECONDS = 1.0
GIB = 1 << 30
CORE = 0x1000_0001
BLOCK, AREA, BLOCK_OF_GUEST = 0x1000, 0x10000, 0x80000
H_RTAS = 0xF000
CALLS = 50_000


def rate(call: Callable[[], object]) -> float:
    """Calls in a second, measured for about one."""
    done, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS:
        for _ in range(1000):
            call()
        done += 1000
    return done / passed


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def make_machine() -> PseriesMachine:
    machine = PseriesMachine(cores=1, max_cores=4, memory=ByteMemory(1 << 20))
    machine.plug_core("c1", 1, cold=True)
    return machine


def logged_calls(count: int) -> tuple[dict[str, object], CallLog]:
    machine = make_machine()
    start = export(machine)
    machine.log = log = CallLog()
    write_cells(machine.memory, AREA, CORE, 0)
    calls = (
        ("set-indicator", 9001, CORE, 0, 1),
        ("set-indicator", 9001, CORE, 1, 1),
        ("ibm,configure-connector", AREA, 0, 1),
        ("get-sensor-state", 9003, CORE, 2),
    )
    for number in range(count):
        service, *arguments, results = calls[number % len(calls)]
        write_cells(
            machine.memory, BLOCK, TOKENS[str(service)], len(arguments), int(results), *map(int, arguments)
        )
        machine.rtas.call_block(BLOCK)
    return start, log


def guest_calls() -> Callable[[], object]:
    """Code that Unicorn runs, and that makes `CALLS` calls."""
    guest = Ppc64Machine(Hypervisor(make_machine()))
    memory = guest.hypervisor.machine.memory
    write_cells(memory, BLOCK_OF_GUEST, TOKENS["set-indicator"], 3, 1, 9001, CORE, 1)
    # mtctr r3; li r3, 0; ori r3, r3, H_RTAS; mr r4, r5; sc 1; bdnz to the li; blr
    guest.load(bytes.fromhex("7c6903a6 38600000 6063f000 7ca42b78 44000022 4200fff0 4e800020"), PROGRAM)
    return lambda: guest.call(PROGRAM, CALLS, 0, BLOCK_OF_GUEST)


def main() -> None:
    machine = make_machine()
    call = machine.rtas.call
    indicate, sense = [9001, CORE, 1], [9003, CORE]
    print(f"set-indicator       {rate(lambda: call('set-indicator', indicate)):9,.0f} calls/s")
    print(f"get-sensor-state    {rate(lambda: call('get-sensor-state', sense, 2)):9,.0f} calls/s")
    write_cells(machine.memory, BLOCK, TOKENS["set-indicator"], 3, 1, *indicate)
    print(f"  in a block        {rate(lambda: machine.rtas.call_block(BLOCK)):9,.0f} calls/s")
    hypervisor = Hypervisor(machine)
    print(f"  by H_RTAS         {rate(lambda: hypervisor.call(H_RTAS, BLOCK)):9,.0f} calls/s")
    print(f"  by sc 1           {CALLS / seconds(guest_calls()):9,.0f} calls/s")
    write_cells(machine.memory, AREA, CORE, 0)
    print(f"configure-connector {rate(lambda: call('ibm,configure-connector', [AREA, 0])):9,.0f} calls/s")
    start, log = logged_calls(10_000)
    again = restore(start)
    entries = list(log.entries)
    differences: list[str | None] = []
    print(f"replay of 10,000    {seconds(lambda: differences.append(replay(again, entries))):9.3f} s")
    assert differences == [None]
    big = PseriesMachine(cores=1024, ram=GIB, max_ram=1025 * GIB, slots=32, phbs=(0,))
    print(f"a TiB, 1,024 cores  {seconds(lambda: PseriesMachine(big.settings)):9.3f} s to make")
    for number in range(16):
        big.plug_dimm(f"d{number}", 64 * GIB, cold=True)
    vector = vector5.vector((vector5.DYNAMIC_MEMORY,))
    tree = device_tree(big, vector)
    blob = fdt.build(tree)
    print(f"  its tree          {seconds(lambda: device_tree(big, vector)):9.3f} s")
    print(f"  as a blob         {seconds(lambda: fdt.build(tree)):9.3f} s, {len(blob):,} bytes")
    print(f"  read              {seconds(lambda: fdt.parse(blob)):9.3f} s")
    print(f"  saved             {seconds(lambda: export(big)):9.3f} s")
    print(f"  restored          {seconds(lambda: restore(export(big))):9.3f} s")
    print(f"  reset             {seconds(big.reset):9.3f} s")


if __name__ == "__main__":
    main()
