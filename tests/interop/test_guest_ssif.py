"""Linux's i2c-i801 and ipmi_ssif before our SMBus controller and SSIF, in a QEMU that has vfio-user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from baseboard.interface.bus.i801 import I801Function
from baseboard.interface.bus.smbus import SmBus
from baseboard.interface.ssif import Ssif
from baseboard.ipmi.message import Context, Message
from tests.interop.conftest import StartBaseboard
from tests.interop.guest import Guest, Image
from tests.interop.newer import newer_qemu
from tests.interop.served import Served

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "attach-ssif-to-a-vm.md"
FROM_THE_PAGE = next(part for part in PAGE.read_text().split("```") if "new_device ;;" in part).removeprefix(
    "sh\n"
)
BIND = FROM_THE_PAGE.replace("ipmitool mc info", "test -c /dev/ipmi0")
DEVICE_ID = bytes.fromhex("00 20 81 03 45 02 bf 4c1c00 4232")
COUNT, ECHO = 0x01, 0x02
LOOP = 1000
"""Linux waits two jiffies, 5 to 8 ms, before it asks for an answer: 15 s, whoever answers."""


class Controller:
    """Enough for the driver; and commands that count and echo."""

    def __init__(self) -> None:
        self.count = 0

    def handle(self, message: Message, context: Context) -> bytes:
        match message.netfn, message.command:
            case 0x06, 0x01:
                return DEVICE_ID
            case 0x06, 0x2E | 0x30:  # Set BMC Global Enables, Clear Message Flags
                return b"\x00"
            case 0x06, 0x2F:
                return b"\x00\x08"
            case 0x2E, 0x01:
                self.count += 1
                return b"\x00" + self.count.to_bytes(2, "little")
            case 0x2E, 0x02:
                return b"\x00" + message.data[::-1]
        return b"\xc1"


@pytest.fixture(scope="module")
def machine(guest_image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Guest]]:
    ssif, bus = Ssif(), SmBus()
    bus.attach(ssif.target, address=0x10)
    path = tmp_path_factory.mktemp("ssif") / "s"
    served = Served(path, I801Function(bus, ssif), ssif.engine, Controller().handle)
    try:
        with Guest(served.device, qemu=newer_qemu(), modules=()) as guest:
            guest.run(BIND).check()
            yield served, guest
    finally:
        served.close()


def raw(*data: int) -> str:
    return " ".join(("raw 0x2e", *(f"{byte:#04x}" for byte in data)))


def commands(guest: Guest, lines: list[str]) -> list[int]:
    """What `ipmitool exec` answers to lines of raw commands, of 64 words at most, as bytes."""
    text = "\\n".join(lines)
    said = guest.run(f"printf '{text}\\n' > /tmp/lines; ipmitool exec /tmp/lines", 120).check()
    return [int(word, 16) for word in said.split()]


def test_the_driver_finds_it(machine: tuple[Served, Guest]) -> None:
    served, guest = machine
    assert "Manufacturer ID           : 7244\n" in guest.run("ipmitool mc info").check()
    log = guest.run("dmesg | grep -E 'ssif|i801'").check()
    assert "Found new BMC (man_id: 0x001c4c, prod_id: 0x3242, dev_id: 0x20)" in log
    assert "Unable to" not in log
    assert "Error" not in log
    # it probed how long a request may be: 63 bytes in two parts were answered
    assert any(len(message.data) == 63 - 2 + 2 for message in served.asked), served.asked[:3]


def test_a_loop_of_commands(machine: tuple[Served, Guest]) -> None:
    """Each answer is that of its own request."""
    _, guest = machine
    counted = commands(guest, [raw(COUNT)] * LOOP)
    numbers = [low | high << 8 for low, high in zip(counted[::2], counted[1::2], strict=True)]
    assert numbers == list(range(numbers[0], numbers[0] + LOOP))


@pytest.mark.parametrize("length", [1, 29, 30, 31, 62, 64])
def test_messages_in_parts(machine: tuple[Served, Guest], length: int) -> None:
    _, guest = machine
    data = range(1, length + 1)
    said = guest.run(f"ipmitool {raw(ECHO, *data)}").check()
    assert [int(word, 16) for word in said.split()] == list(reversed(data))


@pytest.mark.parametrize("delay", [0.02, 0.2])
def test_a_slow_controller(machine: tuple[Served, Guest], delay: float) -> None:
    """Reads are not acknowledged until the answer is there; no answer is that of an earlier request."""
    served, guest = machine
    served.delay = delay
    try:
        assert commands(guest, [raw(ECHO, number) for number in range(1, 11)]) == list(range(1, 11))
    finally:
        served.delay = 0.0


def test_an_unknown_command(machine: tuple[Served, Guest]) -> None:
    _, guest = machine
    assert "rsp=0xc1" in guest.run("ipmitool raw 0x2e 0x77").stderr


def test_the_driver_can_be_bound_again(machine: tuple[Served, Guest]) -> None:
    """The driver goes and comes back: the bus is as it was."""
    _, guest = machine
    guest.run("echo 0x10 > $(dirname $(ls /sys/bus/i2c/devices/*/delete_device | head -n 1))/delete_device")
    guest.run(BIND).check()
    assert commands(guest, [raw(ECHO, 1, 2)]) == [2, 1]


def names(listing: str) -> list[str]:
    """The records, without the readings, which move on while they are read."""
    return [line.split("|")[0] for line in listing.splitlines()]


@pytest.mark.usefixtures("guest_image")
def test_baseboard_run(baseboard: StartBaseboard, tmp_path: Path) -> None:
    """The whole controller behind it, as the page says: SEL, FRU inventory and sensor records are read."""
    socket = {"type": "unix", "path": str(tmp_path / "ssif.sock")}
    server = baseboard("--vfio-user", f"{socket['path']},interface=ssif")
    device = json.dumps({"driver": "vfio-user-pci", "socket": socket})
    with Guest(("-device", device), qemu=newer_qemu(), modules=()) as guest:
        assert "IPMI Version              : 2.0\n" in guest.run(FROM_THE_PAGE).check()
        guest.run("ipmitool event 1").check()
        assert "Temperature #0x30 | Upper Critical going high" in guest.run("ipmitool sel elist").check()
        assert guest.run("ipmitool fru print 0").check() == server.ipmitool("fru", "print", "0")
        listing = guest.run("ipmitool sdr list all").check()
        assert names(listing) == names(server.ipmitool("sdr", "list", "all"))
