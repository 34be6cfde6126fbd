"""The driver in C of examples/, compiled and run before our devices: polled, with interrupts, aborted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.interface.conversation import echo
from tests.programs import require_program

from baseboard.bmc import Bmc, Core, Settings
from baseboard.bmc.commands import TABLES
from baseboard.interface import HandlerSeam, RequestReceived
from baseboard.interface.bt import Bt
from baseboard.interface.bt import Quirk as BtQuirk
from baseboard.interface.bus import IsaBus
from baseboard.interface.kcs import Kcs
from baseboard.interface.kcs import Quirk as KcsQuirk
from baseboard.interface.smic import Smic
from baseboard.ipmi.message import Handler
from baseboard.machine import Elf, X86Machine

EXAMPLES = Path(__file__).parents[2] / "examples"
REQUEST, RESPONSE, SIZE = 0x8_0000, 0x8_1000, 272
TIMEOUT, TOO_LONG, REFUSED = -1, -2, -256
GET_DEVICE_ID = b"\x18\x01"
IRQ = 5
BASES = {"kcs": 0xCA2, "bt": 0xE4, "smic": 0xCA9}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with what the system has."""
    require_program("gcc")
    build = tmp_path_factory.mktemp("driver")
    command = [require_program("make"), "-C", str(EXAMPLES / "driver"), f"BUILD={build}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return build / "driver.elf"


class Host:
    """A machine with the driver, one device and what answers."""

    def __init__(self, program: Path, name: str, handler: Handler | None = echo, **options: Any) -> None:
        self.name, self.base = name, BASES[name]
        make: Any = {"kcs": Kcs, "bt": Bt, "smic": Smic}[name]
        self.device = make(**options)
        if handler is not None:
            HandlerSeam(self.device.engine, handler)
        bus = IsaBus()
        bus.attach(self.device, base=self.base, irq=IRQ)
        self.machine = X86Machine(bus)
        self.machine.load(Elf.from_file(program))

    def interrupts(self) -> None:
        self.device.engine.set_interrupt(True)
        self.machine.set_vector(IRQ, f"{self.name}_interrupt")
        self.machine.call("use_interrupts", 1)
        if self.name == "bt":
            self.machine.call("bt_enable_interrupt", self.base, 1)

    @property
    def interrupts_taken(self) -> int:
        address = self.machine.symbols["interrupts_taken"]
        return int.from_bytes(self.machine.read_memory(address, 4), "little")

    def ask(self, what: str, request: bytes, size: int = SIZE, blocks: int = 1_000_000) -> int:
        self.machine.write_memory(REQUEST, request)
        arguments = (self.base, REQUEST, len(request), RESPONSE, size)
        return self.machine.call(f"{self.name}_{what}", *arguments, blocks=blocks)

    def transact(self, request: bytes) -> bytes:
        length = self.ask("transact", request)
        assert length >= 0, length
        return self.machine.read_memory(RESPONSE, length)


# fmt: off
HOSTS = [
    pytest.param("kcs",  {},                        False, id="kcs, polled"),
    pytest.param("kcs",  {},                        True,  id="kcs, interrupts"),
    pytest.param("kcs",  {"quirks": KcsQuirk.QEMU}, True,  id="kcs of QEMU, interrupts"),
    pytest.param("bt",   {},                        False, id="bt, polled"),
    pytest.param("bt",   {},                        True,  id="bt, interrupts"),
    pytest.param("bt",   {"quirks": BtQuirk.QEMU},  True,  id="bt of QEMU, interrupts"),
    pytest.param("smic", {},                        False, id="smic, polled"),
]
# fmt: on


@pytest.mark.parametrize(("name", "options", "interrupts"), HOSTS)
def test_exchanges(program: Path, name: str, options: dict[str, Any], interrupts: bool) -> None:
    """Get Device ID from a whole controller; then 60 bytes there and back, several times."""
    host = Host(program, name, Core(Bmc(Settings()), TABLES).handle, **options)
    if interrupts:
        host.interrupts()
    answer = host.transact(GET_DEVICE_ID)
    assert answer[:3] == b"\x1c\x01\x00"
    assert answer[7] == 0x02, "IPMI 2.0"
    assert len(answer) in (14, 18)
    host = Host(program, name, **options)
    if interrupts:
        host.interrupts()
    for number in range(5):
        data = bytes(range(number, number + 58))
        assert host.transact(b"\x18\x7f" + data) == b"\x1c\x7f\x00" + data[::-1]
    assert (host.interrupts_taken > 0) is interrupts
    if name == "kcs" and interrupts:
        assert host.interrupts_taken == 5 * (1 + 60 + 1 + 61), "one for each byte, each way, and the ends"
    if name == "bt" and interrupts:
        assert host.interrupts_taken == 5


@settings(max_examples=25)
@given(data=st.data(), name=st.sampled_from(("kcs", "bt", "smic")))
def test_an_abort_anywhere(program: Path, name: str, data: st.DataObject) -> None:
    """After any number of steps, before or after the controller has answered."""
    host = Host(program, name, data.draw(st.sampled_from((echo, None))))
    host.ask("begin", b"\x18\x7f" + bytes(range(20)))
    transfer = host.machine.symbols[name]
    for _ in range(data.draw(st.integers(0, 70))):
        host.machine.call(f"{name}_step", transfer)
    assert host.machine.call(f"{name}_abort") in (REFUSED, REFUSED - 1)
    HandlerSeam(host.device.engine, echo)
    assert host.transact(b"\x18\x01\x01\x02") == b"\x1c\x01\x00\x02\x01"


def test_the_interface_says_what_was_wrong(program: Path) -> None:
    """More bytes than KCS takes: the engine's length error, fetched by the error exit."""
    host = Host(program, "kcs")
    assert host.ask("transact", bytes(301)) == REFUSED - 0x06
    assert host.transact(b"\x18\x01") == b"\x1c\x01\x00"
    host = Host(program, "smic")
    assert host.ask("transact", bytes(256)) == REFUSED - 0x05
    assert host.transact(b"\x18\x01") == b"\x1c\x01\x00"


@pytest.mark.parametrize("name", BASES)
def test_what_does_not_fit(program: Path, name: str) -> None:
    host = Host(program, name)
    assert host.ask("transact", b"\x18") == TOO_LONG
    assert host.ask("transact", b"\x18\x01\x01\x02\x03", size=4) == TOO_LONG
    assert host.machine.read_memory(RESPONSE, 6) == b"\x1c\x01\x00\x03\x00\x00", "and nothing behind it"
    assert host.transact(b"\x18\x01") == b"\x1c\x01\x00"
    if name == "bt":
        assert host.ask("transact", bytes(255)) == TOO_LONG


@pytest.mark.parametrize("name", BASES)
def test_a_controller_that_does_not_answer(program: Path, name: str) -> None:
    host = Host(program, name, handler=None)
    assert host.ask("transact", GET_DEVICE_ID) == TIMEOUT
    request = host.device.engine.next_event()
    assert isinstance(request, RequestReceived)
    assert host.machine.call(f"{name}_abort") <= REFUSED
    assert not host.device.engine.respond(request.id, b"\x00"), "too late"


def test_a_slow_controller_answers_while_the_processor_is_halted(program: Path) -> None:
    host = Host(program, "kcs", handler=None)
    host.interrupts()
    halts = 0

    def idle() -> bool:
        nonlocal halts
        halts += 1
        event = host.device.engine.next_event()
        if isinstance(event, RequestReceived):
            host.device.engine.respond(event.id, b"\x00\x20")
        return halts < 10

    host.machine.idle = idle
    assert host.transact(GET_DEVICE_ID) == b"\x1c\x01\x00\x20"
    assert halts == 1


def test_the_example_in_python(program: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "run_driver.py"), str(program)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1c 01 00 20 ")


def test_the_documentation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command of the how-to builds what its Python runs."""
    page = (EXAMPLES.parent / "docs" / "how-to" / "test-a-driver-without-a-vm.md").read_text()
    command = page.split("    gcc ")[1].split("\n\n")[0].replace("\\\n", " ")
    sources = [str(EXAMPLES / "driver" / name) for name in ("transfer.c", "kcs.c", "bt.c", "smic.c")]
    arguments = [word for word in command.split() if word != "driver.c"]
    done = subprocess.run(
        [require_program("gcc"), *arguments, *sources],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    first, second = (part.split("```")[0] for part in page.split("```python\n")[1:])
    exec(compile(first, "how-to", "exec"), names)
    exec(compile(second, "how-to", "exec"), names)
    assert not names["machine"].idle()
