"""What the machine's serial port is to whoever uses it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol


class SerialUser(Protocol):
    """Whoever uses a port; every method is called in the event loop and must not block."""

    def serial_connected(self) -> None:
        """Somebody is at the other end."""

    def serial_lost(self) -> None:
        """Nobody is there any longer."""

    def serial_received(self, data: bytes) -> None:
        """Characters came."""

    def pause_writing(self) -> None:
        """Write no more until `resume_writing`; what is written all the same is kept."""

    def resume_writing(self) -> None:
        """Write again."""


class SerialPort(ABC):
    """One port, for one user."""

    def __init__(self) -> None:
        self.user: SerialUser

    @property
    @abstractmethod
    def name(self) -> str:
        """Where the other end is, for people."""

    @abstractmethod
    async def start(self, user: SerialUser) -> None:
        """Begin; `user` is told what happens."""

    @abstractmethod
    async def close(self) -> None:
        """End; `user` is not told any more."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Characters for the machine; dropped when nobody is there."""

    @abstractmethod
    def send_break(self) -> None:
        """A break, where the other end can be given one."""

    @abstractmethod
    def pause(self) -> None:
        """Read no more."""

    @abstractmethod
    def resume(self) -> None:
        """Read again."""

    @abstractmethod
    def set_control(self, *, cts: bool, dcd: bool) -> None:
        """Show these lines to the machine, where it can see them."""
