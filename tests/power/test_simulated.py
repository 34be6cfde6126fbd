"""The machine that is only its power state."""

from __future__ import annotations

import asyncio

from baseboard.bmc.boot_options import BootChoice, BootDevice
from baseboard.bmc.events import RestartCause
from baseboard.power.simulated import SimulatedMachine
from tests.power.bench import NMI, OFF, ON, RESET, SOFT, Bench


def test_every_action() -> None:
    async def scenario() -> None:
        bench = Bench()
        machine = bench.backend = SimulatedMachine(bench.reports, soft_delay=0.0)
        await machine.start()
        assert not bench.is_on
        assert await bench.control(RESET) == "d5"
        assert await bench.control(ON) == "00"
        assert bench.is_on
        assert bench.cause is RestartCause.CHASSIS_CONTROL
        machine.perform(RESET, RestartCause.WATCHDOG)
        await machine.settled()
        assert bench.cause is RestartCause.WATCHDOG
        await bench.control(NMI)
        assert bench.log[-1] == (0x13, 0)
        await bench.control(SOFT)
        assert not bench.is_on
        await bench.control(OFF)
        await bench.control(ON)
        await bench.control(OFF)
        assert not bench.is_on
        await machine.close()

    asyncio.run(scenario())


def test_power_cycle() -> None:
    async def scenario() -> None:
        bench = Bench()
        machine = bench.backend = SimulatedMachine(bench.reports)
        await machine.start()
        await bench.control(ON)
        bench.log.clear()
        assert bench.send("00 02 02") == "00"
        await bench.until(lambda: not bench.is_on)
        began = asyncio.get_running_loop().time()
        await machine.settled()
        assert bench.is_on
        assert asyncio.get_running_loop().time() - began >= 0.04
        assert bench.log == [(0x09, 1), (0x1D, 0)]
        bench.send("00 02 02")
        await bench.until(lambda: not bench.is_on)
        await machine.close()
        assert not bench.is_on, "closing breaks off what was under way"

    asyncio.run(scenario())


def test_orders_keep_their_order() -> None:
    async def scenario() -> None:
        bench = Bench()
        machine = bench.backend = SimulatedMachine(bench.reports, soft_delay=0.0)
        await machine.start()
        assert [bench.send(f"00 02 {action:02x}") for action in (ON, OFF, ON, SOFT, ON)] == ["00"] * 5
        await machine.settled()
        assert bench.is_on
        await machine.close()

    asyncio.run(scenario())


def test_boot_choice_is_used_by_one_start() -> None:
    async def scenario() -> None:
        bench = Bench()
        machine = bench.backend = SimulatedMachine(bench.reports)
        await machine.start()
        bench.send("00 08 05 80 04 00 00 00")
        await bench.control(ON)
        assert machine.booted == BootChoice(BootDevice.PXE)
        assert bench.send("00 09 05 00 00") == "00 01 05 00 00 00 00 00"
        await bench.control(RESET)
        assert machine.booted is None
        await machine.close()

    asyncio.run(scenario())


def test_it_runs_on_while_the_controller_is_restarted() -> None:
    async def scenario() -> None:
        bench = Bench(starts_on=True)
        machine = bench.backend = SimulatedMachine(bench.reports)
        await machine.start()
        await machine.settled()
        assert bench.is_on
        assert bench.cause is RestartCause.RESTORE_PREVIOUS
        await machine.close()
        again = Bench(kept=bench.kept())
        again.backend = SimulatedMachine(again.reports)
        await again.backend.start()
        assert again.is_on
        assert again.log == []
        await again.backend.close()

    asyncio.run(scenario())
