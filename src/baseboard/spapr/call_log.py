"""A log of everything that was asked of a machine.

Theory of operation. While a machine has a log, each thing asked of it (an RTAS call, a hypercall, a plug, a
reset) becomes an entry: what was asked, when, the guest's memory that was read for it, what was written
there, what a TPM said, what came back, which events management was told and what the console was given. That
is all a machine depends on, so that `replaying` can ask another machine the same, without guest and TPM.
Entries are plain values; `json.dumps` takes them. What else a log has is the state in which it began.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from baseboard.spapr.guest_memory import BadAddress, GuestMemory
from baseboard.spapr.refusal import Refusal

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

Entry = dict[str, Any]

_P = ParamSpec("_P")
_R = TypeVar("_R")

MOST_ENTRIES = 100_000
MOST_CHARACTERS = 1 << 28
"""Of hexadecimal digits: one H_CAS of a large machine has millions."""


class CallLog:
    """The last `most` entries, if they have no more than `most_characters` in what was read and written."""

    def __init__(
        self,
        most: int = MOST_ENTRIES,
        *,
        most_characters: int = MOST_CHARACTERS,
        begin: Mapping[str, Any] | None = None,
    ) -> None:
        self.entries: deque[Entry] = deque()
        self.begin = begin
        """What `saved.export` said of the machine before the first of them."""
        self.dropped = 0
        """How many older ones there were; a log that lost some cannot be replayed."""
        self._most = most
        self._room = most_characters

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._room -= size(entry)
        while self.entries and (len(self.entries) > self._most or self._room < 0):
            self._room += size(self.entries.popleft())
            self.dropped += 1


def size(entry: Entry) -> int:
    """Characters of the guest's memory in it."""
    return sum(len(data or "") for _, _, data in entry["reads"]) + sum(
        len(data) for _, data, _ in entry["writes"]
    )


class _Recorder:
    """The guest's memory, and what was done with it."""

    def __init__(self, memory: GuestMemory) -> None:
        self._memory = memory
        self.reads: list[list[Any]] = []
        self.writes: list[list[Any]] = []

    def read(self, address: int, length: int) -> bytes:
        try:
            data = self._memory.read(address, length)
        except BadAddress:
            self.reads.append([address, length, None])
            raise
        self.reads.append([address, length, data.hex()])
        return data

    def write(self, address: int, data: bytes) -> None:
        entry = [address, data.hex(), True]
        self.writes.append(entry)
        try:
            self._memory.write(address, data)
        except BadAddress:
            entry[2] = False
            raise


class Surroundings:
    """Puts others around a machine for a while: what it reads, whom it tells. Its log is none meanwhile."""

    _NAMES = ("log", "memory", "clock", "on_event", "on_character", "on_tpm_execute")

    def __init__(self, machine: PseriesMachine) -> None:
        self._machine = machine
        self._before = [getattr(machine, name) for name in self._NAMES]
        machine.log = None

    def restore(self) -> None:
        for name, before in zip(self._NAMES, self._before, strict=True):
            setattr(self._machine, name, before)


def recorded(
    machine: PseriesMachine, what: str, arguments: list[Any], named: dict[str, Any], run: Callable[[], _R]
) -> _R:
    """Runs it; with a log, as an entry. What it asks of the machine in turn is part of it."""
    log = machine.log
    if log is None:
        return run()
    memory, clock, tell = machine.memory, machine.clock, machine.on_event
    show, execute = machine.on_character, machine.on_tpm_execute
    now = clock()
    recorder, told = _Recorder(memory), list[list[Any]]()
    characters, exchanges = bytearray(), list[list[str | None]]()

    def told_too(name: str, data: dict[str, Any]) -> None:
        told.append([name, data])
        tell(name, data)

    def shown_too(character: int) -> None:
        characters.append(character)
        assert show is not None
        show(character)

    def executed_too(command: bytes) -> bytes:
        exchange: list[str | None] = [command.hex(), None]
        exchanges.append(exchange)
        response = execute(command)
        exchange[1] = response.hex()
        return response

    entry: Entry = {"do": what, "arguments": arguments, "named": named, "now": now}
    around = Surroundings(machine)
    machine.memory, machine.clock, machine.on_event = recorder, lambda: now, told_too
    machine.on_character = None if show is None else shown_too
    machine.on_tpm_execute = executed_too
    try:
        result = run()
        entry["result"] = plain(result)
        return result
    except Refusal as refusal:
        entry["refused"] = str(refusal)
        raise
    finally:
        around.restore()
        entry |= {"reads": recorder.reads, "writes": recorder.writes, "told": told}
        if show is not None:
            entry["console"] = characters.hex()
        if exchanges:
            entry["tpm"] = exchanges
        if "result" in entry or "refused" in entry:  # what was no request at all is no entry
            log.append(entry)


def logged(
    method: Callable[Concatenate[PseriesMachine, _P], _R],
) -> Callable[Concatenate[PseriesMachine, _P], _R]:
    """A method of the machine whose calls are entries. Bytes are logged as hexadecimal digits."""

    @wraps(method)
    def run(machine: PseriesMachine, /, *arguments: _P.args, **named: _P.kwargs) -> _R:
        if machine.log is None:
            return method(machine, *arguments, **named)
        return recorded(
            machine,
            method.__name__,
            [argument.hex() if isinstance(argument, bytes) else argument for argument in arguments],
            dict(named),
            lambda: method(machine, *arguments, **named),
        )

    return run


def plain(value: Any) -> Any:
    """Numbers and lists of them; a device is in the machine, not in the log."""
    if isinstance(value, tuple | list):
        return [int(cell) for cell in value]
    return int(value) if isinstance(value, int) else None
