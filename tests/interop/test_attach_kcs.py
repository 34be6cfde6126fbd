"""Firmware on stock QEMU machines, attached by their monitors' sockets."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from baseboard.attach.aspeed import PortKind
from baseboard.attach.errors import NotAttachable
from baseboard.attach.kcs import AspeedKcs
from baseboard.attach.qmp import Qmp
from baseboard.host.seam import Answered, AttentionChanged, FirmwareFound, FirmwareLost
from baseboard.ipmi.message import Message
from baseboard.responder.aspeed_registers import BASE, OFFSET
from tests.interop.bmc_machine import (
    AST2600,
    BOARDS,
    GET_DEVICE_ID,
    BmcMachine,
    Board,
    ask,
    pump,
    refusal,
    wait_for,
)
from tests.programs import require_program

pytestmark = pytest.mark.interop

KINDS = pytest.mark.parametrize("kind", list(PortKind), ids=str)


@pytest.fixture
def bmc(tmp_path: Path) -> Iterator[BmcMachine]:
    with BmcMachine(tmp_path) as machine:
        yield machine


@pytest.mark.parametrize("board", BOARDS, ids=str)
@KINDS
def test_each_board(board: Board, kind: PortKind, tmp_path: Path) -> None:
    with BmcMachine(tmp_path, board) as machine:
        kcs = machine.attach(kind)
        found = kcs.found()
        assert found["machine"] == board.machine
        assert [(c["channel"], c["enabled"]) for c in found["channels"]] == [
            (1, False),
            (2, False),
            (3, True),
            (4, True),
        ]
        assert found["channels"][2]["address"] == 0xCA2
        assert found["channel"] == 3
        assert ask(kcs, "06 01").endswith(f"{board.product} 00 00 00 00")
        assert ask(kcs, "06 7f") == "c1"
        assert ask(kcs, "30 01" + "a5" * 200) == "00" + " a5" * 200
        kcs.detach()
        kcs = machine.attach(kind, channel=4)  # and once more, on the other one
        assert kcs.found()["channel"] == 4
        assert ask(kcs, "06 01").startswith("00 20")
        kcs.detach()
        with Qmp(machine.monitor) as qmp:
            assert qmp.execute("query-status")["running"]


def test_a_thousand_requests_without_a_retry(bmc: BmcMachine) -> None:
    kcs = bmc.attach()
    for _ in range(1000):
        assert ask(kcs, "06 01").startswith("00 20")
    counters = kcs.responder.counters
    assert (counters.answered, counters.retries, counters.failed) == (1000, 0, 0)
    # The firmware's own count of aborted transfers, illegal control codes and wrong lengths.
    assert ask(kcs, "30 04").split()[2:] == ["00", "00", "00"]
    kcs.detach()


@KINDS
def test_abandoned_at_every_byte(kind: PortKind, bmc: BmcMachine) -> None:
    kcs = bmc.attach(kind)
    for steps in range(1, 14):
        kcs.responder.submit(7, Message(0x30, 0, 1, b"abc"), kcs.clock.now())
        for _ in range(steps):
            kcs.responder.step(kcs.clock.now())
        kcs.responder.abandon(7, kcs.clock.now())
        assert ask(kcs, "06 01").startswith("00 20"), f"after {steps} steps"
    kcs.detach()


def test_attention(bmc: BmcMachine) -> None:
    kcs = bmc.attach()
    assert ask(kcs, "30 02 01") == "00"
    assert AttentionChanged(True) in pump(kcs, AttentionChanged)
    assert ask(kcs, "30 02 00") == "00"
    assert AttentionChanged(False) in pump(kcs, AttentionChanged)
    kcs.detach()


# fmt: off
FAULTS = [
    # Misbehave: fault, requests; see firmware/README.md
    pytest.param("01 01 00",  "c3",  id="no answer"),
    pytest.param("03 01 00",  "00",  id="another command, once"),
    pytest.param("03 03 00",  "ff",  id="another command, each time"),
    pytest.param("05 03 00",  "ff",  id="one byte, each time"),
    pytest.param("06 01 00",  "00",  id="the error state in the middle, once"),
    pytest.param("06 03 00",  "ff",  id="the error state in the middle, each time"),
]
# fmt: on


@pytest.mark.parametrize(("fault", "code"), FAULTS)
def test_firmware_that_misbehaves(fault: str, code: str, tmp_path: Path) -> None:
    with BmcMachine(tmp_path) as machine:
        kcs = machine.attach()
        assert ask(kcs, f"30 03 {fault}") == "00"
        assert ask(kcs, "06 01").split()[0] == code
        assert ask(kcs, "06 01").startswith("00 20")
        kcs.detach()


@pytest.mark.parametrize("steps", [1, 4, 9, 20])
def test_a_reset_in_the_middle(steps: int, bmc: BmcMachine) -> None:
    kcs = bmc.attach()
    kcs.responder.submit(1, Message(0x30, 0, 1, b"abcdef"), kcs.clock.now())
    for _ in range(steps):
        kcs.responder.step(kcs.clock.now())
    kcs.qmp.execute("system_reset")
    events = pump(kcs, FirmwareLost, FirmwareFound)  # it had been found before, too
    assert [type(event) for event in events if isinstance(event, (FirmwareLost, FirmwareFound))][-2:] == [
        FirmwareLost,
        FirmwareFound,
    ]
    assert Answered(1, b"\xd2") in events
    assert ask(kcs, "06 01").startswith("00 20")
    kcs.detach()


def test_an_interrupt_that_is_enabled_behind_a_byte(bmc: BmcMachine) -> None:
    kcs = bmc.attach()
    hicr2 = BASE + OFFSET["HICR2"]
    enabled = kcs._qtest.readl(hicr2)
    kcs._qtest.writel(hicr2, 0)
    kcs.responder.submit(1, Message(0x06, 0, 0x01), kcs.clock.now())
    while kcs.responder.step(kcs.clock.now()):
        pass
    kcs._qtest.writel(hicr2, enabled)
    (answer,) = [event for event in pump(kcs, Answered) if isinstance(event, Answered)]
    assert answer.data.startswith(b"\0\x20")
    assert kcs.responder.counters.retries == 0
    kcs.detach()


def test_a_machine_that_is_stopped_is_not_late(bmc: BmcMachine) -> None:
    kcs = bmc.attach()
    kcs.responder.submit(1, GET_DEVICE_ID, kcs.clock.now())
    for _ in range(6):
        kcs.responder.step(kcs.clock.now())
    kcs.qmp.execute("stop")
    kcs.turn()
    assert kcs.clock.stopped
    before = kcs.clock.now()
    for _ in range(20):
        assert not kcs.turn()
        kcs.wait(0.01)
    assert kcs.clock.now() == before
    kcs.qmp.execute("cont")
    (answer,) = [event for event in pump(kcs, Answered) if isinstance(event, Answered)]
    assert answer.data.startswith(b"\0\x20")
    kcs.detach()


def test_attached_to_a_machine_that_stands_still(tmp_path: Path) -> None:
    with BmcMachine(tmp_path, AST2600, "-S") as machine:
        kcs = AspeedKcs(machine.monitor)
        assert kcs.found()["running"] is False
        assert kcs.found()["channel"] is None
        kcs.qmp.execute("cont")
        pump(kcs, FirmwareFound)
        assert ask(kcs, "06 01").startswith("00 20")
        kcs.detach()


def test_the_machine_is_killed(bmc: BmcMachine) -> None:
    kcs = bmc.attach()
    bmc.kill()
    assert "hung up" in refusal(kcs)
    kcs.detach()


def test_its_own_qtest_is_used(tmp_path: Path) -> None:
    own = ("-qtest", f"unix:{tmp_path / 'own'},server=on,wait=off", "-qtest-log", "none")
    with BmcMachine(tmp_path, AST2600, *own) as machine:
        for _ in range(2):
            kcs = machine.attach()
            assert ask(kcs, "06 01").startswith("00 20")
            kcs.detach()


def test_two_cannot_be_attached(tmp_path: Path) -> None:
    second = tmp_path / "second"
    with BmcMachine(tmp_path, AST2600, "-qmp", f"unix:{second},server=on,wait=off") as machine:
        kcs = machine.attach()
        with pytest.raises(NotAttachable, match="qtest is in use"):
            AspeedKcs(second)
        assert ask(kcs, "06 01").startswith("00 20")
        kcs.detach()


@pytest.mark.parametrize(
    ("program", "machine", "reason"),
    [
        ("qemu-system-x86_64", "pc", "the machine pc-.*has no /machine/soc: it is no BMC"),
        ("qemu-system-arm", "npcm750-evb", "the machine npcm750-evb has"),
        ("qemu-system-arm", "virt", "the machine virt-.* has no /machine/soc"),
    ],
)
def test_what_is_no_such_bmc(program: str, machine: str, reason: str, tmp_path: Path) -> None:
    monitor = tmp_path / "qmp"
    process = subprocess.Popen(
        [
            require_program(program),
            "-machine",
            machine,
            "-S",
            "-display",
            "none",
            "-nodefaults",
            "-net",
            "none",
            "-qmp",
            f"unix:{monitor},server=on,wait=off",
        ],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: Qmp(monitor)).close()
        with pytest.raises(NotAttachable, match=reason):
            AspeedKcs(monitor)
    finally:
        process.kill()
        process.wait(20)


def test_a_socket_that_is_no_monitor(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with pytest.raises(NotAttachable, match=r"no greeting.*is it a QMP socket"):
            Qmp(path, timeout=0.2)
