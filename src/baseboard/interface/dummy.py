"""What `ipmitool -I dummy` says over a Unix socket: a system interface without a machine.  [ipmitool 1.8.19]

Request and response are C structures as ipmitool has them in memory, with the byte order and the padding of
this machine; the pointer in them means nothing. Data follow.

    request    netFn, LUN, command, target command; length of the data, 2 bytes; padding; pointer
    response   netFn, command, sequence number, LUN, completion code; padding; length, int; padding; pointer

Network function 3Fh with command FFh is ipmitool's good-bye.
"""

from __future__ import annotations

import struct

from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Message

_REQUEST = struct.Struct("@4BHP")
_RESPONSE = struct.Struct("@5BiP")
_GOODBYE = 0x3F, 0xFF


class DummyReceiver:
    """Takes bytes as they come, gives requests."""

    def __init__(self) -> None:
        self._partial = b""
        self.goodbye = False
        """The peer will ask no more."""

    def receive_data(self, data: bytes) -> list[Message]:
        """The requests that `data` completes, in order."""
        data = self._partial + data
        position = 0
        requests = []
        while not self.goodbye and len(data) - position >= _REQUEST.size:
            netfn, lun, command, _, length, _ = _REQUEST.unpack_from(data, position)
            begin = position + _REQUEST.size
            if len(data) < begin + length:
                break
            position = begin + length
            if (netfn, command) == _GOODBYE:
                self.goodbye = True
            else:
                requests.append(Message(netfn, lun, command, data[begin:position]))
        self._partial = b"" if self.goodbye else data[position:]
        return requests


def refusal(request: Message) -> bytes:
    """The answer to what is no request on any interface; empty: it is one."""
    if request.netfn > 0x3F or request.netfn & 1:
        return bytes((CompletionCode.INVALID_COMMAND,))
    if request.lun > 3:
        return bytes((CompletionCode.INVALID_FOR_LUN,))
    return b""


def frame_response(request: Message, answer: bytes) -> bytes:
    """The answer, completion code first, as ipmitool reads it: in one piece, for it reads no rest."""
    netfn, lun, command, _ = request
    return _RESPONSE.pack(netfn | 1, command, 0, lun, answer[0], len(answer) - 1, 0) + answer[1:]
