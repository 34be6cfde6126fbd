"""SOL parameters: who may activate serial over LAN, and how it travels.  [IPMI 26.3, Table 26-5]

A parameter is kept as the bytes that the commands carry. What is not volatile is durable and stands above
the configuration; the volatile bit rate starts as the non-volatile one. A virtual serial port has no bit
rate: the two are remembered and act on nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from baseboard.bmc.changes import Changes, Rows, kept_bytes
from baseboard.bmc.set_in_progress import PARAMETER_NOT_SUPPORTED, READ_ONLY, SetInProgress
from baseboard.errors import CommandError
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.privilege import Channel, Privilege
from baseboard.ipmi.transport_sol import BIT_RATES, SolParameter
from baseboard.ipmi.value import Value
from baseboard.lan.sol_sender import SolTiming

ROOM = "sol"

FORCE_ENCRYPTION = 0x80
FORCE_AUTHENTICATION = 0x40


class SolSettings(Value, kw_only=True):
    """What the SOL parameters are before anybody changes them."""

    enabled: bool = True
    force_encryption: bool = False
    force_authentication: bool = False
    privilege: Privilege = Privilege.OPERATOR
    """Least level that may activate SOL; a console is as much as a keyboard."""
    accumulate_interval: float = 0.010
    """Seconds that characters wait for company, 0.005 to 1.275."""
    send_threshold: int = 96
    """Characters that are sent without waiting, 1 to 255."""
    retry_count: int = 7
    """0 to 7."""
    retry_interval: float = 0.5
    """Seconds, up to 2.55."""
    bit_rate: int = 115200
    """What the parameters say; it acts on nothing."""
    characters_per_second: float = 65536.0
    """How fast output goes to a console at most, after a first burst."""


def _enable(data: bytes) -> bytes | None:
    return bytes((data[0] & 0x01,))


def _authentication(data: bytes) -> bytes | None:
    return bytes((data[0] & 0xCF,)) if Privilege.USER <= data[0] & 0x0F <= Privilege.OEM else None


def _accumulate(data: bytes) -> bytes | None:
    return data if data[0] and data[1] else None


def _retry(data: bytes) -> bytes | None:
    return bytes((data[0] & 0x07, data[1]))


def _bit_rate(data: bytes) -> bytes | None:
    rate = data[0] & 0x0F
    return bytes((rate,)) if rate == 0 or rate in BIT_RATES else None


class Row(NamedTuple):
    """One parameter that can be written: `check` gives what is kept, None for what is not allowed."""

    size: int
    durable: bool
    check: Callable[[bytes], bytes | None]


# fmt: off
ROWS: Mapping[int, Row] = {
    # parameter                              size  durable  check
    SolParameter.ENABLE:                   Row(1,  True,    _enable),
    SolParameter.AUTHENTICATION:           Row(1,  True,    _authentication),
    SolParameter.ACCUMULATE_AND_THRESHOLD: Row(2,  True,    _accumulate),
    SolParameter.RETRY:                    Row(2,  True,    _retry),
    SolParameter.NONVOLATILE_BIT_RATE:     Row(1,  True,    _bit_rate),
    SolParameter.VOLATILE_BIT_RATE:        Row(1,  False,   _bit_rate),
}
# fmt: on

_READ_ONLY = (SolParameter.PAYLOAD_CHANNEL, SolParameter.PAYLOAD_PORT)


class SolConfiguration:
    """The parameters of the LAN channel; the payload's port is the LAN server's, not kept here."""

    room = ROOM

    def __init__(self, changes: Changes, settings: SolSettings) -> None:
        self._changes = changes
        self.set_in_progress = SetInProgress()
        self._characters_per_second = max(1.0, settings.characters_per_second)
        self._values = _initial(settings)

    def restore(self, rows: Rows) -> None:
        """Take back what commands had changed."""
        for key, value in rows.items():
            self._values[int(key)] = kept_bytes(value, ROWS[int(key)].size)
        rate = self._values[SolParameter.NONVOLATILE_BIT_RATE]
        self._values[SolParameter.VOLATILE_BIT_RATE] = rate

    def reset(self, cold: bool, now: float) -> None:
        """The controller was reset."""
        self.set_in_progress.reset()
        self._values[SolParameter.VOLATILE_BIT_RATE] = self._values[SolParameter.NONVOLATILE_BIT_RATE]

    def get(self, parameter: int) -> bytes:
        """A parameter's data.  Raises CommandError."""
        if parameter == SolParameter.SET_IN_PROGRESS:
            return self.set_in_progress.encode()
        if parameter not in self._values:
            raise CommandError(PARAMETER_NOT_SUPPORTED, f"SOL parameter {parameter}")
        return self._values[parameter]

    def set(self, parameter: int, data: bytes) -> None:
        """Write a parameter.  Raises CommandError."""
        if parameter == SolParameter.SET_IN_PROGRESS:
            self.set_in_progress.set(data)
            return
        row = ROWS.get(parameter)
        if row is None:
            code = READ_ONLY if parameter in _READ_ONLY else PARAMETER_NOT_SUPPORTED
            raise CommandError(code, f"SOL parameter {parameter}")
        if len(data) != row.size:
            raise CommandError(CompletionCode.LENGTH_INVALID)
        kept = row.check(data)
        if kept is None:
            raise CommandError(CompletionCode.INVALID_FIELD, f"SOL parameter {parameter}: {data.hex()}")
        self._values[parameter] = kept
        if row.durable:
            self._changes.put(ROOM, str(int(parameter)), kept.hex())

    @property
    def enabled(self) -> bool:
        """Whether SOL can be activated at all."""
        return bool(self._values[SolParameter.ENABLE][0])

    @property
    def privilege(self) -> int:
        """Least level that may activate SOL."""
        return self._values[SolParameter.AUTHENTICATION][0] & 0x0F

    @property
    def force_encryption(self) -> bool:
        """Whether SOL has to be encrypted."""
        return bool(self._values[SolParameter.AUTHENTICATION][0] & FORCE_ENCRYPTION)

    @property
    def force_authentication(self) -> bool:
        """Whether SOL has to be authenticated."""
        return bool(self._values[SolParameter.AUTHENTICATION][0] & FORCE_AUTHENTICATION)

    def timing(self) -> SolTiming:
        """Parameters 3 and 4 in seconds and numbers."""
        accumulate, threshold = self._values[SolParameter.ACCUMULATE_AND_THRESHOLD]
        count, interval = self._values[SolParameter.RETRY]
        return SolTiming(
            accumulate_interval=accumulate * 0.005,
            send_threshold=threshold,
            retry_count=count,
            retry_interval=interval * 0.01,
            characters_per_second=self._characters_per_second,
        )


def _initial(settings: SolSettings) -> dict[int, bytes]:
    force = FORCE_ENCRYPTION if settings.force_encryption else 0
    force |= FORCE_AUTHENTICATION if settings.force_authentication else 0
    rate = next((code for code, rate in BIT_RATES.items() if rate == settings.bit_rate), 0)
    # fmt: off
    return {
        SolParameter.ENABLE:                   bytes((settings.enabled,)),
        SolParameter.AUTHENTICATION:           bytes((force | settings.privilege,)),
        SolParameter.ACCUMULATE_AND_THRESHOLD: bytes((_steps(settings.accumulate_interval, 0.005, 1, 255),
                                                      max(1, min(settings.send_threshold, 255)))),
        SolParameter.RETRY:                    bytes((max(0, min(settings.retry_count, 7)),
                                                      _steps(settings.retry_interval, 0.01, 0, 255))),
        SolParameter.NONVOLATILE_BIT_RATE:     bytes((rate,)),
        SolParameter.VOLATILE_BIT_RATE:        bytes((rate,)),
        SolParameter.PAYLOAD_CHANNEL:          bytes((Channel.LAN,)),
    }
    # fmt: on


def _steps(seconds: float, unit: float, least: int, most: int) -> int:
    return max(least, min(round(seconds / unit), most))
