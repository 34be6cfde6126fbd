"""Alerts at somebody else's receiver: Net-SNMP's snmptrapd; and PEF through ipmitool and FreeIPMI."""

from __future__ import annotations

import os
import re
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.interop.baseboard import Baseboard
from tests.interop.conftest import StartBaseboard
from tests.programs import require_program

pytestmark = pytest.mark.interop

COMMUNITY = "interop"
ONE_LINE = r"TRAP|%N|%w|%q|%a|%P|%v\n"
"""Enterprise, generic and specific trap, agent, version and community, variables."""
QUIET = 0.5
"""Seconds without a trap after which none is coming."""


class Trap(NamedTuple):
    """What snmptrapd read in a trap."""

    enterprise: str
    generic: str
    specific: int
    agent: str
    version_and_community: str
    variable: str
    octets: bytes


@dataclass
class Receiver:
    """A snmptrapd that writes every trap down."""

    port: int
    process: subprocess.Popen[bytes]
    _said: bytes = b""

    def receive(self, timeout: float) -> Trap | None:
        """The next trap; None when none comes in time."""
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        deadline = time.monotonic() + timeout
        while (found := re.search(rb"TRAP\|([^\n]*\n(?:[0-9A-F]{2} [0-9A-F ]*\n)*)", self._said)) is None or (
            not self._said.endswith(b"\n")
        ):
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            data = os.read(descriptor, 65536)
            assert data, f"snmptrapd ended: {self._said.decode()}"
            self._said += data
        self._said = self._said[found.end() :]
        enterprise, generic, specific, agent, said, variables = found.group(1).decode().split("|")
        variable, _, text = variables.partition(" = Hex-STRING: ")
        return Trap(enterprise, generic, int(specific.strip(".")), agent, said, variable, bytes.fromhex(text))

    def one(self, timeout: float = 10) -> Trap:
        """The trap that must come."""
        trap = self.receive(timeout)
        assert trap is not None, "no trap came"
        return trap


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    program = require_program("snmptrapd")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configuration = tmp_path / "snmptrapd.conf"
    configuration.write_text(f"disableAuthorization yes\nformat1 {ONE_LINE}\n")
    command = [program, "-f", "-Lo", "-On", "-Ox", "-m", "", "-C", "-c", str(configuration), "-x", ""]
    process = subprocess.Popen(
        [*command, f"udp:127.0.0.1:{port}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(tmp_path / "snmp")},
    )
    yield Receiver(port, process)
    process.kill()
    process.wait(20)
    assert process.stdout is not None
    process.stdout.close()


def start(baseboard: StartBaseboard, receiver: Receiver, tmp_path: Path, alerts: str) -> Baseboard:
    """A baseboard whose alerts reach the receiver, which is proved with Alert Immediate."""
    config = tmp_path / "alerts.toml"
    config.write_text(f'[pef]\ntrap_port = {receiver.port}\ncommunity = "{COMMUNITY}"\n{alerts}')
    bmc = baseboard("--config", str(config))
    for _ in range(20):
        bmc.ipmitool("raw", "0x04", "0x16", "0x01", "0x01", "0x00")
        if receiver.receive(QUIET) is not None:
            return bmc
    raise AssertionError("snmptrapd receives nothing")


def crosses_a_threshold(bmc: Baseboard) -> None:
    """The inlet gets hotter than its upper critical threshold, by the control socket."""
    set_ = ("sensor", "set", "--state", str(bmc.state), "Inlet Temp", "43")
    subprocess.run([*bmc.command[:3], *set_], check=True, timeout=30, capture_output=True)


def pet(bmc: Baseboard, trap: Trap, *args: str) -> str:
    """What FreeIPMI's ipmi-pet makes of a trap, with the controller's own SDRs."""
    octets = (f"{byte:02x}" for byte in trap.octets)
    return bmc.freeipmi("ipmi-pet", *args, str(trap.specific), *octets)


UNACKNOWLEDGED = '[[alert]]\naddress = "127.0.0.1"\n'


def test_a_threshold_raises_an_alert(baseboard: StartBaseboard, receiver: Receiver, tmp_path: Path) -> None:
    bmc = start(baseboard, receiver, tmp_path, UNACKNOWLEDGED)
    crosses_a_threshold(bmc)
    warning, critical = receiver.one(), receiver.one()
    assert warning[:6] == (
        ".1.3.6.1.4.1.3183.1.1",
        "6",
        0x010107,  # temperature, threshold, upper non-critical going high
        "127.0.0.1",
        f"TRAP, SNMP v1, community {COMMUNITY}",
        ".1.3.6.1.4.1.3183.1.1.1",
    )
    assert critical.specific == 0x010109
    guid = re.search(r"System GUID +: ([0-9a-f-]+)", bmc.ipmitool("mc", "guid"))
    assert guid is not None
    assert critical.octets[:16].hex() == guid.group(1).replace("-", "")
    assert critical.octets[24:34] == bytes.fromhex("20 20 10 20 10 37 01 59 2b 2a")
    cache = f"--sdr-cache-directory={tmp_path}"
    line = pet(bmc, critical, cache, "--quiet-cache", "-vv").splitlines()[-1]
    for said in ("Inlet Temp", "Temperature", guid.group(1), "Critical condition", "Assertion Event"):
        assert said in line
    assert "Upper Critical - going high" in line
    assert receiver.receive(QUIET) is None


def test_an_event_from_ipmitool_raises_an_alert(
    baseboard: StartBaseboard, receiver: Receiver, tmp_path: Path
) -> None:
    bmc = start(baseboard, receiver, tmp_path, UNACKNOWLEDGED)
    bmc.ipmitool("event", "1")  # Temperature - Upper Critical - Going High
    assert receiver.one().specific == 0x010109


ACKNOWLEDGED = '[[alert]]\naddress = "127.0.0.1"\nacknowledged = true\ntimeout = 1\nretries = 2\n'


def test_a_trap_comes_again_until_it_is_acknowledged(
    baseboard: StartBaseboard, receiver: Receiver, tmp_path: Path
) -> None:
    bmc = start(baseboard, receiver, tmp_path, ACKNOWLEDGED)
    first = receiver.one()  # of Alert Immediate, again
    pet(bmc, first, "--pet-acknowledge")
    assert receiver.receive(1.5) is None
    assert bmc.ipmitool("raw", "0x04", "0x16", "0x01", "0x40", "0x00").strip() == "01"

    bmc.ipmitool("event", "1")
    traps = [receiver.one(), receiver.one(), receiver.one()]
    assert len({trap.octets for trap in traps}) == 1
    assert receiver.receive(1.5) is None

    bmc.ipmitool("event", "1")
    again = receiver.one()
    assert again.octets[16:18] > traps[0].octets[16:18]
    pet(bmc, again, "--pet-acknowledge")
    assert receiver.receive(1.5) is None


def test_destinations_set_with_ipmitool(
    baseboard: StartBaseboard, receiver: Receiver, tmp_path: Path
) -> None:
    """From nothing: destination, alerting on the channel, an entry in the policy set of the filters."""
    config = tmp_path / "port.toml"
    config.write_text(f"[pef]\ntrap_port = {receiver.port}\n")
    bmc = baseboard("--config", str(config))
    bmc.ipmitool("event", "1")
    assert receiver.receive(QUIET) is None
    bmc.ipmitool("lan", "alert", "set", "1", "1", "ipaddr", "127.0.0.1")
    bmc.ipmitool("lan", "alert", "set", "1", "1", "type", "pet")
    bmc.ipmitool("lan", "set", "1", "alert", "off")  # 1.8.19 has "on" and "off" the wrong way round
    assert "Alerting            : enabled" in bmc.ipmitool("channel", "info", "1")
    bmc.ipmitool("raw", "0x04", "0x12", "0x09", "0x01", "0x18", "0x11", "0x00")
    assert "127.0.0.1" in bmc.ipmitool("pef", "policy", "list").splitlines()[0]
    for _ in range(20):
        bmc.ipmitool("event", "1")
        if (trap := receiver.receive(QUIET)) is not None:
            assert trap.specific == 0x010109
            return
    raise AssertionError("no trap came")


def test_a_filter_resets_the_machine(baseboard: StartBaseboard) -> None:
    bmc = baseboard()
    text = "04 12 06 20 80 04 00 10 ff ff 01 ff 01 00 02" + " 00" * 9
    bmc.ipmitool("raw", *(f"0x{byte}" for byte in text.split()))
    bmc.ipmitool("event", "1")
    assert "PEF" in bmc.ipmitool("chassis", "restart_cause")


def test_a_wrong_password_is_an_event(baseboard: StartBaseboard, tmp_path: Path) -> None:
    bmc = baseboard()
    wrong = tmp_path / "wrong"
    wrong.write_text("not this one")
    login = ("-I", "lan", "-U", str(bmc.info["user"]), "-f", str(wrong))  # over lanplus it gives up by itself
    failed = subprocess.run(
        bmc.ipmitool_command("mc", "info", login=login), capture_output=True, timeout=60, check=False
    )
    assert failed.returncode != 0
    cache = f"--sdr-cache-directory={tmp_path}"
    log = bmc.freeipmi("ipmi-sel", cache, "--quiet-cache").splitlines()
    audited = [line for line in log if "Session Audit" in line]
    assert len(audited) == 1
    assert "Invalid Username or Password" in audited[0]


def test_ipmitool_reads_everything(baseboard: StartBaseboard) -> None:
    bmc = baseboard()
    info, status = bmc.ipmitool("pef", "info"), bmc.ipmitool("pef", "status")
    assert "0x51" in info
    assert "Alert,Power-off,Reset,Power-cycle,Diagnostic-interrupt" in info
    assert "| PEF |" in status
    filters = bmc.ipmitool("pef", "filter", "list").splitlines()
    assert len(filters) == 32
    assert "enabled, pre-configured | Temperature | Any | Critical | Threshold" in filters[1]
    assert "disabled, configurable" in filters[31]
    bmc.ipmitool("pef", "filter", "disable", "2")
    assert "disabled, pre-configured" in bmc.ipmitool("pef", "filter", "list").splitlines()[1]
    bmc.ipmitool("pef", "policy", "enable", "3")
    assert "| enabled |" in bmc.ipmitool("pef", "policy", "list").splitlines()[2]


def test_what_freeipmi_reads_it_can_write_back(baseboard: StartBaseboard, tmp_path: Path) -> None:
    bmc = baseboard()
    before, changed, after = tmp_path / "before", tmp_path / "changed", tmp_path / "after"
    bmc.freeipmi("ipmi-pef-config", "--checkout", f"--filename={before}")
    text = before.read_text()
    assert text.count("Section Event_Filter_") == 32
    bmc.freeipmi("ipmi-pef-config", "--commit", f"--filename={before}")
    bmc.freeipmi("ipmi-pef-config", "--checkout", f"--filename={after}")
    assert after.read_text() == text
    changes = {
        r"(Enable_PEF_Startup_Delay +)No": r"\1Yes",
        r"(\tStartup_Delay +)60": r"\g<1>7",
        r"(Section Alert_String_2\n(?:.*\n)*?\tAlert_String +)\n": r"\1Fire\n",
        r"(Section Event_Filter_20\n(?:.*\n)*?\tEnable_Filter +)No": r"\1Yes",
        r"(Section Event_Filter_20\n(?:.*\n)*?\tSensor_Number +)\w+": r"\g<1>0x10",
    }
    for pattern, replacement in changes.items():
        text, count = re.subn(pattern, replacement, text, count=1)
        assert count == 1, pattern
    changed.write_text(text)
    bmc.freeipmi("ipmi-pef-config", "--commit", f"--filename={changed}")
    bmc.freeipmi("ipmi-pef-config", "--checkout", f"--filename={after}")
    assert after.read_text() == text
