"""`ibm,drc-info`: one property in place of the four arrays, with a row for connectors that follow each other.

A guest takes it that has asked for it (option vector 5, byte 22, bit 1); QEMU never offers it.  [LoPAR
13.5.2.5]

    number of rows; each: type, prefix of names (strings), first index, first suffix, how many, increment,
    power domain (cells)

The increment is that of the index and of the suffix: cores of eight threads are CPU 0, CPU 8, CPU 16.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from baseboard.errors import DecodeError
from baseboard.spapr import vector5
from baseboard.spapr.cells import cells, strings
from baseboard.spapr.drc import Connector
from baseboard.spapr.nodes import connector_arrays
from baseboard.spapr.tree import Node

MOST_CONNECTORS = 1 << 20
_NUMBERS = struct.Struct(">5I")


class DrcRow(NamedTuple):
    """Connectors alike, an increment apart."""

    type: str
    prefix: str
    first_index: int
    first_suffix: int
    amount: int
    increment: int
    power_domain: int


def drc_rows(connectors: Iterable[Connector]) -> list[DrcRow]:
    """In the order of indexes, each row as long as it can be."""
    rows: list[DrcRow] = []
    for connector in sorted(connectors, key=lambda connector: connector.index):
        new = DrcRow(
            connector.type,
            connector.kind.prefix,
            connector.index,
            connector.identifier,
            1,
            1,
            connector.power_domain,
        )
        last = rows[-1] if rows else None
        if last is not None and (last.type, last.prefix) == (new.type, new.prefix):
            step = new.first_index - last.first_index
            if last.amount == 1:
                rows[-1] = last._replace(amount=2, increment=step)
                continue
            if step == last.amount * last.increment:
                rows[-1] = last._replace(amount=last.amount + 1)
                continue
        rows.append(new)
    return rows


def connectors_of(node: Node) -> list[tuple[int, str, str]]:
    """Index, name and type of each connector that a node has, in whichever form.  Raises `DecodeError`."""
    if "ibm,drc-info" in node.properties:
        rows = decode_drc_info(node.properties["ibm,drc-info"])
        if sum(row.amount for row in rows) > MOST_CONNECTORS:
            raise DecodeError(f"ibm,drc-info: more than {MOST_CONNECTORS} connectors")
        return [
            (row.first_index + step, f"{row.prefix}{row.first_suffix + step}", row.type)
            for row in rows
            for step in range(0, row.amount * row.increment, row.increment or 1)
        ]
    names, types = (
        [part.decode("ascii", "replace") for part in node.properties.get(name, b"")[4:].split(b"\0")[:-1]]
        for name in ("ibm,drc-names", "ibm,drc-types")
    )
    return list(zip(node.cells("ibm,drc-indexes")[1:], names, types, strict=False))


def connector_properties(connectors: Iterable[Connector], vector: bytes) -> dict[str, bytes]:
    """What a node says of its connectors: the four arrays, or what replaces them."""
    if vector5.DRC_INFO.among(vector):
        return {"ibm,drc-info": encode_drc_info(drc_rows(connectors))}
    return connector_arrays(connectors)


def encode_drc_info(rows: Iterable[DrcRow]) -> bytes:
    entries = [strings(row.type, row.prefix) + cells(*row[2:]) for row in rows]
    return cells(len(entries)) + b"".join(entries)


def decode_drc_info(value: bytes) -> list[DrcRow]:
    """Raises `DecodeError`."""
    if len(value) < 4:
        raise DecodeError("ibm,drc-info: no number of rows")
    count, rest = int.from_bytes(value[:4], "big"), value[4:]
    rows: list[DrcRow] = []
    while rest:
        kind, first, rest = rest.partition(b"\0")
        prefix, second, rest = rest.partition(b"\0")
        if not first or not second or len(rest) < _NUMBERS.size or not (kind + prefix).isascii():
            raise DecodeError(f"ibm,drc-info: row {len(rows)} is cut or not text")
        rows.append(DrcRow(kind.decode(), prefix.decode(), *_NUMBERS.unpack_from(rest)))
        rest = rest[_NUMBERS.size :]
    if len(rows) != count:
        raise DecodeError(f"ibm,drc-info: {len(rows)} rows, {count} are announced")
    return rows
