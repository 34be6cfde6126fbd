"""The QEMU back end with real QEMU processes: their firmware runs, no guest is needed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from baseboard.bmc.events import PowerAction, RestartCause
from baseboard.errors import ConfigError
from baseboard.power.line import equip
from baseboard.power.monitor import Monitor
from baseboard.power.process import LOG, RECORD, Process
from baseboard.power.qemu import Deadlines, QemuMachine
from tests.power.bench import CYCLE, NMI, OFF, ON, RESET, SOFT, Bench
from tests.programs import require_program

QEMU = "qemu-system-x86_64"
BARE = (QEMU, "-accel", "tcg", "-m", "32", "-nodefaults", "-display", "none")
DEADLINES = Deadlines(command=1.0, quit=2.0, terminate=0.3)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A state directory whose sockets have short enough paths."""
    require_program(QEMU)
    with tempfile.TemporaryDirectory(prefix="qemu-") as name:
        yield Path(name)


class QemuBench(Bench):
    """A bench whose machine is a QEMU."""

    def __init__(
        self,
        directory: Path,
        *words: str,
        command: Sequence[str] = BARE,
        kept: dict[str, object] | None = None,
    ) -> None:
        super().__init__(kept=kept)
        self.line = equip((*command, *words), "kcs", directory)
        self.machine = QemuMachine(self.line, directory, self.reports, deadlines=DEADLINES)
        self.backend = self.machine

    @property
    def pid(self) -> int:
        assert self.machine.pid is not None
        return self.machine.pid

    def words(self) -> list[str]:
        """The command line of the running process."""
        return Path(f"/proc/{self.pid}/cmdline").read_text().split("\0")[:-1]

    def boot(self) -> list[str]:
        words = self.words()
        return [word for place, word in enumerate(words) if words[place - 1] == "-boot"]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


Scenario = Callable[[QemuBench], Awaitable[None]]


def run(directory: Path, scenario: Scenario, *words: str, command: Sequence[str] = BARE) -> None:
    async def whole() -> None:
        bench = QemuBench(directory, *words, command=command)
        await bench.backend.start()
        try:
            await scenario(bench)
        finally:
            pid = bench.machine.pid
            await bench.backend.close()
            assert pid is None or not alive(pid)
            assert not (directory / RECORD).exists()

    asyncio.run(whole())


def test_on_and_off(directory: Path) -> None:
    async def scenario(bench: QemuBench) -> None:
        assert not bench.is_on
        assert await bench.control(ON) == "00"
        assert bench.is_on
        assert bench.cause is RestartCause.CHASSIS_CONTROL
        pid = bench.pid
        assert await bench.control(OFF) == "00"
        assert not bench.is_on
        assert not alive(pid)
        assert bench.log == [(0x09, 0x80), (0x1D, 0), (0x09, 0)]
        assert bench.send("00 01") == "00 20 10 40 f0"

    run(directory, scenario)


def test_reset_is_a_reset_inside_the_process(directory: Path) -> None:
    async def scenario(bench: QemuBench) -> None:
        await bench.control(ON)
        pid = bench.pid
        bench.log.clear()
        assert await bench.control(RESET) == "00"
        assert bench.pid == pid
        assert bench.log == [(0x1D, 1)]
        bench.machine.perform(RESET, RestartCause.WATCHDOG)
        await bench.machine.settled()
        assert bench.pid == pid
        assert bench.cause is RestartCause.WATCHDOG

    run(directory, scenario)


def test_cycle_is_another_process(directory: Path) -> None:
    async def scenario(bench: QemuBench) -> None:
        await bench.control(ON)
        pid = bench.pid
        bench.log.clear()
        await bench.control(CYCLE)
        assert bench.is_on
        assert bench.pid != pid
        assert bench.log == [(0x09, 1), (0x1D, 0)]

    run(directory, scenario)


def test_interrupt_and_power_button(directory: Path) -> None:
    async def scenario(bench: QemuBench) -> None:
        await bench.control(ON)
        await bench.control(NMI)
        assert bench.log[-1] == (0x13, 0)
        await bench.control(SOFT)
        assert bench.is_on, "nobody in there listens to the button"
        assert bench.machine.last_error is None

    run(directory, scenario)


@pytest.mark.parametrize("action", [RESET, CYCLE, OFF])
def test_a_stopped_process_is_reset_or_cut_off(directory: Path, action: PowerAction) -> None:
    async def scenario(bench: QemuBench) -> None:
        await bench.control(ON)
        pid = bench.pid
        os.kill(pid, signal.SIGSTOP)
        assert bench.send("00 01").startswith("00 21"), "the controller outlives the machine's health"
        bench.log.clear()
        async with asyncio.timeout(8):
            bench.machine.perform(action, RestartCause.WATCHDOG)
            await bench.machine.settled()
        assert not alive(pid)
        assert bench.is_on == (action is not OFF)
        if action is not OFF:
            assert bench.cause is RestartCause.WATCHDOG
            assert bench.pid != pid

    run(directory, scenario)


def test_a_killed_process_is_a_fault(directory: Path) -> None:
    async def scenario(bench: QemuBench) -> None:
        await bench.control(ON)
        bench.log.clear()
        os.kill(bench.pid, signal.SIGKILL)
        await bench.until(lambda: not bench.is_on)
        assert bench.log == [(0x09, 6), (0x09, 0)]
        assert bench.send("00 01") == "00 28 18 40 f0"
        assert bench.machine.last_error is not None
        assert "by signal 9" in bench.machine.last_error
        assert await bench.control(ON) == "00"
        assert bench.is_on

    run(directory, scenario)


def test_somebody_quits_it(directory: Path) -> None:
    async def scenario(bench: QemuBench) -> None:
        await bench.control(ON)
        bench.log.clear()
        os.kill(bench.pid, signal.SIGTERM)
        await bench.until(lambda: not bench.is_on)
        assert bench.log == [(0x09, 0)]
        assert bench.machine.last_error is None

    run(directory, scenario)


def boot_sector(directory: Path, *code: int) -> tuple[str, ...]:
    """A boot sector that does something to the machine."""
    image = directory / "boot.img"
    image.write_bytes(bytes(code).ljust(510, b"\xf4") + b"\x55\xaa" + bytes(512 * 63))
    return ("-drive", f"file={image},format=raw,if=ide")


# out 0x604, 0x2000: ACPI soft-off of the pc machine  /  out 0x64, 0xfe: reset by the keyboard controller
SHUT_DOWN = bytes.fromhex("ba0406b80020ef")
REBOOT = bytes.fromhex("b0fee664")


def test_the_guests_own_shutdown_is_power_off(directory: Path) -> None:
    words = boot_sector(directory, *SHUT_DOWN)

    async def scenario(bench: QemuBench) -> None:
        await bench.control(ON)
        bench.log.clear()
        await bench.until(lambda: not bench.is_on)
        assert bench.log == [(0x09, 0)]
        assert bench.machine.last_error is None

    run(directory, scenario, *words)


def test_the_users_no_shutdown_is_power_off_too(directory: Path) -> None:
    words = boot_sector(directory, *SHUT_DOWN)
    command = (*BARE, "-no-shutdown")

    async def scenario(bench: QemuBench) -> None:
        await bench.control(ON)
        pid = bench.pid
        await bench.until(lambda: not bench.is_on)
        await bench.machine.settled()
        assert not alive(pid)

    run(directory, scenario, *words, command=command)


def test_the_guests_own_reboot_is_a_reset(directory: Path) -> None:
    words = boot_sector(directory, *REBOOT)

    async def scenario(bench: QemuBench) -> None:
        await bench.control(ON)
        pid = bench.pid
        bench.log.clear()
        await bench.until(lambda: bench.cause is RestartCause.SOFT_RESET)
        assert bench.log == [(0x1D, 6)]
        assert bench.pid == pid

    run(directory, scenario, *words)


def test_boot_once(directory: Path) -> None:
    async def scenario(bench: QemuBench) -> None:
        bench.send("00 08 05 80 04 00 00 00")
        await bench.control(ON)
        assert bench.boot() == ["once=n"]
        assert bench.send("00 09 05 00 00") == "00 01 05 00 00 00 00 00", "used up"
        pid = bench.pid
        await bench.control(RESET)
        assert bench.pid == pid, "QEMU itself goes back to its order"
        bench.send("00 08 05 a0 14 00 00 00")
        await bench.control(RESET)
        assert bench.pid != pid
        assert bench.boot() == ["once=d"]
        assert bench.cause is RestartCause.CHASSIS_CONTROL
        await bench.control(CYCLE)
        assert bench.boot() == []

    run(directory, scenario)


def test_boot_always(directory: Path) -> None:
    async def scenario(bench: QemuBench) -> None:
        bench.send("00 08 05 c0 08 00 00 00")
        await bench.control(ON)
        assert bench.boot() == ["dc,menu=off", "order=c"]
        pid = bench.pid
        await bench.control(RESET)
        assert bench.pid == pid, "it is what the process was started with"
        await bench.control(CYCLE)
        assert bench.boot() == ["dc,menu=off", "order=c"]
        bench.send("00 08 05 80 00 00 00 00")
        await bench.control(RESET)
        assert bench.boot() == ["dc,menu=off"]

    run(directory, scenario, "-boot", "dc,menu=off")


def test_taken_over_after_a_crash_of_ours(directory: Path) -> None:
    async def first() -> tuple[int, dict[str, object]]:
        bench = QemuBench(directory)
        await bench.backend.start()
        bench.send("00 08 05 c0 08 00 00 00")
        await bench.control(ON)
        pid = bench.pid
        await bench.machine.leave()
        return pid, bench.kept()

    async def second(pid: int, kept: dict[str, object]) -> None:
        bench = QemuBench(directory, kept=kept)
        bench.send("00 08 05 c0 08 00 00 00")
        await bench.backend.start()
        assert bench.is_on
        assert bench.pid == pid
        assert bench.log == [], "nothing happened to the machine"
        await bench.control(RESET)
        assert bench.pid == pid
        assert bench.log == [(0x1D, 1)]
        await bench.backend.close()
        assert not alive(pid)

    pid, kept = asyncio.run(first())
    assert alive(pid)
    asyncio.run(second(pid, kept))


@pytest.mark.parametrize("record", [None, "nonsense", '{"pid": 1, "started": 1, "boot": ""}'])
def test_found_by_its_monitor_when_the_record_is_bad(directory: Path, record: str | None) -> None:
    async def first() -> int:
        bench = QemuBench(directory)
        await bench.backend.start()
        await bench.control(ON)
        pid = bench.pid
        await bench.machine.leave()
        return pid

    async def second(pid: int) -> None:
        bench = QemuBench(directory)
        await bench.backend.start()
        assert bench.pid == pid
        await bench.backend.close()
        assert not alive(pid)

    pid = asyncio.run(first())
    (directory / RECORD).unlink()
    if record is not None:
        (directory / RECORD).write_text(record)
    asyncio.run(second(pid))


def test_a_stopped_process_is_taken_over_and_cut_off(directory: Path) -> None:
    async def first() -> int:
        bench = QemuBench(directory)
        await bench.backend.start()
        await bench.control(ON)
        pid = bench.pid
        await bench.machine.leave()
        return pid

    async def second(pid: int) -> None:
        bench = QemuBench(directory)
        await bench.backend.start()
        assert bench.is_on
        assert bench.machine.last_error is not None
        await bench.control(RESET)
        assert bench.pid != pid
        await bench.backend.close()
        assert not alive(pid)

    pid = asyncio.run(first())
    os.kill(pid, signal.SIGSTOP)
    asyncio.run(second(pid))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("-device", "no-such-device"), "no-such-device"),
        (("-drive", "file=/nowhere/disk.img"), "/nowhere/disk.img"),
    ],
)
def test_a_qemu_that_does_not_start_says_why(directory: Path, words: tuple[str, ...], text: str) -> None:
    async def scenario(bench: QemuBench) -> None:
        bench.send("00 08 05 80 04 00 00 00")
        assert await bench.control(ON) == "00"
        assert not bench.is_on
        assert bench.log == [(0x09, 5)]
        with pytest.raises(ConfigError, match=text) as caught:
            await bench.machine.ready()
        assert str(directory / LOG) in str(caught.value)
        assert bench.send("00 09 05 00 00") == "00 01 05 80 04 00 00 00", "that was no start"

    run(directory, scenario, *words)


def test_the_processors_wait_for_the_bmc(directory: Path) -> None:
    """Nothing runs before the wire is connected: a driver gives up at once when there is no BMC."""

    async def scenario() -> None:
        bench = QemuBench(directory)
        wire = socket.socket(socket.AF_UNIX)
        asked = 0

        def wired() -> bool:
            nonlocal asked
            asked += 1
            if asked == 3:
                wire.connect(str(bench.line.ipmi))
            return asked > 3

        bench.machine = bench.backend = QemuMachine(
            bench.line, directory, bench.reports, wired, deadlines=DEADLINES
        )
        await bench.backend.start()
        try:
            await bench.control(ON)
            assert bench.is_on
            assert asked == 4
            assert "-S" in bench.words()
            wire.settimeout(5)
            assert wire.recv(2)[:1] in (b"\xff", b"\x08"), "the machine greets its BMC"
        finally:
            wire.close()
            await bench.backend.close()

    asyncio.run(scenario())


def test_boot_indexes_once(directory: Path) -> None:
    """A choice made with boot indexes lasts as long as the process: the next reset takes another one."""
    words = ("-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,bootindex=4", "-device")
    drive = ("ide-cd,bootindex=1",)

    def indexes(bench: QemuBench) -> list[str]:
        return [word.rpartition(",")[2] for word in bench.words() if "bootindex" in word]

    async def scenario(bench: QemuBench) -> None:
        bench.send("00 08 05 80 04 00 00 00")
        await bench.control(ON)
        assert indexes(bench) == ["bootindex=0", "bootindex=1"]
        pid = bench.pid
        await bench.control(RESET)
        assert bench.pid != pid
        assert indexes(bench) == ["bootindex=4", "bootindex=1"]
        pid = bench.pid
        await bench.control(RESET)
        assert bench.pid == pid

    run(directory, scenario, *words, *drive)


def test_a_machine_that_we_died_starting_is_let_go(directory: Path) -> None:
    """Killed between the start of QEMU and its first instruction, before any record was written."""

    async def scenario() -> None:
        bench = QemuBench(directory)
        left = Process.spawn(bench.line.command, directory / LOG)
        events: list[str] = []
        monitor = Monitor(bench.line.qmp, lambda name, data: events.append(name))
        await monitor.connect(10)
        assert (await monitor.execute("query-status", 5))["status"] == "prelaunch"
        await monitor.close()
        await bench.backend.start()
        assert bench.pid == left.pid
        assert bench.is_on
        await bench.machine.leave()
        await monitor.connect(10)
        assert (await monitor.execute("query-status", 5))["status"] == "running"
        await monitor.execute("quit", 5)
        assert await left.wait(10)
        await monitor.close()

    asyncio.run(scenario())
