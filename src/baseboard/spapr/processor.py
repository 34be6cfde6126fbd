"""The processor as the guest sees it: a POWER9, or an older architecture that the two have agreed on.

Theory of operation. A guest gives (mask, version) pairs of what it can run on. One may match the processor
itself; others are logical versions, each an architecture that newer processors can keep to. The newest of
those that this one knows is taken, also by a guest that knows the processor itself.  [LoPAR B.6.2.3; QEMU
7.2]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

POWER9 = 0x004E_1200
"""Revision 2.0."""
ISA_2_05, ISA_2_06, ISA_2_06_PLUS, ISA_2_07, ISA_3_0 = LOGICAL = (
    0x0F00_0002,
    0x0F00_0003,
    0x0F10_0003,
    0x0F00_0004,
    0x0F00_0005,
)
"""From the oldest."""


class Processor(NamedTuple):
    """What the device tree says of it."""

    version: int = POWER9
    radix: bool = True
    """False for guests that do not know ISA 3.0: kernels of that time tried radix tables and could not."""


def common(pairs: Iterable[tuple[int, int]], *, isa_3: bool) -> Processor | None:
    """None: there is nothing that both know. `isa_3` is what the guest says of itself in vector 1."""
    itself, best = False, -1
    for mask, version in pairs:
        if POWER9 & mask == version & mask:
            itself = True
        elif version in LOGICAL:
            best = max(best, LOGICAL.index(version))
    if best < 0 and not itself:
        return None
    return Processor(LOGICAL[best] if best >= 0 else POWER9, isa_3)
