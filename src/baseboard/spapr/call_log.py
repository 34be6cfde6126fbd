"""A log of everything that was asked of a machine.

Theory of operation. While a machine has a log, each thing asked of it (an RTAS call, a hypercall, a plug, a
reset) becomes an entry: what was asked, when, the guest's memory that was read for it, what was written
there, what came back and which events management was told. That is all a machine depends on, so that
`replaying` can ask another machine the same, without the guest. Entries are plain values; `json.dumps`
takes them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
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


class CallLog:
    """The last `most` entries."""

    def __init__(self, most: int = MOST_ENTRIES) -> None:
        self.entries: deque[Entry] = deque(maxlen=most)
        self.dropped = 0
        """How many older ones there were; a log that lost some cannot be replayed."""

    def append(self, entry: Entry) -> None:
        if len(self.entries) == self.entries.maxlen:
            self.dropped += 1
        self.entries.append(entry)


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


def recorded(
    machine: PseriesMachine, what: str, arguments: list[Any], named: dict[str, Any], run: Callable[[], _R]
) -> _R:
    """Runs it; with a log, as an entry. What it asks of the machine in turn is part of it."""
    log = machine.log
    if log is None:
        return run()
    memory, clock, tell = machine.memory, machine.clock, machine.on_event
    now = clock()
    recorder, told = _Recorder(memory), list[list[Any]]()

    def told_too(name: str, data: dict[str, Any]) -> None:
        told.append([name, data])
        tell(name, data)

    entry: Entry = {"do": what, "arguments": arguments, "named": named, "now": now}
    machine.log, machine.memory, machine.clock, machine.on_event = None, recorder, lambda: now, told_too
    try:
        result = run()
        entry["result"] = plain(result)
        return result
    except Refusal as refusal:
        entry["refused"] = str(refusal)
        raise
    finally:
        machine.log, machine.memory, machine.clock, machine.on_event = log, memory, clock, tell
        log.append(entry | {"reads": recorder.reads, "writes": recorder.writes, "told": told})


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
