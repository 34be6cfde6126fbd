"""A Linux guest finds its BMC, and the usual programs get what they ask for."""

from __future__ import annotations

import pytest

from tests.interop.attached import WITH_INTERRUPT, Attached


def test_driver_finds_the_bmc(attached: Attached) -> None:
    """Through the firmware's tables alone, without a retry or a complaint."""
    log = attached.run("dmesg | grep -i -e ipmi -e 'BMC '").check()
    assert "Found new BMC" in log
    if attached.interface.name == "ssif":
        # As QEMU 7.2: SMBus gives the previous answer until there is a new one, and this probe does not wait.
        log = "".join(line for line in log.splitlines(keepends=True) if ": -22 " not in line)
    for complaint in ("retry", "no BMC", "error", "failed", "Unable", "imed out", "invalid"):
        assert complaint not in log, log
    assert attached.run("ls /dev/ipmi0").status == 0


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("ipmitool mc info", "IPMI Version              : 2.0"),
        ("ipmitool mc selftest", "passed"),
        ("ipmitool mc guid", "System GUID"),
        ("ipmitool mc getenables", "Event Message Buffer"),
        ("ipmitool chassis status", "System Power         : on"),
        ("ipmitool sdr info", "Record Count"),
        ("ipmitool sdr elist", "degrees C"),
        ("ipmitool sensor", "Volts"),
        ("ipmitool fru print", "Product Name"),
        ("ipmitool sel info", "Entries"),
        ("ipmitool mc watchdog get", "Watchdog Timer"),
        ("ipmitool channel info", "Channel Medium Type"),
        ("ipmitool lan print 1", "Set in Progress"),
        ("ipmitool user list 1", "ADMINISTRATOR"),
        ("bmc-info", "IPMI Version"),
        ("ipmi-sensors", "Temperature"),
        ("ipmi-sel --info", "Number of log entries"),
        ("ipmi-fru", "FRU"),
        ("ipmi-chassis --get-chassis-status", "System Power"),
        ("bmc-watchdog --get", "Timer"),
        ("ipmi-locate", "Probing"),
        ("ipmi-config --category=core --checkout --section=User2", "EndSection"),
    ],
)
def test_program(attached: Attached, command: str, expected: str) -> None:
    assert expected in attached.run(command, timeout=60).check()


@pytest.mark.parametrize("attached", WITH_INTERRUPT, indirect=True, ids=str)
def test_interrupts_are_used(attached: Attached) -> None:
    """The driver asks for the line, and the BMC turns it on: otherwise Linux polls."""
    guest = attached.guest()
    before = interrupts(guest.run("cat /proc/interrupts").check())
    attached.run("ipmitool mc info").check()
    assert interrupts(guest.run("cat /proc/interrupts").check()) > before


def interrupts(table: str) -> int:
    (line,) = [line for line in table.splitlines() if line.endswith("ipmi_si")]
    return int(line.split()[1])
