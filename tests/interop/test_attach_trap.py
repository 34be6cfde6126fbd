"""Firmware on stock QEMU machines, before hardware that those do not have: by traps."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from baseboard.attach.errors import NotAttachable
from baseboard.attach.gdb import Gdb
from baseboard.attach.qmp import Qmp
from baseboard.attach.trap import Trap
from baseboard.host.seam import Answered, AttentionChanged, FirmwareFound, FirmwareLost
from baseboard.ipmi.message import Message
from tests.interop import qtest
from tests.interop.bmc_machine import (
    AST2600,
    DEADLINE,
    GET_DEVICE_ID,
    TRAPPED,
    BmcMachine,
    Board,
    ask,
    pump,
    refusal,
    wait_for,
)
from tests.interop.conftest import StartBaseboard
from tests.interop.pair import Pair

pytestmark = pytest.mark.interop

EVERY = pytest.mark.parametrize(("board", "interface"), TRAPPED, ids=[str(board) for board, _ in TRAPPED])
ONE_OF_EACH = pytest.mark.parametrize(("board", "interface"), [TRAPPED[0], TRAPPED[3]], ids=["KCS", "BT"])
AND_NEWER = pytest.mark.parametrize(
    ("board", "interface"),
    [TRAPPED[0], TRAPPED[3], TRAPPED[5], TRAPPED[6]],
    ids=["KCS", "BT", "KCS, QEMU 11.1", "BT, QEMU 11.1"],
)
NPCM, KCS = TRAPPED[0]
BT = TRAPPED[3][1]


def monitor(machine: BmcMachine) -> Qmp:
    """One of our own, as soon as there is one."""
    return wait_for(lambda: Qmp(machine.own_monitor))


@pytest.fixture
def npcm(tmp_path: Path) -> Iterator[BmcMachine]:
    with BmcMachine(tmp_path, NPCM) as machine:
        yield machine


@EVERY
def test_each_board(board: Board, interface: str, tmp_path: Path) -> None:
    with BmcMachine(tmp_path, board) as machine:
        trap = machine.trap(interface)
        found = trap.found()
        assert (found["machine"], found["interface"]) == (board.machine, interface)
        assert found["channel"] == 1
        assert ask(trap, "06 01").endswith(f"{board.product} 00 00 00 00")
        assert ask(trap, "06 7f") == "c1"
        assert ask(trap, "30 01" + "a5" * 100) == "00" + " a5" * 100
        for _ in range(100 if "interrupt" in board.image else 10):
            assert ask(trap, "06 01").startswith("00 20")
        counters = trap.responder.counters
        assert (counters.answered, counters.retries, counters.failed) == (counters.requests, 0, 0)
        # The firmware's own count of aborted transfers, illegal control codes and wrong lengths.
        assert ask(trap, "30 04").split()[2:] == ["00", "00", "00"]
        trap.detach()
        with monitor(machine) as qmp:
            assert qmp.execute("query-status")["running"]
            assert "baseboard-gdb" not in [device["label"] for device in qmp.execute("query-chardev")]
        again = machine.trap(interface)
        assert ask(again, "06 01").startswith("00 20")


@pytest.mark.parametrize("channel", [2, 3])
def test_other_channels(channel: int, npcm: BmcMachine) -> None:
    trap = npcm.trap(KCS, channel)
    assert trap.found()["channel"] == channel
    assert [state["enabled"] for state in trap.found()["channels"]] == [True] * 3
    assert ask(trap, "30 01 01 02 03") == "00 01 02 03"
    trap.detach()
    with pytest.raises(NotAttachable, match="no channel 4"):
        Trap(npcm.monitor, KCS, channel=4)


@pytest.mark.parametrize(
    ("board", "interface"),
    [TRAPPED[0], TRAPPED[2], TRAPPED[3], TRAPPED[6]],
    ids=["KCS", "KCS mapped", "BT", "BT, QEMU 11.1"],
)
def test_attached_before_the_firmware_starts(board: Board, interface: str, tmp_path: Path) -> None:
    with BmcMachine(tmp_path, board, "-S") as machine:
        with monitor(machine) as qmp:
            trap = Trap(machine.monitor, interface)
            assert trap.found()["running"] is False
            assert trap.found()["channel"] is None
            assert qmp.execute("query-status")["status"] == "prelaunch"
            trap.detach()
            assert qmp.execute("query-status")["status"] == "prelaunch"
            trap = Trap(machine.monitor, interface)
            qmp.execute("cont")
        pump(trap, FirmwareFound)
        assert ask(trap, "06 01").startswith("00 20")
        trap.detach()


def test_post_codes(tmp_path: Path) -> None:
    with BmcMachine(tmp_path, NPCM, "-S") as machine, monitor(machine) as qmp:
        trap = Trap(machine.monitor, KCS)
        qmp.execute("cont")
        pump(trap, FirmwareFound)
        for code in (0x01, 0x10, 0xAA):
            trap.post(code)
        assert ask(trap, "30 06") == "00 01 10 aa"
        assert ask(trap, "30 06") == "00"
        for code in range(20):  # the FIFO has 16
            trap.post(code)
        assert ask(trap, "30 06") == "00 " + bytes(range(16)).hex(" ")
        trap.detach()


def test_post_codes_of_a_host_that_comes_late(npcm: BmcMachine) -> None:
    machine_is_up(npcm)
    shell = subprocess.run(
        [sys.executable, "-m", "baseboard", "host", f"qmp:{npcm.monitor}"],
        # Each request waits behind one of the boot flow's six.
        input="power off\npower on\n" + 6 * "raw 06 01\n" + "raw 30 06\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shell.stdout.splitlines()[-1] == "01 10 15 30 60 92 a0 aa", shell


@ONE_OF_EACH
def test_attention(board: Board, interface: str, tmp_path: Path) -> None:
    with BmcMachine(tmp_path, board) as machine:
        trap = machine.trap(interface)
        assert ask(trap, "30 02 01") == "00"
        assert AttentionChanged(True) in pump(trap, AttentionChanged)
        assert trap.responder.attention
        # KCS: the firmware takes it back. BT: only the host can, and does with its next request.
        assert ask(trap, "30 02 00") == "00"
        assert AttentionChanged(False) in pump(trap, AttentionChanged)
        trap.detach()


@ONE_OF_EACH
def test_abandoned_in_the_middle(board: Board, interface: str, tmp_path: Path) -> None:
    with BmcMachine(tmp_path, board) as machine:
        trap = machine.trap(interface)
        for steps in (1, 2, 5, 9, 14):
            trap.responder.submit(7, Message(0x30, 0, 1, b"abc"), trap.clock.now())
            for _ in range(steps):
                trap.responder.step(trap.clock.now())
                trap._serve_stop(0.01)
            trap.responder.abandon(7, trap.clock.now())
            assert ask(trap, "06 01").startswith("00 20"), f"after {steps} steps"
        trap.detach()


# fmt: off
FAULTS = [
    # board, interface, Misbehave: fault, requests (firmware/README.md); codes of the next requests
    pytest.param(*TRAPPED[0], "01 01 00", "c3", id="KCS, no answer"),
    pytest.param(*TRAPPED[0], "06 03 00", "ff", id="KCS, the error state in the middle, each time"),
    pytest.param(*TRAPPED[3], "01 01 00", "c3", id="BT, no answer"),
    pytest.param(*TRAPPED[3], "03 01 00", "c3", id="BT, another sequence number"),
    pytest.param(*TRAPPED[3], "07 01 00", "00", id="BT, the answer twice"),
]
# fmt: on


@pytest.mark.parametrize(("board", "interface", "fault", "code"), FAULTS)
def test_firmware_that_misbehaves(
    board: Board, interface: str, fault: str, code: str, tmp_path: Path
) -> None:
    with BmcMachine(tmp_path, board) as machine:
        trap = machine.trap(interface, patience=1.5)
        assert ask(trap, f"30 03 {fault}") == "00"
        assert ask(trap, "06 01").split()[0] == code
        assert ask(trap, "06 01").startswith("00 20")
        trap.detach()


@EVERY
def test_resets_in_the_middle(board: Board, interface: str, tmp_path: Path) -> None:
    with BmcMachine(tmp_path, board) as machine, monitor(machine) as qmp:
        trap = machine.trap(interface)
        for turns in (1, 3, 8):
            trap.responder.submit(1, Message(0x30, 0, 1, bytes(60)), trap.clock.now())
            for _ in range(turns):
                trap.responder.step(trap.clock.now())
                trap._serve_stop(0.01)
            qmp.execute("system_reset")
            events = pump(trap, FirmwareLost, FirmwareFound)
            assert [event for event in events if isinstance(event, Answered)] == [Answered(1, b"\xd2")]
            assert ask(trap, "06 01").startswith("00 20"), f"after {turns} turns"
        trap.detach()


@ONE_OF_EACH
def test_a_reset_while_a_processor_stands_before_an_access(
    board: Board, interface: str, tmp_path: Path
) -> None:
    with BmcMachine(tmp_path, board) as machine, monitor(machine) as qmp:
        trap = machine.trap(interface)
        trap.responder.submit(1, GET_DEVICE_ID, trap.clock.now())
        while trap.responder.step(trap.clock.now()):
            pass
        trap._tell_line()
        deadline = time.monotonic() + DEADLINE
        while qmp.execute("query-status")["status"] != "debug":
            assert time.monotonic() < deadline
        qmp.execute("system_reset")
        pump(trap, FirmwareLost, FirmwareFound)
        assert ask(trap, "06 01").startswith("00 20")
        trap.detach()


@AND_NEWER
def test_a_machine_that_is_stopped_is_not_late(board: Board, interface: str, tmp_path: Path) -> None:
    with BmcMachine(tmp_path, board) as machine, monitor(machine) as qmp:
        trap = machine.trap(interface)
        for _ in range(3):
            stopped(trap, qmp)
            before = trap.clock.now()
            trap.responder.submit(1, GET_DEVICE_ID, before)
            for _ in range(10):
                trap.turn()
                trap.wait(0.01)
            assert trap.clock.now() == before
            assert trap.found()["running"] is False
            qmp.execute("cont")
            (answer,) = [event for event in pump(trap, Answered) if isinstance(event, Answered)]
            assert answer.data.startswith(b"\0\x20")
        stopped(trap, qmp)
        trap.detach()
        assert qmp.execute("query-status")["status"] == "paused"  # as it was


def stopped(trap: Trap, qmp: Qmp) -> None:
    """Stop the machine: a `stop` during an access has no effect."""
    deadline = time.monotonic() + DEADLINE
    while not trap.clock.stopped:
        assert time.monotonic() < deadline
        qmp.execute("stop")
        trap.turn()
        trap.wait(0.01)


def test_the_machine_is_killed(npcm: BmcMachine) -> None:
    trap = npcm.trap(KCS)
    npcm.kill()
    assert "hung up" in refusal(trap)
    trap.detach()


def test_who_was_attached_is_killed(npcm: BmcMachine, tmp_path: Path) -> None:
    pair = Pair(f"listen:unix:{tmp_path / 'host'}", f"qmp:{npcm.monitor}")
    pair.there()
    pair.kill()
    trap = npcm.trap(KCS)
    assert ask(trap, "06 01").startswith("00 20")
    trap.detach()


def test_its_own_stub_is_used_and_stays(tmp_path: Path) -> None:
    own = tmp_path / "own"
    with BmcMachine(tmp_path, AST2600, "-gdb", f"unix:{own},server=on,wait=off") as machine:
        trap = machine.trap(BT)
        assert ask(trap, "06 01").startswith("00 20")
        trap.detach()
        with Gdb.connect(f"unix:{own}") as gdb:
            assert gdb.architecture == "arm"
            with pytest.raises(NotAttachable, match="the debugger's stub is in use"):
                Trap(machine.monitor, BT)
        with Qmp(machine.monitor) as qmp:
            assert qmp.execute("query-status")["running"]


@pytest.mark.parametrize(
    ("board", "interface", "reason"),
    [
        (AST2600, KCS, "the machine ast2600-evb has the chip ast2600-a3: KCS is trapped on NPCM7xx"),
        (
            NPCM,
            BT,
            "the machine npcm750-evb has the chip npcm750: BT is trapped on AST2400, AST2500, AST2600",
        ),
    ],
)
def test_what_is_not_trapped(board: Board, interface: str, reason: str, tmp_path: Path) -> None:
    with BmcMachine(tmp_path, board) as machine:
        machine_is_up(machine)
        with pytest.raises(NotAttachable, match=reason):
            Trap(machine.monitor, interface)


def machine_is_up(machine: BmcMachine) -> None:
    with monitor(machine) as qmp:
        assert qmp.execute("query-status")["running"]


# Through the commands.


def host(firmware: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "baseboard", "host", firmware, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_baseboard_host(npcm: BmcMachine, tmp_path: Path) -> None:
    machine_is_up(npcm)
    done = host(f"qmp:{npcm.monitor}", "--channel", "2", "--json", "mc", "info")
    assert json.loads(done.stdout)["product_id"] == 0x0750
    wrong = host(f"ibt:{npcm.monitor}", "mc", "info")
    assert "BT is trapped on AST2400" in wrong.stderr
    assert wrong.returncode == 2


def test_baseboard_host_at_what_is_no_monitor(tmp_path: Path) -> None:
    done = host(f"ibt:{tmp_path / 'nothing'}", "mc", "info")
    assert "cannot connect: No such file or directory" in done.stderr
    assert done.returncode == 2


def test_over_the_lan(baseboard: StartBaseboard, tmp_path: Path) -> None:
    with BmcMachine(tmp_path, AST2600) as machine:
        machine_is_up(machine)
        process = baseboard("--bmc-at", f"ibt:{machine.monitor}")
        assert "Product ID                : 9728 (0x2600)" in process.ipmitool("mc", "info")
        assert len(process.ipmitool("sel", "list").splitlines()) == 3
        process.stop()
        trap = machine.trap(BT)
        assert ask(trap, "06 01").startswith("00 20")


def test_paired_with_a_host(npcm: BmcMachine, tmp_path: Path) -> None:
    async def conversation() -> None:
        path = tmp_path / "host"
        pair = await asyncio.to_thread(Pair, f"connect:unix:{path}", f"qmp:{npcm.monitor}")
        try:
            address = f"path={path},server=on,wait=off"
            async with await qtest.Machine.start(tmp_path, qtest.Kcs.DEVICE, address) as machine:
                registers = qtest.Kcs(machine)
                await asyncio.to_thread(pair.ready)
                for _ in range(3):
                    answer = await registers.exchange(bytes.fromhex("18 01"))
                    assert answer.hex(" ").endswith("50 07 00 00 00 00")
                await asyncio.to_thread(npcm.restart)
                await asyncio.to_thread(pair.there)
                assert await registers.exchange(bytes.fromhex("c0 01 aa")) == bytes.fromhex("c4 01 00 aa")
        finally:
            pair.kill()

    asyncio.run(asyncio.wait_for(conversation(), 60))
