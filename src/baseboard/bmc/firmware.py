"""The controller's firmware, as HPM.1 exchanges it.

Theory of operation
-------------------
There is one component, 0. An upload collects blocks; finished, it is told to the shell, which writes it into
a file, and its version is *deferred*. Activation makes the deferred version the active one, and what was
active the one to roll back to; Get Device ID shows the active version. Nothing of an image is ever executed.

HPM.1 sends the firmware without the image file's headers, so that a version must be in the firmware itself: a
line `version: 2.05` within the first 256 bytes, or `version: 2.05 01020304` with the auxiliary revision.
Firmware that says nothing is the version after the active one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256

from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.device import Device
from baseboard.bmc.events import Event, FirmwareUploaded
from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.picmg import FirmwareVersion, Refusal, UpgradeAction
from baseboard.ipmi.value import Value

ROOM = "firmware"

COMPONENT = 0
COMPONENTS = 1 << COMPONENT
DESCRIPTION = "BMC"
LARGEST = 16 << 20
"""Bytes of an image."""
_LOOKED_AT = 256
_VERSION = re.compile(rb"^version: (\d{1,3})\.(\d{1,2})(?: ([0-9A-Fa-f]{8}))?\s*$", re.MULTILINE)


class Firmware(Value):
    """One version and the digest of its bytes; the first version came with the controller and has none."""

    version: FirmwareVersion
    digest: str = ""


class Upgrade:
    """State of component 0 and of an upload."""

    room = ROOM

    def __init__(self, changes: Changes, device: Device, emit: Callable[[Event], None]) -> None:
        self._changes = changes
        self._device = device
        self._emit = emit
        self.active = Firmware(device.firmware)
        self.rollback: Firmware | None = None
        self.deferred: Firmware | None = None
        self.rolled_back = 0
        """Components that were rolled back since the start."""
        self.last_command = 0
        self._action: UpgradeAction | None = None
        self._data = bytearray()
        self._block = -1
        """Number of the last block."""

    def restore(self, rows: Rows) -> None:
        """Take back which versions there are."""
        kept = {
            name: Firmware(FirmwareVersion.decode(bytes.fromhex(version)), digest)
            for name, (version, digest) in rows.items()
        }
        self.rollback, self.deferred = kept.get("rollback"), kept.get("deferred")
        if active := kept.get("active"):
            self.active = active
            self._device.set_firmware(active.version)

    def initiate(self, components: int, action: int) -> None:
        """Begin something.  Raises CommandError."""
        if action not in set(UpgradeAction):
            raise CommandError(CompletionCode.INVALID_FIELD, f"no upgrade action {action}")
        if components != COMPONENTS:
            raise CommandError(Refusal.INVALID_COMPONENTS, f"components {components:02X}h")
        if action in (UpgradeAction.UPLOAD, UpgradeAction.COMPARE):
            self.abort()
            self._action = UpgradeAction(action)

    def abort(self) -> None:
        """Forget the upload."""
        self._action = None
        self._data = bytearray()
        self._block = -1

    def upload(self, number: int, data: bytes) -> None:
        """Take a block; one that comes again is not taken twice.  Raises CommandError."""
        if self._action is None:
            raise CommandError(CompletionCode.NOT_IN_PRESENT_STATE, "no upload was begun")
        if number == self._block & 0xFF and self._block >= 0 and self._data.endswith(data):
            return
        if number != (self._block + 1) & 0xFF:
            raise CommandError(Refusal.OUT_OF_SEQUENCE, f"block {number}")
        if len(self._data) + len(data) > LARGEST:
            raise CommandError(CompletionCode.OUT_OF_SPACE, f"more than {LARGEST} bytes")
        self._data += data
        self._block += 1

    def finish(self, component: int, length: int) -> None:
        """The upload is whole: keep it, or tell whether it is what is active.  Raises CommandError."""
        action, data = self._action, bytes(self._data)
        if action is None or component != COMPONENT:
            raise CommandError(CompletionCode.NOT_IN_PRESENT_STATE, "no upload of this component was begun")
        if length != len(data):
            raise CommandError(Refusal.SIZE_MISMATCH, f"{len(data)} bytes came")
        self.abort()
        digest = sha256(data).hexdigest()
        if action is UpgradeAction.COMPARE:
            if digest != self.active.digest:
                raise CommandError(Refusal.DIFFERENT, "it is not what is active")
            return
        self.deferred = Firmware(version_of(data, self.active.version), digest)
        self._emit(FirmwareUploaded(component, self.deferred.version, data))
        self._keep()

    def activate(self) -> None:
        """What was uploaded takes over.  Raises CommandError."""
        if self.deferred is None:
            raise CommandError(CompletionCode.NOT_IN_PRESENT_STATE, "nothing was uploaded")
        self.rollback, self.active, self.deferred = self.active, self.deferred, None
        self._become_active()

    def roll_back(self) -> None:
        """Back to what was active before.  Raises CommandError."""
        if self.rollback is None:
            raise CommandError(CompletionCode.NOT_IN_PRESENT_STATE, "there is nothing to roll back to")
        self.active, self.rollback = self.rollback, self.active
        self.rolled_back = COMPONENTS
        self._become_active()

    def _become_active(self) -> None:
        self._device.set_firmware(self.active.version)
        self._keep()

    def _keep(self) -> None:
        for name, firmware in (
            ("active", self.active),
            ("rollback", self.rollback),
            ("deferred", self.deferred),
        ):
            if firmware is None:
                self._changes.delete(ROOM, name)
            else:
                self._changes.put(ROOM, name, [firmware.version.encode().hex(), firmware.digest])


def version_of(data: bytes, active: FirmwareVersion) -> FirmwareVersion:
    """What firmware says of itself; or the version after the active one."""
    found = _VERSION.search(data[:_LOOKED_AT])
    if found is not None:
        major, minor = int(found[1]) & 0x7F, int(found[2])
        auxiliary = bytes.fromhex((found[3] or b"00000000").decode())
    else:
        minor = (active.minor_bcd >> 4) * 10 + (active.minor_bcd & 0x0F) + 1
        major, minor = active.major + minor // 100 & 0x7F, minor % 100
        auxiliary = active.auxiliary
    return FirmwareVersion(major=major, minor_bcd=minor // 10 << 4 | minor % 10, auxiliary=auxiliary)
