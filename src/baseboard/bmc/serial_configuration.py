"""The serial/modem configuration, for whoever serves the port; and the switch of its wires.  [IPMI 25.1-25.3]

Two settings live twice: the terminal mode in force is volatile, and a client may keep it or fetch back what
was kept [IPMI Table 25-4, parameter 29]; and the mux is wherever it was last sent, at power-on at the system.
"""

from __future__ import annotations

from baseboard.bmc.changes import Changes, Rows
from baseboard.bmc.serial_parameters import AUTHENTICATION_TYPES, BLOCK, PARAMETERS, Access, Parameter
from baseboard.bmc.set_in_progress import PARAMETER_NOT_SUPPORTED, READ_ONLY, SetInProgress
from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.transport_serial import MuxOperation, SerialParameter, SetSerialMuxResponse

ROOM = "serial_configuration"

_TERMINAL = SerialParameter.TERMINAL_MODE
_TERMINAL_MASK = 0x3F
_VOLATILE, _NON_VOLATILE, _RESTORE = 0, 1, 2
_FLIPS = {
    # operation: what becomes true or false
    MuxOperation.BLOCK_TO_SYSTEM: ("to_system_blocked", True),
    MuxOperation.ALLOW_TO_SYSTEM: ("to_system_blocked", False),
    MuxOperation.BLOCK_TO_BMC: ("to_bmc_blocked", True),
    MuxOperation.ALLOW_TO_BMC: ("to_bmc_blocked", False),
}


class SerialConfiguration:
    """The parameters of the serial channel."""

    room = ROOM

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._values: dict[str, bytes] = {}  # by selector, "7", or selector and block, "10.1"
        self._terminal = PARAMETERS[_TERMINAL].default
        self._progress = SetInProgress()
        self.mux_at_bmc = False
        self.to_system_blocked = False
        self.to_bmc_blocked = False

    def restore(self, rows: Rows) -> None:
        """Take back what was written."""
        self._values = {key: bytes.fromhex(value) for key, value in rows.items()}
        self._terminal = self._kept_terminal()

    def reset(self, cold: bool, now: float) -> None:
        """What is volatile goes back."""
        self._progress.reset()
        self._terminal = self._kept_terminal()
        self.mux_at_bmc = self.to_system_blocked = self.to_bmc_blocked = False

    def check_provided(self, number: int) -> None:
        """Raises CommandError when there is no such parameter."""
        _row(number)

    def get(self, number: int, block: int = 1) -> bytes:
        """The parameter's data.  Raises CommandError."""
        row = _row(number)
        if number == SerialParameter.SET_IN_PROGRESS:
            return self._progress.encode()
        if number == _TERMINAL:
            return self._terminal
        if row.blocks:
            _check_block(row, block)
            return bytes((block,)) + self._values.get(f"{number}.{block}", bytes(BLOCK))
        return self._values.get(f"{number}", row.default)

    def set(self, number: int, data: bytes) -> None:
        """Write a parameter.  Raises CommandError."""
        row = _row(number)
        if row.access is Access.READ_ONLY:
            raise CommandError(READ_ONLY, f"parameter {number} is read-only")
        if number == SerialParameter.SET_IN_PROGRESS:
            self._progress.set(data)
        elif row.blocks:
            self._set_block(row, data)
        else:
            self._set(row, data)

    def string(self, number: SerialParameter) -> bytes:
        """A string in blocks, up to its end."""
        blocks = range(1, _row(number).blocks + 1)
        return b"".join(self.get(number, block)[1:] for block in blocks).split(b"\0")[0]

    def switch_mux(self, operation: int, session_active: bool) -> SetSerialMuxResponse:
        """Set Serial/Modem Mux: a request obeys the blocks, force does not.  [IPMI 25.3]"""
        accepted = True
        if operation > MuxOperation.ALLOW_TO_BMC:
            raise CommandError(CompletionCode.INVALID_FIELD, f"no mux operation {operation}")
        if flip := _FLIPS.get(MuxOperation(operation)):
            setattr(self, *flip)
        elif operation:
            to_bmc = operation in (MuxOperation.REQUEST_TO_BMC, MuxOperation.FORCE_TO_BMC)
            blocked = self.to_bmc_blocked if to_bmc else self.to_system_blocked
            accepted = operation >= MuxOperation.FORCE_TO_SYSTEM or not blocked
            if accepted:
                self.mux_at_bmc = to_bmc
        return SetSerialMuxResponse(
            to_system_blocked=self.to_system_blocked,
            to_bmc_blocked=self.to_bmc_blocked,
            alert_active=False,
            session_active=session_active,
            accepted=accepted,
            at_bmc=self.mux_at_bmc,
        )

    def _set(self, row: Parameter, data: bytes) -> None:
        if len(data) != row.size:
            raise CommandError(CompletionCode.LENGTH_INVALID, f"parameter {row.number:d}: {len(data)} bytes")
        if row.number is SerialParameter.AUTHENTICATION_TYPE_ENABLES and any(
            mask & ~AUTHENTICATION_TYPES[0] for mask in data
        ):
            raise CommandError(
                CompletionCode.INVALID_FIELD, "an authentication type is not supported: parameter 1"
            )
        if row.check:
            row.check(data)
        if row.masks:
            data = bytes(byte & mask for byte, mask in zip(data, row.masks, strict=True))
        if row.number is _TERMINAL:
            self._set_terminal(data)
        else:
            self._keep(f"{row.number:d}", data)

    def _set_block(self, row: Parameter, data: bytes) -> None:
        if not 1 < len(data) <= 1 + BLOCK:
            raise CommandError(CompletionCode.LENGTH_INVALID, "a block selector and up to 16 characters")
        _check_block(row, data[0])
        self._keep(f"{row.number:d}.{data[0]}", data[1:].ljust(BLOCK, b"\0"))

    def _set_terminal(self, data: bytes) -> None:
        operation, data = data[0] >> 6, bytes((data[0] & _TERMINAL_MASK, data[1]))
        if operation > _RESTORE:
            raise CommandError(CompletionCode.INVALID_FIELD, "operation 11b")
        if operation == _NON_VOLATILE:
            self._keep(f"{_TERMINAL:d}", data)
        self._terminal = self._kept_terminal() if operation == _RESTORE else data

    def _kept_terminal(self) -> bytes:
        return self._values.get(f"{_TERMINAL:d}", PARAMETERS[_TERMINAL].default)

    def _keep(self, key: str, data: bytes) -> None:
        self._values[key] = data
        self._changes.put(ROOM, key, data.hex())


def _check_block(row: Parameter, block: int) -> None:
    if not 1 <= block <= row.blocks:
        raise CommandError(
            CompletionCode.PARAMETER_OUT_OF_RANGE, f"parameter {row.number:d}: no block {block}"
        )


def _row(number: int) -> Parameter:
    row = PARAMETERS.get(number)
    if row is None or row.access is Access.ABSENT:
        raise CommandError(PARAMETER_NOT_SUPPORTED, f"no parameter {number}")
    return row
