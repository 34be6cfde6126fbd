"""What is added to a user's QEMU command, and how a boot device gets onto it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.bmc.boot_options import BootChoice, BootDevice
from baseboard.errors import ConfigError
from baseboard.power.line import equip

D = Path("/run/b")
QEMU = "true"  # any program that is there


def starting(*words: str, device: BootDevice, persistent: bool = False) -> list[str]:
    line = equip((QEMU, *words), "kcs", D)
    return list(line.starting(BootChoice(device, persistent)))


def test_what_is_added() -> None:
    line = equip((QEMU, "-m", "512"), "kcs", D)
    assert line.command[0].endswith("/true")
    assert " ".join(line.command[1:]) == (
        "-m 512 "
        "-chardev socket,id=baseboard-ipmi,path=/run/b/ipmi.sock,server=on,wait=off "
        "-device ipmi-bmc-extern,id=baseboard-bmc,chardev=baseboard-ipmi "
        "-device isa-ipmi-kcs,id=baseboard-interface,bmc=baseboard-bmc "
        "-chardev socket,id=baseboard-serial,path=/run/b/serial.sock,server=on,wait=off,telnet=on "
        "-serial chardev:baseboard-serial "
        "-chardev socket,id=baseboard-qmp,path=/run/b/qmp.sock,server=on,wait=off "
        "-mon chardev=baseboard-qmp,mode=control "
        "-action panic=none -S"
    )
    assert (line.ipmi, line.qmp, line.serial) == (D / "ipmi.sock", D / "qmp.sock", D / "serial.sock")


@pytest.mark.parametrize(
    ("interface", "device"),
    [("kcs", "isa-ipmi-kcs,"), ("bt", "isa-ipmi-bt,"), ("ssif", "smbus-ipmi,address=0x10,")],
)
def test_interfaces(interface: str, device: str) -> None:
    assert any(word.startswith(device) for word in equip((QEMU,), interface, D).command)


def test_the_users_own_choices_are_left_alone() -> None:
    line = equip((QEMU, "-S", "-action", "panic=pause,shutdown=pause"), "kcs", D)
    assert line.paused_by_user
    assert line.command.count("-S") == 1
    assert "panic=none" not in line.command


def test_a_comma_in_the_directory() -> None:
    assert any("path=/run/a,,b/ipmi.sock" in word for word in equip((QEMU,), "kcs", Path("/run/a,b")).command)


@pytest.mark.parametrize(
    ("command", "interface", "directory", "text"),
    [
        ((), "kcs", D, "no QEMU command"),
        (("qemu-system-nowhere",), "kcs", D, "apt install"),
        ((QEMU, "-daemonize"), "kcs", D, "owns the process"),
        ((QEMU, "--daemonize"), "kcs", D, "owns the process"),
        ((QEMU, "-device", "isa-ipmi-kcs,bmc=b"), "kcs", D, "adds the BMC"),
        ((QEMU, "-device", "ipmi-bmc-sim,id=b"), "kcs", D, "adds the BMC"),
        ((QEMU,), "smic", D, "not one of kcs, bt, ssif"),
        ((QEMU,), "kcs", Path("/" + "d" * 100), "--state"),
    ],
)
def test_mistakes_are_explained(command: tuple[str, ...], interface: str, directory: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        equip(command, interface, directory)


@pytest.mark.parametrize(
    ("device", "letter"),
    [
        (BootDevice.PXE, "n"),
        (BootDevice.DISK, "c"),
        (BootDevice.DISK_SAFE_MODE, "c"),
        (BootDevice.CDROM, "d"),
        (BootDevice.REMOTE_CDROM, "d"),
        (BootDevice.FLOPPY, "a"),
    ],
)
def test_boot_device(device: BootDevice, letter: str) -> None:
    assert starting(device=device)[-2:] == ["-boot", f"once={letter}"]
    assert starting(device=device, persistent=True)[-2:] == ["-boot", f"order={letter}"]


def test_setup_is_the_boot_menu() -> None:
    assert starting(device=BootDevice.SETUP)[-2:] == ["-boot", "menu=on,splash-time=10000"]


def test_no_choice_changes_nothing() -> None:
    line = equip((QEMU,), "kcs", D)
    assert line.starting(None) == line.command
    assert line.starting(BootChoice(BootDevice.DIAGNOSTIC_PARTITION)) == line.command


def test_boot_indexes_are_rewritten() -> None:
    words = (
        "-device", "virtio-blk-pci,drive=a,bootindex=1",
        "-device", "virtio-net-pci,netdev=n0,bootindex=2,mac=52:54:00:12:34:56",
        "-device", "e1000,netdev=n1",
        "-device", "ide-cd,drive=b,bootindex=3",
        "-device", "virtio-rng-pci",
    )  # fmt: skip
    line = starting(*words, device=BootDevice.PXE)
    assert "-boot" not in line
    assert [word for place, word in enumerate(line) if line[place - 1] == "-device"][:5] == [
        "virtio-blk-pci,drive=a,bootindex=2",
        "virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56,bootindex=0",
        "e1000,netdev=n1,bootindex=1",
        "ide-cd,drive=b,bootindex=3",
        "virtio-rng-pci",
    ]


@given(st.lists(st.text(max_size=12), max_size=8), st.sampled_from(list(BootDevice)), st.booleans())
def test_any_words_are_kept_or_refused(words: list[str], device: BootDevice, persistent: bool) -> None:
    try:
        line = equip((QEMU, *words), "kcs", D)
    except ConfigError:
        return
    assert list(line.command[1 : 1 + len(words)]) == words
    line.starting(BootChoice(device, persistent))
