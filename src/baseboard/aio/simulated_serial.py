"""The serial port of a machine that is not there: a boot, a login and a shell that echoes.

So that `ipmitool sol activate` on a simulated server shows something alive, and a script can try its expect
rules. Any name and password log in; nothing is executed.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto

from baseboard.aio.serial_port import SerialPort, SerialUser

BOOT = (
    b"\r\nSeaBIOS (simulated)\r\n"
    b"Booting from Hard Disk...\r\n"
    b"[    0.000000] Linux version 6.1.0 (simulated by baseboard)\r\n"
    b"[    0.412345] printk: console [ttyS0] enabled\r\n"
    b"[    1.203450] Reached target multi-user.target\r\n"
)
HELP = b"help, echo TEXT, lines NUMBER, exit; nothing is executed here\r\n"
_CHUNK = 4096
_MOST_OUTPUT = 262144
_MOST_LINES = 5000
_LINE = 256


class State(Enum):
    """What a line that is typed means."""

    NAME = auto()
    PASSWORD = auto()
    SHELL = auto()


class SimulatedSerial(SerialPort):
    """A console that boots when the power goes on and prompts when somebody looks (DCD)."""

    def __init__(self, host: str = "server") -> None:
        super().__init__()
        self._host = host.encode("latin-1", "replace")
        self._state = State.NAME
        self._line = bytearray()
        self._output = bytearray()
        self._power = True
        self._paused = False
        self._dcd = False
        self._pumping: asyncio.Handle | None = None

    @property
    def name(self) -> str:
        return "simulated"

    async def start(self, user: SerialUser) -> None:
        self.user = user
        if self._power:
            user.serial_connected()

    async def close(self) -> None:
        if self._pumping is not None:
            self._pumping.cancel()

    def power_changed(self, on: bool) -> None:
        """The machine was switched on, and boots, or off."""
        if on == self._power:
            return
        self._power = on
        self._output.clear()
        if on:
            self.user.serial_connected()
            self.boot()
        else:
            self.user.serial_lost()

    def boot(self) -> None:
        """The machine starts anew."""
        self._log_out(BOOT)

    def write(self, data: bytes) -> None:
        if self._power:
            for character in data:
                self._type(character)

    def send_break(self) -> None:
        self._say(b"\r\nsysrq: HELP : (simulated)\r\n")

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._say(b"")

    def set_control(self, *, cts: bool, dcd: bool) -> None:
        if dcd and not self._dcd and self._power:
            self._log_out(b"")
        self._dcd = dcd

    def _log_out(self, text: bytes) -> None:
        self._state = State.NAME
        self._line.clear()
        self._say(text + b"\r\nThis console is simulated.\r\n\r\n" + self._prompt())

    def _prompt(self) -> bytes:
        # fmt: off
        return {
            State.NAME:     self._host + b" login: ",
            State.PASSWORD: b"Password: ",
            State.SHELL:    b"root@" + self._host + b":~# ",
        }[self._state]
        # fmt: on

    def _type(self, character: int) -> None:
        visible = self._state is not State.PASSWORD
        if character in b"\r\n":
            line, self._line = bytes(self._line), bytearray()
            self._say(b"\r\n" + self._enter(line) + self._prompt())
        elif character in b"\x7f\x08":
            if self._line:
                del self._line[-1:]
                self._say(b"\b \b" if visible else b"")
        elif character == 0x04 and not self._line and self._state is State.SHELL:
            self._log_out(b"logout\r\n")
        elif character >= 0x20 and len(self._line) < _LINE:
            self._line.append(character)
            self._say(bytes((character,)) if visible else b"")

    def _enter(self, line: bytes) -> bytes:
        """What a whole line does."""
        if self._state is State.NAME:
            self._state = State.PASSWORD if line.strip() else State.NAME
            return b""
        if self._state is State.PASSWORD:
            self._state = State.SHELL
            return b"\r\n" + HELP
        command, _, rest = line.strip().partition(b" ")
        if command in (b"exit", b"logout"):
            self._state = State.NAME
            return b"logout\r\n\r\n"
        if command == b"help":
            return HELP
        if command == b"echo":
            return rest + b"\r\n"
        if command == b"lines" and rest.isdigit() and len(rest) < 5:
            return b"".join(b"line %06d\r\n" % line for line in range(min(int(rest), _MOST_LINES)))
        return command + b": not here\r\n" if command else b""

    def _say(self, text: bytes) -> None:
        self._output += text
        del self._output[:-_MOST_OUTPUT]
        if self._pumping is None and self._output and not self._paused:
            self._pumping = asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._pumping = None
        if self._paused or not self._output:
            return
        chunk = bytes(self._output[:_CHUNK])
        del self._output[:_CHUNK]
        self.user.serial_received(chunk)
        self._say(b"")
