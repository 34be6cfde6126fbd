"""`baseboard pair` before firmware on a BMC machine; the host's registers are driven by qtest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.interop import qtest
from tests.interop.bmc_machine import BmcMachine
from tests.interop.pair import Pair

pytestmark = pytest.mark.interop

GET_DEVICE_ID = bytes.fromhex("18 01")
AST2600 = bytes.fromhex("1c 01 00 20 01 01 00 02 84 00 00 00 00 26 00 00 00 00")


@pytest.fixture
def bmc(tmp_path: Path) -> Iterator[BmcMachine]:
    with BmcMachine(tmp_path) as machine:
        machine.attach().detach()
        yield machine


@pytest.fixture
def pair(bmc: BmcMachine, tmp_path: Path) -> Iterator[Pair]:
    process = Pair(f"connect:unix:{tmp_path / 'host'}", f"qmp:{bmc.monitor}")
    yield process
    process.kill()


def run(conversation: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(100):
            await conversation()

    asyncio.run(main())


def host(tmp_path: Path, interface: type[qtest.Kcs] | type[qtest.Bt]) -> Awaitable[qtest.Machine]:
    return qtest.Machine.start(tmp_path, interface.DEVICE, f"path={tmp_path / 'host'},server=on,wait=off")


@pytest.mark.parametrize("interface", [qtest.Kcs, qtest.Bt])
def test_requests_of_a_host(
    interface: type[qtest.Kcs] | type[qtest.Bt], pair: Pair, bmc: BmcMachine, tmp_path: Path
) -> None:
    async def conversation() -> None:
        async with await host(tmp_path, interface) as machine:
            registers = interface(machine)
            pair.ready()
            (there,) = [line for line in pair.lines if "there" in line]
            assert "channel 3 at CA2h" in there["what"]
            assert [line for line in pair.lines if "power_off" in line.get("offers", ())]
            for _ in range(20):
                assert await registers.exchange(GET_DEVICE_ID) == AST2600
            echo = await registers.exchange(bytes.fromhex("c0 01 a0 a1 aa"))
            assert echo == bytes.fromhex("c4 01 00 a0 a1 aa")
            assert await registers.exchange(bytes.fromhex("18 7f")) == bytes.fromhex("1c 7f c1")
            # The interrupt follows Set BMC Global Enables, and attention is one.
            before = machine.irq_rises
            assert await registers.exchange(bytes.fromhex("18 2e 09")) == bytes.fromhex("1c 2e 00")
            assert await registers.exchange(GET_DEVICE_ID) == AST2600
            assert await registers.exchange(bytes.fromhex("c0 02 01")) == bytes.fromhex("c4 02 00")
            await qtest.until(registers.attention, "attention")
            if interface is qtest.Kcs:  # BT's is enabled by the host, in BT_INTMASK
                assert machine.irq_rises > before
        counters = {line["side"]: line for line in await asyncio.to_thread(pair.stop)}
        assert counters["host"]["requests"] == counters["host"]["answered"] == 25
        assert counters["bmc"]["retries"] == 0
        asked = [line for line in pair.lines if line["event"] == "request"]
        assert asked[0]["name"] == "Get Device ID"
        assert asked[0]["answer"] == AST2600[2:].hex(" ")

    run(conversation)


def test_chassis_control_reaches_the_host(pair: Pair, tmp_path: Path) -> None:
    async def conversation() -> None:
        async with await host(tmp_path, qtest.Kcs) as machine:
            registers = qtest.Kcs(machine)
            pair.ready()
            await registers.begin(bytes.fromhex("00 02 00"))
            async with asyncio.timeout(qtest.DEADLINE):
                assert await machine.process.wait() == 0  # it was switched off

    run(conversation)


@pytest.mark.parametrize("scheme", ["qmp", "ibt"])
def test_either_side_is_restarted_in_the_middle(scheme: str, bmc: BmcMachine, tmp_path: Path) -> None:
    async def conversation(pair: Pair) -> None:
        async with await host(tmp_path, qtest.Kcs) as machine:
            registers = qtest.Kcs(machine)
            pair.ready()
            # The BMC is reset, then stopped for a while, with a long transfer under way.
            await registers.begin(bytes.fromhex("c0 01") + bytes(100))
            await asyncio.to_thread(bmc.reset)
            answer = await registers.finish()
            assert answer[:3].hex(" ") in ("c4 01 d2", "c4 01 00")
            assert await answered(registers) == AST2600
            await registers.begin(bytes.fromhex("c0 01") + bytes(100))
            await asyncio.to_thread(bmc.pause, 0.5)
            assert await registers.finish() == bytes.fromhex("c4 01 00") + bytes(100)
            # The BMC dies with a request under way, and is not there for the next.
            assert await registers.exchange(bytes.fromhex("c0 03 01 01 00")) == bytes.fromhex("c4 03 00")
            await registers.begin(GET_DEVICE_ID)
            bmc.kill()
            assert await registers.finish() == bytes.fromhex("1c 01 ff")
            assert await registers.exchange(GET_DEVICE_ID) == bytes.fromhex("1c 01 ff")
            await asyncio.to_thread(bmc.restart)
            assert await answered(registers) == AST2600
            # The host dies in the middle of a long transfer.
            await registers.begin(bytes.fromhex("c0 01") + bytes(200))
        async with await host(tmp_path, qtest.Kcs) as machine:
            pair.connected()
            registers = qtest.Kcs(machine)
            assert await registers.exchange(GET_DEVICE_ID) == AST2600
        counters = {line["side"]: line for line in await asyncio.to_thread(pair.stop)}
        assert counters["host"]["abandoned"] == 1
        assert counters["host"]["connections"] == 2

    pair = Pair(f"connect:unix:{tmp_path / 'host'}", f"{scheme}:{bmc.monitor}")
    try:
        run(lambda: conversation(pair))
    finally:
        pair.kill()


async def answered(registers: qtest.Kcs) -> bytes:
    """Get Device ID, again as long as nobody is there, or comes up."""
    async with asyncio.timeout(qtest.DEADLINE):
        while (answer := await registers.exchange(GET_DEVICE_ID))[2] in (0xFF, 0xD2):
            pass
    return answer


def test_firmware_that_does_not_answer_costs_the_host_no_time_out_of_its_own(
    pair: Pair, tmp_path: Path
) -> None:
    async def conversation() -> None:
        async with await host(tmp_path, qtest.Kcs) as machine:
            registers = qtest.Kcs(machine)
            pair.ready()
            assert await registers.exchange(bytes.fromhex("c0 03 01 01 00")) == bytes.fromhex("c4 03 00")
            assert await registers.exchange(GET_DEVICE_ID) == bytes.fromhex("1c 01 c3")
            assert await registers.exchange(GET_DEVICE_ID) == AST2600
        counters = {line["side"]: line for line in await asyncio.to_thread(pair.stop)}
        assert counters["host"]["timed_out"] == 1

    run(conversation)


def test_ipmi_sim_for_a_bmc(simulator: int, tmp_path: Path) -> None:
    async def conversation() -> None:
        pair = Pair(f"connect:unix:{tmp_path / 'host'}", f"vm:connect:tcp:127.0.0.1:{simulator}")
        try:
            async with await host(tmp_path, qtest.Kcs) as machine:
                registers = qtest.Kcs(machine)
                pair.ready()
                for _ in range(300):  # past every id
                    answer = await registers.exchange(GET_DEVICE_ID)
                    assert answer[:7] == bytes.fromhex("1c 01 00 00 03 09 08")
                # ipmi_sim orders by itself what it has accepted: once, and not twice.
                assert await registers.exchange(bytes.fromhex("00 02 03")) == bytes.fromhex("04 02 00")
                assert await registers.exchange(GET_DEVICE_ID) == answer
            counters = {line["side"]: line for line in await asyncio.to_thread(pair.stop)}
            assert counters["host"]["orders"] == 1
        finally:
            pair.kill()

    run(conversation)
