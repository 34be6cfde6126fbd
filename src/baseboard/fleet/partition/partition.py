"""One partition: the machine, what of it is kept, and what management is told."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from baseboard.errors import ConfigError
from baseboard.spapr import vector5
from baseboard.spapr.device_tree import device_tree
from baseboard.spapr.devices import TpmProxy
from baseboard.spapr.guest_memory import GuestMemory
from baseboard.spapr.hcalls import Hypervisor
from baseboard.spapr.linux.files import ASSIGNED
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.saved import export, restore
from baseboard.spapr.settings import MachineSettings
from baseboard.spapr.tpm import ResourceManager, TpmLink
from baseboard.spapr.tree import Node
from baseboard.store.database import Store
from baseboard.store.partition import Card, Dimm, Nvdimm, size_of

ROOM = "spapr"
_MACHINE, _BORN = (ROOM, "machine"), (ROOM, "born")
MOST_NOTICES = 256
TPM = "tpm"
"""The proxy's name, when nobody has given it another."""

_T = TypeVar("_T")

_encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


GUEST = vector5.vector(
    (vector5.DYNAMIC_MEMORY, vector5.FORM_1_AFFINITY, vector5.HOTPLUG_EVENTS, vector5.DRC_INFO)
)
"""What the guest asks for that a partition has when nobody brings another: a Linux whose user space changes
its memory, and which therefore has `ibm,dynamic-memory` in its first version."""


def boot(machine: PseriesMachine) -> None:
    """A guest comes up: what is there is its own from now on."""
    machine.negotiated(vector5.common(GUEST, vector5.offered(machine.choices)), hotplug_events=True)


def guest_tree(machine: PseriesMachine) -> Node:
    """The tree of the guest's: without what is plugged in and not configured."""
    root = device_tree(machine)
    _prune(machine, root)
    dynamic = root.child("ibm,dynamic-reconfiguration-memory")
    if dynamic is not None:
        rows = list(dynamic.cells("ibm,dynamic-memory"))
        for start in range(1, len(rows), 6):
            connector = machine.connectors.get(rows[start + 2])
            if connector is not None and connector.state != connector.READY:
                rows[start + 5] &= ~ASSIGNED
        dynamic.set_cells("ibm,dynamic-memory", *rows)
    return root


def _prune(machine: PseriesMachine, node: Node) -> None:
    for child in list(node.children):
        connector = machine.connectors.get(next(iter(child.cells("ibm,my-drc-index")), 0))
        if connector is not None and connector.state != connector.READY:
            node.remove(child.name)
        else:
            _prune(machine, child)


class PartitionPlan(NamedTuple):
    """A machine as it is at its very first start."""

    settings: MachineSettings
    dimms: Sequence[Dimm] = ()
    cards: Sequence[Card] = ()
    nvdimms: Sequence[Nvdimm] = ()

    def populate(self, machine: PseriesMachine) -> None:
        """Put in what is there from the start.  Raises Refusal."""
        for dimm in self.dimms:
            machine.plug_dimm(dimm.id, size_of(dimm.size), node=dimm.node, cold=True)
        for one in self.nvdimms:
            machine.plug_nvdimm(
                one.id,
                size_of(one.size),
                label_size=size_of(one.label_size),
                uuid=one.uuid,
                node=one.node,
                cold=True,
            )
        for card in sorted(self.cards, key=lambda card: -card.function):
            machine.plug_pci(card.id, card.model, card.slot, card.function, phb=card.phb, cold=True)
        boot(machine)


class Partition:
    """A machine whose every change is on disk before it is answered for."""

    def __init__(self, store: Store, wanted: PartitionPlan | None, fallback: PartitionPlan) -> None:
        """`wanted` is for a new machine, and must be that of one that is kept; None takes what there is, and
        `fallback` when there is nothing.  Raises ConfigError.
        """
        self._store = store
        self.notices: deque[dict[str, Any]] = deque(maxlen=MOST_NOTICES)
        """What management was told, numbered from 1; the oldest go first."""
        rows = store.load().get(ROOM, {})
        if rows:
            self.machine = self._kept(rows, wanted)
        else:
            self.machine = PseriesMachine((wanted or fallback).settings, clock=time.time)
            (wanted or fallback).populate(self.machine)
        self._told = 0
        self._reboots = False
        self.machine.on_event = self._tell
        self.hypervisor = Hypervisor(self.machine)
        if self.machine.tpm_proxy is not None:
            self.hypervisor.use_tpm(_tpm(self.machine.tpm_proxy.tpm))
        self._saved = _encode(export(self.machine))
        if not rows:
            state = json.loads(self._saved)
            store.commit((), {_BORN: state, _MACHINE: state})  # both or neither, whenever we are killed

    def _kept(self, rows: Mapping[str, Any], wanted: PartitionPlan | None) -> PseriesMachine:
        machine = restore(rows.get("machine", {}), clock=time.time)
        if wanted is not None:
            planned = PseriesMachine(wanted.settings)
            wanted.populate(planned)
            if _encode(export(planned)) != _encode(rows.get("born")):
                raise ConfigError(
                    "the partition that is kept in this state directory is a different one: name another "
                    "--state DIR, or forget it with `baseboard reset-state --state DIR`"
                )
        return machine

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def handled(self, now: float) -> None:
        """Keep what has changed.  Raises StoreError."""
        state = _encode(export(self.machine))
        if state != self._saved:
            self._store.commit((), {_MACHINE: json.loads(state)})
            self._saved = state

    def call(
        self, service: str | int, arguments: Sequence[int], results: int, memory: GuestMemory
    ) -> tuple[int, ...]:
        """An RTAS call of a guest whose memory this is; kept when it comes back."""
        cells = self._asked(memory, lambda: self.machine.rtas.call(service, tuple(arguments), results))
        return tuple(int(cell) for cell in cells)

    def hypercall(self, number: int, arguments: Sequence[int], memory: GuestMemory) -> tuple[int, int]:
        """A hypercall of such a guest: r3 and r4; kept when it comes back."""
        return self._asked(memory, lambda: self.hypervisor.call(number, *arguments))

    def _asked(self, memory: GuestMemory, ask: Callable[[], _T]) -> _T:
        before = self.machine.memory
        self.machine.memory = memory
        try:
            answer = ask()
        finally:
            self.machine.memory = before
        if self._reboots:
            self.reset()
        self.handled(self.now())
        return answer

    def plug_tpm(self, name: str, where: str) -> TpmProxy:
        """A proxy with this TPM behind it.  Raises Refusal, ConfigError."""
        link = _tpm(where)
        proxy = self.machine.plug_tpm_proxy(name, where)
        self.hypervisor.use_tpm(link)
        return proxy

    def use_tpm(self, where: str) -> None:
        """This TPM is behind the proxy, which is there afterwards.  Raises ConfigError."""
        proxy = self.machine.tpm_proxy
        if proxy is None or proxy.tpm != where:
            _tpm(where)  # says what is wrong with it before anything has changed
            if proxy is not None:
                self.machine.unplug(proxy.id)
            self.plug_tpm(TPM if proxy is None else proxy.id, where)
            self.handled(self.now())

    def close(self) -> None:
        """The guest is not served any more."""
        self.hypervisor.session.close()

    def reset(self) -> None:
        """The machine is reset, and its guest boots again."""
        self._reboots = False
        self.machine.reset()
        boot(self.machine)

    def cards_present(self) -> set[int]:
        """Connectors of slots with something in them."""
        return {
            connector.index
            for connector in self.machine.connectors.values()
            if connector.kind.physical and connector.device is not None
        }

    def _tell(self, name: str, data: dict[str, Any]) -> None:
        if name == "RESET":  # a guest asks for it; nobody else runs this machine
            self._reboots = True  # when its call is done, so that a call log has one after the other
        self._told += 1
        self.notices.append({"number": self._told, "event": name, "data": data})


def _tpm(where: str) -> TpmLink | None:
    """Raises ConfigError."""
    from baseboard.aio.tpm import SHORT_PATIENCE, is_managed, tpm_link

    if not where:
        return None
    link = tpm_link(where, patience=SHORT_PATIENCE)
    return link if is_managed(where) else ResourceManager(link)


def open_partition(state: Path, wanted: PartitionPlan | None) -> tuple[Partition, Store]:
    """The partition of a state directory, which is nobody else's until the store is closed."""
    from baseboard.fleet.partition.plan import default_plan

    store = Store(state)
    try:
        return Partition(store, wanted, default_plan()), store
    except BaseException:
        store.close()
        raise


def reborn(state: Path) -> PseriesMachine:
    """The machine of a state directory as it was at its very first start; what is kept stays as it is."""
    store = Store(state)
    try:
        rows = store.load().get(ROOM, {})
    finally:
        store.close()
    if "born" not in rows:
        raise ConfigError(f"{state} has no partition: `baseboard spapr serve` makes one")
    return restore(rows["born"])
