"""Firmware firewall and command discovery: App commands 09h-0Dh and 60h-64h.  [IPMI 21]

In requests, what follows the fixed part says whose commands are meant, for a net function that has several
owners: one byte for the defining body of a group extension, three for the enterprise of an OEM group.
"""

from __future__ import annotations

from baseboard.ipmi.codec import Request, Response, bit, bits, numbers, raw, tail, u8

MASK_SIZE = 16
"""Bytes of a mask of commands: 128 of them, 00h-7Fh or 80h-FFh."""
SUB_FUNCTION_MASK_SIZE = 4

NO_COMMANDS, BASE_SPECIFICATION, RESTRICTED = 0b00, 0b01, 0b10
"""What Get NetFn Support says of a LUN.  [IPMI 21.2]"""

IPMI_SPECIFICATION = 0
"""Specification type of the sub-functions' numbers.  [IPMI 21.4]"""
SPECIFICATION_VERSION, SPECIFICATION_REVISION = 0x20, 0x11
"""IPMI v2.0, revision 1.1."""


class GetNetFnSupportRequest(Request):
    """[IPMI 21.2]"""

    channel: int = bits(1, 3, 0)


class GetNetFnSupportResponse(Response):
    """[IPMI 21.2]"""

    # fmt: off
    luns:      int             = u8(2)          # two bits each, LUN 0 lowest
    functions: tuple[int, ...] = numbers(3, 4)  # a mask of net function pairs for each LUN
    # fmt: on


class CommandsRequest(Request):
    """Of Get Command Support, Get Configurable Commands and Get Command Enables.  [IPMI 21.3, 21.5, 21.8]"""

    # fmt: off
    channel:   int   = bits(1, 3, 0)
    half:      int   = bits(2, 7, 6)   # 0: commands 00h-7Fh, 1: 80h-FFh
    netfn:     int   = bits(2, 5, 0)
    lun:       int   = bits(3, 1, 0)
    owner:     bytes = tail(4)
    # fmt: on


class CommandsResponse(Response):
    """[IPMI 21.3, 21.5, 21.8]"""

    mask: bytes = raw(2, MASK_SIZE)


class SetCommandEnablesRequest(Request):
    """[IPMI 21.7]"""

    # fmt: off
    channel:   int   = bits(1, 3, 0)
    half:      int   = bits(2, 7, 6)
    netfn:     int   = bits(2, 5, 0)
    lun:       int   = bits(3, 1, 0)
    mask:      bytes = raw(4, MASK_SIZE)
    owner:     bytes = tail(20)
    # fmt: on


class SubFunctionsRequest(Request):
    """Of the three commands that read sub-functions.  [IPMI 21.4, 21.6, 21.10]"""

    # fmt: off
    channel:   int   = bits(1, 3, 0)
    netfn:     int   = bits(2, 5, 0)
    lun:       int   = bits(3, 1, 0)
    command:   int   = u8(4)
    owner:     bytes = tail(5)
    # fmt: on


class GetSubFunctionSupportResponse(Response):
    """A set bit is a sub-function that is not there.  [IPMI 21.4]"""

    # fmt: off
    specification_type:     int   = bits(2, 7, 4)
    errata:                 int   = bits(2, 3, 0)
    specification_version:  int   = u8(3)
    specification_revision: int   = u8(4)
    mask:                   bytes = raw(5, SUB_FUNCTION_MASK_SIZE)
    # fmt: on


class SubFunctionsResponse(Response):
    """[IPMI 21.6, 21.10]"""

    mask: bytes = raw(2, SUB_FUNCTION_MASK_SIZE)


class SetSubFunctionEnablesRequest(Request):
    """The owner, if there is one, stands before the mask; a second mask may follow.  [IPMI 21.9]"""

    # fmt: off
    channel:   int   = bits(1, 3, 0)
    netfn:     int   = bits(2, 5, 0)
    lun:       int   = bits(3, 1, 0)
    command:   int   = u8(4)
    rest:      bytes = tail(5)
    # fmt: on


class GetOemNetFnIanaSupportRequest(Request):
    """[IPMI 21.11]"""

    # fmt: off
    channel:   int   = bits(1, 3, 0)
    netfn:     int   = bits(2, 5, 0)
    index:     int   = bits(3, 5, 0)
    # fmt: on


class GetOemNetFnIanaSupportResponse(Response):
    """[IPMI 21.11]"""

    # fmt: off
    last:      bool  = bit(2, 7)
    luns:      int   = u8(3)         # as in Get NetFn Support
    owner:     bytes = tail(4)
    # fmt: on
