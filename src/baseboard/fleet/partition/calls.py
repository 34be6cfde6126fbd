"""What a guest asks, over the control socket: RTAS calls and hypercalls, with memory for them."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from baseboard.fleet.methods.method import Method, Parameter, integer
from baseboard.fleet.partition.partition import Partition
from baseboard.spapr.guest_memory import ByteMemory
from baseboard.spapr.hcalls import BY_NAME
from baseboard.spapr.hcalls.codes import H_RESOURCE

MOST_GIVEN = 1 << 15
"""Bytes of memory that come with a call."""
MOST_MEMORY = 1 << 24
_CELL, _REGISTER = (1 << 32) - 1, (1 << 64) - 1


class _Noted(ByteMemory):
    """Memory that knows what was written to it."""

    def __init__(self, base: int, given: bytes, size: int) -> None:
        super().__init__(max(size, len(given)), base=base)
        self.content[: len(given)] = given
        self.written: list[dict[str, Any]] = []

    def write(self, address: int, data: bytes) -> None:
        super().write(address, data)
        self.written.append({"address": address, "data": base64.b64encode(data).decode()})


def _rtas(
    partition: Partition, service: str | int, arguments: list[int], results: int, base: int, memory: bytes
) -> dict[str, Any]:
    guest = _Noted(base, memory, 0)
    cells = partition.call(service, arguments, results, guest)
    changed = bytes(guest.content) != memory
    return {"results": list(cells), "memory": base64.b64encode(guest.content).decode() if changed else None}


def _hcall(
    partition: Partition, number: int, arguments: list[int], base: int, memory: bytes, size: int
) -> dict[str, Any]:
    guest = _Noted(base, memory, size)
    r3, r4 = partition.hypercall(number, arguments, guest)
    answer: dict[str, Any] = {"r3": r3, "r4": r4, "written": guest.written}
    if r3 == H_RESOURCE and (failure := partition.hypervisor.session.failure) is not None:
        answer["reason"] = str(failure)
    return answer


def _service(value: Any) -> str | int:
    if isinstance(value, str):
        return value
    return int(integer(0, _CELL)(value))


def _number(value: Any) -> int:
    if isinstance(value, str):
        if value not in BY_NAME:
            raise ValueError(f"a number, or one of {', '.join(BY_NAME)}")
        return BY_NAME[value].number
    return int(integer(0, _REGISTER)(value))


def _cells(value: Any) -> list[int]:
    return _integers(value, 16, -(1 << 31), _CELL)


def _registers(value: Any) -> list[int]:
    return _integers(value, 9, -(1 << 63), _REGISTER)


def _integers(value: Any, most: int, low: int, high: int) -> list[int]:
    check = integer(low, high)
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"a list of up to {most} numbers")
    return [check(number) for number in value]


def _memory(value: Any) -> bytes:
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ValueError("base64") from None
    if len(data) > MOST_GIVEN:
        raise ValueError(f"base64 of up to {MOST_GIVEN} bytes")
    return data


_BASE = Parameter("base", integer(0, 1 << 48), 0)
_MEMORY = Parameter("memory", _memory, b"")

# fmt: off
CALLS = (
    Method("rtas", _rtas, (Parameter("service", _service), Parameter("arguments", _cells, []),
                           Parameter("results", integer(0, 16), 1), _BASE, _MEMORY)),
    Method("hcall", _hcall, (Parameter("number", _number), Parameter("arguments", _registers, []),
                             _BASE, _MEMORY, Parameter("size", integer(0, MOST_MEMORY), 0))),
)
# fmt: on
