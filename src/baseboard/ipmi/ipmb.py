"""Messages of the Intelligent Platform Management Bus, as Send Message and Get Message carry them.

    request    rsSA, netFn/rsLUN,     chk1, rqSA, rqSeq/rqLUN, cmd, data...,     chk2
    response   rqSA, netFn + 1/rqLUN, chk1, rsSA, rqSeq/rsLUN, cmd, cc, data..., chk2

chk1 makes the first three bytes sum to 0, chk2 those after it. In Get Message the first byte is left out,
as it is always our own address, but chk1 still covers it.  [IPMB 2.11; IPMI 6.13, 22.6]
"""

from __future__ import annotations

from dataclasses import dataclass

from baseboard.errors import DecodeError
from baseboard.ipmi.checksum import checksum, is_sound

BMC_ADDRESS = 0x20
BROADCAST = b"\0"
"""In front of a whole message: every controller hears it.  [IPMI 20.9]"""
SYSTEM_SOFTWARE_LUN = 2
SHORTEST = 7


@dataclass(frozen=True, slots=True)
class BusMessage:
    """A request or response with its addresses; both have the same layout."""

    to_address: int
    netfn: int
    """Even in a request, odd in a response."""
    to_lun: int
    from_address: int
    sequence: int
    """6 bits, chosen by the requester."""
    from_lun: int
    command: int
    data: bytes = b""
    """Of a response, the completion code first."""

    @classmethod
    def decode(cls, data: bytes) -> BusMessage:
        """Raises DecodeError: fewer than 7 bytes, or a wrong checksum."""
        if len(data) < SHORTEST:
            raise DecodeError(f"{len(data)} bytes are no bus message; at least {SHORTEST} are needed")
        if not is_sound(data[:3]) or not is_sound(data[3:]):
            raise DecodeError("a checksum of the bus message is wrong")
        return cls(
            data[0], data[1] >> 2, data[1] & 3, data[3], data[4] >> 2, data[4] & 3, data[5], data[6:-1]
        )

    def encode(self) -> bytes:
        """The bytes on the bus."""
        head = bytes((self.to_address, self.netfn << 2 | self.to_lun))
        body = bytes((self.from_address, self.sequence << 2 | self.from_lun, self.command)) + self.data
        return head + bytes((checksum(head),)) + body + bytes((checksum(body),))

    def response(self, data: bytes) -> BusMessage:
        """The answer to this request: completion code first."""
        return BusMessage(
            to_address=self.from_address,
            netfn=self.netfn | 1,
            to_lun=self.from_lun,
            from_address=self.to_address,
            sequence=self.sequence,
            from_lun=self.to_lun,
            command=self.command,
            data=data,
        )
