"""What live QEMU answered, asked of our machine: every status, every cell, every property, every event log.

`tests/data/spapr/*.json` hold QEMU's version and command line, and each step with its answer. They were
recorded through qtest, so that no guest took part and none negotiated; `told` are the management events
with a device's name, sorted, as QEMU frees devices late.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from baseboard.spapr.choices import Choice
from baseboard.spapr.guest_memory import ByteMemory
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.refusal import Refusal

RECORDINGS = sorted((Path(__file__).parent.parent / "data" / "spapr").glob("qemu-*.json"))
AREA, LOG = 0x10000, 0x9000
LOG_LENGTH = 116
ARRAYS = {"ibm,drc-indexes", "ibm,drc-names", "ibm,drc-types", "ibm,drc-power-domains"}
"""QEMU's are in the order of a hash table."""
DATES = slice(24 + 8, 24 + 16)


class Conversation:
    """The steps of a recording, as our machine takes them."""

    def __init__(self, settings: dict[str, Any]) -> None:
        cards = settings.pop("cards")
        self.machine = PseriesMachine(**settings, memory=ByteMemory(1 << 20), choices=Choice.QEMU_ERRORS)
        self.told: list[list[str | None]] = []
        self.machine.on_event = lambda name, data: (
            self.told.append([name, data.get("device")]) if data.get("device") else None
        )
        for name, model, slot in cards:
            self.machine.plug_pci(name, model, slot, cold=True)

    def ask(self, step: list[Any]) -> Any:
        what, arguments = step[0], step[1:]
        try:
            return getattr(self, what)(*arguments)
        except Refusal as refusal:
            return str(refusal)

    def plug_core(self, name: str, core: int) -> None:
        self.machine.plug_core(name, core)

    def plug_dimm(self, name: str, size: int) -> None:
        self.machine.plug_dimm(name, size)

    def plug_at(self, name: str, size: int, place: dict[str, int]) -> None:
        self.machine.plug_dimm(name, size, **place)

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

    def rtas(self, service: str, arguments: list[int], results: int) -> list[int]:
        return [int(cell) for cell in self.machine.rtas.call(service, arguments, results)]

    def configure(self, index: int) -> list[list[Any]]:
        memory, pieces = self.machine.memory, []
        memory.write(AREA, struct.pack(">II", index, 0) + bytes(4088))
        status = 1
        while status > 0:
            (status,) = self.machine.rtas.call("ibm,configure-connector", [AREA, 0], 1)
            page = memory.read(AREA, 4096)
            name, length, value = struct.unpack(">III", page[8:20])
            piece: list[Any] = [status]
            if status in (2, 3):
                piece.append(page[name : page.index(0, name)].decode())
            if status == 3:
                piece.append(page[value : value + length].hex())
            pieces.append(piece)
        return pieces

    def fetch(self, mask: int) -> list[str]:
        logs = []
        while self.machine.rtas.call("check-exception", [0x500, 0x1001, mask, 0, LOG, 2048], 1) == (0,):
            logs.append(self.machine.memory.read(LOG, LOG_LENGTH).hex())
        return logs


def comparable(step: list[Any], answer: Any) -> Any:
    """Without the time of day, and arrays as sets."""
    if step[0] == "fetch":
        return [f"{log[: 2 * DATES.start]}{log[2 * DATES.stop :]}" for log in answer]
    if step[0] == "configure":
        return [
            [status, *rest[:1], sorted(rest[1])] if rest and rest[0] in ARRAYS else [status, *rest]
            for status, *rest in answer
        ]
    return answer


@pytest.mark.parametrize("recording", RECORDINGS, ids=[path.stem for path in RECORDINGS])
def test_as_qemu(recording: Path) -> None:
    data = json.loads(recording.read_text())
    conversation = Conversation(data["settings"])
    for number, (step, answer) in enumerate(data["steps"]):
        ours = conversation.ask(step)
        assert comparable(step, ours) == comparable(step, answer), f"step {number}: {step}"
    assert sorted(conversation.told) == data["told"]


def test_there_are_recordings() -> None:
    assert len(RECORDINGS) >= 3
