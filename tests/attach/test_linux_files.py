"""The folder of a guest's files: made, changed by ofdt, read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from baseboard.attach.linux_files import FileMemory, LinuxFiles
from baseboard.errors import ConfigError, DecodeError
from baseboard.spapr.cells import cells, strings
from baseboard.spapr.guest_memory import BadAddress
from baseboard.spapr.tree import Node, add_phandles, differences


def first_tree() -> Node:
    core = Node("cpu@0", {"device_type": strings("cpu"), "ibm,ppc-interrupt-server#s": cells(0)})
    root = Node("", {"device_type": strings("chrp")}, [Node("cpus", {}, [core])])
    add_phandles(root)
    return root


def never() -> Node:
    raise AssertionError("the folder has a tree already")


def test_what_programs_change_is_there_for_the_next(tmp_path: Path) -> None:
    guest = LinuxFiles(tmp_path, first_tree)
    assert (tmp_path / "proc/device-tree/device_type").read_bytes() == b"chrp\0"
    guest.ofdt(b"add_node /cpus/cpu@1 device_type 4 cpu\0 ibm,ppc-interrupt-server#s 4 \0\0\0\1")
    assert (tmp_path / "sys/devices/system/cpu/cpu1/physical_id").read_bytes() == b"1\n"
    (tmp_path / "var/log/drmgr").write_text("kept")
    again = LinuxFiles(tmp_path, never)
    assert differences(guest.tree, again.tree) == []
    assert (tmp_path / "var/log/drmgr").read_text() == "kept"
    again.ofdt(b"remove_node /cpus/cpu@1")
    assert not (tmp_path / "proc/device-tree/cpus/cpu@1").exists()
    assert not (tmp_path / "sys/devices/system/cpu/cpu1").exists()


def test_what_does_not_belong_to_the_tree_goes(tmp_path: Path) -> None:
    LinuxFiles(tmp_path, first_tree)
    (tmp_path / "sys/devices/system/memory/memory9").mkdir()
    LinuxFiles(tmp_path, never)
    assert not (tmp_path / "sys/devices/system/memory/memory9").exists()
    assert (tmp_path / "sys/devices/system/cpu/cpu0/online").exists()


def test_a_refused_command_changes_nothing(tmp_path: Path) -> None:
    guest = LinuxFiles(tmp_path, first_tree)
    with pytest.raises(DecodeError):
        guest.ofdt(b"add_node /../../x")
    assert [path.name for path in tmp_path.parent.iterdir() if path.name == "x"] == []


def test_a_tree_of_which_nothing_can_be_made(tmp_path: Path) -> None:
    """A program's write is refused; what stands in the folder is named."""
    guest = LinuxFiles(tmp_path, first_tree)
    guest.ofdt(b"add_node /ibm,dynamic-reconfiguration-memory linux,phandle 4 \0\0\0\7")
    with pytest.raises(DecodeError, match="9 blocks in 0 cells"):
        guest.ofdt(b"add_property 7 ibm,dynamic-memory 4 \0\0\0\x09")
    guest.ofdt(b"add_property 7 ibm,dynamic-memory 4 \0\0\0\0")
    place = tmp_path / "proc/device-tree/ibm,dynamic-reconfiguration-memory/ibm,dynamic-memory"
    assert place.read_bytes() == bytes(4)
    place.write_bytes(b"abc")
    with pytest.raises(ConfigError, match="proc/device-tree: 3 bytes are not a whole number of cells"):
        LinuxFiles(tmp_path, never)


def test_slots_follow_their_power(tmp_path: Path) -> None:
    guest = LinuxFiles(tmp_path, first_tree)
    slot = tmp_path / "sys/bus/pci/slots/C1"
    slot.mkdir()
    for written, adapter in ((b"1\n", b"1\n"), (b"0", b"2\n"), (b"nonsense", b"2\n")):
        guest.slot_written(slot / "power", written)
        assert (slot / "adapter").read_bytes() == adapter


def test_programs_are_linked_beside_the_files(tmp_path: Path) -> None:
    sysroot = tmp_path / "sysroot"
    for name in ("usr/lib64", "proc", "var"):
        (sysroot / name).mkdir(parents=True)
    (sysroot / "lib64").symlink_to("usr/lib64")
    root = tmp_path / "root"
    guest = LinuxFiles(root, first_tree)
    guest.link(sysroot)
    guest.link(sysroot)
    assert (root / "lib64").resolve() == sysroot / "usr/lib64"
    assert not (root / "proc").is_symlink()


def test_memory_is_the_file_that_stands_for_it(tmp_path: Path) -> None:
    guest = LinuxFiles(tmp_path, first_tree)
    memory = FileMemory(guest.root)
    memory.write(memory.base + 4096, b"hello")
    with open(tmp_path / "dev/mem", "rb") as file:
        file.seek(memory.base + 4096)
        assert file.read(5) == b"hello"
    assert memory.read(memory.base + 4097, 2) == b"el"
    for address, length in ((0, 1), (memory.base + memory.size, 1), (memory.base, memory.size + 1)):
        with pytest.raises(BadAddress):
            memory.read(address, length)
    memory.close()


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "proc").write_text("a file")
    with pytest.raises(ConfigError, match="proc"):
        LinuxFiles(tmp_path, first_tree)
    with pytest.raises(ConfigError, match=r"proc/x: Not a directory"):
        LinuxFiles(tmp_path / "proc" / "x", first_tree)
