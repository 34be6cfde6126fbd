"""ipmitool over the LAN: every command that reads, and those that change."""

# ruff: noqa: E501 -- a row of a table is a command and what it shows

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.lan_clients import LANPLUS, LOGINS, LanServer, run

CLOCK = r"\d\d/\d\d/\d\d \| \d\d:\d\d:\d\d UTC"
GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    running = LanServer(tmp_path_factory.mktemp("ipmitool"), suites=(17, 3))
    running.ipmitool("user", "disable", "6").shows()
    yield running
    assert running.process.alive
    assert not running.process.tail()
    running.close()


@pytest.fixture
def server(shared: LanServer) -> LanServer:
    """The one that all share, as every test wants to find it: on."""
    if "is off" in shared.ipmitool("power", "status").shows().out:
        shared.ipmitool("power", "on").shows()
        wait_for(shared, "power status", "is on")
    return shared


# fmt: off
READS = (
    # command                              what its output shows
    ("mc info",                            ("^Device ID +: 32$", "^IPMI Version +: 2.0$", r"^Manufacturer ID +: 32473$",
                                            "SDR Repository Device", "SEL Device", "FRU Inventory Device",
                                            "Chassis Device", "IPMB Event Receiver")),
    ("bmc info",                           ("^Device Available +: yes$",)),
    ("mc guid",                            (rf"^System GUID +: {GUID}", "^GUID Version +: Random")),
    ("mc selftest",                        ("^Selftest: passed$",)),
    ("chassis selftest",                   ("^Self Test Results +: passed$",)),
    ("mc getenables",                      ("^Event Message Buffer +: disabled$", "^System Event Logging +: enabled$")),
    ("mc getsysinfo system_fw_version",    (r"^\d+\.\d+",)),
    ("mc watchdog get",                    ("^Watchdog Timer Is: +Stopped$", "^Present Countdown: +0.0 sec$")),
    ("chassis status",                     ("^System Power +: on$", "^Power Restore Policy : previous$",
                                            "^Drive Fault +: false$", "^Power Button Disable +: allowed$")),
    ("chassis power status",               ("^Chassis Power is on$",)),
    ("power status",                       ("^Chassis Power is on$",)),
    ("chassis poh",                        (r"^POH Counter +: 0 days, 0 hours",)),
    ("chassis restart_cause",              ("restore-previous power policy",)),
    ("chassis policy list",                ("always-off always-on previous",)),
    ("chassis bootparam get 0",            ("set complete",)),
    ("chassis bootparam get 3",            ("No flag set",)),
    ("chassis bootparam get 5",            (r"data: 0000000000$", "Boot Flag Invalid", "No override")),
    ("chassis bootparam get 7",            ("Boot parameter 7 is valid/unlocked",)),
    ("chassis bootmbox get",               ("Block +4 Data",)),
    ("sdr info",                           (r"^SDR Version +: 0x51$", r"^Record Count +: \d+$",
                                            "^SDR overflow +: no$", "modal and non-modal")),
    ("sdr list",                           (r"^Inlet Temp +\| \d+ degrees C +\| ok$", r"^P12V +\| 1[12]\.\d+ Volts +\| ok$")),
    ("sdr elist",                          (r"^Fan 6 +\| 2Dh \| ok +\| 29\.6 \| \d+ RPM$",
                                            r"^PSU1 Status +\| 50h \| ok +\| 10\.1 \| Presence detected$")),
    ("sdr elist full",                     (r"^System Power +\| 40h \| ok +\| 19\.1 \| \d+ Watts$",)),
    ("sdr elist compact",                  (r"^Drive 4 +\| 63h \| ok +\|  4\.4 \| Drive Present$",)),
    ("sdr elist event",                    (r"^OS Stop +\| 08h \| ns +\|  7\.1 \| Event-Only$",)),
    ("sdr elist mcloc",                    (r"^baseboard BMC +\| 00h \| ok +\| 46\.1 \| Static MC @ 20h$",)),
    ("sdr list fru",                       (r"^Power Supply 2 +\| Log FRU @02h 0a\.2 \| ok$",)),
    ("sdr type fan",                       (r"^Fan 1 +\| 28h \| ok", r"^Fan Redundancy +\| 55h \| ok +\| 23.1 \| Fully Redundant$")),
    ("sdr type list",                      (r"Temperature +\(0x01\)",)),
    ("sdr entity 3.1",                     (r"^CPU1 Temp +\| 13h \| ok +\|  3.1 \| \d+ degrees C$", "^CPU1 Vcore ")),
    ("sdr get 'Inlet Temp'",               (r"Sensor ID +: Inlet Temp \(0x10\)", r"Entity ID +: 55\.1 \(Air Inlet\)",
                                            r"Upper critical +: 42\.000", "Settable Thresholds +: lcr lnc unc ucr")),
    ("sensor list",                        (r"^P3V3 +\| 3\.3\d+ +\| Volts +\| ok +\| na +\| 2\.976 +\| 3\.072 +\| 3\.536 +\| 3\.632 +\| na",
                                            r"^Memory Status +\| 0x40 +\| discrete +\| 0x4080\|")),
    ("sensor get 'CPU1 Temp' 'Drive 1'",   (r"Upper Non-Recoverable : 105\.000", r"Drive 1 \(0x60\)", "Drive Present")),
    ("sensor reading 'Fan 1' P12V",        (r"^Fan 1 +\| \d{4}$", r"^P12V +\| 1[12]\.\d+$")),
    ("sel info",                           (r"^Version +: 1\.5 \(v1\.5, v2 compliant\)$", "'Delete' 'Partial Add' 'Reserve' 'Get Alloc Info'",
                                            "^Overflow +: false$", r"^Last Add Time +: \d\d/\d\d/\d\d")),
    ("sel list",                           (rf"^ +1 \| {CLOCK} \| Event Logging Disabled #0x05 \| Log area reset/cleared \| Asserted$",)),
    ("sel elist",                          (rf"^ +1 \| {CLOCK} \| Event Logging Disabled Event Log \| Log area reset/cleared",)),
    ("sel list first 1",                   ("Log area reset/cleared",)),
    ("sel get 1",                          ("^ Sensor Number +: 05$", r"Description +: Log area reset/cleared")),
    ("sel time get",                       (r"^\d\d/\d\d/\d\d \d\d:\d\d:\d\d UTC$",)),
    ("fru print",                          (r"^FRU Device Description : Builtin FRU Device \(ID 0\)$", "^ Board Mfg +: ", r"^ Product Serial +: \w+",
                                            r"^FRU Device Description : Power Supply 2 \(ID 2\)$", "Power Supply 800W")),
    ("fru print 1",                        ("^ Product Part Number +: BB-PS-800$",)),
    ("user list 1",                        (r"^2 +admin +true +false +true +ADMINISTRATOR$", r"^3 +operator +.*OPERATOR$",
                                            r"^4 +viewer +.*USER$", r"^7 .*NO ACCESS$")),
    ("user summary 1",                     (r"^Maximum IDs\s+: 16$", r"^Enabled User Count +: 4$")),
    ("channel info 1",                     (r"802\.3 LAN", "IPMB-1.0", "multi-session", "always available")),
    ("channel info 0",                     ("IPMB", "session-less")),
    ("channel info 15",                    ("System Interface",)),
    ("channel getaccess 1 2",              ("^User Name +: admin$", "^Privilege Level +: ADMINISTRATOR$", "^Enable Status +: enabled$")),
    ("channel getaccess 1 6",              ("^User Name +: sleeper$", "^Enable Status +: disabled$")),
    ("channel authcap 1 4",                (r"auth types +: MD5 $", "default .all zeroes.", "^Non-null user names exist  : yes$",
                                            "^Anonymous login enabled +: no$", "supports IPMI v2.0 : yes")),
    ("channel getciphers ipmi 1",          (r"^3 +N/A +hmac_sha1 +hmac_sha1_96 +aes_cbc_128", r"^17 +N/A +hmac_sha256 +sha256_128 +aes_cbc_128")),
    ("session info active",                ("^user id +: 2$", "^privilege level +: ADMINISTRATOR$", r"^console ip +: 127\.0\.0\.1$")),
    ("session info all",                   ("^slot count +: 63$", "^channel number +: 0x01$")),
    ("lan print 1",                        ("^Set in Progress +: Set Complete$", r"^IP Address +: 127\.0\.0\.1$", r"^Subnet Mask +: 255\.0\.0\.0$",
                                            r"^MAC Address +: 0[26ae]:", "^Auth Type Support +: MD5 $", r"^RMCP\+ Cipher Suites +: .*3.*17",
                                            r"^Cipher Suite Priv Max +: X*aaX+$")),
    ("lan6 print 1",                       ("IPv6/IPv4 Addressing Enables: ipv4",)),
    ("lan stats get 1",                    (r"^RMCP Rx Valid +: \d+$",)),
    ("lan alert print 1",                  ("^Destination Type +: PET Trap$",)),
    ("sol info 1",                         ("^Enabled +: true$", "^Privilege Level +: OPERATOR$", "^Retry Count +: 7$",
                                            r"^Volatile Bit Rate \(kbps\) +: 115\.2$")),
    ("sol payload status 1 2",             ("^User 2 on channel 1 is enabled$",)),
    ("raw 0x06 0x01",                      ("^ 20 01 00 01 02 9f d9 7e 00 01 00 00 00 00 00$",)),
    ("raw 0x00 0x01",                      (r"^ [0-9a-f]{2} 00 \d0 [0-9a-f]{2}$",)),
)
# fmt: on


@pytest.mark.parametrize("how", LOGINS.values(), ids=LOGINS)
@pytest.mark.parametrize(("command", "shows"), READS, ids=[command for command, _ in READS])
def test_reads(server: LanServer, how: tuple[str, ...], command: str, shows: tuple[str, ...]) -> None:
    server.ipmitool(*shlex.split(command), how=how).shows(*shows)


def test_port_of_sol_is_ours(server: LanServer) -> None:
    server.ipmitool("sol", "info", "1").shows(rf"^Payload Port +: {server.port}$")


def test_sdr_dump_holds_every_record(server: LanServer, tmp_path: Path) -> None:
    dump = tmp_path / "sdrs"
    server.ipmitool("sdr", "dump", str(dump)).shows()
    data = dump.read_bytes()
    held = int(server.ipmitool("sdr", "info").shows().out.split("Record Count")[1].split()[1])
    records = 0
    while data:
        assert data[2] == 0x51
        data = data[5 + data[4] :]
        records += 1
    assert records == held

    # What was dumped reads the same without the repository.
    def names(*options: str) -> list[str]:
        lines = server.ipmitool(*options, "sdr", "elist", "full").shows().out.splitlines()
        return [line.split("|")[0] for line in lines]

    assert names("-S", str(dump)) == names()


def test_nothing_waits_for_a_retry(server: LanServer) -> None:
    """PICMG, VITA and HPM are asked after before every command: with a single try, all must be answered."""
    server.ipmitool("mc", "info", how=(*LANPLUS, "-R", "1")).shows("Device ID")


# -- what changes -------------------------------------------------------------------------------------

DEVICES = {
    "pxe": (0x04, "Force PXE"),
    "disk": (0x08, "Force Boot from default Hard-Drive"),
    "safe": (0x0C, "Force Boot from default Hard-Drive, request Safe-Mode"),
    "diag": (0x10, "Force Boot from Diagnostic Partition"),
    "cdrom": (0x14, "Force Boot from CD/DVD"),
    "bios": (0x18, "Force Boot into BIOS Setup"),
    "floppy": (0x3C, "Force Boot from Floppy/primary removable media"),
}
OPTIONS = {
    "": (0x80, ("only next boot", "legacy")),
    "options=persistent": (0xC0, ("all future boots", "legacy")),
    "options=efiboot": (0xA0, ("only next boot", "EFI boot")),
    "options=persistent,efiboot": (0xE0, ("all future boots", "EFI boot")),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("options", OPTIONS)
def test_boot_device(server: LanServer, device: str, options: str) -> None:
    selector, device_text = DEVICES[device]
    flags, texts = OPTIONS[options]
    server.ipmitool("chassis", "bootdev", device, *filter(None, [options])).shows(
        f"Set Boot Device to {device}"
    )
    server.ipmitool("chassis", "bootparam", "get", "5").shows(
        f"^Boot parameter data: {flags:02x}{selector:02x}000000$", "Boot Flag Valid", device_text, *texts
    )
    server.ipmitool("raw", "0x00", "0x09", "0x05", "0x00", "0x00").shows(
        rf"^ 01 05 {flags:02x} {selector:02x} 00 00 00$"
    )


def test_no_boot_device(server: LanServer) -> None:
    server.ipmitool("chassis", "bootdev", "none").shows()
    server.ipmitool("chassis", "bootparam", "get", "5").shows("No override")


def wait_for(server: LanServer, command: str, pattern: str, seconds: float = 8) -> None:
    end = time.monotonic() + seconds
    while True:
        said = server.ipmitool(*command.split())
        if re.search(pattern, said.text, re.MULTILINE):
            return
        assert time.monotonic() < end, f"never {pattern!r}: {said}"
        time.sleep(0.05)


@pytest.mark.parametrize("user", ["admin", "operator"])
def test_power(server: LanServer, user: str) -> None:
    def power(word: str) -> str:
        return server.ipmitool("chassis", "power", word, user=user).shows().out

    def is_(state: str) -> None:
        wait_for(server, "power status", f"^Chassis Power is {state}$")

    def logged(*patterns: str) -> None:
        server.ipmitool("sel", "elist").shows(*patterns)
        server.ipmitool("sel", "clear").shows()

    server.ipmitool("sel", "clear").shows()
    assert power("off") == "Chassis Power Control: Down/Off\n"
    is_("off")
    logged(r"Power Unit \| Power off/down \| Asserted")
    server.ipmitool("chassis", "status").shows("^System Power +: off$")
    for impossible in ("reset", "diag"):
        server.ipmitool("power", impossible, user=user).fails("Command not supported in present state")
    assert power("on") == "Chassis Power Control: Up/On\n"
    is_("on")
    logged(r"Power off/down \| Deasserted", "Initiated by power up")
    server.ipmitool("chassis", "status").shows("^Last Power Event +: command$")
    server.ipmitool("chassis", "restart_cause").shows("chassis power control command")
    assert power("reset") == "Chassis Power Control: Reset\n"
    is_("on")
    logged("Initiated by hard reset")
    assert power("diag") == "Chassis Power Control: Diag\n"
    logged("Critical Interrupt Crit Interrupt | ")
    assert power("cycle") == "Chassis Power Control: Cycle\n"
    is_("off")
    is_("on")
    logged("Power cycle", "Initiated by power up")
    assert power("soft") == "Chassis Power Control: Soft\n"
    is_("off")
    power("on")
    is_("on")
    power("on")  # is already


def test_boot_device_is_used_up_by_a_boot(server: LanServer) -> None:
    server.ipmitool("chassis", "bootdev", "pxe").shows()
    server.ipmitool("power", "reset").shows()
    wait_for(server, "chassis bootparam get 5", "Boot Flag Invalid")
    server.ipmitool("chassis", "bootdev", "cdrom", "options=persistent").shows()
    server.ipmitool("power", "reset").shows()
    server.ipmitool("chassis", "bootparam", "get", "5").shows("Boot Flag Valid", "CD/DVD")
    server.ipmitool("chassis", "bootdev", "none").shows()


# fmt: off
STORIES: dict[str, tuple[tuple[str, str], ...]] = {
    # "!" before a pattern: the command is to fail with it
    "identify": (
        ("chassis identify",                    r"default \(15 seconds\)"),
        ("raw 0x00 0x01",                       r"^ .. .. 5\d .."),   # identify supported, timed
        ("chassis identify force",              "indefinite"),
        ("raw 0x00 0x01",                       r"^ .. .. 6\d .."),
        ("chassis identify 0",                  "off"),
        ("raw 0x00 0x01",                       r"^ .. .. 4\d .."),
    ),
    "power restore policy": (
        ("chassis policy always-on",            "always-on"),
        ("chassis status",                      "^Power Restore Policy : always-on$"),
        ("chassis policy always-off",           "always-off"),
        ("chassis status",                      "^Power Restore Policy : always-off$"),
        ("chassis policy previous",             "previous"),
        ("chassis status",                      "^Power Restore Policy : previous$"),
    ),
    "watchdog": (
        ("mc watchdog reset",                   "!uninitialized watchdog"),
        ("raw 0x06 0x24 0x44 0x00 0x00 0x10 0xb8 0x0b", ""),   # SMS/OS, no action, 300 s, do not stop
        ("mc watchdog get",                     r"(?s)SMS/OS.*Stopped.*Initial Countdown: +300\.0"),
        ("mc watchdog reset",                   "countdown restarted"),
        ("mc watchdog get",                     r"(?s)Started/Running.*Present Countdown: +(300|29\d)\."),
        ("mc watchdog off",                     "timer stopped"),
        ("mc watchdog get",                     r"Watchdog Timer Is: +Stopped"),
        ("mc reset cold",                       "cold reset"),
        ("mc watchdog reset",                   "!uninitialized watchdog"),
    ),
    "system information": (
        ("mc setsysinfo os_name 'Linux 6.1'",   ""),
        ("mc getsysinfo os_name",               "^Linux 6.1$"),
        ("mc setsysinfo system_name 'a-name-that-is-longer-than-one-block'", ""),
        ("mc getsysinfo system_name",           "^a-name-that-is-longer-than-one-block$"),
    ),
    "thresholds": (
        ("sensor thresh 'CPU1 Temp' upper 80 85 90", "Upper Non-Recoverable threshold to 90.000"),
        ("sensor thresh 'CPU1 Temp' unc 81",    "to 81.000"),
        ("sensor get 'CPU1 Temp'",              r"(?s)Upper Non-Critical    : 81\.000.*: 85\.000.*: 90\.000"),
        ("sensor thresh 'CPU1 Temp' ucr 20",    "!"),                 # below the non-critical one
        ("sensor thresh 'CPU1 Temp' upper 92 98 105", ""),
        ("sensor thresh 'Inlet Temp' unc 12",   ""),                  # below the reading
        ("sel elist",                           r"Inlet Temp \| Upper Non-critical going high \| Asserted \| Reading \d+ > Threshold 12"),
        ("sensor get 'Inlet Temp'",             r"Status +: Upper Non-Critical"),
        ("sensor thresh 'Inlet Temp' unc 38",   ""),
        ("sel elist",                           r"Inlet Temp \| Upper Non-critical going high \| Deasserted"),
        ("sensor get 'Inlet Temp'",             r"Status +: ok"),
        ("sensor thresh 'Fan 1' lower 1000 1200 1500", "Invalid data field"),          # it has no lower non-recoverable threshold
    ),
    "event log": (
        ("sel clear",                           "Clearing SEL"),
        ("sel list",                            r"\A +1 \| .* \| Log area reset/cleared \| Asserted\n\Z"),
        ("event 1",                             "Upper Critical"),
        ("event 2",                             "Lower Critical"),
        ("event 3",                             "Correctable ECC"),
        ("event 'CPU1 Temp' ucr assert",        "Temperature #0x13"),
        ("event 'Drive 1' list",                "Drive Fault"),
        ("sel elist last 4",                    r"(?s)Temperature #0x30 \| Upper Critical going high.*Voltage #0x60 \| Lower Critical"
                                                r".*Memory #0x53 \| Correctable ECC.*Temperature CPU1 Temp|Temperature #0x13 \| Upper Critical"),
        ("sel info",                            "^Entries +: 5"),
        ("sel delete 3",                        "Deleted entry 3"),
        ("sel info",                            "^Entries +: 4"),
        ("sel get 3",                           "!"),
        ("sel list",                            r"(?s)   2 \| .*   4 \| "),
        ("sel time set '01/02/30 03:04:05'",    "01/02/30 03:04:0"),
        ("sel time set now",                    r"\d\d:\d\d:\d\d"),
    ),
    "users": (
        ("user set name 8 guest",               ""),
        ("user set password 8 guest-password",  "successful"),
        ("channel setaccess 1 8 callin=on ipmi=on link=off privilege=3", "successful"),
        ("user enable 8",                       ""),
        ("user list 1",                         r"^8 +guest +true +true +true +OPERATOR$"),
        ("user summary 1",                      "^Enabled User Count +: 5$"),
        ("user test 8 16 guest-password",       "Success"),
        ("user test 8 20 guest-password",       "!wrong password size"),
        ("user test 8 16 guess",                "!password incorrect"),
        ("user set password 8 a-password-of-20-byt 20", "successful"),
        ("user test 8 20 a-password-of-20-byt", "Success"),
        ("user test 8 16 a-password-of-20",     "!wrong password size"),
        ("user priv 8 2 1",                     "successful"),
        ("channel getaccess 1 8",               "(?s)^Privilege Level +: USER$.*enabled"),
        ("user disable 8",                      ""),
        ("channel getaccess 1 8",               "^Enable Status +: disabled$"),
        ("user set name 8 ''",                  ""),
    ),
    "lan": (
        ("lan set 1 ipsrc static",              ""),
        ("lan set 1 ipaddr 10.1.2.3",           "10.1.2.3"),
        ("lan set 1 netmask 255.255.255.0",     "255.255.255.0"),
        ("lan set 1 defgw ipaddr 10.1.2.1",     ""),
        ("lan set 1 defgw macaddr 02:00:00:00:00:01", ""),
        ("lan set 1 bakgw ipaddr 10.1.2.2",     ""),
        ("lan set 1 snmp private",              ""),
        ("lan set 1 vlan id 77",                ""),
        ("lan set 1 vlan priority 5",           ""),
        ("lan set 1 arp respond off",           ""),
        ("lan set 1 arp generate on",           ""),
        ("lan set 1 arp interval 4",            ""),
        ("lan set 1 auth ADMIN MD5",            ""),
        ("lan print 1",                         r"(?s)IP Address +: 10\.1\.2\.3\n.*255\.255\.255\.0\n.*: private\n.*Responses Disabled, Gratuitous ARP Enabled"
                                                r".*: 4\.0 seconds\n.*10\.1\.2\.1\n.*02:00:00:00:00:01\n.*10\.1\.2\.2\n.*VLAN ID +: 77\n.*Priority +: 5\n"),
        ("lan set 1 vlan id off",               ""),
        ("lan print 1",                         "VLAN ID +: Disabled"),
        ("lan set 1 ipsrc dhcp",                ""),
        ("lan print 1",                         "^IP Address Source +: DHCP Address$"),
        ("lan alert set 1 1 ipaddr 10.9.9.9",   ""),
        ("lan alert print 1 1",                 r"^Alert IP Address +: 10\.9\.9\.9$"),
        ("lan set 1 access on",                 "successful"),
        ("mc info",                             "Device ID"),         # we answer where we are, not where they say
    ),
    "sol": (
        ("sol set enabled false 1",             ""),
        ("sol info 1",                          "^Enabled +: false$"),
        ("sol activate",                        "!SOL payload disabled"),
        ("sol set enabled true 1",              ""),
        ("sol set privilege-level user 1",      ""),
        ("sol set retry-count 3 1",             ""),
        ("sol set retry-interval 20 1",         ""),
        ("sol set character-accumulate-level 5 1", ""),
        ("sol set character-send-threshold 40 1", ""),
        ("sol set force-encryption true 1",     ""),
        ("sol set force-authentication true 1", ""),
        ("sol set non-volatile-bit-rate 9.6 1", ""),
        ("sol info 1",                          r"(?s)Force Encryption +: true.*Force Auth\w+ +: true.*: USER\n.*: 25\n.*: 40\n.*: 3\n.*: 200\n.*Non-Volatile Bit Rate \(kbps\) +: 9\.6"),
        ("sol payload disable 1 3",             ""),
        ("sol payload status 1 3",              "disabled"),
        ("sol payload enable 1 3",              ""),
        ("sol payload status 1 3",              "enabled"),
    ),
    "inventory": (
        ("fru read 0 {dir}/before",             "Done"),
        ("fru edit 0 field p 4 SERIAL-1234",    "!"),                 # a failure to ipmitool 1.8.19, whatever happened
        ("fru print 0",                         r"^ Product Serial +: SERIAL-1234$"),
        ("fru write 0 {dir}/before",            "Size to Write"),
        ("fru read 0 {dir}/after",              "Done"),
        ("fru print 9",                         "!not present"),
    ),
    "several commands": (
        ("exec {dir}/commands",                 r"(?s)System GUID.*POH Counter"),
    ),
    "controller": (
        ("mc reset warm",                       "warm reset"),
        ("mc reset cold",                       "cold reset"),
        ("mc info",                             "Device ID"),
    ),
    "not there": (
        ("raw 0x06 0xf0",                       "!rsp=0xc1"),
        ("raw 0x3a 0x01",                       "!rsp=0xc1"),
        ("raw 0x06 0x01 0x00",                  "!rsp=0xc7"),
        ("raw 0x04 0x2d 0xee",                  "!rsp=0xcb"),
        ("channel info 5",                      "!"),
        ("raw 0x06 0x2e 0x00",                  "!rsp=0xd4"),         # for the system interface alone
    ),
}
# fmt: on


@pytest.mark.parametrize(
    ("how", "story"),
    [
        pytest.param(LOGINS[login], story, id=f"{login}-{story}")
        for login in ("lanplus", "lan")
        for story in STORIES
        if (login, story) != ("lan", "sol")  # SOL takes RMCP+
    ],
)
def test_story(server: LanServer, how: tuple[str, ...], story: str, tmp_path: Path) -> None:
    (tmp_path / "commands").write_text("mc guid\nchassis poh\n")
    for command, pattern in STORIES[story]:
        said = server.ipmitool(*shlex.split(command.format(dir=tmp_path)), how=how)
        if pattern.startswith("!"):
            said.fails(pattern[1:])
        else:
            said.shows(pattern)
    if story == "inventory":
        assert (tmp_path / "before").read_bytes() == (tmp_path / "after").read_bytes()


def test_sel_save_and_add_again(server: LanServer, tmp_path: Path) -> None:
    server.ipmitool("sel", "clear").shows()
    for number in "123":
        server.ipmitool("event", number).shows()
    saved = tmp_path / "saved"
    server.ipmitool("sel", "save", str(saved)).shows()
    lines = saved.read_text().splitlines()
    assert len(lines) == 4
    server.ipmitool("sel", "clear").shows()
    server.ipmitool("sel", "add", str(saved)).shows()
    again = tmp_path / "again"
    server.ipmitool("sel", "save", str(again)).shows()
    assert again.read_text().splitlines()[1:] == lines
    raw = tmp_path / "raw"
    server.ipmitool("sel", "writeraw", str(raw)).shows()
    assert len(raw.read_bytes()) == 5 * 16


# -- what Ironic and MAAS run ------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["ADMINISTRATOR", "OPERATOR"])
def test_ironic(server: LanServer, level: str, tmp_path: Path) -> None:
    user = {"ADMINISTRATOR": "admin", "OPERATOR": "operator"}[level]
    file = server.directory / f"{user}.password"
    base = server.ipmitool_command(user=user, level=level, how=(*LANPLUS, "-v", "-R", "12", "-N", "5"))
    base[base.index("-P") : base.index("-P") + 2] = ["-f", str(file)]

    def ipmitool(command: str, *patterns: str) -> str:
        said = run([*base, *shlex.split(command)]).shows(*patterns)
        return said.out

    ipmitool("power status", "^Chassis Power is on$")
    ipmitool("raw 0x00 0x08 0x03 0x08")
    ipmitool("chassis bootdev pxe options=persistent", "Set Boot Device to pxe")
    boot = ipmitool("chassis bootparam get 5")
    assert re.search(r"Boot Device Selector : (.+)$", boot, re.MULTILINE).group(1) == "Force PXE"  # type: ignore[union-attr]
    assert "Options apply to all future boots" in boot
    assert "BIOS PC Compatible" in boot
    ipmitool("raw 0x00 0x08 0x03 0x08")
    ipmitool("raw 0x00 0x08 0x05 0xe0 0x08 0x00 0x00 0x00")
    boot = ipmitool("chassis bootparam get 5")
    assert re.search(r"Boot Device Selector : (.+)$", boot, re.MULTILINE).group(1) == (  # type: ignore[union-attr]
        "Force Boot from default Hard-Drive"
    )
    assert "BIOS EFI boot" in boot
    ipmitool("raw 0x00 0x08 0x05 0xa0 0x14 0x00 0x00 0x00")
    assert "only next boot" in ipmitool("chassis bootparam get 5", "Force Boot from CD/DVD")
    ipmitool("mc info", "^Manufacturer Name +: ")
    sensors = ipmitool("sdr -v", "Sensor ID +: Inlet Temp", "Sensor Reading +: ", "Status +: ok", "Entity ID")
    assert len(re.findall(r"^Sensor ID +: ", sensors, re.MULTILINE)) >= 45
    ipmitool(f"sdr dump {tmp_path / level}")
    for word, state in (("soft", "off"), ("on", "on"), ("off", "off"), ("on", "on")):
        ipmitool(f"power {word}")
        wait_for(server, "power status", f"^Chassis Power is {state}$")
    ipmitool("chassis bootdev none")
    if level == "ADMINISTRATOR":
        ipmitool("bmc reset warm", "Sent warm reset command to MC")
        ipmitool("lan print 1", "^IP Address +:", "^MAC Address +:")
