"""What a configuration file means, and mistakes that only its meaning shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from baseboard.aio.endpoint import DEFAULT_LAN, Address
from baseboard.bmc.chassis import RestorePolicy
from baseboard.bmc.controller import Bmc
from baseboard.bmc.sensor_settings import DiscreteSensorSettings, ThresholdSensorSettings
from baseboard.bmc.settings import Settings
from baseboard.errors import ConfigError
from baseboard.fleet.configured import configured
from baseboard.fleet.options import FurtherUser, Interface, Options, PowerKind
from baseboard.fleet.plan import Flags, plan
from baseboard.fleet.users import logins
from baseboard.ipmi.privilege import Privilege
from baseboard.ipmi.records.fru import decode_inventory
from baseboard.ipmi.transport_lan import AuthenticationTypes
from baseboard.store.template import template

FILE = """
[lan]
host = "0.0.0.0"
cipher_suites = [17]
ipmi15 = ["none", "password"]
sessions = 4
[[user]]
name = "root"
password_file = "root.password"
[[user]]
name = "guest"
password_file = "/dev/null/../guest.password"
privilege = "user"
[identity]
guid = "123e4567-e89b-42d3-a456-426614174000"
auxiliary_firmware_revision = "0a0B0c0D"
product_id = 7
[vm]
addresses = ["listen:unix:guest.sock", "connect:tcp:[::1]:9002"]
interface = "bt"
[console]
address = "unix:serial.sock"
[power]
kind = "vm"
restore_policy = "always-on"
[sel]
capacity = 100
[sol]
privilege = "administrator"
[fru]
product_name = "Server of mine"
board_serial_number = "B-17"
[simulation]
load = 1.0
sensors = false
[[sensor]]
name = "Room Temp"
type = "temperature"
unit = "degrees C"
maximum = 60
upper_critical = 40
[[sensor]]
name = "Door"
number = 5
type = "physical security"
states = ["general chassis intrusion"]
present = ["General Chassis Intrusion"]
"""


def options_of(tmp_path: Path, text: str) -> Options:
    file = tmp_path / "b.toml"
    file.write_text(text)
    return configured(Options(state=tmp_path / "state", lan_ports=101), file)


def test_a_file_that_says_much(tmp_path: Path) -> None:
    (tmp_path / "root.password").write_text("geheim\n")
    (tmp_path / "guest.password").write_text("secret\n")
    guest = tmp_path / "guest.password"
    options = options_of(tmp_path, FILE.replace("/dev/null/../guest.password", str(guest)))
    assert options.lan == Address("udp", host="0.0.0.0", port=6230)
    assert (options.lan_ports, options.lan_server.sessions) == (101, 4)
    assert options.user == "root"
    assert options.further_users == (FurtherUser("guest", guest, Privilege.USER),)
    assert options.vms == (
        Address("unix", path=str(tmp_path / "guest.sock"), listen=True),
        Address("tcp", host="::1", port=9002),
    )
    assert options.console == Address("unix", path=str(tmp_path / "serial.sock"))
    assert (options.interface, options.power) == (Interface.BT, PowerKind.VM)
    settings = options.settings
    assert settings.lan.cipher_suites == (17,)
    assert settings.lan.authentication_types == (
        AuthenticationTypes.NONE | AuthenticationTypes.STRAIGHT_PASSWORD
    )
    assert settings.device.auxiliary == bytes.fromhex("0a0b0c0d")
    assert settings.device.guid == bytes.fromhex("123e4567e89b42d3a456426614174000")
    assert settings.chassis.power_restore_policy is RestorePolicy.ALWAYS_ON
    assert settings.sel.capacity == 100
    assert settings.sol.privilege is Privilege.ADMINISTRATOR
    door, room = settings.sensors
    assert isinstance(door, DiscreteSensorSettings)
    assert (door.number, door.sensor_type, door.states, door.present) == (5, 0x05, (0,), (0,))
    assert isinstance(room, ThresholdSensorSettings)
    assert (room.number, room.unit, room.upper_critical, room.upper_noncritical) == (0x80, 1, 40, None)
    inventory = decode_inventory(bytes(Bmc(settings).fru.get(0).data))
    assert inventory.product is not None
    assert inventory.product.product_name == "Server of mine"
    assert inventory.board is not None
    assert inventory.board.serial_number == "B-17"
    assert inventory.board.manufacturer == "Baseboard Project"
    assert [(user.user_id, user.name, user.password.value) for user in logins(options)] == [
        (2, b"root", b"geheim"),
        (3, b"guest", b"secret"),
    ]


@pytest.mark.parametrize("text", ["", template()])
def test_a_file_that_says_nothing_changes_nothing(tmp_path: Path, text: str) -> None:
    options = options_of(tmp_path, text)
    assert options == Options(state=tmp_path / "state", lan_ports=101)
    assert options.settings == Settings()


def test_a_sensor_of_the_same_name_takes_the_built_in_ones_place(tmp_path: Path) -> None:
    text = sensor(name='"Inlet Temp"', follows='"inlet_temperature"')
    sensors = options_of(tmp_path, text).settings.sensors
    assert len(sensors) == len(Settings().sensors)
    assert [sensor.number for sensor in sensors if sensor.name == "Inlet Temp"] == [0x80]


def sensor(**values: str) -> str:
    given = {"name": '"A Temp"', "type": '"temperature"', "unit": '"degrees C"'} | values
    return "[[sensor]]\n" + "".join(f"{key} = {value}\n" for key, value in given.items() if value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[identity]\nauxiliary_firmware_revision = "012"',
            ':2: identity.auxiliary_firmware_revision: found "012"; allowed: 8 hexadecimal digits, or none',
        ),
        ('[identity]\nguid = "x"', ':2: identity.guid: found "x"; allowed: a UUID'),
        ('[vm]\naddresses = [\n"unix:x"]', ":3: vm.addresses[1]: 'unix:x' is not connect:unix:PATH"),
        ('[console]\naddress = "tty"', ":2: console.address: 'tty' is not unix:PATH, tcp:HOST:PORT or pty"),
        ('[[user]]\npassword_file = "p"', ":2: user[1].password_file: password file"),
        ('[[user]]\n\n[[user]]\nname = "b"', ":3: user[2]: password_file is missing: only the first user"),
        (
            sensor(type='"temprature"'),
            ":3: sensor[1].type: found \"temprature\"; did you mean 'temperature'?",
        ),
        (sensor(unit='"parsec"'), ':4: sensor[1].unit: found "parsec"; allowed: unspecified, degrees C'),
        (sensor(unit=""), ":1: sensor[1]: a sensor has either a unit or states"),
        (sensor(states='["x"]'), ":1: sensor[1]: a sensor has either a unit or states"),
        (sensor(name='"A"'), ":1: sensor[1]: the name 'A' has not 2 to 16 characters"),
        (sensor(upper_critical="3", upper_noncritical="7"), ":1: sensor[1]: thresholds do not rise"),
        (sensor(follows='"cpu_load"'), ':5: sensor[1].follows: found "cpu_load"; '),
        (
            sensor(unit="", type='"drive slot"', states='["burning"]'),
            ':4: sensor[1].states[1]: found "burning"',
        ),
        (sensor(number="200") + sensor(number="200"), ":10: sensor[2].number: 200 is the number of 'A Temp'"),
        (sensor() + sensor(), ":6: sensor[2].name: 'A Temp' is the name of another sensor"),
    ],
)
def test_a_mistake(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        options_of(tmp_path, text)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/b.toml:")


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "root.password").write_text("geheim\n")
    (tmp_path / "b.toml").write_text(
        '[lan]\nport = 7000\n[[user]]\nname = "root"\npassword_file = "root.password"\n[power]\nkind = "vm"'
    )
    flags = Flags(
        state=tmp_path / "s", config=tmp_path / "b.toml", lan="127.0.0.1:0", power="simulated", user="me"
    )
    options, password = plan(flags)
    assert (options.lan.port, options.lan_ports, options.power, options.user) == (
        0,
        1,
        PowerKind.SIMULATED,
        "me",
    )
    assert password.value == b"geheim"


def test_no_flags_and_no_file(tmp_path: Path) -> None:
    options, password = plan(Flags(state=tmp_path / "s"))
    assert password.fresh
    assert (options.lan, options.lan_ports) == (DEFAULT_LAN, 101)
    assert options.vms == (Address("unix", path=str(tmp_path / "s" / "vm.sock")),)
    assert options.password_file == tmp_path / "s" / "password"


def test_a_command_line_of_qemu_makes_power_its_business(tmp_path: Path) -> None:
    options, _ = plan(Flags(state=tmp_path, qemu=("qemu-system-x86_64",)))
    assert (options.power, options.vms) == (PowerKind.QEMU, ())


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"lan": "here"}, "--lan: 'here' is not HOST:PORT"),
        ({"vms": ("unix:x",)}, "--vm: 'unix:x' is not connect:unix:PATH"),
        ({"console": "tty"}, "--console: 'tty' is not unix:PATH"),
        ({"power": "none"}, "--power: 'none' is not one of simulated, vm, qemu"),
        ({"power": "qemu"}, "power qemu needs the QEMU to run: baseboard run -- qemu-system-x86_64 ..."),
        ({"interface": "smic"}, "--interface: 'smic' is not one of kcs, bt, ssif"),
        ({"user": "abcdefghijklmnopq"}, "--user: 'abcdefghijklmnopq' is not a name of 1 to 16 bytes"),
        ({"user": ""}, "--user: '' is not a name"),
        ({"password_file": Path("/nowhere")}, "password file /nowhere: No such file"),
    ],
)
def test_flags_that_are_wrong(tmp_path: Path, flags: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(").replace("...", r"\.\.\.")):
        plan(Flags(state=tmp_path, **flags))  # type: ignore[arg-type]  # one of them, by name


BUS = """
[ipmb]
address = 0x90
links = ["listen:unix:bus.sock"]
privilege = "user"
event_receiver = 0x20
[[satellite]]
address = 0x82
serial_number = "F1"
[[satellite.sensor]]
name = "Rear"
type = "temperature"
unit = "degrees C"
"""


def test_a_bus_with_a_satellite(tmp_path: Path) -> None:
    options = options_of(tmp_path, BUS)
    assert options.ipmb == (Address("unix", path=str(tmp_path / "bus.sock"), listen=True),)
    ipmb = options.settings.ipmb
    assert (ipmb.address, ipmb.event_receiver, ipmb.link_privilege) == (0x90, 0x20, Privilege.USER)
    (satellite,) = options.settings.satellites
    assert (satellite.address, satellite.device.device_id) == (0x82, 0x21)
    assert [(sensor.number, sensor.name, sensor.entity) for sensor in satellite.sensors] == [
        (1, "Rear", (0x0B, 1))
    ]
    assert [inventory.entity for inventory in satellite.fru] == [(0x0B, 1)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param(
            "address = 0x83",
            "b.toml:8: satellite[1].address: found 131; allowed: an even number from 0x02 to 0xEE",
        ),
        pytest.param("address = 0x90", "b.toml:7: satellite[1]: address 90h is taken already"),
    ],
)
def test_wrong_addresses_on_the_bus(tmp_path: Path, wrong: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        options_of(tmp_path, BUS.replace("address = 0x82", wrong))
    assert str(caught.value) == f"{tmp_path}/{message}"


def test_a_satellites_sensor_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"b.toml:13: satellite\[1\].sensor\[1\].unit: found .* did you mean"
    ):
        options_of(tmp_path, BUS.replace("degrees C", "degree C"))
