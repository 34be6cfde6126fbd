"""A running guest's RTAS calls, seen from outside by two breakpoints.  [QEMU 7.2, Linux 6.1]

Theory of operation. What QEMU gives a pseries guest as its RTAS is five instructions in the guest's memory
that hand the argument block to the hypervisor. At the first one the arguments are there and nothing has
happened; at the last one the results are. So a call that stops can be answered at once (QEMU does not hear
of it), or be passed on and stop again with what QEMU said, which may then be replaced. At both places the
processor is in big-endian real mode, and a resumed one would stop there again: the instruction is done by
us, by writing registers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from baseboard.attach.errors import NotAttachable
from baseboard.attach.gdb import BREAKPOINT, Gdb, GdbRefused
from baseboard.attach.gdb_stops import Stop

_CODE = bytes.fromhex(
    "7c641b78"  # mr   r4, r3    the address of the argument block
    "3c600000"  # lis  r3, 0
    "6063f000"  # ori  r3, r3, H_RTAS
    "44000022"  # sc   1
    "4e800020"  # blr
)
_RETURN = len(_CODE) - 4
_MOST_CELLS = 16
"""Arguments and results together, as Linux's blocks have them."""
_HEAD = 12
ARCHITECTURE = "powerpc:common64"

Writes = Iterable[tuple[int, bytes]]
"""Addresses, and what is to stand there."""


class Call(NamedTuple):
    """One call, as its block has it."""

    thread: str
    """The processor that calls, as the stub names it."""
    block: int
    token: int
    arguments: tuple[int, ...]
    results: int
    """How many there is room for."""

    @property
    def answer(self) -> int:
        """Where the results go."""
        return self.block + _HEAD + 4 * len(self.arguments)


class Returned(NamedTuple):
    """A call that was passed on, with what QEMU said: signed cells."""

    call: Call
    results: tuple[int, ...]


class RtasCalls:
    """The calls of one guest. Everything but `arm` and `disarm` is for a guest that stands still."""

    def __init__(self, gdb: Gdb, entry: int) -> None:
        """`entry` is where the guest has its RTAS; the stub's addresses are real ones.

        Raises NotAttachable: it is not there.
        """
        self._gdb = gdb
        self._points = (entry, entry + _RETURN)
        self._passed: dict[str, Call] = {}
        """By thread."""
        code = gdb.read_memory(entry, len(_CODE))
        if code != _CODE:
            raise NotAttachable(
                f"the guest's memory at {entry:#x} holds {code.hex()}, not QEMU's RTAS: the guest is "
                "starting again, or its kernel is down"
            )
        self.arm()

    def arm(self) -> None:
        """Set the breakpoints, on all processors that there are by now; those of one that was killed go."""
        for address in self._points:
            try:
                self._gdb.clear_point(BREAKPOINT, address)
            except GdbRefused:
                pass  # there was none
            self._gdb.set_point(BREAKPOINT, address)

    def stopped(self, stop: Stop) -> Call | Returned | None:
        """What the guest has stopped for; None: for something else."""
        self._gdb.select(stop.thread)
        address = self._gdb.read_register("pc")
        if address == self._points[0]:
            return self._read(stop.thread)
        if address == self._points[1] and (call := self._passed.pop(stop.thread, None)) is not None:
            data = self._gdb.read_memory(call.answer, 4 * call.results)
            return Returned(call, struct.unpack(f">{call.results}i", data))
        if address == self._points[1]:  # it was under way when we came
            self._return()
        return None

    def pass_on(self, call: Call, *, returns: bool = True) -> None:
        """Let QEMU answer. A call that does not come back is not waited for."""
        if returns:
            self._passed[call.thread] = call
        self._gdb.select(call.thread)
        self._gdb.write_register("r4", call.block)
        self._gdb.write_register("pc", self._points[0] + 4)

    def answer(self, call: Call, results: Sequence[int], writes: Writes = ()) -> None:
        """Put these in the block, and the others where they belong; the call comes back."""
        for address, data in writes:
            self._gdb.write_memory(address, data)
        cells = struct.pack(f">{len(results)}I", *(cell & 0xFFFF_FFFF for cell in results))
        if cells:
            self._gdb.write_memory(call.answer, cells)
        self._gdb.select(call.thread)
        self._gdb.write_register("r3", 0)
        self._return()

    def leave(self, returned: Returned) -> None:
        """What QEMU said stands; the call comes back."""
        self._gdb.select(returned.call.thread)
        self._return()

    def _return(self) -> None:
        self._gdb.write_register("pc", self._gdb.read_register("lr") & ~3)

    def _read(self, thread: str) -> Call:
        """A block that is no memory, or too large for Linux's, is passed on without a look into it."""
        block = self._gdb.read_register("r3")
        try:
            data = self._gdb.read_memory(block, _HEAD + 4 * _MOST_CELLS)
        except GdbRefused:
            return Call(thread, block, 0, (), 0)
        token, count, results, *cells = struct.unpack(f">{3 + _MOST_CELLS}I", data)
        if count + results > _MOST_CELLS:
            count = results = 0
        return Call(thread, block, token, tuple(cells[:count]), results)
