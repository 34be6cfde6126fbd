"""Who the controller is: device ID, GUID, self test, ACPI power state.  [IPMI 20, 22.14]

The GUID is kept as RFC 4122 writes it and sent in the opposite order: IPMI transmits it as one 128-bit
number, least significant byte first, so that the node comes first and time_low last [IPMI 20.8]. The
Device GUID and the System GUID are the same here: one virtual machine, one controller.
"""

from __future__ import annotations

from baseboard.bmc.changes import Changes, Rows, kept_bytes
from baseboard.errors import CommandError
from baseboard.ipmi.app_device import (
    IPMI_VERSION_BCD,
    NO_CHANGE,
    Capability,
    DevicePowerState,
    GetDeviceIdResponse,
    GetGuidResponse,
    GetSelfTestResultsResponse,
    SystemPowerState,
)
from baseboard.ipmi.codec import Encoded
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.picmg import FirmwareVersion
from baseboard.ipmi.value import Value

ROOM = "device"

DOCUMENTATION_ENTERPRISE = 32473
"""Belongs to nobody: the enterprise number that IANA keeps for examples.  [RFC 5612]"""

NIL_GUID = bytes(16)

BMC_CAPABILITIES = (
    Capability.SENSORS
    | Capability.SDR_REPOSITORY
    | Capability.SEL
    | Capability.FRU
    | Capability.EVENT_RECEIVER
    | Capability.CHASSIS
)

_SYSTEM_STATES = frozenset(SystemPowerState)
_DEVICE_STATES = frozenset(DevicePowerState)


class DeviceSettings(Value, kw_only=True):
    """The identity that Get Device ID tells."""

    device_id: int = 0x20
    device_revision: int = 1
    firmware_major: int = 0
    """0-127."""
    firmware_minor: int = 1
    """0-99; the answer has it in BCD."""
    auxiliary: bytes = bytes(4)
    """Auxiliary firmware revision, 4 bytes; empty: Get Device ID ends before it."""
    manufacturer_id: int = DOCUMENTATION_ENTERPRISE
    product_id: int = 1
    provides_device_sdrs: bool = False
    """Device SDRs are all the records that there are; else they are in the repository too."""
    capabilities: Capability = BMC_CAPABILITIES
    guid: bytes | None = None
    """16 bytes in the order of RFC 4122 (`uuid.UUID.bytes`); None: the one that `provision_guid` keeps."""


class Device:
    """Identity and health of the controller itself."""

    room = ROOM

    def __init__(self, changes: Changes, settings: DeviceSettings) -> None:
        self._changes = changes
        self._settings = settings
        self._guid = settings.guid or NIL_GUID
        self.self_test = GetSelfTestResultsResponse(result=0x55, detail=0x00)  # no error
        self.system_state: int = SystemPowerState.UNKNOWN
        self.device_state: int = DevicePowerState.D0
        self._firmware = FirmwareVersion(
            major=settings.firmware_major,
            minor_bcd=settings.firmware_minor // 10 << 4 | settings.firmware_minor % 10,
            auxiliary=settings.auxiliary or bytes(4),
        )
        self.identity = self._encode_identity()
        """The answer to Get Device ID: the request that every benchmark and keep-alive sends."""

    def restore(self, rows: Rows) -> None:
        """Take back the GUID that was made at the first start."""
        kept = rows.get("guid")
        if kept is not None and self._settings.guid is None:
            self._guid = kept_bytes(kept, 16)

    def provision_guid(self, random: bytes) -> None:
        """Make a GUID for good from 16 random bytes, unless there is one; call it after `restore`."""
        if self._guid != NIL_GUID:
            return
        guid = bytearray(random)
        guid[6] = guid[6] & 0x0F | 0x40  # version 4, random  [RFC 4122, 4.4]
        guid[8] = guid[8] & 0x3F | 0x80
        self._guid = bytes(guid)
        self._changes.put(ROOM, "guid", self._guid.hex())

    @property
    def uuid(self) -> bytes:
        """The GUID in the order of RFC 4122."""
        return self._guid

    @property
    def guid(self) -> bytes:
        """The GUID in packet order."""
        return self._guid[::-1]

    @property
    def firmware(self) -> FirmwareVersion:
        """The version that Get Device ID tells."""
        return self._firmware

    def set_firmware(self, version: FirmwareVersion) -> None:
        """Another version is at work."""
        self._firmware = version
        self.identity = self._encode_identity()

    def guid_response(self) -> GetGuidResponse:
        """The answer to Get Device GUID and Get System GUID."""
        return GetGuidResponse(guid=self.guid)

    def set_power_state(self, system_state: int | None, device_state: int | None) -> None:
        """Set ACPI Power State; None leaves one as it is, and so does 7Fh."""
        if system_state is not None and system_state not in _SYSTEM_STATES | {NO_CHANGE}:
            raise CommandError(CompletionCode.INVALID_FIELD, f"no ACPI system state {system_state:02X}h")
        if device_state is not None and device_state not in _DEVICE_STATES | {NO_CHANGE}:
            raise CommandError(CompletionCode.INVALID_FIELD, f"no ACPI device state {device_state:02X}h")
        if system_state not in (None, NO_CHANGE):
            self.system_state = system_state
        if device_state not in (None, NO_CHANGE):
            self.device_state = device_state

    def power_changed(self, on: bool, now: float) -> None:
        """The machine's power changed, or it was reset: what its software had told no longer holds."""
        self.system_state = SystemPowerState.LEGACY_ON if on else SystemPowerState.S4_OR_S5

    def _encode_identity(self) -> Encoded:
        settings = self._settings
        has = settings.capabilities
        response = GetDeviceIdResponse(
            device_id=settings.device_id,
            device_revision=settings.device_revision,
            provides_device_sdrs=settings.provides_device_sdrs,
            firmware_major=self._firmware.major,
            updating=False,
            firmware_minor_bcd=self._firmware.minor_bcd,
            ipmi_version_bcd=IPMI_VERSION_BCD,
            sensor_device=Capability.SENSORS in has,
            sdr_repository=Capability.SDR_REPOSITORY in has,
            sel_device=Capability.SEL in has,
            fru_inventory=Capability.FRU in has,
            event_receiver=Capability.EVENT_RECEIVER in has,
            event_generator=Capability.EVENT_GENERATOR in has,
            bridge=Capability.BRIDGE in has,
            chassis_device=Capability.CHASSIS in has,
            manufacturer_id=settings.manufacturer_id,
            product_id=settings.product_id,
            auxiliary=self._firmware.auxiliary if settings.auxiliary else b"",
        )
        return Encoded(data=response.encode()[1:])
