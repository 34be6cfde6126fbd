"""Messages of the system event log that the SDR repository does not have too.  [IPMI 31.2 to 31.13]"""

from __future__ import annotations

from baseboard.ipmi.codec import Request, Response, bit, bits, i16, raw, tail, u8, u16, u32


class GetSelInfoResponse(Response):
    """[IPMI 31.2, Table 31-2]"""

    # fmt: off
    version:              int  = u8(2)
    entries:              int  = u16(3)
    free_bytes:           int  = u16(5)     # FFFFh: as many or more
    last_addition:        int  = u32(7)
    last_erase:           int  = u32(11)
    overflow:             bool = bit(15, 7)
    supports_delete:      bool = bit(15, 3)
    supports_partial_add: bool = bit(15, 2)
    supports_reserve:     bool = bit(15, 1)
    supports_allocation:  bool = bit(15, 0)
    # fmt: on


class AddSelEntryRequest(Request):
    """[IPMI 31.6, Table 31-6]"""

    record: bytes = raw(1, 16)


class GetSelTimeUtcOffsetResponse(Response):
    """[IPMI 31.11a, Table 31-11a]"""

    minutes: int = i16(2)  # 07FFh: unspecified


class SetSelTimeUtcOffsetRequest(Request):
    """[IPMI 31.11b, Table 31-11b]"""

    minutes: int = i16(1)


class GetAuxiliaryLogStatusRequest(Request):
    """[IPMI 31.12, Table 31-12]"""

    log: int = bits(1, 3, 0)  # 0 machine check, 1 and 2 OEM


class SetAuxiliaryLogStatusRequest(Request):
    """[IPMI 31.13, Table 31-13]"""

    log: int = bits(1, 3, 0)
    data: bytes = tail(2)
