"""pyghmi and python-ipmi against a running baseboard.

Both keep threads and sockets of their own for the life of the process, so each conversation is a
process of its own: a script that prints what it was told as JSON.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.lan_clients import PASSWORDS, LanServer, run
from tests.programs import missing

PYGHMI = """
import json, sys
from pyghmi import exceptions
from pyghmi.ipmi import command, console

host, port, user, password = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
said = {}
"""

PYGHMI_COMMAND = """
try:
    bmc = command.Command(bmc=host, port=port, userid=user, password=password, keepalive=False)
except exceptions.IpmiException as error:
    print(json.dumps({"error": str(error)}))
    sys.exit()
"""

PYTHON_IPMI = """
import json, sys
import pyipmi, pyipmi.errors, pyipmi.interfaces

host, port, user, password = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
kind, options, level = json.loads(sys.argv[5])
bmc = pyipmi.create_connection(pyipmi.interfaces.create_interface(kind, keep_alive_interval=0, **options))
bmc.target = pyipmi.Target(0x20)
bmc.session.set_session_type_rmcp(host, port)
bmc.session.set_auth_type_user(user, password)
bmc.session.set_priv_level(level)
said = {}
try:
    bmc.open()
except Exception as error:
    print(json.dumps({"error": str(error)}))
    sys.exit()
"""

PRINT = """
print(json.dumps(said, default=str))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    running = LanServer(tmp_path_factory.mktemp("libraries"))
    yield running
    assert running.process.alive
    assert not running.process.tail()
    running.close()


def converse(server: LanServer, library: str, script: str, user: str, *more: str, password: str = "") -> Any:
    name = {"pyghmi": "pyghmi", "python-ipmi": "pyipmi"}[library]
    if importlib.util.find_spec(name) is None:
        missing(f"{library} is not installed (pip install baseboard[test])")
    begin = {"pyghmi": PYGHMI, "python-ipmi": PYTHON_IPMI}[library]
    password = password or PASSWORDS[user][0]
    arguments = (server.host, str(server.port), user, password, *more)
    done = run([sys.executable, "-c", begin + script + PRINT, *arguments], timeout=60)
    assert done.code == 0, done
    return json.loads(done.out.splitlines()[-1])


def pyghmi(server: LanServer, script: str, user: str = "admin", password: str = "") -> Any:
    return converse(server, "pyghmi", PYGHMI_COMMAND + script, user, password=password)


def python_ipmi(
    server: LanServer,
    script: str,
    user: str = "admin",
    *,
    level: str = "ADMINISTRATOR",
    kind: str = "rmcpplus",
    suite: int = 3,
    password: str = "",
) -> Any:
    options = {"cipher_suite": suite} if kind == "rmcpplus" else {}
    how = json.dumps([kind, options, level])
    return converse(server, "python-ipmi", script, user, how, password=password)


# -- pyghmi -------------------------------------------------------------------------------------------


def test_pyghmi_reads(server: LanServer) -> None:
    said = pyghmi(
        server,
        """
said["suite"] = bmc.ipmi_session.integrityalgo
said["power"] = bmc.get_power()
said["health"] = bmc.get_health()["health"]
said["sensors"] = {one.name: [one.value, one.units, one.states] for one in bmc.get_sensor_data()}
said["descriptions"] = len(list(bmc.get_sensor_descriptions()))
said["inventory"] = {name: facts for name, facts in bmc.get_inventory()}
said["log"] = [[one["component"], one["event"]] for one in bmc.get_event_log()]
said["net"] = bmc.get_net_configuration()
said["channel"] = bmc.get_channel_info()
said["access"] = bmc.get_channel_access()
said["users"] = {uid: user["name"] for uid, user in bmc.get_users().items()}
said["firmware"] = [[name, facts["version"]] for name, facts in bmc.get_firmware()]
said["destinations"] = bmc.get_alert_destination_count()
said["raw"] = list(bmc.raw_command(6, 1)["data"])
""",
    )
    assert said["power"] == {"powerstate": "on"}
    assert said["health"] == 0
    assert len(said["sensors"]) == said["descriptions"] >= 45
    inlet = said["sensors"]["Inlet Temp"]
    assert 20 <= inlet[0] <= 25
    assert inlet[1] == "°C"
    assert said["sensors"]["Fan 1"][1] == "RPM"
    assert said["inventory"]["System"]["Chassis type"] == "Rack Mount Chassis"
    assert {"Power Supply 1", "Power Supply 2"} <= set(said["inventory"])
    assert ["Event Log", "Log clear"] in said["log"]
    assert said["net"]["ipv4_address"] == "127.0.0.1/8"
    assert said["channel"]["Channel Medium type"] == "802.3 LAN"
    assert said["access"]["access_mode"] == "always"
    assert said["users"]["2"] == "admin"
    assert said["users"]["4"] == "viewer"
    assert said["firmware"][0][0] == "BMC Version"
    assert said["raw"][:5] == [0x20, 0x01, 0x00, 0x01, 0x02]


def test_pyghmi_changes(server: LanServer) -> None:
    said = pyghmi(
        server,
        """
said["boot"] = []
for device in "network", "hd", "optical", "floppy", "setup":
    for persistent in False, True:
        bmc.set_bootdev(device, persist=persistent, uefiboot=True)
        said["boot"].append([device, persistent, bmc.get_bootdev()])
bmc.set_bootdev("default")
said["power"] = [bmc.set_power(state, wait=10) for state in ("off", "on", "softoff", "boot")]
bmc.set_identify(True, 20)
bmc.set_identify(False)
bmc.create_user(10, "pyghmi", "pyghmi-password", privilege_level="operator")
said["user"] = bmc.get_user(10)
bmc.set_net_configuration(
    ipv4_address="10.1.2.3/24", ipv4_configuration="static", ipv4_gateway="10.1.2.1"
)
said["net"] = bmc.get_net_configuration()
said["before"] = len(list(bmc.get_event_log(clear=True)))
said["after"] = [one["event"] for one in bmc.get_event_log()]
""",
    )
    for device, persistent, read in said["boot"]:
        assert read == {"bootdev": device, "persistent": persistent, "uefimode": True}
    assert [answer["powerstate"] for answer in said["power"]] == ["off", "on", "off", "on"]
    assert said["user"]["name"] == "pyghmi"
    assert said["user"]["access"]["privilege_level"] == "operator"
    assert said["net"]["ipv4_address"] == "10.1.2.3/24"
    assert said["net"]["ipv4_gateway"] == "10.1.2.1"
    assert said["before"] > 3
    assert said["after"] == ["Log clear"]
    assert pyghmi(server, 'said["power"] = bmc.get_power()', "pyghmi", "pyghmi-password") == {
        "power": {"powerstate": "on"}
    }
    gone = pyghmi(server, 'said["gone"] = bmc.user_delete(10)')
    assert gone == {"gone": True}


@pytest.mark.parametrize("user", ["operator", "viewer", "twenty"])
def test_pyghmi_at_lower_levels(server: LanServer, user: str) -> None:
    said = pyghmi(
        server,
        """
said["power"] = bmc.get_power()
said["fans"] = bmc.get_sensor_reading("Fan 1").units
try:
    bmc.set_power("on")
except exceptions.IpmiException as error:
    said["refused"] = str(error)
""",
        user,
    )
    if user == "viewer":  # pyghmi goes down as far as Operator
        assert "rivilege" in said["error"]
    else:
        assert said == {"power": {"powerstate": "on"}, "fans": "RPM"}


def test_pyghmi_is_told_why(server: LanServer) -> None:
    assert "ncorrect password" in pyghmi(server, "", password="wrong")["error"]
    assert pyghmi(server, "", "nobody", "wrong")["error"]


def test_pyghmi_console(server: LanServer) -> None:
    said = converse(
        server,
        "pyghmi",
        """
import time
heard = b""
def hear(data):
    global heard
    if isinstance(data, bytes):
        heard += data
line = console.Console(host, user, password, hear, port=port, force=True)
def expect(text, answer):
    global heard
    end = time.monotonic() + 15
    while text not in heard:
        assert time.monotonic() < end, heard
        line.wait_for_rsp(0.2)
    heard = b""
    line.send_data(answer)
end = time.monotonic() + 15
while not line.connected:
    assert time.monotonic() < end, "not connected"
    line.wait_for_rsp(0.2)
line.send_data(b"\\r")
expect(b"login: ", b"root\\r")
expect(b"Password: ", b"x\\r")
expect(b"~# ", b"lines 200\\r")
expect(b"line 000199", b"exit\\r")
line.close()
said["console"] = True
""",
        "admin",
    )
    assert said == {"console": True}


# -- python-ipmi --------------------------------------------------------------------------------------

# (kind, cipher suite, user). python-ipmi 0.6.1 makes K1 and K2 of SHA-256 suites from constants of 32
# bytes, where the specification and every other client have 20: suites 16 and 17 end at the first command.
WAYS = [("rmcp", 0, "admin"), *(("rmcpplus", suite, "twenty") for suite in (1, 2, 3, 15))]


@pytest.mark.parametrize(("kind", "suite", "user"), WAYS)
def test_python_ipmi(server: LanServer, kind: str, suite: int, user: str) -> None:
    said = python_ipmi(
        server,
        """
said["device"] = bmc.get_device_id().manufacturer_id
said["on"] = bmc.get_chassis_status().power_on
said["sdrs"] = [getattr(one, "device_id_string", "") for one in bmc.get_repository_sdr_list()]
said["log"] = [[one.sensor_type, one.sensor_number] for one in bmc.get_sel_entries()]
said["fru"] = str(bmc.get_fru_inventory().product_info_area.name)
said["reading"] = bmc.get_sensor_reading(0x10)[0]
said["thresholds"] = bmc.get_sensor_thresholds(0x10)
said["name"] = bytes(bmc.get_username(2)).rstrip(b"\\0").decode()
said["address"] = list(bmc.get_lan_config_param(channel=1, parameter_selector=12))
said["watchdog"] = bool(bmc.get_watchdog_timer().is_running)
bmc.chassis_control_power_up()
""",
        user,
        kind=kind,
        suite=suite,
    )
    assert said["device"] == 32473
    assert said["on"] is True
    assert "Inlet Temp" in str(said["sdrs"])
    assert [0x10, 0x05] in said["log"]
    assert "Generic Server 2U" in said["fru"]
    assert 20 <= said["reading"] <= 25
    assert said["thresholds"] == {"ucr": 42, "unc": 38, "lnc": 5, "lcr": 0}
    assert said["name"] == "admin"
    assert said["watchdog"] is False


def test_python_ipmi_clears_the_log(server: LanServer) -> None:
    said = python_ipmi(
        server,
        """
bmc.clear_sel()
said["log"] = [[one.sensor_type, one.sensor_number] for one in bmc.get_sel_entries()]
""",
        "operator",
        level="OPERATOR",
    )
    assert said == {"log": [[0x10, 0x05]]}


def test_python_ipmi_is_told_why(server: LanServer) -> None:
    assert "wrong password" in python_ipmi(server, "", password="wrong")["error"]
    assert "Unauthorized name" in python_ipmi(server, "", "nobody", password="wrong")["error"]
    assert "invalid user name" in python_ipmi(server, "", "nobody", password="wrong", kind="rmcp")["error"]
    assert "0x81" in python_ipmi(server, "", "viewer")["error"]
