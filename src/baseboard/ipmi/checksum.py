"""The 8-bit two's-complement checksum of IPMB, LAN, VM wire, SDR and FRU.  [IPMI 13.8, Table 13-8]"""

from __future__ import annotations


def checksum(data: bytes) -> int:
    """The byte that makes the sum of `data` and itself 0 modulo 256."""
    return -sum(data) & 0xFF


def is_sound(data: bytes) -> bool:
    """Whether `data`, its checksum included, sums to 0 modulo 256."""
    return not sum(data) & 0xFF
