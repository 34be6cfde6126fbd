"""Names of sensor types, of their states, and of entities.  [IPMI 42.1, 42.2, 43.14]"""

from __future__ import annotations

from collections.abc import Mapping

THRESHOLD = 0x01
SENSOR_SPECIFIC = 0x6F

# fmt: off
SENSOR_TYPES: Mapping[int, str] = {  # [IPMI Table 42-3]
    0x01: "temperature", 0x02: "voltage", 0x03: "current", 0x04: "fan", 0x05: "physical security",
    0x06: "platform security violation attempt", 0x07: "processor", 0x08: "power supply",
    0x09: "power unit", 0x0A: "cooling device", 0x0B: "other units based sensor", 0x0C: "memory",
    0x0D: "drive slot", 0x0E: "POST memory resize", 0x0F: "system firmware progress",
    0x10: "event logging disabled", 0x11: "watchdog1", 0x12: "system event", 0x13: "critical interrupt",
    0x14: "button/switch", 0x15: "module/board", 0x16: "microcontroller/coprocessor",
    0x17: "add in card", 0x18: "chassis", 0x19: "chip set", 0x1A: "other FRU",
    0x1B: "cable/interconnect", 0x1C: "terminator", 0x1D: "system boot initiated", 0x1E: "boot error",
    0x1F: "OS boot", 0x20: "OS critical stop", 0x21: "slot/connector", 0x22: "system ACPI power state",
    0x23: "watchdog2", 0x24: "platform alert", 0x25: "entity presence", 0x26: "monitor ASIC/IC",
    0x27: "LAN", 0x28: "management subsystem health", 0x29: "battery", 0x2A: "session audit",
    0x2B: "version change", 0x2C: "FRU state",
}

THRESHOLD_STATES = (  # in the order of the masks' bits
    "lower non-critical", "lower critical", "lower non-recoverable",
    "upper non-critical", "upper critical", "upper non-recoverable",
)

GENERIC_STATES: Mapping[int, tuple[str, ...]] = {  # by event/reading type  [IPMI Table 42-2]
    0x02: ("to idle", "to active", "to busy"),
    0x03: ("deasserted", "asserted"),
    0x04: ("deasserted", "asserted"),
    0x05: ("not exceeded", "exceeded"),
    0x06: ("met", "lags"),
    0x07: (
        "to ok", "to noncritical from ok", "to critical from less severe",
        "to nonrecoverable from less severe", "to noncritical from more severe",
        "to critical from nonrecoverable", "to nonrecoverable", "monitor", "informational",
    ),
    0x08: ("absent", "present"),
    0x09: ("disabled", "enabled"),
    0x0A: (
        "running", "in test", "power off", "on line", "off line", "off duty", "degraded", "power save",
        "install error",
    ),
    0x0B: (
        "fully redundant", "redundancy lost", "redundancy degraded",
        "nonredundant sufficient from redundant", "nonredundant sufficient from insufficient",
        "nonredundant insufficient", "degraded from fully redundant", "degraded from nonredundant",
    ),
    0x0C: ("D0", "D1", "D2", "D3"),
}

SPECIFIC_STATES: Mapping[int, tuple[str, ...]] = {  # by sensor type, for 6Fh  [IPMI Table 42-3]
    0x05: (
        "general chassis intrusion", "drive bay intrusion", "I/O card area intrusion",
        "processor area intrusion", "LAN leash lost", "unauthorized dock", "fan area intrusion",
    ),
    0x06: (
        "secure mode violation attempt", "preboot password user", "preboot password setup",
        "preboot password netboot", "preboot password other", "out of band password",
    ),
    0x07: (
        "IERR", "thermal trip", "FRB1/BIST failure", "FRB2 hang in POST", "FRB3 no startup",
        "configuration error", "SMBIOS uncorrectable error", "processor presence detected",
        "processor disabled", "terminator presence detected", "processor automatically throttled",
        "machine check exception", "correctable machine check error",
    ),
    0x08: (
        "presence detected", "power supply failure detected", "predictive failure",
        "power supply input lost (AC/DC)", "power supply input lost or out of range",
        "power supply input out of range, but present", "configuration error", "power supply inactive",
    ),
    0x09: (
        "power off", "power cycle", "240VA power down", "interlock power down", "AC lost",
        "soft power control failure", "power unit failure detected", "predictive failure",
    ),
    0x0C: (
        "correctable memory error", "uncorrectable memory error", "parity", "memory scrub failed",
        "memory device disabled", "correctable memory error logging limit reached", "presence detected",
        "configuration error", "spare", "memory automatically throttled", "critical overtemperature",
    ),
    0x0D: (
        "drive presence", "drive fault", "predictive failure", "hot spare", "consistency check in progress",
        "in critical array", "in failed array", "rebuild in progress", "rebuild aborted",
    ),
    0x0F: ("system firmware error", "system firmware hang", "system firmware progress"),
    0x10: (
        "correctable memory error logging disabled", "event type logging disabled",
        "log area reset/cleared", "all event logging disabled", "SEL full", "SEL almost full",
        "correctable machine check error logging disabled",
    ),
    0x11: (
        "BIOS watchdog reset", "OS watchdog reset", "OS watchdog shut down", "OS watchdog power down",
        "OS watchdog power cycle", "OS watchdog NMI", "OS watchdog expired status only",
        "OS watchdog pre timeout interrupt non NMI",
    ),
    0x12: (
        "system reconfigured", "oem system boot event", "undetermined system hardware failure",
        "entry added to auxiliary log", "PEF action", "timestamp clock synchronized",
    ),
    0x13: (
        "front panel NMI", "bus timeout", "I/O channel check NMI", "software NMI", "PCI PERR", "PCI SERR",
        "EISA fail safe timeout", "bus correctable error", "bus uncorrectable error", "fatal NMI",
        "bus fatal error", "bus degraded",
    ),
    0x14: (
        "power button pressed", "sleep button pressed", "reset button pressed", "FRU latch open",
        "FRU service request button",
    ),
    0x19: ("soft power control failure", "thermal trip"),
    0x1B: ("is connected", "configuration error"),
    0x1D: (
        "initiated by power up", "initiated by hard reset", "initiated by warm reset",
        "user requested PXE boot", "automatic boot to diagnostic", "OS initiated hard reset",
        "OS initiated warm reset", "system restart",
    ),
    0x1E: (
        "no bootable media", "non bootable diskette left in drive", "PXE server not found",
        "invalid boot sector", "timeout waiting for user selection of boot source",
    ),
    0x1F: (
        "A: boot completed", "C: boot completed", "PXE boot completed", "diagnostic boot completed",
        "CD-ROM boot completed", "ROM boot completed", "boot completed boot device not specified",
        "installation started", "installation completed", "installation aborted", "installation failed",
    ),
    0x20: (
        "critical stop during OS load", "run time critical stop", "OS graceful stop",
        "OS graceful shutdown", "soft shutdown initiated by PEF", "agent not responding",
    ),
    0x21: (
        "fault status asserted", "identify status asserted", "device installed",
        "ready for device installation", "ready for device removal", "slot power is off",
        "device removal request", "interlock asserted", "slot is disabled", "slot holds spare device",
    ),
    0x22: (
        "S0/G0", "S1", "S2", "S3", "S4", "S5/G2", "S4/S5 soft off", "G3 mechanical off",
        "sleeping in an S1, S2 or S3 state", "G1 sleeping", "S5 entered by override", "legacy on state",
        "legacy off state", "unspecified", "unknown",
    ),
    0x23: (
        "timer expired status only", "hard reset", "power down", "power cycle", "reserved", "reserved",
        "reserved", "reserved", "timer interrupt",
    ),
    0x24: (
        "platform generated page", "platform generated LAN alert", "platform event trap generated",
        "platform generated SNMP trap",
    ),
    0x25: ("entity present", "entity absent", "entity disabled"),
    0x27: ("heartbeat lost", "heartbeat"),
    0x28: (
        "sensor access degraded or unavailable", "controller access degraded or unavailable",
        "management controller off-line", "management controller unavailable", "sensor failure",
        "FRU failure",
    ),
    0x29: ("battery low", "battery failed", "battery presence detected"),
    0x2A: (
        "session activated", "session deactivated", "invalid username or password",
        "invalid password disable",
    ),
    0x2B: (
        "hardware changed", "software changed", "hardware incompatible", "software incompatible",
        "hardware version invalid", "software version invalid", "hardware change succeeded",
        "software change succeeded",
    ),
    0x2C: (
        "FRU not installed", "FRU inactive", "FRU activation requested", "FRU activation in progress",
        "FRU active", "FRU deactivation requested", "FRU deactivation in progress",
        "FRU communication lost",
    ),
}

ENTITIES: Mapping[int, str] = {  # [IPMI Table 43-13]
    0x00: "unspecified", 0x01: "other", 0x02: "unknown", 0x03: "processor", 0x04: "disk or disk bay",
    0x05: "peripheral bay", 0x06: "system management module", 0x07: "system board",
    0x08: "memory module", 0x09: "processor module", 0x0A: "power supply", 0x0B: "add in card",
    0x0C: "front panel board", 0x0D: "back panel board", 0x0E: "power system board",
    0x0F: "drive backplane", 0x10: "system internal expansion board", 0x11: "other system board",
    0x12: "processor board", 0x13: "power unit", 0x14: "power module", 0x15: "power distribution board",
    0x16: "chassis back panel board", 0x17: "system chassis", 0x18: "sub chassis",
    0x19: "other chassis board", 0x1A: "disk drive bay", 0x1B: "peripheral bay2", 0x1C: "device bay",
    0x1D: "fan", 0x1E: "cooling unit", 0x1F: "cable/interconnect", 0x20: "memory device",
    0x21: "system management software", 0x22: "system firmware", 0x23: "operating system",
    0x24: "system bus", 0x25: "group", 0x26: "remote management communication device",
    0x27: "external environment", 0x28: "battery", 0x29: "processing blade",
    0x2A: "connectivity switch", 0x2B: "processor memory module", 0x2C: "I/O module",
    0x2D: "processor I/O module", 0x2E: "management controller firmware", 0x2F: "IPMI channel",
    0x30: "PCI bus", 0x31: "PCI express bus", 0x32: "SCSI bus", 0x33: "SATA/SAS bus",
    0x34: "processor front side bus", 0x35: "real time clock", 0x37: "air inlet",
}
# fmt: on


def _codes(names: Mapping[int, str]) -> Mapping[str, int]:
    return {_plain(name): code for code, name in sorted(names.items(), reverse=True)}


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


_SENSOR_TYPE_CODES = _codes(SENSOR_TYPES)
_ENTITY_CODES = _codes(ENTITIES)


def sensor_type_code(name: str) -> int:
    """The code of a sensor type's name; case, spaces and marks do not matter.  Raises KeyError."""
    return _SENSOR_TYPE_CODES[_plain(name)]


def entity_code(name: str) -> int:
    """The code of an entity's name; case, spaces and marks do not matter.  Raises KeyError."""
    return _ENTITY_CODES[_plain(name)]


def state_names(sensor_type: int, event_type: int) -> tuple[str, ...]:
    """What the offsets of a sensor's states mean; empty for types of a maker's own."""
    if event_type == THRESHOLD:
        return THRESHOLD_STATES
    if event_type == SENSOR_SPECIFIC:
        return SPECIFIC_STATES.get(sensor_type, ())
    return GENERIC_STATES.get(event_type, ())


def state_offset(sensor_type: int, event_type: int, name: str) -> int:
    """The offset of a state by its name.  Raises KeyError."""
    for offset, known in enumerate(state_names(sensor_type, event_type)):
        if _plain(known) == _plain(name):
            return offset
    raise KeyError(name)
