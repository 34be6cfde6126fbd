"""The serial port on which consoles speak IPMI to the controller: Basic and Terminal Mode.  [IPMI chapter 14]

Characters in, characters out: `server` is the port, `basic` packets between A0h and A5h, `terminal` lines
between brackets, `commands` the words after SYS, `session` who is logged in. It is not serial over LAN: that
is the machine's own port, carried by `lan/`.
"""

from baseboard.serial.server import SerialServer

__all__ = ["SerialServer"]
