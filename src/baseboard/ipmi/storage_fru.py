"""Messages of FRU inventory devices.  [IPMI 34.1 to 34.3]"""

from __future__ import annotations

from baseboard.ipmi.codec import Request, Response, bit, tail, u8, u16


class GetFruInventoryAreaInfoRequest(Request):
    """[IPMI 34.1, Table 34-2]"""

    fru_id: int = u8(1)


class GetFruInventoryAreaInfoResponse(Response):
    """[IPMI 34.1, Table 34-2]"""

    size: int = u16(2)
    by_words: bool = bit(4, 0)  # offsets and counts are of words, not bytes


class ReadFruDataRequest(Request):
    """[IPMI 34.2, Table 34-3]"""

    # fmt: off
    fru_id: int = u8(1)
    offset: int = u16(2)
    count:  int = u8(4)
    # fmt: on


class ReadFruDataResponse(Response):
    """[IPMI 34.2, Table 34-3]"""

    count: int = u8(2)
    data: bytes = tail(3)


class WriteFruDataRequest(Request):
    """[IPMI 34.3, Table 34-4]"""

    # fmt: off
    fru_id: int   = u8(1)
    offset: int   = u16(2)
    data:   bytes = tail(4)
    # fmt: on


class WriteFruDataResponse(Response):
    """[IPMI 34.3, Table 34-4]"""

    count: int = u8(2)
