"""A partition as its guest and its administrator work it, by steps that are plain values.

A step is a list: what to do, and its arguments. Recordings (`tests/data/spapr`) and walks that hypothesis
makes are lists of them. Two sides take them: ours, and a live QEMU (`tests/interop/spapr_oracle.py`). What a
guest does is written here once, over nothing but hypercalls and memory; so is what is compared of answers.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, cast

from baseboard.spapr import fdt, memory, vector5
from baseboard.spapr.cells import unpack_strings
from baseboard.spapr.choices import Choice
from baseboard.spapr.guest_memory import ByteMemory, GuestMemory, read_cells, write_cells
from baseboard.spapr.hcalls import Hypervisor
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.refusal import Refusal
from baseboard.spapr.rtas import TOKENS
from baseboard.spapr.tpm import TpmLink
from baseboard.spapr.tree import Node, differences

Step = list[Any]
MEMORY = 4 << 20
"""What the guest has of it; QEMU's has more, of which no step makes use."""
BLOCK, LOG, AREA, VECTORS, BUFFER = 0x4000, 0x9000, 0x10000, 0x30000, 0x100000
PAGE = 4096
LOG_LENGTH = 116
FILL = 0xEEEEEEEE
"""What stands in cells that have not been written."""
H_TPM_COMM, H_RTAS, H_CAS = 0xEF10, 0xF000, 0xF002
ARRAYS = ("ibm,drc-indexes", "ibm,drc-names", "ibm,drc-types", "ibm,drc-power-domains")
"""QEMU's are in the order of a hash table."""
MAP = "ibm,dynamic-memory"
VECTOR_5 = "ibm,architecture-vec-5"
NO_SLOTS = f"valid range is [0-{(1 << 64) - 1}]"
"""What QEMU says of a slot of memory, where there are none."""
DATES = slice(24 + 8, 24 + 16)

NOT_COMPARED = {
    # services and devices that are not ours, a random seed, where the boot loader may put something
    "available", "ibm,arch-vec-5-platform-support", "ibm,change-msix-capable", "rng-seed", "rtas-size",
    "vm,uuid",
    # what dtc asks for in interrupt controllers, and drmgr in a partition, is only ours
    "#address-cells", "ibm,lpar-capable", "linux,phandle", "phandle",
    # compared as sets
    *ARRAYS,
}  # fmt: skip


class Side(ABC):
    """`told` are the management events with a device's name."""

    memory: GuestMemory

    @abstractmethod
    def call(self, number: int, *arguments: int) -> tuple[int, int]:
        """A hypercall: r3, signed, and r4."""

    @abstractmethod
    def told(self) -> list[list[str]]:
        """Management events so far that have a device's name, sorted: QEMU frees devices late."""

    def ask(self, step: Step) -> Any:
        """One step's answer, such as JSON has it."""
        return getattr(self, step[0])(*step[1:])

    # What a guest does.

    def rtas(self, service: str | int, arguments: list[int], results: int) -> list[int]:
        """The cells that were written, signed; of an unknown token also its r3."""
        token = TOKENS[service] if isinstance(service, str) else service
        room = results + 2
        write_cells(self.memory, BLOCK, token, len(arguments), results, *arguments, *[FILL] * room)
        status, _ = self.call(H_RTAS, BLOCK)
        cells = read_cells(self.memory, BLOCK + 12 + 4 * len(arguments), room)
        written = [cell - (1 << 32) if cell >> 31 else cell for cell in cells[:results] if cell != FILL]
        return written if isinstance(service, str) else [status, *written]

    def configure(self, index: int) -> list[list[Any]]:
        """All pieces, from where the connector stands to the end."""
        self._area(0, index)
        pieces: list[list[Any]] = []
        while not pieces or pieces[-1][0] > 0:
            pieces.append(self._piece(0))
        return pieces

    def pieces(self, number: int, index: int, count: int) -> list[list[Any]]:
        """The next pieces, through a work area made anew for each, and all that is in it then."""
        pieces: list[list[Any]] = []
        while len(pieces) < count and (not pieces or pieces[-1][0] > 0):
            self._area(number, index)
            pieces.append([*self._piece(number), self.memory.read(AREA + number * PAGE, PAGE).hex()])
        return pieces

    def _area(self, number: int, index: int) -> None:
        self.memory.write(AREA + number * PAGE, struct.pack(">II", index, 0) + b"\xaa" * (PAGE - 8))

    def _piece(self, number: int) -> list[Any]:
        area = AREA + number * PAGE
        (status,) = self.rtas("ibm,configure-connector", [area, 0], 1)
        page = self.memory.read(area, PAGE)
        name, length, value = struct.unpack(">III", page[8:20])
        piece: list[Any] = [status]
        if status in (2, 3):
            piece.append(page[name : page.index(0, name)].decode())
        if status == 3:
            piece.append(page[value : value + length].hex())
        return piece

    def take(self, index: int) -> list[Any]:
        """What a guest does with what was added: usable, unisolated, configured."""
        return [self.set(9003, index, 1), self.set(9001, index, 1), self.configure(index)]

    def give_back(self, index: int) -> list[int]:
        """And with what is to go: isolated, unusable."""
        return [self.set(9001, index, 0), self.set(9003, index, 0)]

    def set(self, indicator: int, index: int, value: int) -> int:
        return self.rtas("set-indicator", [indicator, index, value], 1)[0]

    def sense(self, index: int) -> list[int]:
        return self.rtas("get-sensor-state", [9003, index], 2)

    def fetch(self, mask: int) -> list[str]:
        """All logs of the classes of a mask."""
        logs = []
        while self.rtas("check-exception", [0x500, 0x1001, mask, 0, LOG, 2048], 1) == [0]:
            logs.append(self.memory.read(LOG, LOG_LENGTH).hex())
        return logs

    def fetch_into(self, room: int) -> list[Any]:
        """One log into a buffer of some room, and what is there and behind it then."""
        self.memory.write(LOG, b"\xaa" * 2 * LOG_LENGTH)
        answer = self.rtas("check-exception", [0x500, 0x1001, 0xFFFF_FFFF, 0, LOG, room], 1)
        return [answer, self.memory.read(LOG, 2 * LOG_LENGTH).hex()]

    def parameter(self, number: int, room: int) -> list[Any]:
        """A system parameter's status, and what is in the buffer then."""
        self.memory.write(LOG, b"\xaa" * 256)
        answer = self.rtas("ibm,get-system-parameter", [number, LOG, room], 1)
        return [answer, self.memory.read(LOG, 256).hex()]

    def cas(self, request: str) -> list[Any]:
        """r3, and the tree as a blob."""
        self.memory.write(VECTORS, bytes.fromhex(request))
        self.memory.write(BUFFER, bytes(8))
        status, _ = self.call(H_CAS, VECTORS, BUFFER, MEMORY - BUFFER)
        version, magic, size = struct.unpack(">III", self.memory.read(BUFFER, 12))
        blob = self.memory.read(BUFFER + 4, size) if magic == 0xD00DFEED else b""
        return [status, version, blob.hex()]

    def clock(self, *time: int) -> list[list[int]]:
        """Sets it and reads it again, to the minute."""
        given = self.rtas("set-time-of-day", [*time, 0], 1)
        return [given, self.rtas("get-time-of-day", [], 8)[:6]]

    # What an administrator does: None, or why it is refused.

    @abstractmethod
    def plug_core(self, name: str, core: int) -> str | None: ...

    @abstractmethod
    def plug_at(self, name: str, size: int, place: dict[str, int]) -> str | None:
        """A DIMM; `place` has its slot, address and node where wanted."""

    def plug_dimm(self, name: str, size: int) -> str | None:
        return self.plug_at(name, size, {})

    @abstractmethod
    def plug_nvdimm(self, name: str, size: int, label_size: int, uuid: str) -> str | None: ...

    @abstractmethod
    def plug_pci(
        self, name: str, model: str, slot: int, function: int, phb: int, chassis: int, bridge: int
    ) -> str | None: ...

    @abstractmethod
    def plug_phb(self, name: str, index: int) -> str | None: ...

    @abstractmethod
    def unplug(self, name: str) -> str | None: ...

    @abstractmethod
    def power_down(self) -> None: ...

    @abstractmethod
    def reset(self) -> None: ...


class Ours(Side):
    """`settings` are those of the machine; its `cards` (name, model, slot) are there from the start."""

    def __init__(
        self, settings: dict[str, Any], *, choices: Choice = Choice.QEMU_ERRORS, tpm: TpmLink | None = None
    ) -> None:
        named = dict(settings)
        cards = named.pop("cards", ())
        self.memory = ByteMemory(MEMORY)
        self.machine = PseriesMachine(**named, memory=self.memory, choices=choices)
        self.hypervisor = Hypervisor(self.machine, tpm=tpm)
        self._told: list[list[str]] = []
        self.machine.on_event = self._tell
        for name, model, slot in cards:
            self.machine.plug_pci(name, model, slot, cold=True)

    def _tell(self, name: str, data: dict[str, Any]) -> None:
        if data.get("device"):
            self._told.append([name, data["device"]])

    def told(self) -> list[list[str]]:
        return sorted(self._told)

    def call(self, number: int, *arguments: int) -> tuple[int, int]:
        return self.hypervisor.call(number, *arguments)

    def ask(self, step: Step) -> Any:
        try:
            return super().ask(step)
        except Refusal as refusal:
            return str(refusal)

    def plug_core(self, name: str, core: int) -> None:
        self.machine.plug_core(name, core)

    def plug_at(self, name: str, size: int, place: dict[str, int]) -> None:
        self.machine.plug_dimm(name, size, **cast(Any, place))

    def plug_nvdimm(self, name: str, size: int, label_size: int, uuid: str) -> None:
        self.machine.plug_nvdimm(name, size, label_size=label_size, uuid=uuid)

    def plug_pci(
        self, name: str, model: str, slot: int, function: int, phb: int, chassis: int, bridge: int
    ) -> None:
        self.machine.plug_pci(name, model, slot, function, phb=phb, chassis=chassis, bridge=bridge)

    def plug_phb(self, name: str, index: int) -> None:
        self.machine.plug_phb(name, index)

    def unplug(self, name: str) -> None:
        self.machine.unplug(name)

    def power_down(self) -> None:
        self.machine.power_down()

    def reset(self) -> None:
        self.machine.reset()


# What of two answers is compared.


def disagreement(step: Step, ours: Any, theirs: Any) -> list[str]:
    """What is different in the answers to a step; trees are compared as trees."""
    if step[0] == "cas" and ours[0] == theirs[0] == 0 and ours[1] == theirs[1]:
        return tree_differences(*(fdt.parse(bytes.fromhex(answer[2])) for answer in (ours, theirs)))
    ours, theirs = comparable(step, ours), comparable(step, theirs)
    return [] if ours == theirs else [f"ours: {ours}", f"QEMU: {theirs}"]


def comparable(step: Step, answer: Any) -> Any:
    """Without the time of day, and arrays as sets."""
    match step[0]:
        case "fetch":
            return [_without_date(log) for log in answer]
        case "fetch_into":
            return [answer[0], _without_date(answer[1])]
        case "configure" | "pieces":
            return _pieces(answer)
        case "take":
            return [*answer[:2], _pieces(answer[2])]
        case "plug_at" if NO_SLOTS in (answer or ""):
            return "no slots where allocated, please specify the 'slots' option"
    return answer


def _without_date(log: str) -> str:
    return f"{log[: 2 * DATES.start]}{log[2 * DATES.stop :]}"


def _pieces(pieces: list[list[Any]]) -> list[list[Any]]:
    return [
        [status, rest[0], sorted(rest[1])] if rest and rest[0] in ARRAYS else [status, *rest]
        for status, *rest in pieces
    ]


def tree_differences(ours: Node, theirs: Node) -> list[str]:
    """Empty when QEMU's tree is ours, but for what is named here and in `NOT_COMPARED`."""
    lines = []
    chosen = theirs.find("/chosen")
    if chosen is not None:
        chosen.properties[VECTOR_5] = _ours_of(chosen.properties[VECTOR_5])
    reconfiguration = theirs.find("/ibm,dynamic-reconfiguration-memory")
    if reconfiguration is not None and MAP in reconfiguration.properties:
        reconfiguration.properties[MAP] = _without_persistent(reconfiguration.properties[MAP])
    for path, node in theirs.walk():
        own = ours.find(path)
        if own is not None and connectors(own) != connectors(node):
            lines.append(f"{path}: connectors differ")
    for line in differences(ours, theirs, ignored=NOT_COMPARED):
        service = line.startswith("/rtas ") and ": only right, <0000" in line
        wish = ": only right" in line and (" qemu," in line or line.startswith("/vdevice"))
        if not (service or wish):
            lines.append(line)
    return lines


def _without_persistent(value: bytes) -> bytes:
    """QEMU's map of the first version says that persistent memory is assigned RAM; its second does not."""
    return memory.encode_v1(
        replace(block, flags=0) if block.list == memory.NO_LIST and block.index else block
        for block in memory.decode_v1(value)
    )


def _ours_of(vector: bytes) -> bytes:
    """Option vector 5 as agreed on, without what only QEMU offers."""
    kept = vector5.common(vector[1:], vector5.PLATFORM)
    return bytes([len(kept) - 1]) + kept


def connectors(node: Node) -> set[tuple[int, str, str, int]]:
    """The rows of the four arrays, whose order means nothing."""
    indexes, domains = node.cells(ARRAYS[0]), node.cells(ARRAYS[3])
    names, types = (unpack_strings(node.properties.get(array, b"")[4:]) for array in ARRAYS[1:3])
    return set(zip(indexes[1:], names, types, domains[1:], strict=True))
