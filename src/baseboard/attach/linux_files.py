"""A folder with the files that hot-plug tools look at, kept in step with the guest's device tree.

The folder is the state: a tree that programs have changed by `ofdt` is read back out of `proc/device-tree`
when the next one runs. Only what changes is written, so that what programs wrote elsewhere stays.
"""

from __future__ import annotations

import mmap
import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from baseboard.errors import ConfigError, DecodeError
from baseboard.spapr.guest_memory import BadAddress
from baseboard.spapr.linux import ofdt
from baseboard.spapr.linux.files import MEMORY, RMO_BUFFER, Files, files
from baseboard.spapr.tree import Node

_TREE = "proc/device-tree"
_DEEPEST = 32
_LARGEST = 1 << 24
_OURS = ("proc", "sys", "dev", "var", "etc")
"""What `LinuxFiles` makes in its folder; everything else there is a link to the programs and libraries."""


class LinuxFiles:
    """One folder. Every method raises ConfigError when the folder cannot be used."""

    def __init__(self, root: Path, first_tree: Callable[[], Node], cards: Collection[int] = ()) -> None:
        """`first_tree` makes the tree of a folder that is new; `cards` as in `spapr.linux.files`."""
        self.root = root
        self._cards = cards
        self._shown: Files
        try:
            root.mkdir(parents=True, exist_ok=True)
            if (root / _TREE).is_dir():
                self.tree = _read(root / _TREE, "")
                self._shown = files(self.tree, cards)
                self._write({path: content for path, content in self._shown.items() if not self._has(path)})
                self._remove_others()
            else:
                self.tree = first_tree()
                self._shown = files(self.tree, cards)
                self._write(self._shown)
            self._make_memory()
        except OSError as error:
            raise ConfigError(f"{error.filename or root}: {error.strerror}") from None
        except DecodeError as error:
            raise ConfigError(f"{root / _TREE}: {error}") from None

    def link(self, sysroot: Path) -> None:
        """Show the programs and libraries of a system beside our files."""
        try:
            for entry in sysroot.iterdir():
                place = self.root / entry.name
                if entry.name in _OURS or (place.is_dir() and not place.is_symlink()):
                    continue
                target = entry.resolve()
                if place.is_symlink():
                    if place.readlink() == target:
                        continue
                    place.unlink()
                place.symlink_to(target)
        except OSError as error:
            raise ConfigError(f"{error.filename or sysroot}: {error.strerror}") from None

    def ofdt(self, command: bytes) -> str:
        """What a write to `/proc/ppc64/ofdt` does; the path of the node.

        Raises DecodeError, also where Linux could make nothing of the tree then; nothing has changed.
        """
        tree = self.tree.copy()
        path = ofdt.apply(tree, command)
        wanted = files(tree, self._cards)
        self.tree = tree
        self._update(wanted)
        return path

    def slot_written(self, file: Path, data: bytes) -> None:
        """Linux takes the driver off a card, or finds it one, when a slot's `power` is written."""
        adapter = {b"0": b"2\n", b"1": b"1\n"}.get(data.strip())
        if file.name == "power" and adapter is not None:
            file.with_name("adapter").write_bytes(adapter)

    def _update(self, wanted: Files) -> None:
        before = self._shown
        gone = [path for path in before if path not in wanted]
        for path in sorted(gone, reverse=True):
            self._remove(self.root / path)
        self._write({path: content for path, content in wanted.items() if before.get(path, 0) != content})
        for path in gone:
            self._remove_empty((self.root / path).parent)
        self._shown = wanted

    def _has(self, path: str) -> bool:
        return (self.root / path).exists()

    def _write(self, contents: Files) -> None:
        for path, content in contents.items():
            place = self.root / path
            if content is None:
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)

    def _remove_others(self) -> None:
        """Folders of processors, blocks and slots that the tree does not have any more."""
        for base in ("sys/devices/system/cpu", "sys/devices/system/memory", "sys/bus/pci/slots"):
            kept = {
                path.split("/")[base.count("/") + 1] for path in self._shown if path.startswith(base + "/")
            }
            for place in (self.root / base).glob("*/"):
                if place.name not in kept:
                    shutil.rmtree(place)

    def _remove(self, place: Path) -> None:
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)

    def _remove_empty(self, place: Path) -> None:
        while place != self.root and place.is_dir() and not any(place.iterdir()):
            place.rmdir()
            place = place.parent

    def _make_memory(self) -> None:
        """The file that stands for real memory: nearly all of it is a hole."""
        place = self.root / MEMORY
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(place, "ab") as file:
            file.truncate(sum(RMO_BUFFER))


class FileMemory:
    """Guest memory out of the file that stands for it: the part in which programs have their work areas."""

    def __init__(self, root: Path) -> None:
        self.base, self.size = RMO_BUFFER
        with open(root / MEMORY, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), self.size, offset=self.base)

    def read(self, address: int, length: int) -> bytes:
        start = self._start(address, length)
        return self._map[start : start + length]

    def write(self, address: int, data: bytes) -> None:
        start = self._start(address, len(data))
        self._map[start : start + len(data)] = data

    def close(self) -> None:
        self._map.close()

    def _start(self, address: int, length: int) -> int:
        start = address - self.base
        if start < 0 or length < 0 or start + length > self.size:
            raise BadAddress(address, length)
        return start


def _read(folder: Path, name: str, depth: int = 0) -> Node:
    """The node that a folder shows; the file `name` in it is Linux's own."""
    if depth > _DEEPEST:
        raise ConfigError(f"{folder}: a device tree of more than {_DEEPEST} levels")
    node = Node(name)
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                node.add(_read(Path(entry.path), entry.name, depth + 1))
            elif entry.name != "name" and entry.stat().st_size <= _LARGEST:
                node.properties[entry.name] = Path(entry.path).read_bytes()
    return node
