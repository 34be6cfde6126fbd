"""FreeIPMI's programs at every level, without a single work-around flag."""

# ruff: noqa: E501 -- a row of a table is a command and what it shows

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.lan_clients import LanServer, Said

LEVELS = ("USER", "OPERATOR", "ADMIN")
ALLOWED = (
    ("viewer", "USER"),
    ("operator", "USER"),
    ("operator", "OPERATOR"),
    ("admin", "ADMIN"),
    ("twenty", "ADMIN"),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    running = LanServer(tmp_path_factory.mktemp("freeipmi"), suites=(17, 3))
    yield running
    assert running.process.alive
    assert not running.process.tail()
    running.close()


@pytest.fixture
def server(shared: LanServer) -> LanServer:
    """The one that all share, as every test wants to find it: on."""
    shared.freeipmi("ipmi-power", "--on", "--wait-until-on").shows()
    return shared


# fmt: off
READS = (
    # program         options                            what its output shows
    ("bmc-info",      "",                                ("^Device ID +: 32$", "^IPMI Version +: 2.0$", r"^Manufacturer ID +: .*\(32473\)$",
                                                          "^SDR Repository Device : supported$", "^Chassis Device +: supported$",
                                                          r"^System GUID : [0-9a-f-]{36}$", r"^System Firmware Version +: \d+\.\d+$",
                                                          "(?s)Channel Number +: 0\nMedium Type +: IPMB.*Channel Number +: 1\nMedium Type +: 802.3 LAN")),
    ("bmc-info",      "--get-device-id",                 ("^Product ID +: 1$",)),
    ("bmc-info",      "--get-device-guid",               (r"[0-9a-f]{8}-[0-9a-f]{4}-4",)),
    ("ipmi-sensors",  "--sdr-cache-recreate",            (r"^\d+ +\| Inlet Temp +\| Temperature +\| 2\d\.00 +\| C +\| 'OK'$",
                                                          r"^\d+ +\| Fan 6 +\| Fan +\| \d{4}\.00 +\| RPM +\| 'OK'$",
                                                          r"^\d+ +\| P12V +\| Voltage +\| 1[12]\.\d\d +\| V +\| 'OK'$",
                                                          r"^\d+ +\| Fan Redundancy +\| Fan +\| N/A +\| N/A +\| 'Fully Redundant'$",
                                                          r"^\d+ +\| Drive 4 +\| Drive Slot +\| N/A +\| N/A +\| 'Drive Presence'$")),
    ("ipmi-sensors",  "--sdr-cache-recreate -v -t temperature", ("Upper Critical Threshold: 42.0+ C", "Sensor Max. Reading: 127.0+ C")),
    ("ipmi-sensors",  "--sdr-cache-recreate --entity-sensor-names --output-sensor-thresholds --no-header-output", ("Nominal|Fan 1",)),
    ("ipmi-sel",      "--sdr-cache-recreate",            (r"^1 +\| \w{3}-\d\d-\d{4} \| \d\d:\d\d:\d\d \| Event Log +\| Event Logging Disabled +\| Log Area Reset/Cleared$",)),
    ("ipmi-sel",      "--info",                          (r"^SEL version +: 1\.5$", "^Reserve SEL Command +: supported$", "^Events dropped due to lack of space +: No$")),
    ("ipmi-sel",      "--display=1 -v",                  ("Log Area Reset/Cleared",)),
    ("ipmi-fru",      "",                                (r"^FRU Inventory Device: Server \(ID 00h\)$", "FRU Board Manufacturer: ",
                                                          r"FRU Inventory Device: Power Supply 2 \(ID 02h\)", "FRU Power Supply Overall Capacity: 800 Watts")),
    ("ipmi-chassis",  "--get-chassis-status",            ("^System Power +: on$", "^Power restore policy +: Restore$", "^Chassis Identify state +: off$")),
    ("ipmi-chassis",  "--get-chassis-capabilities",      ("^Diagnostic Interrupt +: provided$", "^SEL Device Address +: 20h$")),
    ("ipmi-chassis",  "--get-system-restart-cause",      ("^Restart cause : .*power",)),
    ("ipmi-chassis",  "--get-power-on-hours-counter",    ("^Power on hours : 0 Hours",)),
    ("ipmi-power",    "--stat",                          (r"^127\.0\.0\.1: on$",)),
    ("ipmi-raw",      "0 6 1",                           ("^rcvd: 01 00 20 01 00 01 02 9F D9 7E 00 01 00 00 00 00 00 $",)),
    ("bmc-device",    "--get-self-test-results",         ("^Self Test Result : No Error$",)),
    ("bmc-device",    "--get-acpi-power-state",          ("^ACPI Device Power State : D0$",)),
    ("bmc-device",    "--get-lan-statistics",            (r"^Valid RMCP Packets Received +: \d+$",)),
    ("bmc-device",    "--get-sel-time",                  (r"^SEL Time : \d\d/\d\d/\d{4} - ",)),
    ("bmc-device",    "--get-sdr-repository-time",       (r"^SDR Repository Time : \d\d/\d\d/\d{4} - ",)),
    ("bmc-device",    "--get-bmc-global-enables",        ("^System Event Logging +: enabled$",)),
)
OPERATOR_READS = (
    ("ipmi-chassis-config", "--checkout",                ("Power_Restore_Policy +Restore_State_AC_Apply$", "Boot_Device +NO-OVERRIDE$")),
    ("ipmi-sensors-config", "--checkout",                (r"^Section \d+_Inlet_Temp$", r"Upper_Critical_Threshold +42\.0+$", "Enable_Scanning_On_This_Sensor +Yes")),
    ("ipmi-config",   "--category=chassis --checkout",   ("^Section Chassis_Boot_Flags$",)),
)
ADMINISTRATOR_READS = (
    ("bmc-config",    "--checkout",                      (r"^Section User2$", r"^\tUsername +admin$", r"^\tLan_Privilege_Limit +Administrator$",
                                                          r"^\tIP_Address +127\.0\.0\.1$", "^\tVolatile_Access_Mode +Always_Available$",
                                                          "^\tEnable_SOL +Yes$", "^\tMaximum_Privilege_Cipher_Suite_Id_3 +Administrator$",
                                                          "^\tAdmin_Enable_Auth_Type_MD5 +Yes$", "^\tK_G +0x0+$")),
    ("ipmi-config",   "--category=core --checkout",      ("^Section User16$",)),
)
# fmt: on


def names(rows: tuple[tuple[str, str, tuple[str, ...]], ...]) -> list[str]:
    return [f"{program} {options}".strip() for program, options, _ in rows]


@pytest.mark.parametrize(("user", "level"), ALLOWED, ids=["-".join(row) for row in ALLOWED])
@pytest.mark.parametrize(("program", "options", "shows"), READS, ids=names(READS))
def test_reads(
    server: LanServer, program: str, options: str, shows: tuple[str, ...], user: str, level: str
) -> None:
    judge(server.freeipmi(program, *shlex.split(options), user=user, level=level), shows)


@pytest.mark.parametrize(("program", "options", "shows"), READS, ids=names(READS))
def test_reads_over_ipmi_15(server: LanServer, program: str, options: str, shows: tuple[str, ...]) -> None:
    judge(server.freeipmi(program, *shlex.split(options), user="operator", driver="LAN"), shows)


@pytest.mark.parametrize("user", ["operator", "admin"])
@pytest.mark.parametrize(("program", "options", "shows"), OPERATOR_READS, ids=names(OPERATOR_READS))
def test_reads_of_operators(
    server: LanServer, program: str, options: str, shows: tuple[str, ...], user: str
) -> None:
    judge(server.freeipmi(program, *shlex.split(options), user=user), shows)


@pytest.mark.parametrize("driver", ["LAN", "LAN_2_0"])
@pytest.mark.parametrize(("program", "options", "shows"), ADMINISTRATOR_READS, ids=names(ADMINISTRATOR_READS))
def test_reads_of_administrators(
    server: LanServer, program: str, options: str, shows: tuple[str, ...], driver: str
) -> None:
    said = server.freeipmi(program, *shlex.split(options), driver=driver)
    said.says(*shows)
    assert not said.err, said  # exit status 1: "something is not supported", as MD2


def judge(said: Said, shows: tuple[str, ...]) -> None:
    said.shows(*shows)
    assert not re.search(r"invalid|unable|timeout|busy|rror:|internal", said.err), said


@pytest.mark.parametrize("user", ["viewer", "operator"])
def test_what_ipmi_exporter_runs(server: LanServer, user: str) -> None:
    def run(program: str, options: str, *shows: str) -> str:
        said = server.freeipmi(program, *options.split(), user=user)
        judge(said, shows)
        return said.out

    sensors = run(
        "ipmi-sensors",
        "-Q --ignore-unrecognized-events --comma-separated-output --no-header-output --sdr-cache-recreate "
        "--output-event-bitmask --output-sensor-state",
    )
    rows = [line.split(",") for line in sensors.splitlines()]
    assert {len(row) for row in rows} == {7}
    assert {row[3] for row in rows if row[2] != "Power Unit"} == {"Nominal"}
    assert sum(row[2] == "Fan" and row[5] == "RPM" for row in rows) == 6
    assert all(re.fullmatch(r"[0-9A-F]{4}h", row[6]) for row in rows)
    run("bmc-info", "", "^Firmware Revision +: ", "^System Firmware Version +: ")
    run(
        "ipmi-chassis",
        "--get-chassis-status",
        "^System Power +: on$",
        "^Drive Fault +: false$",
        "^Cooling/fan fault +: false$",
    )
    run("ipmi-sel", "--info", r"^Number of log entries +: \d+$", r"^Free space remaining +: \d+ bytes$")
    run(
        "ipmi-sel",
        "-Q --comma-separated-output --no-header-output --sdr-cache-recreate --output-event-state "
        "--interpret-oem-data --entity-sensor-names",
        r"^1,\w{3}-\d\d-\d{4},\d\d:\d\d:\d\d,",
    )


# fmt: off
REFUSED = (
    # user, password, level, what is said
    ("admin",    "wrong",          "ADMIN",    "password invalid"),
    ("nobody",   "wrong",          "ADMIN",    "username invalid"),
    ("",         "",               "USER",     "username invalid"),
    ("viewer",   None,             "OPERATOR", "privilege level cannot be obtained"),
    ("viewer",   None,             "ADMIN",    "privilege level cannot be obtained"),
    ("operator", None,             "ADMIN",    "privilege level cannot be obtained"),
)
# fmt: on


@pytest.mark.parametrize(
    ("driver", "user", "password", "level", "message"),
    [
        (driver, *row)
        for driver in ("LAN_2_0", "LAN")
        for row in REFUSED
        if (driver, *row[:2]) != ("LAN", "admin", "wrong")  # there, a wrong code stays without an answer
    ],
)
def test_refused_at_once(
    server: LanServer, driver: str, user: str, password: str | None, level: str, message: str
) -> None:
    """The message says why: a client that got no answer would speak of a time-out."""
    said = server.freeipmi("bmc-info", user=user, password=password, level=level, driver=driver)
    said.fails(message)


# fmt: off
ABOVE = (
    # user       program                 options
    ("viewer",   "ipmi-chassis",         "--chassis-control=POWER-DOWN"),
    ("viewer",   "ipmi-sel",             "--clear"),
    ("viewer",   "ipmi-chassis-config",  "--commit --key-pair=Chassis_Power_Conf:Power_Restore_Policy=Off_State_AC_Apply"),
    ("viewer",   "ipmi-raw",             "0 0 2 0"),
    ("operator", "bmc-config",           "--commit --key-pair=User8:Username=eve"),
    ("operator", "bmc-device",           "--cold-reset"),
)
# fmt: on


@pytest.mark.parametrize(("user", "program", "options"), ABOVE)
def test_above_the_level(server: LanServer, user: str, program: str, options: str) -> None:
    before = server.ipmitool("user", "list", "1").out, server.ipmitool("chassis", "status").out
    said = server.freeipmi(program, *options.split(), user=user)
    if program == "ipmi-raw":
        said.shows("^rcvd: 02 D4")
    else:
        said.says("(?i)privilege|ERROR|FATAL|Failed|fail")
    assert before == (server.ipmitool("user", "list", "1").out, server.ipmitool("chassis", "status").out)


# -- power --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "driver"), [("operator", "LAN_2_0"), ("admin", "LAN_2_0"), ("operator", "LAN")]
)
def test_power(server: LanServer, user: str, driver: str) -> None:
    def power(*options: str) -> str:
        said = server.freeipmi("ipmi-power", *options, user=user, driver=driver)
        return said.shows("^127.0.0.1: ").out.split(": ")[1].strip()

    def until(state: str) -> None:
        end = time.monotonic() + 8
        while power("--stat") != state:
            assert time.monotonic() < end

    assert power("--stat") == "on"
    assert power("--off", "--wait-until-off") == "ok"
    assert power("--stat") == "off"
    impossible = server.freeipmi("ipmi-power", "--reset", user=user, driver=driver).text
    assert impossible in ("", "127.0.0.1: operation invalid\n")  # 1.6.10 keeps quiet over RMCP+
    assert power("--stat") == "off"
    assert power("--on", "--wait-until-on") == "ok"
    assert power("--reset") == "ok"
    assert power("--pulse") == "ok"
    assert power("--cycle") == "ok"
    until("off")
    until("on")
    assert power("--soft") == "ok"
    until("off")
    assert power("--cycle", "--on-if-off") == "ok"
    until("on")


def test_what_maas_runs(server: LanServer, tmp_path: Path) -> None:
    """All at OPERATOR; MAAS adds `-W opensesspriv` for others, and that must not hurt."""
    boot = tmp_path / "boot"
    for kind, selected in (("EFI", "a0"), ("PC-COMPATIBLE", "80")):
        boot.write_text(
            "Section Chassis_Boot_Flags\n"
            "\tBoot_Flags_Persistent No\n"
            f"\tBIOS_Boot_Type {kind}\n"
            "\tBoot_Device PXE\n"
            "EndSection\n"
        )
        for workaround in (), ("-W", "opensesspriv"):
            for suite in "17", "3":
                options = (*workaround, "-I", suite)
                commit = ("--commit", "--filename", str(boot))
                server.freeipmi("ipmi-chassis-config", *options, *commit, user="operator").shows()
                server.ipmitool("chassis", "bootparam", "get", "5").shows(f"data: {selected}04000000$")
                stat = server.freeipmi("ipmi-power", *options, "--stat", user="operator")
                assert stat.shows().out == "127.0.0.1: on\n"


# -- configuration ------------------------------------------------------------------------------------


def settings(said: Said) -> dict[str, str]:
    """Section and key to value, without the comments."""
    found, section = {}, ""
    assert not said.err, said
    for line in said.out.splitlines():
        words = line.split(None, 1)
        if line.startswith("Section"):
            section = words[1]
        elif words and not words[0].startswith("#") and section and line.startswith("\t"):
            found[f"{section}:{words[0]}"] = words[1].strip() if len(words) > 1 else ""
    return found


def test_bmc_config_commits_what_it_checks_out(server: LanServer, tmp_path: Path) -> None:
    checkout = server.freeipmi("bmc-config", "--checkout")
    everything = tmp_path / "everything"
    everything.write_text(checkout.out)
    committed = server.freeipmi("bmc-config", "--commit", "--filename", str(everything))
    assert committed.code == 0, committed
    assert settings(server.freeipmi("bmc-config", "--checkout")) == settings(checkout)
    differences = server.freeipmi("bmc-config", "--diff", "--filename", str(everything))
    assert differences.code == 0, differences
    assert not differences.out.strip(), differences


def test_bmc_config_makes_a_user(server: LanServer, tmp_path: Path) -> None:
    before = settings(server.freeipmi("bmc-config", "--checkout"))
    user = tmp_path / "user"
    user.write_text(
        "Section User9\n"
        "\tUsername maas\n"
        "\tPassword maas-password-1\n"
        "\tEnable_User Yes\n"
        "\tLan_Enable_IPMI_Msgs Yes\n"
        "\tLan_Privilege_Limit Operator\n"
        "\tSOL_Payload_Access Yes\n"
        "EndSection\n"
    )
    server.freeipmi("bmc-config", "--commit", "--filename", str(user)).shows()
    after = settings(server.freeipmi("bmc-config", "--checkout"))
    changed = {key: after[key] for key in after if before.get(key) != after[key]}
    assert changed == {
        "User9:Username": "maas",
        "User9:Enable_User": "Yes",
        "User9:Lan_Enable_IPMI_Msgs": "Yes",
        "User9:Lan_Privilege_Limit": "Operator",
    }
    said = server.freeipmi("ipmi-power", "--stat", user="maas", password="maas-password-1", level="OPERATOR")
    said.shows("^127.0.0.1: on$")
    server.ipmitool("power", "status", user="maas", password="maas-password-1", level="OPERATOR").shows()
    server.freeipmi("bmc-config", "--commit", "--key-pair=User9:Enable_User=No").shows()
    server.freeipmi("ipmi-power", "--stat", user="maas", password="maas-password-1", level="OPERATOR").says(
        "username invalid"
    )


def test_sensors_config_round_trip(server: LanServer) -> None:
    before = settings(server.freeipmi("ipmi-sensors-config", "--checkout"))
    (section,) = {key.split(":")[0] for key in before if "_Inlet_Temp" in key}
    key = f"{section}:Upper_Critical_Threshold"
    server.freeipmi("ipmi-sensors-config", "--commit", f"--key-pair={key}=45").shows()
    after = settings(server.freeipmi("ipmi-sensors-config", "--checkout"))
    assert {k: v for k, v in after.items() if before[k] != v} == {key: "45.000000"}
    server.freeipmi("ipmi-sensors-config", "--commit", f"--key-pair={key}=42").shows()
    assert settings(server.freeipmi("ipmi-sensors-config", "--checkout")) == before


def test_event_log_is_cleared_and_written(server: LanServer) -> None:
    server.freeipmi("ipmi-sel", "--clear").shows()
    server.freeipmi("bmc-device", "--platform-event=0x04 0x01 0x10 0x01 assertion 0x59 0x2a 0x20").shows()
    server.freeipmi("ipmi-sel", "--sdr-cache-recreate").shows(
        r"^1 .*Log Area Reset/Cleared$", r"^2 .*\| Sensor #16 +\| Temperature +\| Upper Critical - going high"
    )
    server.freeipmi("ipmi-sel", "--delete=2").shows()
    assert len(server.freeipmi("ipmi-sel", "--no-header-output").shows().out.splitlines()) == 1
