"""Messages of the SDR repository.  [IPMI 33.9 to 33.21]"""

from __future__ import annotations

from baseboard.ipmi.codec import Request, Response, bit, bits, raw, tail, u8, u16, u32

WHOLE = 0xFF
"""Count that asks for everything from the offset to the end of a record."""
FIRST = 0x0000
LAST = 0xFFFF
"""Record ids that mean the first and the last one; as "next record id", LAST: there is none."""
ERASE, ERASURE_STATUS = 0xAA, 0x00


class GetSdrRepositoryInfoResponse(Response):
    """[IPMI 33.9, Table 33-4]"""

    # fmt: off
    version:                 int  = u8(2)
    records:                 int  = u16(3)
    free_bytes:              int  = u16(5)          # FFFEh: as many or more
    last_addition:           int  = u32(7)
    last_erase:              int  = u32(11)
    overflow:                bool = bit(15, 7)
    update_modes:            int  = bits(15, 6, 5)  # 1 non-modal, 2 modal, 3 both
    supports_delete:         bool = bit(15, 3)
    supports_partial_add:    bool = bit(15, 2)
    supports_reserve:        bool = bit(15, 1)
    supports_allocation:     bool = bit(15, 0)
    # fmt: on


class GetAllocationInfoResponse(Response):
    """Of the SDR repository and of the SEL.  [IPMI 33.10, Table 33-5; 31.3, Table 31-3]"""

    # fmt: off
    units:               int = u16(2)
    unit_bytes:          int = u16(4)
    free_units:          int = u16(6)
    largest_free_units:  int = u16(8)
    largest_record_units: int = u8(10)
    # fmt: on


class ReserveResponse(Response):
    """Of the SDR repository, the device SDRs and the SEL.  [IPMI 33.11, 35.4, 31.4]"""

    reservation_id: int = u16(2)


class GetRecordRequest(Request):
    """Get SDR, Get Device SDR and Get SEL Entry.  [IPMI 33.12, 35.3, 31.5]"""

    # fmt: off
    reservation_id: int = u16(1)
    record_id:      int = u16(3)
    offset:         int = u8(5)
    count:          int = u8(6)   # FFh: to the end
    # fmt: on


class GetRecordResponse(Response):
    """[IPMI 33.12, Table 33-7; 35.3; 31.5]"""

    next_record_id: int = u16(2)
    data: bytes = tail(4)


class RecordIdResponse(Response):
    """Which record was added or deleted.  [IPMI 33.13 to 33.15, 31.6 to 31.8]"""

    record_id: int = u16(2)


class AddSdrRequest(Request):
    """[IPMI 33.13, Table 33-8]"""

    record: bytes = tail(1)


class PartialAddRequest(Request):
    """Partial Add SDR and Partial Add SEL Entry.  [IPMI 33.14, Table 33-9; 31.7, Table 31-7]"""

    # fmt: off
    reservation_id: int   = u16(1)
    record_id:      int   = u16(3)         # 0000h with the first piece
    offset:         int   = u8(5)
    progress:       int   = bits(6, 3, 0)  # 1: last piece
    data:           bytes = tail(7)
    # fmt: on


class DeleteRecordRequest(Request):
    """Delete SDR and Delete SEL Entry.  [IPMI 33.15, Table 33-10; 31.8, Table 31-8]"""

    reservation_id: int = u16(1)
    record_id: int = u16(3)


class ClearRequest(Request):
    """Clear SDR Repository and Clear SEL.  [IPMI 33.16, Table 33-11; 31.9, Table 31-9]"""

    # fmt: off
    reservation_id: int   = u16(1)
    magic:          bytes = raw(3, 3)   # "CLR"
    operation:      int   = u8(6)       # AAh: erase, 00h: how far is it
    # fmt: on


class ClearResponse(Response):
    """[IPMI 33.16, Table 33-11; 31.9, Table 31-9]"""

    progress: int = bits(2, 3, 0)  # 1: done


class GetTimeResponse(Response):
    """Get SDR Repository Time and Get SEL Time.  [IPMI 33.17, 31.10]"""

    time: int = u32(2)


class SetTimeRequest(Request):
    """Set SDR Repository Time and Set SEL Time.  [IPMI 33.18, 31.11]"""

    time: int = u32(1)


class RunInitializationAgentRequest(Request):
    """[IPMI 33.21, Table 33-16]"""

    run: bool = bit(1, 0)


class RunInitializationAgentResponse(Response):
    """[IPMI 33.21, Table 33-16]"""

    completed: bool = bit(2, 0)
