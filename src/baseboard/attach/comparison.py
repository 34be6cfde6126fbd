"""Where our platform and QEMU's answer a call differently.

Most answers are compared as they are. Event logs have a time and a number of their own, so that only what
they ask for counts; and the properties of a connector's node come in an order that means nothing, so that
they are compared when both have told all.
"""

from __future__ import annotations

from collections.abc import Sequence

from baseboard.errors import DecodeError
from baseboard.spapr.cells import unpack_cells
from baseboard.spapr.configure_connector import PAGE
from baseboard.spapr.events import decode
from baseboard.spapr.status import CC_COMPLETE, CC_NEXT_CHILD, CC_NEXT_PROPERTY, SUCCESS

_HEAD = 20
_PIECES = {(CC_NEXT_PROPERTY,), (CC_NEXT_CHILD,), (CC_COMPLETE,)}
Said = tuple[tuple[int, ...], bytes]
"""Results, and what stands where the call writes to."""


class Comparison:
    """Of one guest's calls, one after the other."""

    def __init__(self) -> None:
        self._nodes: dict[int, tuple[dict[str, bytes], dict[str, bytes]]] = {}
        """Ours and QEMU's, by connector, while they are being told."""

    def differences(self, service: str, ours: Said, qemu: Said) -> list[str]:
        """In words; none: they agree."""
        if service == "ibm,configure-connector":
            return self._node(ours, qemu)
        found = _results(ours[0], qemu[0])
        if found or ours[0][:1] != (SUCCESS,):
            return found
        if service == "check-exception":
            left, right = _event(ours[1]), _event(qemu[1])
            return [] if left == right else [f"event: ours {left}, QEMU's {right}"]
        if ours[1] != qemu[1]:
            return [f"memory: ours {ours[1][:32].hex()}, QEMU's {qemu[1][:32].hex()}"]
        return []

    def _node(self, ours: Said, qemu: Said) -> list[str]:
        unread = min(len(ours[1]), len(qemu[1])) < _HEAD
        if unread or not {ours[0][:1], qemu[0][:1]} <= _PIECES:
            return _results(ours[0], qemu[0])
        index = int.from_bytes(ours[1][:4], "big")
        if ours[0][0] == CC_NEXT_CHILD:
            self._nodes[index] = {}, {}
        nodes = self._nodes.setdefault(index, ({}, {}))
        for node, (results, area) in zip(nodes, (ours, qemu), strict=True):
            if results[0] == CC_NEXT_PROPERTY:
                name, value = _property(area)
                node[name] = value
        if CC_COMPLETE not in (ours[0][0], qemu[0][0]):
            return []
        found = _results(ours[0], qemu[0])
        left, right = self._nodes.pop(index)
        for name in sorted(left.keys() | right.keys()):
            if left.get(name) != right.get(name):
                found.append(f"{name}: ours {_shown(left.get(name))}, QEMU's {_shown(right.get(name))}")
        return found


def _results(ours: Sequence[int], qemu: Sequence[int]) -> list[str]:
    """What our platform leaves as it is, it does not tell."""
    return [
        f"result {number}: ours {left}, QEMU's {right}"
        for number, (left, right) in enumerate(zip(ours, qemu, strict=False))
        if left & 0xFFFF_FFFF != right & 0xFFFF_FFFF
    ]


def _property(area: bytes) -> tuple[str, bytes]:
    _, _, name, length, value = unpack_cells(area[:_HEAD])
    text = area[name:PAGE].partition(b"\0")[0].decode(errors="replace")
    return text, area[value : min(value + length, PAGE)]


def _event(log: bytes) -> object:
    try:
        return decode(log).event
    except DecodeError as error:
        return str(error)


def _shown(value: bytes | None) -> str:
    return "none" if value is None else value[:32].hex() or "empty"
