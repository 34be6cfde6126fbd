"""Power from both ends: the guest's driver ends its machine through the BMC, the LAN acts on the guest."""

from __future__ import annotations

import pytest

from tests.interop.attached import WITH_INTERRUPT, Attached


# Linux's SSIF driver cannot be polled, and ipmi_poweroff works at a time when nothing else is left to it.
@pytest.mark.parametrize("attached", WITH_INTERRUPT, indirect=True, ids=str)
def test_ipmi_poweroff(attached: Attached) -> None:
    """Linux 6.1 asks ACPI first; without ACPI the driver's Chassis Control is what ends the machine."""
    guest = attached.guest(modules=["ipmi_poweroff"], kernel_args=["acpi=off"])
    assert "Found a chassis style poweroff function" in guest.run("dmesg").check()
    assert "on" in attached.baseboard.ipmitool("chassis", "power", "status")
    guest.send("poweroff -f")
    assert guest.qmp.wait_event("SHUTDOWN")["data"]["reason"] == "guest-shutdown"
    guest.wait_exit()
    assert "Powering down via IPMI chassis control command" in guest.tail()
    assert "off" in attached.baseboard.ipmitool("chassis", "power", "status")


def test_reset_over_the_lan(attached: Attached) -> None:
    guest = attached.guest()
    first = guest.boot_id
    attached.baseboard.ipmitool("chassis", "power", "reset")
    assert guest.qmp.wait_event("RESET")["data"]["reason"] == "guest-reset"
    guest.wait_ready()
    assert guest.boot_id != first


def test_soft_off_over_the_lan(attached: Attached) -> None:
    """The guest hears its power button and shuts itself down."""
    guest = attached.guest()
    attached.baseboard.ipmitool("chassis", "power", "soft")
    guest.qmp.wait_event("POWERDOWN")
    guest.qmp.wait_event("SHUTDOWN")
    guest.wait_exit()
    assert "power button: going down" in guest.tail()


def test_off_over_the_lan(attached: Attached) -> None:
    guest = attached.guest()
    attached.baseboard.ipmitool("chassis", "power", "off")
    assert guest.qmp.wait_event("SHUTDOWN")["data"]["reason"] == "guest-shutdown"
    guest.wait_exit()
    assert "power button" not in guest.tail()


def test_service_is_back_after_the_machine_was_killed(attached: Attached) -> None:
    attached.guest()
    attached.drop_guest()
    assert "Device ID" in attached.baseboard.ipmitool("mc", "info")
    assert "Device ID" in attached.run("ipmitool mc info").check()
