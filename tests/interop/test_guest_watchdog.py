"""The guest's watchdog driver against our timer: what expiry does is seen through QEMU's own events."""

from __future__ import annotations

import pytest

from tests.interop.attached import Attached

# The driver does not start a timer whose action is "none".
ARM = "modprobe ipmi_watchdog timeout={timeout} action={action} {more} && echo . > /dev/watchdog"


def test_reset(attached: Attached) -> None:
    """A program opens the watchdog and dies; the BMC resets the machine, which comes up again."""
    guest = attached.guest()
    attached.baseboard.ipmitool("sel", "clear")
    attached.run(ARM.format(timeout=2, action="reset", more="")).check()
    assert guest.qmp.wait_event("RESET", timeout=20)["data"]["reason"] == "guest-reset"
    guest.wait_ready()
    events = attached.baseboard.ipmitool("sel", "elist")
    assert "Watchdog" in events
    assert "Hard reset" in events
    assert "Device ID" in attached.run("ipmitool mc info").check()  # the interface survived


def test_countdown_and_running_are_visible(attached: Attached) -> None:
    attached.run(ARM.format(timeout=100, action="reset", more="")).check()
    shown = attached.baseboard.ipmitool("mc", "watchdog", "get")
    assert "SMS/OS" in shown
    assert "Started" in shown
    attached.run("printf V > /dev/watchdog; rmmod ipmi_watchdog").check()
    assert "Stopped" in attached.baseboard.ipmitool("mc", "watchdog", "get")


def test_kicked_in_time_does_not_fire(attached: Attached) -> None:
    guest = attached.guest()
    attached.run(ARM.format(timeout=2, action="reset", more="")).check()
    guest.run(
        "exec 5> /dev/watchdog; for i in 1 2 3 4 5 6; do echo . >&5; sleep 0.5; done; printf V >&5",
        timeout=20,
    ).check()
    guest.run("rmmod ipmi_watchdog").check()
    assert guest.qmp.take_events() == []


def test_pretimeout_reaches_the_guest(attached: Attached) -> None:
    """The pre-timeout sets the attention flag; the driver reads the flags and hands it to its reader."""
    guest = attached.guest()
    more = "pretimeout=28 preaction=pre_int preop=preop_give_data"
    attached.run(ARM.format(timeout=30, action="reset", more=more)).check()
    read_one_byte = "exec 5<> /dev/watchdog; dd bs=1 count=1 <&5 | wc -c; printf V >&5"
    assert guest.run(read_one_byte, timeout=20).check() == "1\n"
    guest.run("rmmod ipmi_watchdog").check()


def test_power_off(attached: Attached) -> None:
    guest = attached.guest()
    attached.run(ARM.format(timeout=2, action="power_off", more="")).check()
    assert guest.qmp.wait_event("SHUTDOWN", timeout=20)["data"]["reason"] == "guest-shutdown"
    guest.wait_exit()
    assert "off" in attached.baseboard.ipmitool("chassis", "power", "status")


@pytest.mark.parametrize("command", ["ipmitool mc watchdog off", "bmc-watchdog --stop"])
def test_stopped_by_a_program(attached: Attached, command: str) -> None:
    attached.run(ARM.format(timeout=100, action="reset", more="")).check()
    attached.run(command).check()
    assert "Stopped" in attached.baseboard.ipmitool("mc", "watchdog", "get")
    attached.run("printf V > /dev/watchdog; rmmod ipmi_watchdog").check()
