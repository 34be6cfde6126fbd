"""Power over the VM wire: what it cannot do is refused before anything is sent."""

from __future__ import annotations

import asyncio

from baseboard.bmc.events import RestartCause
from baseboard.power.wire import WireMachine
from baseboard.vm.protocol import Operation
from tests.power.bench import CYCLE, NMI, OFF, ON, RESET, SOFT, Bench

ALL = frozenset({Operation.POWER_OFF, Operation.RESET, Operation.NMI, Operation.GRACEFUL_SHUTDOWN})


class FakeWire:
    """A machine at the end of a wire."""

    def __init__(self) -> None:
        self.connected = False
        self.offers: frozenset[Operation] = frozenset()
        self.sent: list[Operation] = []

    def can(self, operation: Operation) -> bool:
        return self.connected and operation in self.offers

    def operate(self, operation: Operation) -> bool:
        if self.can(operation):
            self.sent.append(operation)
            return True
        return False


async def attached(offers: frozenset[Operation] = ALL) -> tuple[Bench, FakeWire, WireMachine]:
    bench, wire = Bench(), FakeWire()
    machine = WireMachine(bench.reports, [wire])
    bench.backend = machine
    await machine.start()
    wire.connected = True
    machine.wire_changed()
    wire.offers = offers
    machine.wire_changed()
    return bench, wire, machine


def test_a_machine_that_was_connected_before_the_start() -> None:
    async def scenario() -> None:
        bench, wire = Bench(), FakeWire()
        wire.connected, wire.offers = True, ALL
        bench.backend = WireMachine(bench.reports, [wire])
        await bench.backend.start()
        assert bench.is_on
        assert await bench.control(RESET) == "00"
        await bench.backend.close()

    asyncio.run(scenario())


def test_each_action_is_its_operation() -> None:
    async def scenario() -> None:
        bench, wire, machine = await attached()
        assert bench.is_on
        assert bench.log == [], "it ran before we did"
        assert [await bench.control(action) for action in (RESET, NMI, SOFT, OFF)] == ["00"] * 4
        assert wire.sent == [
            Operation.RESET,
            Operation.NMI,
            Operation.GRACEFUL_SHUTDOWN,
            Operation.POWER_OFF,
        ]
        assert bench.log == [(0x1D, 1), (0x13, 0)]
        assert bench.is_on, "on until it is gone"
        wire.connected = False
        machine.wire_changed()
        assert not bench.is_on
        await machine.close()

    asyncio.run(scenario())


def test_what_it_does_not_offer_is_refused() -> None:
    async def scenario() -> None:
        bench, wire, machine = await attached(frozenset({Operation.RESET}))
        assert [await bench.control(action) for action in (OFF, CYCLE, NMI, SOFT)] == ["d5"] * 4
        assert await bench.control(ON) == "00", "it is on already"
        assert wire.sent == []
        wire.connected = False
        machine.wire_changed()
        assert [await bench.control(action) for action in (ON, RESET)] == ["d5"] * 2
        assert await bench.control(OFF) == "00", "it is off already"
        await machine.close()

    asyncio.run(scenario())


def test_a_watchdog_that_wants_a_power_cycle_gets_a_reset() -> None:
    async def scenario() -> None:
        bench, wire, machine = await attached()
        machine.perform(CYCLE, RestartCause.WATCHDOG)
        assert wire.sent == [Operation.RESET]
        assert bench.cause is RestartCause.WATCHDOG
        wire.offers = frozenset()
        machine.perform(RESET, RestartCause.WATCHDOG)
        assert bench.log[-1] == (0x09, 5)
        assert machine.last_error is not None
        assert "RESET" in machine.last_error
        await machine.close()

    asyncio.run(scenario())


def test_the_machine_tells_of_its_reset() -> None:
    async def scenario() -> None:
        bench, _, machine = await attached()
        machine.machine_reset()
        causes = [bench.cause]
        await bench.control(RESET)
        machine.machine_reset()
        causes.append(bench.cause)
        assert causes == [RestartCause.SOFT_RESET, RestartCause.CHASSIS_CONTROL], "the second was ours"
        await machine.close()

    asyncio.run(scenario())


def test_flags_stay_for_the_firmware_to_read() -> None:
    async def scenario() -> None:
        bench, _, machine = await attached()
        bench.send("00 08 05 80 04 00 00 00")
        await bench.control(RESET)
        assert bench.send("00 09 05 00 00") == "00 01 05 80 04 00 00 00"
        await machine.close()

    asyncio.run(scenario())
