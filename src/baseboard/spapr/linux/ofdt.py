"""`/proc/ppc64/ofdt`: how Linux programs change the kernel's device tree.  [Linux, reconfig.c]

    add_node PATH [NAME LENGTH VALUE]...        PATH of the new node
    remove_node PATH
    add_property PHANDLE NAME LENGTH VALUE
    update_property PHANDLE NAME LENGTH VALUE
    remove_property PHANDLE NAME

One command a write; between all parts is one space, and VALUE is LENGTH bytes of anything.
"""

from __future__ import annotations

from baseboard.errors import DecodeError
from baseboard.spapr.cells import cells
from baseboard.spapr.fdt import NAME
from baseboard.spapr.tree import Node

LONGEST = 1 << 20
"""Bytes of one write; Linux takes a page for each, the largest real one is all of a big memory's blocks."""


def apply(tree: Node, command: bytes) -> str:
    """Change the tree; the path of what changed.  Raises DecodeError, and then nothing has changed."""
    if len(command) > LONGEST:
        raise DecodeError(f"ofdt: a command of {len(command)} bytes")
    verb, _, rest = command.partition(b" ")
    action = _ACTIONS.get(verb)
    if action is None:
        raise DecodeError(f"ofdt: no command {verb[:40]!r}")
    return action(tree, rest)


def _add_node(tree: Node, rest: bytes) -> str:
    path, rest = _word(rest)
    parent_path, _, name = path.rstrip("/").rpartition("/")
    parent = tree.find(parent_path)
    _check_name(name)
    if parent is None or not path.startswith("/"):
        raise DecodeError(f"ofdt: no node {parent_path or path}")
    if parent.child(name) is not None:
        raise DecodeError(f"ofdt: there is a node {path} already")
    node = Node(name)
    while rest:
        key, value, rest = _property(rest)
        node.properties[key] = value
    node.properties.pop("name", None)  # Linux shows one of its own
    handle = node.properties.get("ibm,phandle") or node.properties.get("linux,phandle") or _free(tree)
    node.properties["phandle"] = node.properties["linux,phandle"] = handle
    parent.add(node)
    return path


def _remove_node(tree: Node, rest: bytes) -> str:
    path, _ = _word(rest)
    parent_path, _, name = path.rstrip("/").rpartition("/")
    parent = tree.find(parent_path)
    node = parent.child(name) if parent is not None else None
    if parent is None or node is None:
        raise DecodeError(f"ofdt: no node {path}")
    if node.children:
        raise DecodeError(f"ofdt: {path} has nodes below it")
    parent.remove(name)
    return path


def _set_property(tree: Node, rest: bytes) -> str:
    path, node, rest = _by_handle(tree, rest)
    key, value, _ = _property(rest)  # as Linux: drmgr has some bytes of its buffer behind the value
    node.properties[key] = value
    return path


def _remove_property(tree: Node, rest: bytes) -> str:
    path, node, rest = _by_handle(tree, rest)
    key, _ = _word(rest)
    if node.properties.pop(key, None) is None:
        raise DecodeError(f"ofdt: {path} has no property {key}")
    return path


_ACTIONS = {
    b"add_node": _add_node,
    b"remove_node": _remove_node,
    b"add_property": _set_property,
    b"update_property": _set_property,
    b"remove_property": _remove_property,
}


def _word(rest: bytes) -> tuple[str, bytes]:
    word, _, rest = rest.partition(b" ")
    try:
        return word.strip(b"\0\n").decode("ascii"), rest
    except UnicodeDecodeError:
        raise DecodeError(f"ofdt: {word[:40]!r} is not text") from None


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name) or name in (".", ".."):
        raise DecodeError(f"ofdt: {name!r:.60} is no name of a node or property")


def _property(rest: bytes) -> tuple[str, bytes, bytes]:
    """Name, value, and what comes behind them."""
    name, rest = _word(rest)
    _check_name(name)
    digits, _, rest = rest.partition(b" ")
    if not digits.isdigit() or len(digits) > 9 or int(digits) > len(rest):
        raise DecodeError(f"ofdt: {name} has {len(rest)} bytes, not {digits[:20]!r}")
    length = int(digits)
    return name, rest[:length], rest[length:].removeprefix(b" ").removeprefix(b"\0")


def _by_handle(tree: Node, rest: bytes) -> tuple[str, Node, bytes]:
    handle, rest = _word(rest)
    try:
        wanted = cells(int(handle, 0))
    except ValueError:
        raise DecodeError(f"ofdt: {handle!r:.40} is not the number of a node") from None
    for path, node in tree.walk():
        if wanted in (node.properties.get("linux,phandle"), node.properties.get("phandle")):
            return path, node, rest
    raise DecodeError(f"ofdt: no node has the number {handle}")


def _free(tree: Node) -> bytes:
    taken = {node.properties.get("phandle") for _, node in tree.walk()}
    number = len(taken)
    while cells(number) in taken:
        number += 1
    return cells(number)
