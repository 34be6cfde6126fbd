"""System info parameters: names and versions that the machine's software tells.  [IPMI 22.14a, 22.14b]

A string is written and read in sets of 16 bytes; set 0 begins with the encoding and the length, in bytes.
The names of the running system and of its version are forgotten when the machine is reset.
"""

from __future__ import annotations

from baseboard.bmc.changes import Changes, Rows, kept_bytes
from baseboard.bmc.set_in_progress import PARAMETER_NOT_SUPPORTED, SetInProgress
from baseboard.errors import CommandError
from baseboard.ipmi.app_system_info import StringEncoding, SystemInfoParameter
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.value import Value

ROOM = "system_info"

SET_SIZE = 16
HEADER_SIZE = 2
MAXIMUM_SETS = 16
MAXIMUM_LENGTH = MAXIMUM_SETS * SET_SIZE - HEADER_SIZE

VOLATILE = (SystemInfoParameter.OPERATING_SYSTEM_NAME, SystemInfoParameter.PRESENT_OS_VERSION)


class SystemInfoSettings(Value, kw_only=True):
    """What is told until software tells otherwise."""

    system_firmware_version: str = "1.0"
    system_name: str = ""
    primary_operating_system_name: str = ""
    bmc_url: str = ""
    hypervisor_url: str = ""


Sets = dict[int, bytes]
"""One string: 16 bytes by set selector."""


class SystemInfo:
    """All parameters."""

    room = ROOM

    def __init__(self, changes: Changes, settings: SystemInfoSettings) -> None:
        self._changes = changes
        self._progress = SetInProgress()
        parameter = SystemInfoParameter
        # fmt: off
        texts = {
            parameter.SYSTEM_FIRMWARE_VERSION:       settings.system_firmware_version,
            parameter.SYSTEM_NAME:                   settings.system_name,
            parameter.PRIMARY_OPERATING_SYSTEM_NAME: settings.primary_operating_system_name,
            parameter.OPERATING_SYSTEM_NAME:         "",
            parameter.PRESENT_OS_VERSION:            "",
            parameter.BMC_URL:                       settings.bmc_url,
            parameter.HYPERVISOR_URL:                settings.hypervisor_url,
        }
        # fmt: on
        self._strings: dict[int, Sets] = {number: encode_string(text) for number, text in texts.items()}

    def restore(self, rows: Rows) -> None:
        """Take back what software had told; a string that it wrote replaces the configured one whole."""
        for number in {int(key.partition(".")[0]) for key in rows}:
            self._strings[number] = encode_string("")
        for key, value in rows.items():
            parameter, _, selector = key.partition(".")
            self._strings[int(parameter)][int(selector)] = kept_bytes(value, SET_SIZE)

    def reset(self, cold: bool, now: float) -> None:
        """The controller was reset."""
        self._progress.reset()

    def power_changed(self, on: bool, now: float) -> None:
        """The machine's power changed, or it was reset: no operating system runs."""
        for number in VOLATILE:
            self._strings[number] = encode_string("")

    def check_provided(self, number: int) -> None:
        """Raises CommandError when there is no such parameter."""
        if number not in self._strings and number != SystemInfoParameter.SET_IN_PROGRESS:
            raise CommandError(PARAMETER_NOT_SUPPORTED, f"no parameter {number}")

    def get(self, number: int, set_selector: int) -> bytes:
        """The parameter's data.  Raises CommandError."""
        self.check_provided(number)
        if number == SystemInfoParameter.SET_IN_PROGRESS:
            return self._progress.encode()
        sets = self._strings[number]
        if set_selector >= _sets_needed(sets[0][1]):
            raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"the string has no set {set_selector}")
        return bytes((set_selector,)) + sets.get(set_selector, b"").ljust(SET_SIZE, b"\0")

    def set(self, number: int, data: bytes) -> None:
        """Write a parameter: of a string, one set of up to 16 bytes.  Raises CommandError."""
        self.check_provided(number)
        if number == SystemInfoParameter.SET_IN_PROGRESS:
            self._progress.set(data)
            return
        if not 2 <= len(data) <= 1 + SET_SIZE:
            raise CommandError(CompletionCode.LENGTH_INVALID, f"a set of {len(data) - 1} bytes")
        selector, block = data[0], data[1:].ljust(SET_SIZE, b"\0")
        if selector >= MAXIMUM_SETS:
            raise CommandError(CompletionCode.PARAMETER_OUT_OF_RANGE, f"no set {selector}")
        if selector == 0:
            encoding, length = block[0] & 0x0F, block[1]
            if len(data) <= HEADER_SIZE:
                raise CommandError(CompletionCode.LENGTH_INVALID, "set 0 begins with encoding and length")
            if encoding not in tuple(StringEncoding) or length > MAXIMUM_LENGTH:
                raise CommandError(CompletionCode.INVALID_FIELD, f"encoding {encoding}, {length} bytes")
        self._strings[number][selector] = block
        if number not in VOLATILE:
            for kept in (0, selector):
                self._changes.put(ROOM, f"{number}.{kept}", self._strings[number][kept].hex())

    def text(self, number: int) -> str:
        """A string as text, for people."""
        sets = self._strings[number]
        encoding, length = sets[0][0] & 0x0F, sets[0][1]
        data = b"".join(sets.get(n, bytes(SET_SIZE)) for n in range(_sets_needed(length)))
        codec = {StringEncoding.UTF_8: "utf-8", StringEncoding.UNICODE: "utf-16-le"}.get(
            StringEncoding(encoding), "latin-1"
        )
        return data[HEADER_SIZE : HEADER_SIZE + length].decode(codec, "replace").rstrip("\0")


def encode_string(text: str) -> Sets:
    """The sets of a string, as Latin-1 if it can be and else as UTF-8; what does not fit is cut off."""
    try:
        encoding, data = StringEncoding.ASCII_LATIN_1, text.encode("latin-1")
    except UnicodeEncodeError:
        encoding, data = StringEncoding.UTF_8, text.encode("utf-8")
    data = data[:MAXIMUM_LENGTH]
    whole = bytes((encoding, len(data))) + data
    return {
        number: whole[number * SET_SIZE :][:SET_SIZE].ljust(SET_SIZE, b"\0")
        for number in range(_sets_needed(len(data)))
    }


def _sets_needed(length: int) -> int:
    return (HEADER_SIZE + length + SET_SIZE - 1) // SET_SIZE
