"""H_PUT_TERM_CHAR: the guest's console, one way.  [LoPAR 17.2.6.2.1.2]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.spapr.hcalls.codes import H_PARAMETER, H_SUCCESS
from baseboard.spapr.hcalls.result import Result

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

CONSOLE = 0
"""The unit address that early code uses for whatever console there is; there are no VIO devices."""
MOST = 16


def h_put_term_char(machine: PseriesMachine, arguments: tuple[int, ...], cpu: int) -> Result:
    """r4 the terminal, r5 how many characters, r6 and r7 up to 16 of them, the first in the upper byte."""
    terminal, count, first, second = arguments[:4]
    if machine.on_character is None or terminal != CONSOLE or count > MOST:
        return H_PARAMETER, None
    for character in (first << 64 | second).to_bytes(MOST, "big")[:count]:
        machine.on_character(character)
    return H_SUCCESS, None
