"""Nodes of a device tree.

A node has properties (name to bytes, in their order) and children with names of their own. `fdt` makes blobs
of it, `proc_files` the folder that Linux shows, `differences` compares two trees for people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from baseboard.errors import LocalProtocolError
from baseboard.spapr.cells import cells, strings, unpack_cells, unpack_strings

SHOWN = 32
"""Bytes of a value that a difference shows."""


class Node:
    """`name` has its unit address (`memory@0`); the root's is empty."""

    __slots__ = ("_children", "name", "properties")

    def __init__(
        self, name: str, properties: Mapping[str, bytes] | None = None, children: Iterable[Node] = ()
    ) -> None:
        self.name = name
        self.properties = dict(properties or {})
        self._children: dict[str, Node] = {}
        for child in children:
            self.add(child)

    @property
    def children(self) -> Collection[Node]:
        """In the order in which they were added."""
        return self._children.values()

    def add(self, child: Node) -> Node:
        """Gives the child back. Its name must be new here."""
        if child.name in self._children:
            raise LocalProtocolError(f"{self.name or '/'} has a node {child.name} already")
        self._children[child.name] = child
        return child

    def remove(self, name: str) -> Node:
        return self._children.pop(name)

    def child(self, name: str) -> Node | None:
        return self._children.get(name)

    def find(self, path: str) -> Node | None:
        """The node at a path such as `/cpus/PowerPC,POWER9@0`, whole names, from here."""
        node: Node | None = self
        for name in path.split("/"):
            if node is not None and name:
                node = node.child(name)
        return node

    def walk(self, path: str = "") -> Iterator[tuple[str, Node]]:
        """Every node with its path, parents first; this node's is `/`."""
        yield path or "/", self
        for child in self._children.values():
            yield from child.walk(f"{path}/{child.name}")

    def set_cells(self, name: str, *numbers: int) -> None:
        self.properties[name] = cells(*numbers)

    def set_strings(self, name: str, *texts: str) -> None:
        self.properties[name] = strings(*texts)

    def cells(self, name: str) -> tuple[int, ...]:
        """Empty where there is no such property. Raises `DecodeError`."""
        return unpack_cells(self.properties.get(name, b""))

    def strings(self, name: str) -> tuple[str, ...]:
        """Empty where there is no such property. Raises `DecodeError`."""
        return unpack_strings(self.properties.get(name, b""))

    def copy(self) -> Node:
        return Node(self.name, self.properties, (child.copy() for child in self.children))

    def __repr__(self) -> str:
        return f"Node({self.name!r}, {len(self.properties)} properties, {len(self._children)} children)"


def add_phandles(root: Node) -> None:
    """Gives every node a `phandle`, and the same `linux,phandle`, by which Linux and drmgr name it."""
    nodes = [node for _, node in root.walk()]
    taken = {cell for node in nodes for cell in node.cells("phandle")[:1]}
    free = (number for number in range(1, len(nodes) + len(taken) + 1) if number not in taken)
    for node in nodes:
        handle = node.properties.get("phandle") or cells(next(free))
        node.properties["phandle"] = node.properties["linux,phandle"] = handle


def proc_files(root: Node) -> dict[str, bytes | None]:
    """What Linux shows in `/proc/device-tree`, by relative path; None is a folder.

    Each folder has a file `name` with the node's name without its unit address. A property that is called
    like a child node stands as `NAME#1`, as Linux does it.
    """
    shown: dict[str, bytes | None] = {}
    for path, node in root.walk():
        folder = path.lstrip("/")
        prefix = f"{folder}/" if folder else ""
        if folder:
            shown[folder] = None
        own = {"name": strings(node.name.partition("@")[0])} | node.properties
        for name, value in own.items():
            shown[f"{prefix}{name}{'#1' if node.child(name) else ''}"] = value
    return shown


def differences(left: Node, right: Node, *, ignored: Collection[str] = ()) -> list[str]:
    """One line for each thing that differs, orders apart; empty when the trees are the same.

    `ignored` are names of properties that are not looked at.
    """
    return list(_differences(left, right, "", frozenset(ignored)))


def _differences(left: Node, right: Node, path: str, ignored: frozenset[str]) -> Iterator[str]:
    here = path or "/"
    ours, theirs = left.properties, right.properties
    for name in (ours | theirs).keys() - ignored:
        if name not in theirs:
            yield f"{here} {name}: only left, {show_value(ours[name])}"
        elif name not in ours:
            yield f"{here} {name}: only right, {show_value(theirs[name])}"
        elif ours[name] != theirs[name]:
            yield f"{here} {name}: {show_value(ours[name])} left, {show_value(theirs[name])} right"
    for child in left.children:
        other = right.child(child.name)
        if other is None:
            yield f"{path}/{child.name}: only left"
        else:
            yield from _differences(child, other, f"{path}/{child.name}", ignored)
    for child in right.children:
        if left.child(child.name) is None:
            yield f"{path}/{child.name}: only right"


def show_value(value: bytes) -> str:
    """As dtc writes it: strings where it can be nothing else, cells, bytes."""
    if not value:
        return "empty"
    tail = f" ... ({len(value)} bytes)" if len(value) > SHOWN else ""
    text = value[:-1].split(b"\0")
    if value[-1] == 0 and all(
        part and part.isascii() and part.decode("ascii").isprintable() for part in text
    ):
        return ", ".join(f'"{part.decode()}"' for part in text)[:80]
    if len(value) % 4 == 0:
        return f"<{' '.join(f'{cell:08x}' for cell in unpack_cells(value[:SHOWN]))}>{tail}"
    return f"[{value[:SHOWN].hex(' ')}]{tail}"
