"""A guest's real memory through a debugger, and drafts of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.attach.real_memory import Draft, RealMemory
from baseboard.spapr.guest_memory import BadAddress, ByteMemory
from tests.attach.stopped_guest import StoppedGuest

SIZE = 64
WRITES = st.lists(st.tuples(st.integers(0, SIZE - 1), st.binary(max_size=SIZE)), max_size=6)


def memory(*ranges: range) -> RealMemory:
    return RealMemory(StoppedGuest(SIZE).gdb, lambda: list(ranges))


@given(WRITES, st.integers(0, SIZE), st.integers(0, SIZE))
def test_a_draft_reads_as_if_it_were_written(writes: list[tuple[int, bytes]], start: int, end: int) -> None:
    real, written = memory(range(SIZE)), ByteMemory(SIZE)
    draft = Draft(real)
    for address, data in writes:
        data = data[: SIZE - address]
        draft.write(address, data)
        written.write(address, data)
    start, end = sorted((start, end))
    assert draft.read(start, end - start) == written.read(start, end - start)
    assert real.read(0, SIZE) == bytes(SIZE)


@pytest.mark.parametrize(("address", "length"), [(15, 2), (16, 1), (31, 4), (-1, 1), (48, 1)])
def test_where_no_memory_is(address: int, length: int) -> None:
    """The stub has some there: only the ranges count."""
    real = memory(range(16), range(32, 48))
    for place in (real, Draft(real)):
        with pytest.raises(BadAddress):
            place.read(address, length)
        with pytest.raises(BadAddress):
            place.write(address, bytes(length))
    real.write(32, b"ab")
    assert real.read(32, 2) == b"ab"


def test_what_the_stub_refuses() -> None:
    real = memory(range(1 << 20))
    for what in (lambda: real.read(SIZE, 1), lambda: real.write(SIZE, b"x")):
        with pytest.raises(BadAddress):
            what()
