"""One state behind both doors: what is done in the guest is seen over the LAN, and the other way round."""

from __future__ import annotations

import pytest

from tests.interop.attached import Attached

# EvMRev, sensor type (1Dh, system boot), sensor number, event type, data: initiated by power up
BOOT_EVENT = "0x04 0x1d 0x55 0x6f 0x00 0xff 0xff"


def test_sel_entry_of_the_guest_is_read_over_the_lan(attached: Attached) -> None:
    # Cleared in the guest, too: over SSIF the whole line may be run again.
    add = f"ipmitool sel clear && echo '{BOOT_EVENT}' > /tmp/event && ipmitool sel add /tmp/event"
    attached.run(add).check()
    (line,) = [line for line in attached.baseboard.ipmitool("sel", "list").splitlines() if "#0x55" in line]
    assert "Initiated by power up" in line
    assert line in attached.run("ipmitool sel list").check().splitlines()


def test_sel_cleared_over_the_lan_is_empty_in_the_guest(attached: Attached) -> None:
    attached.run(f"echo '{BOOT_EVENT}' > /tmp/event && ipmitool sel add /tmp/event").check()
    attached.baseboard.ipmitool("sel", "clear")
    assert "#0x55" not in attached.run("ipmitool sel list").check()


@pytest.mark.parametrize(
    ("device", "shown"),
    [
        ("pxe", "Force PXE"),
        ("disk", "Force Boot from default Hard-Drive"),
        ("bios", "Force Boot into BIOS Setup"),
    ],
)
def test_boot_device_set_over_the_lan_is_read_in_the_guest(
    attached: Attached, device: str, shown: str
) -> None:
    attached.baseboard.ipmitool("chassis", "bootdev", device)
    assert shown in attached.run("ipmitool chassis bootparam get 5").check()


def test_boot_device_set_in_the_guest_is_read_over_the_lan(attached: Attached) -> None:
    attached.run("ipmitool chassis bootdev cdrom options=persistent").check()
    parameter = attached.baseboard.ipmitool("chassis", "bootparam", "get", "5")
    assert "Force Boot from CD/DVD" in parameter
    assert "Options apply to all future boots" in parameter


@pytest.mark.parametrize(
    "command", ["mc info", "mc guid", "fru print", "sdr list", "sel info", "user list 1"]
)
def test_both_sides_read_the_same(attached: Attached, command: str) -> None:
    in_guest = attached.run(f"ipmitool {command}").check()
    over_lan = attached.baseboard.ipmitool(*command.split())
    assert stable(in_guest) == stable(over_lan)


def stable(output: str) -> list[str]:
    """The lines without readings, which move on between two looks."""
    return [line.split("|")[0] for line in output.splitlines()]


def test_user_made_in_the_guest_logs_in_over_the_lan(attached: Attached) -> None:
    for step in (
        "user set name 5 guestmade",
        "user set password 5 a-Password",
        "channel setaccess 1 5 ipmi=on link=on privilege=3",
        "user enable 5",
    ):
        attached.run(f"ipmitool {step}").check()
    login = ("-I", "lanplus", "-L", "OPERATOR", "-U", "guestmade", "-P", "a-Password")
    assert "Device ID" in attached.baseboard.ipmitool("mc", "info", login=login)
