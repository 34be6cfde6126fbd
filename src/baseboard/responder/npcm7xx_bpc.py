"""NPCM7xx' POST-code FIFO (BPC): what the host's firmware writes to one or two I/O addresses.

[Linux npcm7xx-lpc-bpc.c]  Where facts are silent: the FIFO holds 16 codes; one that finds it full is lost
and sets OVERFLOW, which stays until the FIFO is empty; DWCAPTURE takes four addresses from address 1 on, and
WHICH marks the lowest of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from baseboard.interface.state import Exported
from baseboard.responder.npcm7xx_registers import (
    ADDRESS_1,
    ADDRESS_2,
    BPC,
    DOUBLE_WORD,
    HOST_RESET,
    OVERFLOW,
    READY_INTERRUPT,
    RESET_INTERRUPT,
    VALID,
    WHICH,
)
from baseboard.responder.window import Window, rows_by_name

CAPACITY = 16
_OFFSET = rows_by_name(BPC)
_DOUBLE_WORD_BYTES = 4


@dataclass(frozen=True, slots=True)
class PostCodesState(Exported):
    """Everything that the FIFO keeps; its registers are the block's."""

    codes: tuple[tuple[int, int], ...]
    overflow: bool
    host_reset: bool
    version: int = 1


class PostCodes:
    """The FIFO in the window of the block."""

    def __init__(self, window: Window, changed: Callable[[], None]) -> None:
        self._values = window.values
        self._changed = changed
        self._codes: deque[tuple[int, int]] = deque()
        """Code, and WHICH."""
        self._overflow = False
        self._host_reset = False
        window.act(_OFFSET["FSTAT"], self._status, None)
        window.act(_OFFSET["FDATA"], self._take, None)
        window.act(_OFFSET["FMSTAT"], lambda: HOST_RESET if self._host_reset else 0, self._acknowledge)
        window.act(_OFFSET["FEN"], None, lambda value: changed())

    @property
    def interrupts(self) -> bool:
        """Whether the FIFO pulls the block's line."""
        enables = self._values[_OFFSET["FEN"]]
        return bool(
            (self._codes and enables & READY_INTERRUPT) or (self._host_reset and enables & RESET_INTERRUPT)
        )

    def reset(self) -> None:
        """The BMC was reset."""
        self._codes.clear()
        self._overflow = self._host_reset = False

    # The host's face.

    def host_wrote(self, address: int, value: int) -> bool:
        """The host wrote a byte to an I/O address; False when nobody listens there."""
        which = self._which(address)
        if which is None:
            return False
        if len(self._codes) < CAPACITY:
            self._codes.append((value, which))
        else:
            self._overflow = True
        self._changed()
        return True

    def host_was_reset(self) -> None:
        """The host was reset."""
        self._host_reset = True
        self._changed()

    def addresses(self) -> tuple[int, int]:
        """Address 1 and address 2."""
        low_1, high_1, low_2, high_2 = (
            self._values[_OFFSET[name]] for name in ("FA1L", "FA1M", "FA2L", "FA2M")
        )
        return high_1 << 8 | low_1, high_2 << 8 | low_2

    # Within.

    def _which(self, address: int) -> int | None:
        enables = self._values[_OFFSET["FEN"]]
        first, second = self.addresses()
        if enables & DOUBLE_WORD:
            return int(address == first) if first <= address < first + _DOUBLE_WORD_BYTES else None
        if enables & ADDRESS_1 and address == first:
            return 0
        return 1 if enables & ADDRESS_2 and address == second else None

    def _status(self) -> int:
        if not self._codes:
            return 0
        return VALID | (OVERFLOW if self._overflow else 0) | (WHICH if self._codes[0][1] else 0)

    def _take(self) -> int:
        if not self._codes:
            return 0
        code, _ = self._codes.popleft()
        if not self._codes:
            self._overflow = False
        self._changed()
        return code

    def _acknowledge(self, value: int) -> None:
        if value & HOST_RESET:
            self._host_reset = False
            self._changed()

    # What the store keeps.

    def export(self) -> PostCodesState:
        """The present state."""
        return PostCodesState(tuple(self._codes), self._overflow, self._host_reset)

    def restore(self, state: PostCodesState) -> None:
        """Become what was exported."""
        self._codes = deque(state.codes)
        self._overflow, self._host_reset = state.overflow, state.host_reset
