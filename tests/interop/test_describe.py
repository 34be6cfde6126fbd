"""Programs that read firmware tables read ours: iasl, dmidecode, and Linux, which finds the controller."""

from __future__ import annotations

import re
import shlex
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from baseboard.interface.describe import Description, Kind, Space, Trigger, smbios, spmi, ssdt
from tests.interop.conftest import StartGuest
from tests.interop.guest import Guest
from tests.programs import require_program

pytestmark = pytest.mark.interop

KCS = Description(kind=Kind.KCS, base=0xCA2, irq=5)
BT = Description(kind=Kind.BT, base=0xE4, spacing=4, irq=10, trigger=Trigger.LEVEL_LOW, uid=1)
SMIC = Description(kind=Kind.SMIC, base=0xCA9, uid=2)
SSIF = Description(kind=Kind.SSIF, base=0x20, uid=3)
MEMORY = Description(
    kind=Kind.KCS, base=0xFED4_0000, space=Space.MEMORY, spacing=16, irq=40, trigger=Trigger.LEVEL_LOW, uid=4
)
HIGH = Description(kind=Kind.BT, base=0x40_0000_0000, space=Space.MEMORY, uid=0xAB)

# fmt: off
SOURCES = [
    (KCS, """IO (Decode16, 0x0CA2, 0x0CA2, 0x01, 0x02) IRQNoFlags () {5}"""),
    (BT, """IO (Decode16, 0x00E4, 0x00E4, 0x01, 0x01) IO (Decode16, 0x00E8, 0x00E8, 0x01, 0x01)
            IO (Decode16, 0x00EC, 0x00EC, 0x01, 0x01) IRQ (Level, ActiveLow, Shared) {10}"""),
    (SMIC, """IO (Decode16, 0x0CA9, 0x0CA9, 0x01, 0x03)"""),
    (SSIF, """I2cSerialBusV2 (0x10, ControllerInitiated, 100000, AddressingMode7Bit, "\\\\_SB.PCI0.SFB",
                              0x00, ResourceConsumer)"""),
    (MEMORY, """Memory32Fixed (ReadWrite, 0xFED40000, 1) Memory32Fixed (ReadWrite, 0xFED40010, 1)
                Interrupt (ResourceConsumer, Level, ActiveLow, Shared) {40}"""),
    (HIGH, """QWordMemory (ResourceConsumer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite, 0,
                           0x4000000000, 0x4000000002, 0, 3)"""),
]
# fmt: on


def iasl(directory: Path, *args: str) -> str:
    done = subprocess.run(
        [require_program("iasl"), *args], cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("description", "resources"), SOURCES, ids=lambda value: str(getattr(value, "uid", ""))
)
def test_iasl_makes_the_same_ssdt(description: Description, resources: str, tmp_path: Path) -> None:
    uid, kind = description.uid, description.kind
    (tmp_path / "theirs.asl").write_text(
        f"""DefinitionBlock ("", "SSDT", 2, "BASEBD", "IPMI", 1) {{ Scope (\\_SB) {{ Device (MI{uid:02X}) {{
        Name (_HID, "IPI0001") Name (_STR, Unicode ("IPMI {kind.name}")) Name (_UID, {uid})
        Name (_CRS, ResourceTemplate () {{ {resources} }})
        Name (_IFT, {kind:d}) Name (_SRV, 0x0200) }} }} }}"""
    )
    assert "0 Errors, 0 Warnings" in iasl(tmp_path, "theirs.asl")
    assert ssdt(description)[36:] == (tmp_path / "theirs.aml").read_bytes()[36:]


@pytest.mark.parametrize(
    ("description", "resources"), SOURCES, ids=lambda value: str(getattr(value, "uid", ""))
)
def test_iasl_disassembles_what_we_write(description: Description, resources: str, tmp_path: Path) -> None:
    for name, table in (("ssdt", ssdt(description)), ("spmi", spmi(description))):
        (tmp_path / f"{name}.dat").write_bytes(table)
        said = iasl(tmp_path, "-d", f"{name}.dat")
        assert "ASL Output" in said or "Formatted output" in said
        text = (tmp_path / f"{name}.dsl").read_text()
        for complaint in ("error", "warning", "incorrect", "invalid", "unknown"):
            assert complaint not in f"{said}{text}".lower(), said + text
        assert "0 Errors, 0 Warnings" in iasl(tmp_path, f"{name}.dsl") or name == "spmi"
    assert f"Interface Type : {description.kind:02X}" in text
    assert f"Address : {description.base:016X}" in text


def dump(*structures: bytes) -> bytes:
    """What dmidecode takes for a machine's memory: an SMBIOS 3 entry point and the structures."""
    table = b"".join(structures) + bytes((127, 4, 0, 0x7F, 0, 0))
    entry = bytearray(struct.pack("<5s7BIQ", b"_SM3_", 0, 24, 3, 0, 0, 1, 0, len(table), 32))
    entry[5] = -sum(entry) & 0xFF
    return bytes(entry).ljust(32, b"\0") + table


def test_dmidecode(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(dump(*map(smbios, (KCS, BT, SMIC, SSIF, MEMORY))))
    said = subprocess.run(
        [require_program("dmidecode"), "--from-dump", str(path)], capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"Handle (0x26..)", said) == ["0x2600", "0x2601", "0x2602", "0x2603", "0x2604"]
    lines = [line.strip() for line in said.splitlines()]
    assert [
        line for line in lines if line.startswith(("Interface Type", "Base", "Register", "Interrupt"))
    ] == [
        "Interface Type: KCS (Keyboard Control Style)",
        "Base Address: 0x0000000000000CA2 (I/O)",
        "Register Spacing: Successive Byte Boundaries",
        "Interrupt Polarity: Active High",
        "Interrupt Trigger Mode: Edge",
        "Interrupt Number: 5",
        "Interface Type: BT (Block Transfer)",
        "Base Address: 0x00000000000000E4 (I/O)",
        "Register Spacing: 32-bit Boundaries",
        "Interrupt Polarity: Active Low",
        "Interrupt Trigger Mode: Level",
        "Interrupt Number: 10",
        "Interface Type: SMIC (Server Management Interface Chip)",
        "Base Address: 0x0000000000000CA9 (I/O)",
        "Register Spacing: Successive Byte Boundaries",
        "Interface Type: SSIF (SMBus System Interface)",
        "Base Address: 0x10 (SMBus)",
        "Interface Type: KCS (Keyboard Control Style)",
        "Base Address: 0x00000000FED40000 (Memory-mapped)",
        "Register Spacing: 16-byte Boundaries",
        "Interrupt Polarity: Active Low",
        "Interrupt Trigger Mode: Level",
        "Interrupt Number: 40",
    ]
    assert said.count("Specification Version: 2.0") == said.count("NV Storage Device: Not Present") == 5


def files(directory: Path, description: Description) -> list[str]:
    """QEMU's options that take what `baseboard describe` writes."""
    place = "--memory" if description.space is Space.MEMORY else "--port"
    words = ["--interface", description.kind.name.lower(), "--uid", str(description.uid)]
    if description.kind is Kind.SSIF:
        words += ["--smbus-address", hex(description.base)]
    else:
        words += [place, hex(description.base), "--spacing", str(description.spacing)]
    if description.irq is not None:
        words += ["--irq", str(description.irq), "--trigger", description.trigger]
    for what in ("smbios", "ssdt", "spmi"):
        words += [f"--{what}", str(directory / f"{description.uid}.{what}")]
    done = subprocess.run(
        [sys.executable, "-m", "baseboard", "describe", *words], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return shlex.split(done.stdout)


def in_guest(guest: Guest, path: str) -> bytes:
    return bytes.fromhex(guest.run(f"od -An -v -tx1 {path}").check())


@pytest.mark.guest
def test_linux_finds_the_controller(guest: StartGuest, tmp_path: Path) -> None:
    """By SMBIOS, then by ACPI, each time by our description alone; SPMI by FreeIPMI: Linux 6.1 looks no more.

    Our structure takes the place of QEMU's. QEMU's ACPI device cannot be kept away, so the driver is taken
    off it and put on ours.
    """
    described = Description(kind=Kind.KCS, base=0xCA9, irq=10, uid=7)
    machine = guest(
        [
            "-device", "ipmi-bmc-sim,id=bmc0", "-device", "isa-ipmi-kcs,bmc=bmc0,ioport=0xca9,irq=10",
            *files(tmp_path, described),
        ],
        modules=(),
    )  # fmt: skip

    assert in_guest(machine, "/sys/firmware/dmi/entries/38-0/raw") == smbios(described)
    assert machine.run("ls -d /sys/firmware/dmi/entries/38-*").stdout.count("\n") == 1
    assert in_guest(machine, "/sys/firmware/acpi/tables/SSDT") == ssdt(described)
    assert in_guest(machine, "/sys/firmware/acpi/tables/SPMI") == spmi(described)
    assert "ACPI Error" not in machine.run("dmesg").stdout
    located = machine.run("ipmi-locate").check()
    spoken = located.partition("Probing KCS device using ACPI... done")[2].partition("Probing")[0]
    assert "BMC I/O base address: 0xCA9" in spoken

    machine.run("modprobe ipmi_devintf; modprobe ipmi_si tryacpi=0").check()
    log = machine.run("dmesg | grep ipmi").check()
    assert "SMBIOS: io 0xca9 regsize 1 spacing 1 irq 10" in log
    assert re.search(r"dmi-ipmi-si\.0: Using irq 10\n.*dmi-ipmi-si\.0: .*Found new BMC", log), log
    assert "IPMI Version" in machine.run("ipmitool mc info").check()

    machine.run("rmmod ipmi_si; dmesg -c; modprobe ipmi_si trydmi=0").check()
    machine.run(
        r"""cd /sys/bus/platform/drivers/ipmi_si
        for ours in /sys/bus/platform/devices/IPI0001:*; do
            grep -q '^._SB_.MI07$' $ours/firmware_node/path && break
        done
        for theirs in IPI*; do echo $theirs > unbind; done
        basename $ours > bind"""
    ).check()
    log = machine.run("dmesg | grep ipmi").check()
    found = re.search(r"(IPI0001:..): Using irq 10\n.*\1: .*Found new BMC.*\n.*initialized\s*$", log)
    assert found is not None, log
    assert "[io  0x0ca9-0x0caa] regsize 1 spacing 1 irq 10" in log
    node = f"/sys/bus/platform/devices/{found[1]}/firmware_node"
    assert machine.run(f"cat {node}/description").stdout.strip() == "IPMI KCS"
    assert machine.run(f"cat {node}/uid").stdout.strip() == "7"
    assert "IPMI Version" in machine.run("ipmitool mc info").check()


@pytest.mark.guest
def test_linux_reads_where_the_others_are(guest: StartGuest, tmp_path: Path) -> None:
    """Nothing stands there, but the drivers say where they look."""
    memory = Description(kind=Kind.KCS, base=0xFED8_0000, space=Space.MEMORY, spacing=4, irq=23, uid=2)
    ssif = Description(kind=Kind.SSIF, base=0x24, uid=1)
    options = [word for one in (memory, ssif) for word in files(tmp_path, one)]
    machine = guest(options, machine="q35", modules=("i2c_i801", "ipmi_ssif", "ipmi_si"))
    log = machine.run("dmesg").check()
    assert "ACPI Error" not in log
    assert "SMBIOS: mem 0xfed80000 regsize 1 spacing 4 irq 23" in log
    assert "[mem 0xfed80000] regsize 1 spacing 4 irq 23" in log
    assert "SSIF interface at i2c address 0x12" in log
    assert machine.run("ls /sys/bus/i2c/devices").stdout.count("IPI0001") == 1
