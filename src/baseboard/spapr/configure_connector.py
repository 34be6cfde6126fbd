"""ibm,configure-connector: a device's tree, one piece a call, through a page of the guest's memory.

Theory of operation. The guest writes a connector's index into a work area and calls until the answer is 0;
each answer says what the area holds now: the name of a child node (2), or of a sibling (1), a property (3),
or nothing but that the parent is next (4). Where it stands is kept with the connector and not in the area,
so that calls for several connectors may interleave, in one area or in several. A device's tree is made when
its first piece is asked for, and is the same until the last. Asked again after the end, it starts again.

    offset   what
     0       connector index, by the guest
     4       0
     8       offset of the name
    12       length of the value     properties only
    16       offset of the value     properties only
    20       the name, a NUL; the value, cut where the page ends

[LoPAR 13.5.3.5; QEMU 7.2]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from baseboard.spapr.cells import cells
from baseboard.spapr.choices import Choice
from baseboard.spapr.drc import PHB, Connector
from baseboard.spapr.drc.states import CONFIGURABLE
from baseboard.spapr.guest_memory import BadAddress, read_cells, write_cells
from baseboard.spapr.management.cards import number_buses
from baseboard.spapr.status import (
    CC_COMPLETE,
    CC_MORE_MEMORY,
    CC_NEXT_CHILD,
    CC_NEXT_PROPERTY,
    CC_NEXT_SIBLING,
    CC_PREVIOUS_PARENT,
    NOT_CONFIGURABLE,
    PARAMETER_ERROR,
)
from baseboard.spapr.tree import Node

if TYPE_CHECKING:
    from baseboard.spapr.machine import PseriesMachine

PAGE = 4096
_NAME_OFFSET = 8
_DATA = 20


class Piece(NamedTuple):
    """One answer."""

    status: int
    name: str = ""
    value: bytes = b""


def pieces(root: Node, *, siblings: bool = False, phandle: int | None = None) -> Iterator[Piece]:
    """A tree's answers in order. `phandle` is for a node without `ibm,my-drc-index`; None: they have none."""
    yield Piece(CC_NEXT_CHILD, root.name)
    yield from _inside(root, siblings, phandle)
    yield Piece(CC_COMPLETE)


def _inside(node: Node, siblings: bool, phandle: int | None) -> Iterator[Piece]:
    for name, value in node.properties.items():
        yield Piece(CC_NEXT_PROPERTY, name, value)
    if phandle is not None:
        yield Piece(
            CC_NEXT_PROPERTY, "ibm,phandle", node.properties.get("ibm,my-drc-index") or cells(phandle)
        )
    for number, child in enumerate(node.children):
        yield Piece(CC_NEXT_SIBLING if siblings and number else CC_NEXT_CHILD, child.name)
        yield from _inside(child, siblings, phandle)
        if not siblings:
            yield Piece(CC_PREVIOUS_PARENT)
    if siblings and node.children:
        yield Piece(CC_PREVIOUS_PARENT)


def configure_connector(machine: PseriesMachine, area: int, extent: int) -> int:
    """The status; the answer is in the area."""
    memory, choices = machine.memory, machine.choices
    if Choice.WIDE_WORK_AREA in choices:
        area, extent = extent << 32 | area, 0
    try:
        memory.read(area, PAGE)
        (index,) = read_cells(memory, area, 1)
    except BadAddress:
        return PARAMETER_ERROR
    connector = machine.connectors.get(index)
    if connector is None:
        return PARAMETER_ERROR
    ready = CONFIGURABLE.get(connector.state)
    if ready is None or connector.device is None:
        return CC_COMPLETE if Choice.ISOLATED_IS_COMPLETE in choices else NOT_CONFIGURABLE
    machine.configuring(connector)
    piece = _current(machine, connector)
    status = piece.status
    if status == CC_NEXT_PROPERTY:
        name = piece.name.encode() + b"\0"
        at = _DATA + len(name)
        content = cells(_DATA, len(piece.value), at) + name + piece.value
        room = PAGE - _NAME_OFFSET
        if len(content) > room and Choice.EXTENSION_PAGE in choices:
            if not extent:
                return CC_MORE_MEMORY
            try:
                memory.write(extent, content[room : room + PAGE])
            except BadAddress:
                return PARAMETER_ERROR
        memory.write(area + _NAME_OFFSET, content[:room])
    elif piece.name:
        write_cells(memory, area + _NAME_OFFSET, _DATA)
        memory.write(area + _DATA, piece.name.encode() + b"\0")
    if status == CC_COMPLETE:
        connector.state = ready
        connector.rewind()
    else:
        connector.position += 1
    return status


def _current(machine: PseriesMachine, connector: Connector) -> Piece:
    choices = machine.choices
    if not connector.stream or not (connector.position or Choice.STALE_TREES in choices):
        if connector.kind is PHB:
            number_buses(machine, connector.identifier)  # as for a whole tree
        phandle = connector.index if Choice.PHANDLES in choices else None
        connector.stream = tuple(
            pieces(machine.describe(connector), siblings=Choice.NEXT_SIBLING in choices, phandle=phandle)
        )
        connector.position = min(connector.position, len(connector.stream) - 1)
    piece: Piece = connector.stream[connector.position]
    return piece
