"""Whatever a host and a controller may do to a device, in any order, with a move to a new instance in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from tests.interface.conversation import answered, pump, run
from tests.moved import through_text

from baseboard.interface import RequestReceived
from baseboard.ipmi.message import Message

Access = tuple[Any, ...]
messages = st.builds(
    Message,
    st.integers(0, 31).map(lambda half: half * 2),
    st.integers(0, 3),
    st.integers(0, 255),
    st.binary(max_size=60),
)
FROM_THE_CONTROLLER = st.one_of(
    st.tuples(st.just("attention"), st.booleans(), st.booleans()),
    st.tuples(st.just("enable"), st.booleans()),
    st.tuples(st.just("reset")),
)


def responses(longest: int) -> st.SearchStrategy[Access]:
    """The oldest request, if there is one, is answered."""
    return st.tuples(st.just("respond"), st.binary(min_size=1, max_size=longest))


def do(device: Any, access: Access) -> object:
    """One access to a device with registers; what is seen of it."""
    kind, *rest = access
    if kind == "read":
        return device.registers[rest[0]].read()
    if kind == "write":
        device.registers[rest[0]].write(rest[1])
    elif kind == "respond":
        event = device.engine.next_event()
        return event, isinstance(event, RequestReceived) and device.engine.respond(event.id, rest[0])
    elif kind == "attention":
        device.engine.set_attention(*rest)
    elif kind == "enable":
        device.engine.set_interrupt(*rest)
    elif kind == "reset":
        device.reset()
    else:  # steps of a host's, in one
        return kind(device, *rest)
    return None


def with_a_cut(make: Callable[[], Any], sequence: Sequence[Access], cut: int) -> Any:
    """One that is moved to a new instance before an access goes on as one that is not; that one."""
    stays, moves = make(), make()
    for number, access in enumerate(sequence):
        if number == cut % len(sequence):
            moves = type(moves).from_state(through_text(moves.export()))
        assert do(stays, access) == do(moves, access)
        assert stays.latch.irq == moves.latch.irq
    assert stays.export() == moves.export()
    return stays


class Moving:
    """Registers of a device that is a new one at each access."""

    def __init__(self, device: Any) -> None:
        self._device = device

    def read(self, register: int) -> int:
        self._move()
        return int(self._device.registers[register].read())

    def write(self, register: int, value: int) -> None:
        self._move()
        self._device.registers[register].write(value)

    def _move(self) -> None:
        self._device = type(self._device).from_state(self._device.export())
        pump(self._device.engine)


def with_a_cut_at_every_access(device: Any, driver: Callable[[Moving], Any], request: Message) -> None:
    """A transfer does not notice."""
    host = driver(Moving(device))
    host.send_request(request, 0.0)
    assert run(host) == answered(request)
