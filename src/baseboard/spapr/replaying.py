"""A call log, asked again of another machine: where does it first answer differently?"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from baseboard.errors import BaseboardError, ConfigError
from baseboard.spapr.call_log import Entry, Surroundings, plain
from baseboard.spapr.guest_memory import BadAddress
from baseboard.spapr.hcalls.dispatch import HCALL, hypercall
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.refusal import Refusal
from baseboard.spapr.rtas.dispatch import H_RTAS, RTAS
from baseboard.spapr.tpm import TpmError

Runner = Callable[[PseriesMachine, list[Any], dict[str, Any]], Any]

_ANSWERS = ("result", "refused", "writes", "told", "console", "tpm")
_MANAGEMENT = (
    "plug_core",
    "plug_dimm",
    "plug_nvdimm",
    "plug_pci",
    "plug_phb",
    "plug_tpm_proxy",
    "unplug",
    "power_down",
    "reset",
    "plan_fault",
    "clear_faults",
)

_NONSENSE = (TypeError, ValueError, LookupError, AttributeError, OverflowError, struct.error, BaseboardError)
"""What becomes of an entry that no machine has written."""


def _method(name: str) -> Runner:
    method = getattr(PseriesMachine, name)

    def run(machine: PseriesMachine, arguments: list[Any], named: dict[str, Any]) -> Any:
        for value in (*arguments, *named.values()):
            if value is not None and not isinstance(value, str | int | dict):
                raise TypeError(f"{name} takes no {value!r}")
        return method(machine, *arguments, **named)

    return run


def _hypercall(machine: PseriesMachine, number: int, arguments: list[int], cpu: int) -> tuple[int, int]:
    return hypercall(machine, number, tuple(arguments), cpu)


RUNNERS: Mapping[str, Runner] = {
    RTAS: lambda machine, arguments, named: machine.rtas.call(*arguments),
    H_RTAS: lambda machine, arguments, named: machine.rtas.call_block(*arguments),
    HCALL: lambda machine, arguments, named: _hypercall(machine, *arguments),
    "negotiated": lambda machine, arguments, named: machine.negotiated(bytes.fromhex(arguments[0]), **named),
    **{name: _method(name) for name in _MANAGEMENT},
}
"""What entries can ask for, by their `do`; whoever logs other things adds theirs."""


class _Player:
    """Memory that answers as it did when it was recorded, in the same order."""

    def __init__(self, reads: Iterable[list[Any]], writes: Iterable[list[Any]]) -> None:
        self._reads = deque(reads)
        self._expected = deque(writes)
        self.writes: list[list[Any]] = []

    def read(self, address: int, length: int) -> bytes:
        recorded = self._reads.popleft() if self._reads else None
        if recorded is None or recorded[:2] != [address, length] or recorded[2] is None:
            raise BadAddress(address, length)
        return bytes.fromhex(recorded[2])

    def write(self, address: int, data: bytes) -> None:
        recorded = self._expected.popleft() if self._expected else [None, None, True]
        self.writes.append([address, data.hex(), recorded[2]])
        if not recorded[2]:
            raise BadAddress(address, len(data))


class _PlayedTpm:
    """A TPM that says what it said, in the same order."""

    def __init__(self, exchanges: Iterable[list[Any]]) -> None:
        self._responses = deque(None if said is None else bytes.fromhex(said) for _, said in exchanges)
        self.exchanges: list[list[str | None]] = []

    def execute(self, command: bytes) -> bytes:
        response = self._responses.popleft() if self._responses else None
        self.exchanges.append([command.hex(), None if response is None else response.hex()])
        if response is None:
            raise TpmError("it did not answer when it was recorded")
        return response


def replay(
    machine: PseriesMachine, entries: Iterable[Mapping[str, Any]], runners: Mapping[str, Runner] = RUNNERS
) -> str | None:
    """The first difference in words, or None. `runners` are what entries can ask for, by their `do`.

    The machine's own memory is not touched, its clock and callbacks are as before afterwards. Raises
    `ConfigError` for what is no entry.
    """
    around = Surroundings(machine)
    try:
        for number, entry in enumerate(entries):
            difference = _replay_one(machine, number, entry, runners)
            if difference is not None:
                return difference
    finally:
        around.restore()
    return None


def _replay_one(
    machine: PseriesMachine, number: int, entry: Mapping[str, Any], runners: Mapping[str, Runner]
) -> str | None:
    try:
        run, arguments, named = runners[entry["do"]], list(entry["arguments"]), dict(entry["named"])
        now, player = float(entry["now"]), _Player(entry["reads"], entry["writes"])
        tpm, has_console = _PlayedTpm(entry.get("tpm", ())), entry.get("console") is not None
    except _NONSENSE as error:
        raise ConfigError(f"entry {number} of the log is none: {type(error).__name__}: {error}") from error
    told: list[list[Any]] = []
    console = bytearray()
    machine.memory, machine.clock = player, lambda: now
    machine.on_event = lambda name, data: told.append([name, data])
    machine.on_character = console.append if has_console else None
    machine.on_tpm_execute = tpm.execute
    answer: Entry = {"told": told}
    try:
        answer["result"] = plain(run(machine, arguments, named))
    except Refusal as refusal:
        answer["refused"] = str(refusal)
    except _NONSENSE as error:
        raise ConfigError(
            f"entry {number} of the log: {entry['do']} does not take {_shown(arguments)}"
        ) from error
    answer["writes"] = player.writes
    answer["console"] = console.hex() if has_console else None
    answer["tpm"] = tpm.exchanges or None
    for key in _ANSWERS:
        if answer.get(key) != entry.get(key):
            return (
                f"entry {number}, {entry['do']} {_shown(arguments)}: "
                f"{key} {_shown(answer.get(key))}, logged {_shown(entry.get(key))}"
            )
    return None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
