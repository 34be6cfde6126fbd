"""The SOL payload: four bytes, then characters.  [IPMI 15.9, Table 15-2]

byte 1  [3:0] packet sequence number, 1-15; 0: nothing here has to be acknowledged
byte 2  [3:0] number of the packet that is acknowledged; 0: none
byte 3  how many of that packet's characters were accepted
byte 4  operation (console to BMC) or status (BMC to console), the bits below
5...    characters
"""

from __future__ import annotations

from typing import Final, NamedTuple, Self

from baseboard.errors import DecodeError

HEADER: Final = 4
MAXIMUM_CHARACTERS: Final = 255
"""What an acknowledgement's one byte can count."""

# fmt: off
NACK:           Final = 0x40  # both ways: the characters beyond the accepted count were not taken

# Operations: the console asks the BMC.
RING:           Final = 0x20  # assert ring/wake towards the machine
BREAK:          Final = 0x10  # generate a break
PAUSE:          Final = 0x08  # deassert CTS: the machine is to stop sending
DROP:           Final = 0x04  # deassert DCD and DSR
FLUSH_INBOUND:  Final = 0x02  # forget what waits for the machine
FLUSH_OUTBOUND: Final = 0x01  # forget what waits for the console

# Status: the BMC tells the console.
UNAVAILABLE:    Final = 0x20  # nobody is at the serial port's other end
DEACTIVATING:   Final = 0x10  # SOL ends or has ended here
OVERRUN:        Final = 0x08  # characters from the machine were lost
BREAK_SEEN:     Final = 0x04  # the machine sent a break
# fmt: on


class SolPacket(NamedTuple):
    """One SOL payload, either way."""

    number: int = 0
    acknowledged: int = 0
    accepted: int = 0
    flags: int = 0
    characters: bytes = b""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read one from a payload's bytes; reserved bits are ignored.  Raises DecodeError."""
        if not HEADER <= len(data) <= HEADER + MAXIMUM_CHARACTERS:
            raise DecodeError(f"a SOL payload has {len(data)} bytes, 4 to 259 are allowed")
        return cls(data[0] & 0x0F, data[1] & 0x0F, data[2], data[3], data[HEADER:])

    def encode(self) -> bytes:
        """The payload's bytes."""
        return bytes((self.number, self.acknowledged, self.accepted, self.flags)) + self.characters


def following(number: int) -> int:
    """The packet sequence number after `number`: 1-15 and round again, never 0."""
    return number % 15 + 1


def distance(earlier: int, later: int) -> int:
    """How many packets `later` is ahead of `earlier`, 0-14."""
    return (later - earlier) % 15
