"""The programs of FreeIPMI and OpenIPMI that no other test drives, each judged by what it prints."""

# ruff: noqa: E501 -- a row of a table is a command and what it shows

from __future__ import annotations

import os
import re
import select
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.baseboard import Baseboard
from tests.interop.conftest import StartBaseboard
from tests.interop.lan_clients import PASSWORDS, LanServer, run
from tests.interop.unpacked import libraries, unpacked
from tests.programs import missing, require_program

pytestmark = pytest.mark.interop

ADMIN, PASSWORD = "admin", PASSWORDS["admin"][0]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    running = LanServer(tmp_path_factory.mktemp("tools"), suites=(17, 3))
    yield running
    assert running.process.alive
    assert not running.process.tail()
    running.close()


# -- bmc-device: what it changes (test_freeipmi.py has what it only reads) ----------------------------

# fmt: off
CHANGES = (
    # what is set                                       what is read then                      what that shows
    ("--set-sel-time='01/02/2030 - 03:04:05'",          "--get-sel-time",                      r"^SEL Time : 01/02/2030 - 03:04:0[5-9]$"),
    ("--set-sel-time=now",                              "--get-sel-time",                      r"^SEL Time : \d\d/\d\d/20(?!30)\d\d - "),
    ("--set-sel-time-utc-offset=60",                    "--get-sel-time-utc-offset",           r"^SEL UTC Offset : 60 minutes$"),
    ("--set-sel-time-utc-offset=none",                  "--get-sel-time-utc-offset",           r"^SEL UTC Offset : Unspecified$"),
    ("--clear-lan-statistics",                          "--get-lan-statistics",                r"^Valid RMCP Packets Received +: \d\d?$"),
    ("--set-acpi-power-state --set-acpi-system-power-state=S0_G0 --set-acpi-device-power-state=D0",
                                                        "--get-acpi-power-state",              r"^ACPI System Power State : S0/G0$"),
    ("--set-acpi-power-state --set-acpi-system-power-state=LEGACY_ON --set-acpi-device-power-state=D0",
                                                        "--get-acpi-power-state",              r"^ACPI System Power State : LEGACY_ON$"),
    ("--rearm-sensor=16",                               "--get-self-test-results",             r"^Self Test Result : No Error$"),
    ("",                                                "--get-kcs-interface-capabilities",    r"^KCS Version +: version 1 .*\nKCS Maximum Input Message Size : 255 bytes$"),
    ("",                                                "--get-bt-interface-capabilities",     r"^BT Input Buffer Size +: 255 bytes$"),
    ("",                                                "--get-ssif-interface-capabilities",   r"^SSIF Transaction Support +: multi-part reads/writes"),
)
SYSTEM_INFO = (
    # option                              line of bmc-info --get-system-info
    ("set-system-name",                   "System Name"),
    ("set-system-firmware-version",       "System Firmware Version"),
    ("set-primary-operating-system-name", "Primary Operating System Name"),
    ("set-operating-system-name",         "Operating System Name"),
    ("set-present-os-version-number",     "Present OS Version Number"),
    ("set-bmc-url",                       "BMC URL"),
    ("set-base-os-hypervisor-url",        "Base OS/Hypervisor URL"),
)
# fmt: on


@pytest.mark.parametrize(("change", "read", "shows"), CHANGES)
def test_bmc_device(server: LanServer, change: str, read: str, shows: str) -> None:
    if change:
        said = server.freeipmi("bmc-device", "--quiet-cache", *shlex.split(change)).shows()
        assert not said.text, said
    server.freeipmi("bmc-device", read).shows(shows)


@pytest.mark.parametrize(("option", "name"), SYSTEM_INFO)
def test_bmc_device_system_information(server: LanServer, option: str, name: str) -> None:
    value = f"{name} of {'a name that needs more than one block, ' * 2}thirteen"[:60]
    before = server.freeipmi("bmc-info", "--get-system-info").shows().out
    server.freeipmi("bmc-device", f"--{option}={value}").shows()
    after = server.freeipmi("bmc-info", "--get-system-info").shows(f"^{name} +: {value}$").out
    assert [line for line in after.splitlines() if line not in before.splitlines()] == [
        f"{name:<30}: {value}"
    ]


def test_bmc_device_copies_an_inventory(server: LanServer, tmp_path: Path) -> None:
    file, again = tmp_path / "fru", tmp_path / "again"
    server.freeipmi("bmc-device", "--device-id=1", f"--read-fru={file}").shows()
    data = file.read_bytes()
    changed = data[:-4] + b"\x01\x02\x03\x04"
    file.write_bytes(changed)
    server.freeipmi("bmc-device", "--device-id=1", f"--write-fru={file}").shows()
    server.freeipmi("bmc-device", "--device-id=1", f"--read-fru={again}").shows()
    assert again.read_bytes() == changed
    file.write_bytes(data)
    server.freeipmi("bmc-device", "--device-id=1", f"--write-fru={file}").shows()
    server.freeipmi("ipmi-fru", "--device-id=1").shows("FRU Power Supply Overall Capacity: 800 Watts")


# -- ipmi-oem: a controller of no vendor's refuses in the protocol's words, and at once ----------------

INVALID = "Invalid Command. Used to indicate an unrecognized or unsupported command."
# fmt: off
OEM = (
    # command                              what is said
    ("dell get-system-info asset-tag",     "option not supported on this system$"),
    ("fujitsu get-power-on-source",        f"failed: {INVALID}$"),
    ("gigabyte get-nic-mode",              f"failed: {INVALID}$"),
    ("intel get-power-restore-delay",      f"failed: {INVALID}$"),
    ("intelnm get-node-manager-version",   "^Intel Node Manager not found$"),
    ("inventec get-nic-mode",              f"failed: {INVALID}$"),
    ("quanta get-nic-mode",                f"failed: {INVALID}$"),
    ("supermicro extra-firmware-info",     f"failed: {INVALID}$"),
    ("supermicro get-power-supply-status 1", "failed: NAK on Write$"),  # nothing at that address of the I2C bus
    ("wistron get-nic-mode",               f"failed: {INVALID}$"),
)
# fmt: on


@pytest.mark.parametrize(("command", "message"), OEM, ids=[row[0] for row in OEM])
def test_ipmi_oem_is_refused(server: LanServer, command: str, message: str) -> None:
    server.freeipmi("ipmi-oem", *command.split()).fails(message)


@pytest.mark.parametrize("command", ["ibm get-led", "sun get-led"])
def test_ipmi_oem_finds_no_lights(server: LanServer, command: str) -> None:
    """Both look in the SDRs for records of their vendor's."""
    assert not server.freeipmi("ipmi-oem", "--quiet-cache", *command.split()).shows().out


# -- configuration: checked out, changed, committed as it was ------------------------------------------

# fmt: off
CATEGORIES = (
    # program                           a key, and a value that it does not have
    ("ipmi-config --category=core",     "Lan_Conf_Misc:Gratuitous_ARP_Interval=9"),
    ("ipmi-config --category=chassis",  "Chassis_Power_Conf:Power_Restore_Policy=Off_State_AC_Apply"),
    ("ipmi-config --category=sensors",  "INLET:Upper_Critical_Threshold=45.000000"),
    ("ipmi-config --category=pef",      "Community_String:Community_String=secret"),
    ("ipmi-config --category=dcmi",     "DCMI_Conf:Power_Limit_Requested=900"),
    ("ipmi-chassis-config",             "Chassis_Boot_Flags:Boot_Device=PXE"),
    ("ipmi-sensors-config",             "INLET:Lower_Critical_Threshold=1.000000"),
    ("ipmi-pef-config",                 "PEF_Conf:Startup_Delay=7"),
)
# fmt: on


@pytest.mark.parametrize(("program", "key"), CATEGORIES, ids=[row[0] for row in CATEGORIES])
def test_configuration(server: LanServer, tmp_path: Path, program: str, key: str) -> None:
    name, *category = program.split()

    def checkout() -> str:
        said = server.freeipmi(name, *category, "--checkout")
        assert not said.err, said  # the exit status is 1 where an option is not supported, as MD2
        return said.out

    original = checkout()
    if key.startswith("INLET"):
        found = re.search(r"^Section (\d+_Inlet_Temp)$", original, re.MULTILINE)
        assert found is not None
        key = key.replace("INLET", found[1])
    file = tmp_path / "configuration"
    file.write_text(original)

    server.freeipmi(name, *category, "--commit", f"--key-pair={key}").shows()
    differences = [line for line in checkout().splitlines() if line not in original.splitlines()]
    assert [line.split() for line in differences] == [key.split(":")[1].split("=")]
    server.freeipmi(name, *category, "--diff", f"--filename={file}").says(key.partition("=")[2])

    committed = server.freeipmi(name, *category, "--commit", f"--filename={file}")
    assert (committed.code, committed.text) == (0, ""), committed
    assert checkout() == original


# -- port 623: three programs that ask nowhere else ----------------------------------------------------

STANDARD = "127.0.1.9"


@pytest.fixture
def standard_port(baseboard: StartBaseboard) -> Baseboard:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((STANDARD, 623))
        except PermissionError:
            missing("port 623 is refused: be root, or sysctl net.ipv4.ip_unprivileged_port_start=623")
    return baseboard("--lan", f"{STANDARD}:623")


def test_pings(standard_port: Baseboard) -> None:
    def ping(program: str, *options: str) -> str:
        return run((require_program(program), "-c", "2", *options, STANDARD)).shows().out

    requests = ping("ipmi-ping", "-v").splitlines()
    auth = (
        "none=clear md2=clear md5=set password=clear oem=clear anon=clear null=clear non-null=set user=clear "
    )
    answers = [line for line in requests if re.match(rf"response received from {STANDARD}: rq_seq=\d+", line)]
    assert len(answers) == 2, requests
    assert all(f"auth: {auth}" in line for line in answers), answers
    assert requests[-1] == "2 requests transmitted, 2 responses received in time, 0.0% packet loss"
    pongs = ping("rmcpping").splitlines()
    assert (
        sum(bool(re.match(rf"pong received from {STANDARD}: message_tag=\d+", line)) for line in pongs) == 2
    )
    assert pongs[-1] == "2 pings transmitted, 2 pongs received in time, 0.0% packet loss"


# -- ipmidetect, ipmiseld: out of their packages -------------------------------------------------------


def test_ipmidetect(server: LanServer, tmp_path: Path) -> None:
    """ipmidetectd pings the ports it is told, and ipmidetect asks it which of them answered."""
    files = unpacked("freeipmi-ipmidetect", "libipmidetect0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody, socket.socket() as probe:
        nobody.bind(("127.0.0.2", 0))
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        config = tmp_path / "ipmidetectd.conf"
        config.write_text(
            f"ipmiping_period 200\nipmidetectd_server_port {port}\n"
            f"host {server.host}:{server.port}\nhost 127.0.0.2:{nobody.getsockname()[1]}\n"
        )
        daemon = subprocess.Popen(
            (files / "usr/sbin/ipmidetectd", "--debug", "--config-file", config),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            ask = (str(files / "usr/sbin/ipmidetect"), "--hostname=127.0.0.1", f"--port={port}", "--newline")
            end = time.monotonic() + 15
            while (said := run((*ask, "--detected"), env=libraries(files))).out != f"{server.host}\n":
                assert time.monotonic() < end, said
                time.sleep(0.1)
            assert run((*ask, "--undetected"), env=libraries(files)).out == "127.0.0.2\n"
        finally:
            daemon.kill()
            daemon.wait()


def test_ipmiseld(server: LanServer, tmp_path: Path) -> None:
    program = unpacked("freeipmi-ipmiseld") / "usr/sbin/ipmiseld"
    server.freeipmi("ipmi-sel", "--clear").shows()
    event = "--platform-event=0x04 0x01 0x10 0x01 assertion 0x59 0x2a 0x20"
    server.freeipmi("bmc-device", event).shows()
    command = (
        *(str(program), "-D", "LAN_2_0", "-h", f"{server.host}:{server.port}", "-u", ADMIN, "-p", PASSWORD),
        *(f"--cache-directory={tmp_path}", "--config-file=/dev/null"),
    )
    once = run((*command, "--test-run")).shows().out.splitlines()
    head = rf"SEL System Event\({server.host}:{server.port}\): \w{{3}}-\d\d-\d{{4}}, \d\d:\d\d:\d\d, "
    judged = (
        "Event Log, Nominal, Log Area Reset/Cleared",
        "Sensor #16, Critical, Upper Critical - going high ; Sensor Reading = 2Ah ; Threshold = 20h",
    )
    assert len(once) == 2, once
    for line, expected in zip(once, judged, strict=True):
        assert re.fullmatch(head + re.escape(expected), line), once


# -- OpenIPMI ------------------------------------------------------------------------------------------


def domain(server: LanServer) -> tuple[str, ...]:
    return ("lan", "-U", ADMIN, "-P", PASSWORD, "-p", str(server.port))


@pytest.mark.parametrize("options", [(), ("-A", "rmcp+"), ("-A", "md5")], ids=" ".join)
def test_ipmicmd(server: LanServer, options: tuple[str, ...]) -> None:
    """Under its first name: called `ipmicmd`, Debian's 2.0.33 refuses the same arguments."""
    lan, *login = domain(server)

    def ask(message: str) -> str:
        command = (require_program("openipmicmd"), "-k", message, lan, *options, *login, server.host)
        return run(command).shows("Connection to the BMC restored").out.splitlines()[-1].strip()

    assert ask("f 0 6 1") == "0f 07 00 01 00 20 01 00 01 02 9f d9 7e 00 01 00 00 00 00 00"
    assert ask("f 0 0 1").startswith("0f 01 00 01 00 ")
    assert ask("f 0 6 5f") == "0f 07 00 5f c1"
    assert ask("f 0 a 42").startswith("0f 0b 00 42 00 ")


class Shell:
    """openipmish at its prompt."""

    def __init__(self, server: LanServer) -> None:
        self.process = subprocess.Popen(
            [require_program("openipmish")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HOME": str(server.directory)},
            bufsize=0,
        )
        connection = " ".join((*domain(server), server.host))
        self.opening = self.until(
            rf"domain open bmc {connection}", r"(?s)bmc\(10\.2\)\n +Operation: Fully Up"
        )

    def until(self, command: str, pattern: str, timeout: float = 30) -> str:
        """Types a command; gives what is printed until the pattern is found in it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(command.encode() + b"\n")
        end, said = time.monotonic() + timeout, ""
        while not re.search(pattern, said, re.MULTILINE):
            left = end - time.monotonic()
            ready = select.select([self.process.stdout], [], [], max(0.0, left))[0]
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            assert data, f"no {pattern!r} after {command!r}:\n{said}"
            said += data.decode(errors="replace")
        return said

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture(scope="module")
def shell(server: LanServer) -> Iterator[Shell]:
    server.freeipmi("ipmi-sel", "--clear").shows()
    opened = Shell(server)
    yield opened
    opened.close()


# fmt: off
SHELL = (
    # command                                   what its answer shows
    ("domain info bmc",                         r"Type: unknown\n +SEL Rescan Time: "),
    ("mc info bmc(0.20)",                       r"(?s)Active: true.*fru_inventory_support: true.*device_id: 0x20\n.*version: 2.0\n +manufacturer_id: 0x7ed9\n +product_id: 0x1\n"),
    ("mc msg bmc(0.20) 0 6 1",                  r"(?s)NetFN: 7\n +command: 1\n +Data: 0x00 0x20 0x01 0x00 0x01 0x02 0x9f 0xd9\n +0x7e 0x00 0x01"),
    ("mc sel_info bmc(0.20)",                   r"(?s)SEL Count: \d+\n.*SEL overflow: false\n.*SEL Supports Reserve: true\n"),
    ("mc get_sel_time bmc(0.20)",               r"SEL Time: \d{10}\n"),
    ("mc sdrs bmc(0.20) main",                  r"(?s)Type: 1\n.*Type: 2\n.*0x44 0x72 0x69 0x76 0x65\n +0x20 0x34\n.*Total Size: \d+"),
    ("entity list bmc",                         r"(?s)bmc\(7\.1\)\n.*bmc\(29\.6\)\n.*bmc\(4\.4\)\n"),
    ("entity info bmc(10.1)",                   r"(?s)Present: true\n.*Id: Power Supply 1\n.*Entity ID String: power_supply\n"),
    ("entity fru bmc(10.1)",                    r"(?s)Name: peak capacity\n +Type: integer\n +Data: 900\n"),
    ("sensor list bmc(7.1)",                    r"(?s)bmc\(7\.1\)\.P12V\n +Name: bmc\(7\.1\)\.Board Temp\n"),
    ('sensor get "bmc(7.1).Board Temp"',        r"(?s)Value: 2\.\d0*e\+01\n.*Name: upper critical\n +Out Of Range: false\n"),
    ("sensor get bmc(7.1).P12V",                r"(?s)Value: 1\.[12]\d+e\+01\n.*Name: lower critical\n +Out Of Range: false\n.*upper critical\n +Out Of Range: false\n"),
    ("sensor get_thresholds bmc(7.1).P12V",     r"(?s)Name: lower critical\n +Value: 1\.\d+e\+01\n"),
    ('sensor get "bmc(4.1).Drive 1"',           r"(?s)Offset: 0\n +Name: drive presence\n +Set: true\n"),
    ("domain fru bmc 1 0x20 0 0 0 0",           r"(?s)Name: board_info_board_part_number\n +Type: ascii\n +Data: \S+\n.*product_info_version"),
)
# fmt: on


@pytest.mark.parametrize(("command", "shows"), SHELL, ids=[row[0] for row in SHELL])
def test_openipmish(shell: Shell, command: str, shows: str) -> None:
    assert "error:" not in shell.until(command, shows)


def test_openipmish_reads_the_event_log(shell: Shell, server: LanServer) -> None:
    """What was there is printed when the domain opens; what comes later is fetched and counted."""
    assert re.search(
        r"Record ID: 1\n +Event type: 2\n.*\n +Data: .*\n +0x05 0x6f 0x02 0xff 0xff\n", shell.opening
    )

    def count() -> int:
        found = re.search(r"SEL Count: (\d+)\n", shell.until("mc sel_info bmc(0.20)", r"SEL Supports Get"))
        assert found is not None
        return int(found[1])

    before, added, end = count(), 0, time.monotonic() + 15
    event = "--platform-event=0x04 0x01 0x10 0x01 assertion 0x59 0x2a 0x20"
    while count() == before:  # to OpenIPMI nothing is new whose second is that of the last addition
        assert time.monotonic() < end
        server.freeipmi("bmc-device", event).shows()
        added += 1
        shell.until("mc rescan_sel bmc(0.20)", r"SEL Rescan done: bmc\(0\.20\)")
    assert count() == before + added
