"""Our platform, for a guest that runs in QEMU: what an administrator asks of it also happens there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from baseboard.spapr.devices import Core, Device, Dimm
from baseboard.spapr.drc import Connector
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.tree import Node
from baseboard.spapr.vector5 import RADIX

_D = TypeVar("_D", bound=Device)
_P = ParamSpec("_P")


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


def _beside(
    ours: Callable[Concatenate[PseriesMachine, str, _P], _D], qemu: Callable[[Surroundings, _D], bool]
) -> Callable[Concatenate[LiveMachine, str, _P], _D]:
    """A method that plugs in with us and, when there is a guest, in QEMU."""

    @wraps(ours)
    def both(machine: LiveMachine, name: str, /, *arguments: _P.args, **named: _P.kwargs) -> _D:
        around = machine.around
        if around is None:
            return ours(machine, name, *arguments, **named)
        return around.plug(
            name, lambda: ours(machine, name, *arguments, **named), lambda device: qemu(around, device)
        )

    return both


class LiveMachine(PseriesMachine):
    """Cards and host bridges are only ours: Linux takes them, and finds no hardware behind them."""

    around: Surroundings | None = None
    """None while the machine is being made."""

    def describe(self, connector: Connector, vector: bytes | None = None) -> Node:
        node = super().describe(connector, vector)
        if RADIX.among(self.vector5 or b"") and "ibm,pft-size" in node.properties:
            node.set_cells("ibm,pft-size", 0, 0)  # it runs, so that it has given back its hashed page table
        return node

    plug_core = _beside(PseriesMachine.plug_core, lambda around, core: around.add_core(core))
    plug_dimm = _beside(PseriesMachine.plug_dimm, lambda around, dimm: around.add_dimm(dimm))
    plug_pci = _beside(PseriesMachine.plug_pci, lambda around, card: False)
    plug_phb = _beside(PseriesMachine.plug_phb, lambda around, bridge: False)

    def unplug(self, name: str) -> None:
        def ours() -> None:
            super(LiveMachine, self).unplug(name)

        around, device = self.around, self.names.get(name)
        return ours() if around is None else around.change(ours, lambda: around.remove(device))

    def power_down(self) -> None:
        def ours() -> None:
            super(LiveMachine, self).power_down()

        return ours() if self.around is None else self.around.change(ours, self.around.power_down)
