"""Hardware for what our platform plugs in: cores and memory that QEMU must have, or Linux could not use them.

Plugging something in makes QEMU raise its own event and interrupt; who uses this swallows that event. Cores
stay with QEMU when the guest has let go of them: QEMU 7.2 frees one in such a way that it crashes later. A
core that stays stands still, and is used again when our platform plugs in its number once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from baseboard.attach.qmp import Qmp
from baseboard.power.qmp import MonitorError
from baseboard.spapr.refusal import Refusal

_BACKEND = "baseboard-"


class Backing:
    """What QEMU has, by its monitor. Methods say whether QEMU has raised an event of its own."""

    def __init__(self, qmp: Qmp, core_type: str, cores: Mapping[int, str], dimms: Iterable[str]) -> None:
        """Cores by number, with QEMU's names."""
        self._qmp = qmp
        self._core_type = core_type
        self.cores = dict(cores)
        """By number, with QEMU's names; also those that the guest has let go of."""
        self._dimms = set(dimms)

    def plug_core(self, name: str, number: int, node: int) -> bool:
        """Raises Refusal."""
        if number in self.cores:
            return False
        options = {"core-id": number, "node-id": node}
        self._do("device_add", driver=self._core_type, id=name, **options)
        self.cores[number] = name
        return True

    def plug_dimm(self, name: str, size: int, *, slot: int, address: int, node: int) -> bool:
        """Raises Refusal."""
        backend = _BACKEND + name
        self._do("object-add", **{"qom-type": "memory-backend-ram", "id": backend, "size": size})
        try:
            place = {"slot": slot, "addr": address, "node": node}
            self._do("device_add", driver="pc-dimm", id=name, memdev=backend, **place)
        except Refusal:
            self._do("object-del", id=backend)
            raise
        self._dimms.add(name)
        return True

    def unplug_core(self, number: int) -> bool:
        """Raises Refusal."""
        self._do("device_del", id=self.cores[number])
        return True

    def unplug_dimm(self, name: str) -> bool:
        """Raises Refusal."""
        if name not in self._dimms:
            return False
        self._do("device_del", id=name)
        return True

    def deleted(self, name: str) -> None:
        """QEMU says that it is gone."""
        self.cores = {number: core for number, core in self.cores.items() if core != name or not name}
        if name in self._dimms:
            self._dimms.discard(name)
            try:
                self._do("object-del", id=_BACKEND + name)
            except Refusal:
                pass  # a module that somebody else gave its memory

    def _do(self, command: str, **arguments: object) -> None:
        try:
            self._qmp.execute(command, **arguments)
        except MonitorError as error:
            raise Refusal(f"QEMU: {error}") from None
