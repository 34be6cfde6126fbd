"""Our platform, for a guest that runs in QEMU: what an administrator asks of it also happens there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from baseboard.spapr.devices import Core, Device, Dimm, PciFunction, Phb
from baseboard.spapr.drc import Connector
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.tree import Node
from baseboard.spapr.vector5 import RADIX

_D = TypeVar("_D", bound=Device)


class Surroundings(Protocol):
    """The guest and QEMU."""

    def plug(self, name: str, ours: Callable[[], _D], qemu: Callable[[_D], bool]) -> _D:
        """Does both, or raises Refusal and has done nothing. Each says whether QEMU raised an event."""

    def change(self, ours: Callable[[], None], qemu: Callable[[], bool]) -> None:
        """Does the first, then the second."""

    def add_core(self, core: Core) -> bool:
        """To QEMU."""

    def add_dimm(self, dimm: Dimm) -> bool:
        """To QEMU."""

    def remove(self, device: Device | None) -> bool:
        """From QEMU, as far as it has it."""

    def power_down(self) -> bool:
        """In QEMU, if its events count."""


class LiveMachine(PseriesMachine):
    """Cards and host bridges are only ours: Linux takes them, and finds no hardware behind them."""

    around: Surroundings | None = None
    """None while the machine is being made."""

    def describe(self, connector: Connector, vector: bytes | None = None) -> Node:
        node = super().describe(connector, vector)
        if RADIX.among(self.vector5 or b"") and "ibm,pft-size" in node.properties:
            node.set_cells("ibm,pft-size", 0, 0)  # it runs, so that it has given back its hashed page table
        return node

    def plug_core(self, name: str, core_id: int, *, node: int | None = None, cold: bool = False) -> Core:
        def ours() -> Core:
            return super(LiveMachine, self).plug_core(name, core_id, node=node, cold=cold)

        return ours() if self.around is None else self.around.plug(name, ours, self.around.add_core)

    def plug_dimm(
        self,
        name: str,
        size: int,
        *,
        slot: int | None = None,
        address: int | None = None,
        node: int = 0,
        cold: bool = False,
    ) -> Dimm:
        def ours() -> Dimm:
            return super(LiveMachine, self).plug_dimm(
                name, size, slot=slot, address=address, node=node, cold=cold
            )

        return ours() if self.around is None else self.around.plug(name, ours, self.around.add_dimm)

    def plug_pci(
        self,
        name: str,
        model: str,
        slot: int,
        function: int = 0,
        *,
        phb: int = 0,
        chassis: int = 0,
        bridge: int = 0,
        cold: bool = False,
    ) -> PciFunction:
        def ours() -> PciFunction:
            return super(LiveMachine, self).plug_pci(
                name, model, slot, function, phb=phb, chassis=chassis, bridge=bridge, cold=cold
            )

        return ours() if self.around is None else self.around.plug(name, ours, _only_ours)

    def plug_phb(self, name: str, index: int | None, *, node: int = -1, cold: bool = False) -> Phb:
        def ours() -> Phb:
            return super(LiveMachine, self).plug_phb(name, index, node=node, cold=cold)

        return ours() if self.around is None else self.around.plug(name, ours, _only_ours)

    def unplug(self, name: str) -> None:
        def ours() -> None:
            super(LiveMachine, self).unplug(name)

        around, device = self.around, self.names.get(name)
        return ours() if around is None else around.change(ours, lambda: around.remove(device))

    def power_down(self) -> None:
        def ours() -> None:
            super(LiveMachine, self).power_down()

        return ours() if self.around is None else self.around.change(ours, self.around.power_down)


def _only_ours(device: Device) -> bool:
    return False
