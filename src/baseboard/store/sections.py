"""The tables of the configuration file: every setting with its default, its meaning and its limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, field_validator

from baseboard.bmc.sel import SelSettings
from baseboard.store.setting import Section, setting

_SEL = SelSettings()

LONGEST_FRU_FIELD = 63
FRU_TEXT = f"text of up to {LONGEST_FRU_FIELD} characters of Latin-1"

Privilege = Literal["callback", "user", "operator", "administrator"]


def _bytes_limit(most: int) -> AfterValidator:
    def check(text: str) -> str:
        if not 1 <= len(text.encode()) <= most or "\0" in text:
            raise ValueError(f"allowed: text of 1 to {most} bytes")
        return text

    return AfterValidator(check)


Name16 = Annotated[str, _bytes_limit(16)]


def _fru_field(about: str, example: str) -> Any:
    return setting(None, about, allowed=FRU_TEXT, example=example)


def _latin(text: str) -> str:
    try:
        fits = len(text.encode("latin-1")) <= LONGEST_FRU_FIELD
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise ValueError(f"allowed: {FRU_TEXT}")
    return text


def _even(address: int) -> int:
    if not 0x02 <= address <= 0xEE or address & 1:
        raise ValueError(f"allowed: {BUS_ADDRESS}")
    return address


BUS_ADDRESS = "an even number from 0x02 to 0xEE"
BusAddress = Annotated[int, AfterValidator(_even)]

FruText = Annotated[str, AfterValidator(_latin)]


class Lan(Section):
    """IPMI over LAN."""

    host: str = setting("127.0.0.1", "Address to answer on. 0.0.0.0 is every address of this machine.")
    port: int | None = setting(
        None, "UDP port; 0 lets the system choose. Unset: 6230, or the first free port after it.",
        least=0, most=65535, example=623,
    )  # fmt: skip
    cipher_suites: list[Literal[0, 1, 2, 3, 6, 7, 8, 11, 12, 15, 16, 17]] = setting(
        [17, 3], "RMCP+ cipher suites that are on, preferred first."
    )
    insecure_cipher_zero: bool = setting(
        False, "Suite 0 lets in whoever knows a user's name: it needs this besides its place in the list."
    )
    ipmi15: list[Literal["none", "md5", "password"]] = setting(
        ["md5"], "Authentication types of IPMI 1.5 sessions; an empty list: no IPMI 1.5 at all."
    )
    ipmi15_off_loopback: bool = setting(False, "Offer IPMI 1.5 also on addresses where others can listen.")
    privilege_limit: Privilege = setting(
        "administrator", "The highest level that the channel gives to anybody."
    )
    sessions: int = setting(63, "Open sessions at a time.", least=1, most=63)
    session_timeout: float = setting(
        60.0, "Seconds without a packet after which a session is closed.", least=1, most=3600
    )
    half_open: int = setting(256, "Log-ins that are under way at a time.", least=1, most=4096)
    half_open_per_source: int = setting(64, "The same for one network address.", least=1, most=4096)
    half_open_timeout: float = setting(10.0, "Seconds that a log-in may take.", least=1, most=60)
    hide_unknown_users: bool = setting(
        False, "Go on with an unknown user as if there were one, so that names cannot be probed."
    )


class User(Section):
    """A user. The first one in the file is user 2 and takes the place of the built-in "admin"."""

    name: Name16 = setting("admin", "Name for the log-in.", allowed="text of 1 to 16 bytes")
    password_file: str | None = setting(
        None,
        "File with the password: one line of 1 to 20 bytes (16 for IPMI 1.5), seen from "
        "this file's directory. Unset, for the first user: made at the first run, in the state directory.",
        example="admin.password",
    )
    privilege: Privilege = setting("administrator", "The highest level that this user gets.")


class Identity(Section):
    """Who the controller says it is (Get Device ID, Get System GUID)."""

    device_id: int = setting(0x20, "Device ID.", least=0, most=255)
    device_revision: int = setting(1, "Device revision.", least=0, most=15)
    firmware_major: int = setting(0, "Firmware revision, the part before the point.", least=0, most=127)
    firmware_minor: int = setting(1, "Firmware revision, the part behind it.", least=0, most=99)
    auxiliary_firmware_revision: str = setting(
        "00000000",
        "What the manufacturer tells beside the firmware revision. Empty: Get Device ID ends before it.",
        allowed="8 hexadecimal digits, or none",
    )
    manufacturer_id: int = setting(
        32473, "IANA enterprise number; 32473 is the one kept for examples.", least=0, most=0xFFFFF
    )
    product_id: int = setting(1, "Product ID.", least=0, most=65535)
    guid: str | None = setting(
        None,
        "System GUID. Unset: made at the first run and kept in the state directory.",
        allowed='a UUID in quotes, as in "123e4567-e89b-42d3-a456-426614174000"',
        example="123e4567-e89b-42d3-a456-426614174000",
    )


class Vm(Section):
    """The wire to the guest's QEMU (-device ipmi-bmc-extern)."""

    addresses: list[str] = setting(
        [],
        "Where it is. Empty: connect:unix:vm.sock in the state directory.",
        allowed="a list of connect:unix:PATH, listen:unix:PATH, connect:tcp:HOST:PORT and "
        "listen:tcp:HOST:PORT",
    )
    interface: Literal["kcs", "bt", "ssif"] = setting("kcs", "System interface of a QEMU that we run.")


class Function(Section):
    """A system interface that stands in a guest as a PCI device of ours, served at a Unix socket."""

    seam: Literal["vfio-user", "pci-proxy"] = setting(
        "vfio-user", "vfio-user: QEMU 10.1 and later; pci-proxy: QEMU 7.2 (`baseboard pci-proxy`)."
    )
    socket: str = setting(..., "Path of the socket.", example="vfio.sock")
    interface: Literal["kcs", "bt", "smic", "ssif"] = setting(
        "kcs", "What it is; ssif comes with an SMBus controller, and not with pci-proxy."
    )
    bar: Literal["memory", "io"] | None = setting(
        None, "Where its registers are. Unset: memory for vfio-user, io for pci-proxy.", example="io"
    )
    interrupt: Literal["none", "intx"] = setting(
        "none", "Whether it interrupts; a guest that asks again and again is faster. Not with pci-proxy."
    )


class Console(Section):
    """The machine's serial port, for Serial over LAN."""

    address: str | None = setting(
        None,
        "Where it is. Unset: there is none.",
        allowed="unix:PATH, tcp:HOST:PORT or pty",
        example="unix:console.sock",
    )


class Power(Section):
    """What power commands act on."""

    kind: Literal["simulated", "vm", "qemu"] = setting(
        "simulated", "simulated: nothing; vm: the guest, over the wire; qemu: the QEMU that we run."
    )
    qemu: list[str] = setting([], 'Command line of the QEMU that we run, as a list; needs kind = "qemu".')
    restore_policy: Literal["always-off", "previous", "always-on"] = setting(
        "previous", "What to do with the machine when the controller starts after a loss of power."
    )
    cycle_interval: int = setting(1, "Seconds off in a power cycle.", least=0, most=255)
    starts_on: bool = setting(True, 'The "previous" state of the very first start.')


class Sel(Section):
    """The system event log."""

    capacity: int = setting(_SEL.capacity, "Records.", least=1, most=65534)
    almost_full_percent: int = setting(
        _SEL.almost_full_percent, 'When the log is called "almost full".', least=1, most=100
    )
    log_clearing: bool = setting(True, "A cleared log begins with a record that says so.")
    failed_logins: bool = setting(
        True, "Log-ins with a wrong name or password are logged: ten at once, then one a minute."
    )


class Pef(Section):
    """Platform event filtering: common failures raise alerts, as SNMP traps, where [[alert]] says."""

    enabled: bool = setting(True, "Whether events are filtered at all.")
    community: str = setting(
        "public",
        "SNMP community of the traps.",
        allowed="1 to 18 characters of ASCII",
    )
    trap_port: int = setting(162, "UDP port of those who receive them.", least=1, most=65535)

    @field_validator("community")
    @classmethod
    def _check_community(cls, text: str) -> str:
        if not 1 <= len(text) <= 18 or not text.isascii() or not text.isprintable():
            raise ValueError("allowed: 1 to 18 characters of ASCII")
        return text


class Alert(Section):
    """Who is told of failures; up to four."""

    address: str = setting(..., "IP address.", allowed="a numeric IPv4 or IPv6 address", example="192.0.2.7")
    acknowledged: bool = setting(False, "It answers with PET Acknowledge; until then a trap is repeated.")
    timeout: int = setting(3, "Seconds between repetitions.", least=1, most=256)
    retries: int = setting(0, "How often a trap is repeated.", least=0, most=7)


class Fru(Section):
    """The inventory (FRU device 0) where it differs from the built-in server's."""

    # fmt: off
    chassis_part_number:   FruText | None = _fru_field("Chassis area.", "CH-1")
    chassis_serial_number: FruText | None = _fru_field("", "C0001")
    board_manufacturer:    FruText | None = _fru_field("Board area.", "Example")
    board_product_name:    FruText | None = _fru_field("", "Mainboard")
    board_serial_number:   FruText | None = _fru_field("", "B0001")
    board_part_number:     FruText | None = _fru_field("", "MB-1")
    product_manufacturer:  FruText | None = _fru_field("Product area.", "Example")
    product_name:          FruText | None = _fru_field("", "Server")
    product_part_number:   FruText | None = _fru_field("", "SRV-1")
    product_version:       FruText | None = _fru_field("", "1.0")
    product_serial_number: FruText | None = _fru_field("", "S0001")
    product_asset_tag:     FruText | None = _fru_field("", "rack 4")
    # fmt: on


class Sol(Section):
    """Serial over LAN, until commands change it."""

    enabled: bool = setting(True, "Whether it can be activated.")
    privilege: Privilege = setting("operator", "The least level that may activate it.")
    force_encryption: bool = setting(False, "Refuse it in sessions without encryption.")
    force_authentication: bool = setting(False, "Refuse it in sessions without integrity.")
    accumulate_interval: float = setting(
        0.01, "Seconds that characters wait for company.", least=0.005, most=1.275
    )
    send_threshold: int = setting(96, "Characters that are sent without waiting.", least=1, most=255)
    retry_count: int = setting(7, "How often an unanswered packet is sent again.", least=0, most=7)
    retry_interval: float = setting(0.5, "Seconds between these.", least=0, most=2.55)


class Simulation(Section):
    """The simulated server behind the sensors."""

    load: float = setting(0.2, "What it works on: 0 (idle) to 1 (all it can).", least=0, most=1)
    ambient: float = setting(22.0, "Temperature of its room in degrees C.", least=-40, most=80)
    sensors: bool = setting(True, "It has its own sensors besides those of this file.")


class Sensor(Section):
    """A sensor. With a unit it has a reading and thresholds, in that unit; with states it has these."""

    name: Name16 = setting(..., "Its name.", allowed="text of 2 to 16 bytes", example="Inlet Temp")
    number: int | None = setting(
        None, "Sensor number. Unset: the next free one from 128 on.", least=1, most=254, example=128
    )
    type: str = setting(
        ..., "Sensor type.", allowed='a sensor type\'s name, as in "temperature"', example="temperature"
    )
    unit: str | None = setting(
        None,
        "Unit of the reading.",
        allowed='a unit\'s name, as in "degrees C", "RPM", "volts"',
        example="degrees C",
    )
    percentage: bool = setting(False, "The reading is a percentage.")
    minimum: float = setting(0.0, "The least value that it can report.", example=-10)
    maximum: float = setting(255.0, "The greatest.", example=90)
    nominal: float | None = setting(None, "The usual value, which is also the first.", example=23)
    normal_minimum: float | None = setting(None, "The range of usual values.", example=10)
    normal_maximum: float | None = setting(None, "", example=35)
    lower_nonrecoverable: float | None = setting(
        None, "Thresholds; one that is unset does not exist.", example=-5
    )
    lower_critical: float | None = setting(None, "", example=0)
    lower_noncritical: float | None = setting(None, "", example=5)
    upper_noncritical: float | None = setting(None, "", example=42)
    upper_critical: float | None = setting(None, "", example=47)
    upper_nonrecoverable: float | None = setting(None, "", example=55)
    hysteresis: float = setting(0.0, "How far it must go back over a threshold.", least=0, example=2)
    states: list[str] = setting(
        [], "States of a discrete sensor (instead of a unit).",
        allowed='a list of the type\'s state names, as in ["presence detected", "failure detected"]',
    )  # fmt: skip
    present: list[str] = setting([], "Those that hold at the start.", allowed="a list of names from states")
    follows: str = setting(
        "", 'Quantity of the simulated server that drives it, as in "inlet_temperature". Empty: none.'
    )
    settable: bool = setting(True, "Clients may set its reading over IPMI.")
    events: bool = setting(True, "Its events are logged.")


class SerialChannel(Section):
    """A serial port on which consoles speak IPMI: Basic, Direct and Terminal Mode."""

    address: str | None = setting(
        None,
        "Where it is. Unset: there is none.",
        allowed="pty, listen:unix:PATH, listen:tcp:HOST:PORT, unix:PATH or tcp:HOST:PORT",
        example="pty",
    )
    privilege: Literal["none", "user", "operator", "administrator"] = setting(
        "none", "What may be done there without a log-in; ipmitool's serial interfaces have none."
    )


class Ipmb(Section):
    """The bus to other controllers."""

    address: BusAddress = setting(0x20, "Our own address on it.", allowed=BUS_ADDRESS)
    links: list[str] = setting(
        [],
        "Other controllers on the same bus: where they join us, and where we join them.",
        allowed="a list of listen:unix:PATH, listen:tcp:HOST:PORT, connect:unix:PATH and "
        "connect:tcp:HOST:PORT",
    )
    privilege: Privilege = setting("operator", "What requests that come over these links may do.")
    event_receiver: BusAddress | None = setting(
        None,
        "Who gets our events too, besides our own log. Unset: nobody.",
        allowed=BUS_ADDRESS,
        example=0x20,
    )


class Satellite(Section):
    """A small controller beside ours, at an address of its own, with sensors: [[satellite.sensor]]."""

    address: BusAddress = setting(..., "Its address on the bus.", allowed=BUS_ADDRESS, example=0x82)
    name: Name16 = setting("Satellite", "Its name.", allowed="text of 2 to 16 bytes")
    device_id: int = setting(0x21, "Device ID.", least=0, most=255)
    product_id: int = setting(1, "Product ID.", least=0, most=65535)
    product_name: FruText | None = _fru_field(
        "Its inventory. Without any of these three it has none.", "Fan board"
    )
    part_number: FruText | None = _fru_field("", "FB-1")
    serial_number: FruText | None = _fru_field("", "F0001")
    sensor: list[Sensor] = setting([], "Its sensors, described as those above.")
