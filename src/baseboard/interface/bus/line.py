"""Interrupt lines: several devices may pull one."""

from __future__ import annotations

from collections.abc import Callable

from baseboard.interface.registers import ignore_level


class Line:
    """One line; its level is up while any source pulls it, and `changed` is called when it changes."""

    def __init__(self, changed: Callable[[bool], None] = ignore_level) -> None:
        self.changed = changed
        self._pulling = 0

    @property
    def level(self) -> bool:
        """Whether any source pulls."""
        return self._pulling > 0

    def source(self, level: bool = False) -> Callable[[bool], None]:
        """A new source; call what is returned with the level that the source has."""
        pulled = False

        def pull(level: bool) -> None:
            nonlocal pulled
            if level == pulled:
                return
            pulled = level
            self.move(level)

        pull(level)
        return pull

    def move(self, level: bool) -> None:
        """A source that knows its own level, low at first, has changed it."""
        before = self._pulling
        self._pulling = before + (1 if level else -1)
        if not before or not self._pulling:
            self.changed(level)
