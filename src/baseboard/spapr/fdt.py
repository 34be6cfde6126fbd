"""Device-tree blobs, version 17, made and read by libfdt (`pip install 'baseboard[spapr]'`).  [DTSpec 5]"""

from __future__ import annotations

import re
from typing import Any

from baseboard.errors import ConfigError, DecodeError
from baseboard.spapr.tree import Node

HEADER_SIZE = 40
MAXIMUM_SIZE = 16 << 20
"""A blob larger than this is refused: a machine of 1,024 cores needs 2 MiB."""
MAXIMUM_DEPTH = 64
MAXIMUM_ENTRIES = 500_000
"""Nodes and properties together."""

NAME = re.compile(r"[0-9A-Za-z,._+*#?@:-]+")
"""What names of nodes and properties are made of [DTSpec 2.2.1, 2.2.4]; other names could leave a folder."""


def build(root: Node, *, boot_cpu: int = 0) -> bytes:
    """The blob of a tree. `boot_cpu` is the `reg` of the processor that starts."""
    libfdt = _libfdt()
    blob = libfdt.FdtSw(_size(root))
    blob.finish_reservemap()
    _write(blob, root)
    finished = blob.as_fdt()
    libfdt.fdt_set_boot_cpuid_phys(finished._fdt, boot_cpu)  # pylibfdt wraps only the reader
    return bytes(finished.as_bytearray()[: finished.totalsize()])


def parse(data: bytes) -> Node:
    """The tree of a blob. Raises `DecodeError`, whatever the bytes are."""
    libfdt = _libfdt()
    total = int.from_bytes(data[4:8], "big")
    if len(data) < HEADER_SIZE:
        raise DecodeError(f"a device-tree blob has a header of {HEADER_SIZE} bytes; there are {len(data)}")
    if total > len(data):
        raise DecodeError(f"the device-tree blob is truncated: {len(data)} of {total} bytes")
    if total > MAXIMUM_SIZE:
        raise DecodeError(f"a device-tree blob of {total} bytes; {MAXIMUM_SIZE} are allowed")
    blob = bytearray(data[:total])
    error = libfdt.fdt_check_full(blob, total)
    if error:
        raise DecodeError(f"not a device-tree blob: {libfdt.strerror(error)}")
    try:
        return _read(libfdt, blob)
    except (SystemError, UnicodeDecodeError) as wrong:  # how the bindings fail at a name of any bytes
        raise DecodeError("not a device-tree blob: a name is not text") from wrong


def _libfdt() -> Any:
    try:
        import libfdt  # type: ignore[import-untyped]  # pylibfdt has no type hints
    except ImportError as error:
        raise ConfigError("device-tree blobs need pylibfdt: pip install 'baseboard[spapr]'") from error
    return libfdt


def _size(root: Node) -> int:
    """An upper bound, so that libfdt need not grow its buffer, 1 KiB and a copy at a time."""
    size, names = 4096, 0
    for _, node in root.walk():
        size += 16 + len(node.name)
        for name, value in node.properties.items():
            size += 16 + len(value)
            names += len(name) + 1
    return size + names


def _write(blob: Any, node: Node) -> None:
    blob.begin_node(node.name)
    for name, value in node.properties.items():
        blob.property(name, value)
    for child in node.children:
        _write(blob, child)
    blob.end_node()


def _read(libfdt: Any, blob: bytearray) -> Node:
    """`fdt_check_full` has seen that the structure is well formed; not that names and sizes are sane."""
    path: list[Node] = []
    offset = depth = entries = 0
    while offset >= 0 <= depth:
        node = Node(_name(libfdt.fdt_get_name(blob, offset), root=not path))
        del path[depth:]
        if path:
            _add(path[-1], node)
        path.append(node)
        if len(path) > MAXIMUM_DEPTH:
            raise DecodeError(f"a device tree of more than {MAXIMUM_DEPTH} levels")
        place = libfdt.fdt_first_property_offset(blob, offset)
        while place >= 0:
            name, value = _property(libfdt.fdt_get_property_by_offset(blob, place))
            if name in node.properties:
                raise DecodeError(f"node {node.name or '/'} has property {name} twice")
            node.properties[name] = value
            place = libfdt.fdt_next_property_offset(blob, place)
        entries += 1 + len(node.properties)
        if entries > MAXIMUM_ENTRIES:
            raise DecodeError(f"a device tree of more than {MAXIMUM_ENTRIES} nodes and properties")
        offset, depth = libfdt.fdt_next_node(blob, offset, depth)
    return path[0]


def _add(parent: Node, node: Node) -> None:
    if parent.child(node.name):
        raise DecodeError(f"node {parent.name or '/'} has a child {node.name} twice")
    parent.add(node)


def _property(found: Any) -> tuple[str, bytes]:
    if not isinstance(found, list):
        raise DecodeError("not a device-tree blob: a property without a name")
    return _name(found), bytes(found[1])


def _name(found: Any, *, root: bool = False) -> str:
    """libfdt gives a list whose first is the name, or an error number."""
    name = found[0] if isinstance(found, list) else found
    sane = isinstance(name, str) and NAME.fullmatch(name) and name not in (".", "..")
    if sane or (root and name == ""):
        return str(name)
    raise DecodeError(f"{name!r} is no name of a node or property")
