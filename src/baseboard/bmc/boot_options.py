"""System boot options: what a console asks of the next start, and until when it counts.  [IPMI 28.12, 28.13]

Theory of operation
-------------------
Bytes are kept as they were written, so that every client reads back what it wrote. Only the valid bit
of the boot flags (parameter 5) changes by itself:

* Flags for one start are used up by the first start that honours them (`take`): they read as zeros then.
* They lose the valid bit 60 seconds after they were set or after the last Chassis Control command, and by
  a restart that did not come from such a command, unless parameter 3 says otherwise for that case.
* Persistent flags ask for every future start. They stay valid until they are written again: a time-out
  would take back what the word promises.

All of it is durable except "set in progress", which is a courtesy lock between clients and is dropped by
a restart or a power-off of the machine. Nothing rolls back, so "commit write" is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, IntFlag
from typing import NamedTuple

from baseboard.bmc.changes import Changes, Rows, kept_bytes
from baseboard.bmc.events import RestartCause
from baseboard.errors import CommandError
from baseboard.ipmi.chassis import BootFlags
from baseboard.ipmi.completion import CompletionCode

ROOM = "boot_options"
VALID_TIME = 60.0
MAILBOX_BLOCKS = 5
"""Of 16 bytes: the 80 bytes that the specification asks for at least."""

PARAMETER_NOT_SUPPORTED = 0x80
SET_IN_PROGRESS_CLAIMED = 0x81


class Parameter(IntEnum):
    """[IPMI Table 28-14]"""

    SET_IN_PROGRESS = 0
    SERVICE_PARTITION_SELECTOR = 1
    SERVICE_PARTITION_SCAN = 2
    VALID_BIT_CLEARING = 3
    BOOT_INFO_ACKNOWLEDGE = 4
    BOOT_FLAGS = 5
    INITIATOR_INFO = 6
    INITIATOR_MAILBOX = 7


class BootDevice(IntEnum):
    """Boot device selector, byte 2 bits [5:2] of the boot flags."""

    NO_OVERRIDE = 0x0
    PXE = 0x1
    DISK = 0x2
    DISK_SAFE_MODE = 0x3
    DIAGNOSTIC_PARTITION = 0x4
    CDROM = 0x5
    SETUP = 0x6
    REMOTE_FLOPPY = 0x7
    REMOTE_CDROM = 0x8
    REMOTE_MEDIA = 0x9
    REMOTE_DISK = 0xB
    FLOPPY = 0xF


class Keep(IntFlag):
    """Parameter 3: when the valid bit is not cleared."""

    PEF = 0x10
    TIMEOUT = 0x08
    WATCHDOG = 0x04
    RESET_BUTTON = 0x02
    POWER_BUTTON = 0x01


_DEVICES = frozenset(int(device) for device in BootDevice)

# fmt: off
CLEARED_BY: Mapping[RestartCause, Keep] = {
    # a restart for this cause        clears the valid bit without this bit
    RestartCause.PEF_RESET:           Keep.PEF,
    RestartCause.PEF_POWER_CYCLE:     Keep.PEF,
    RestartCause.WATCHDOG:            Keep.WATCHDOG,
    RestartCause.RESET_BUTTON:        Keep.RESET_BUTTON,
    RestartCause.SOFT_RESET:          Keep.RESET_BUTTON,
    RestartCause.POWER_BUTTON:        Keep.POWER_BUTTON,
    RestartCause.RTC_WAKEUP:          Keep.POWER_BUTTON,
}

LENGTHS: Mapping[int, int] = {
    # parameter                            data bytes of a Set
    Parameter.SERVICE_PARTITION_SELECTOR:  1,
    Parameter.SERVICE_PARTITION_SCAN:      1,
    Parameter.VALID_BIT_CLEARING:          1,
    Parameter.BOOT_INFO_ACKNOWLEDGE:       2,   # write mask, value
    Parameter.BOOT_FLAGS:                  5,
    Parameter.INITIATOR_INFO:              9,
    Parameter.INITIATOR_MAILBOX:           17,  # block number, block
}
# fmt: on


class BootChoice(NamedTuple):
    """What to start from, as decoded from valid boot flags."""

    device: BootDevice
    persistent: bool = False
    efi: bool = False


class BootOptions:
    """Parameters 0 to 7."""

    room = ROOM

    def __init__(self, changes: Changes, now: float = 0.0) -> None:
        self._changes = changes
        self._started = now
        self._deadline: float | None = None
        self._in_progress = False
        self._invalid: set[int] = set()
        self._values = {number: bytes(length) for number, length in LENGTHS.items()}
        self._values[Parameter.BOOT_INFO_ACKNOWLEDGE] = bytes(1)  # the mask is not kept
        self._mailbox = {block: bytes(16) for block in range(MAILBOX_BLOCKS)}

    def restore(self, rows: Rows) -> None:
        """Take back what was kept; flags that were waiting for a start get their 60 seconds again."""
        self._invalid = set(map(int, rows.get("invalid", ())))
        for key, value in rows.items():
            name, _, number = key.partition(".")
            if name == "parameter":
                self._values[int(number)] = kept_bytes(value, len(self._values[int(number)]))
            elif name == "mailbox":
                self._mailbox[int(number)] = kept_bytes(value, 16)
        self._arm(self._started)

    def reset(self, cold: bool, now: float) -> None:
        """A reset of the controller: the set in progress ends, what is durable stays."""
        self._in_progress = False

    # -- Set and Get System Boot Options -------------------------------------------------------------

    def set(self, parameter: int, data: bytes, mark_invalid: bool, now: float) -> None:
        """Write one parameter; without data only its mark."""
        if parameter == Parameter.SET_IN_PROGRESS:
            if data:
                self._set_progress(data)
            return
        length = LENGTHS.get(parameter)
        if length is None:
            raise CommandError(PARAMETER_NOT_SUPPORTED, f"no boot option parameter {parameter}")
        if data and len(data) != length:
            raise CommandError(CompletionCode.LENGTH_INVALID, f"{len(data)} data bytes, {length} are needed")
        if data:
            self._write(parameter, data)
        if mark_invalid != (parameter in self._invalid):
            self._invalid ^= {parameter}
            self._changes.put(ROOM, "invalid", sorted(self._invalid))
        if parameter in (Parameter.BOOT_FLAGS, Parameter.VALID_BIT_CLEARING):
            self._arm(now)

    def _set_progress(self, data: bytes) -> None:
        if len(data) != 1:
            raise CommandError(CompletionCode.LENGTH_INVALID, "set in progress is one byte")
        state = data[0] & 0x03
        if state > 1:
            raise CommandError(CompletionCode.INVALID_FIELD, "there is no rollback, so nothing to commit")
        if state and self._in_progress:
            raise CommandError(SET_IN_PROGRESS_CLAIMED, "somebody else is setting boot options")
        self._in_progress = bool(state)

    def _write(self, parameter: int, data: bytes) -> None:
        if parameter == Parameter.INITIATOR_MAILBOX:
            block = data[0]
            if block >= MAILBOX_BLOCKS:
                raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"no mailbox block {block}")
            self._mailbox[block] = data[1:]
            self._changes.put(ROOM, f"mailbox.{block}", data[1:].hex())
            return
        if parameter == Parameter.BOOT_INFO_ACKNOWLEDGE:
            mask, value = data
            old = self._values[parameter][0]
            data = bytes((old & ~mask & 0xFF | value & mask,))
        if parameter == Parameter.BOOT_FLAGS and data[1] >> 2 & 0x0F not in _DEVICES:
            raise CommandError(CompletionCode.INVALID_FIELD, "this boot device number is reserved")
        self._keep(parameter, data)

    def _keep(self, parameter: int, data: bytes) -> None:
        self._values[parameter] = data
        self._changes.put(ROOM, f"parameter.{int(parameter)}", data.hex())

    def get(self, parameter: int, set_selector: int) -> tuple[bool, bytes]:
        """Whether the parameter is marked invalid, and its data."""
        if parameter == Parameter.SET_IN_PROGRESS:
            return False, bytes((self._in_progress,))
        if parameter not in LENGTHS:
            raise CommandError(PARAMETER_NOT_SUPPORTED, f"no boot option parameter {parameter}")
        data = self._values[parameter]
        if parameter == Parameter.BOOT_INFO_ACKNOWLEDGE:
            data = b"\x00" + data  # the write mask reads as 00h
        elif parameter == Parameter.INITIATOR_MAILBOX:
            if set_selector >= MAILBOX_BLOCKS:
                raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"no mailbox block {set_selector}")
            data = bytes((set_selector,)) + self._mailbox[set_selector]
        return parameter in self._invalid, data

    # -- what the flags mean -------------------------------------------------------------------------

    @property
    def choice(self) -> BootChoice | None:
        """What the next start is to use; None: nothing was chosen, or it no longer counts."""
        flags = BootFlags.decode(self._values[Parameter.BOOT_FLAGS])
        if not flags.valid or Parameter.BOOT_FLAGS in self._invalid or not flags.device:
            return None
        return BootChoice(BootDevice(flags.device), flags.persistent, flags.efi)

    def take(self, cause: RestartCause) -> BootChoice | None:
        """The machine is being started for this cause: what from. Flags for one start are used up by it."""
        self.machine_started(cause)
        choice = self.choice
        if self._once:
            self._keep(Parameter.BOOT_FLAGS, bytes(5))
            self._deadline = None
        return choice

    def machine_started(self, cause: RestartCause) -> None:
        """A restart: the set in progress ends, and the valid bit with some causes."""
        self._in_progress = False
        bit = CLEARED_BY.get(cause)
        if bit is not None and self._once and not self._values[Parameter.VALID_BIT_CLEARING][0] & bit:
            self._invalidate()

    def machine_stopped(self) -> None:
        """The machine went off: the set in progress ends."""
        self._in_progress = False

    def control_received(self, now: float) -> None:
        """A Chassis Control command came: the 60 seconds begin anew."""
        if self._deadline is not None:
            self._deadline = now + VALID_TIME

    @property
    def _once(self) -> bool:
        """Valid flags for one start."""
        return self._values[Parameter.BOOT_FLAGS][0] & 0xC0 == 0x80

    def _arm(self, now: float) -> None:
        keep = self._values[Parameter.VALID_BIT_CLEARING][0] & Keep.TIMEOUT
        self._deadline = now + VALID_TIME if self._once and not keep else None

    def _invalidate(self) -> None:
        first, *rest = self._values[Parameter.BOOT_FLAGS]
        self._keep(Parameter.BOOT_FLAGS, bytes((first & 0x7F, *rest)))
        self._deadline = None

    def next_deadline(self) -> float | None:
        """When flags that nothing has used lose their valid bit."""
        return self._deadline

    def handle_deadline(self, now: float) -> None:
        """Let them lose it."""
        self._invalidate()
