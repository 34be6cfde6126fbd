"""A partition's platform: its connectors, what is plugged into them, its processors, its clock, its events.

Theory of operation. The management side plugs and unplugs (`management/`); that changes connectors and
queues event logs, and `on_interrupt` says that one waits. The guest answers by RTAS calls (`rtas/`), which
move connectors; when it lets go of something, `on_event` says so by QEMU's name of the event. Nothing here
waits: a request to unplug stands until the guest acts on it, refuses, negotiates anew (CAS) or the machine
is reset.

What is plugged in `cold` is there as after a reset: ready, and without an event log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from baseboard.spapr.call_log import CallLog, logged
from baseboard.spapr.choices import Choice
from baseboard.spapr.describing import describe
from baseboard.spapr.devices import Core, Device, Dimm, Phb, TpmProxy
from baseboard.spapr.drc import CPU, LMB, PHB, PMEM, Connector, DrcKind, make_connector
from baseboard.spapr.events import ADD, REMOVE, EventQueue
from baseboard.spapr.faults import FaultPlan
from baseboard.spapr.guest_memory import ByteMemory, GuestMemory
from baseboard.spapr.hcalls import BY_NAME as HYPERCALLS
from baseboard.spapr.management import bridges, cards, cores, memory, tpm, unplugging
from baseboard.spapr.processor import Processor
from baseboard.spapr.rtas import TOKENS, Rtas
from baseboard.spapr.settings import LMB_SIZE, MAX_PHBS, MachineSettings
from baseboard.spapr.status import MULTI_LEVEL, SUCCESS
from baseboard.spapr.tpm import no_tpm
from baseboard.spapr.tree import Node
from baseboard.spapr.vector5 import BEFORE_CAS


def _ignore(*what: Any) -> None:
    """A callback that nobody set."""


class PseriesMachine:
    """Keyword arguments are those of `MachineSettings`.

    `memory` is the guest's; `clock` gives seconds since 1970, and is asked when a guest reads its clock and
    when an event is logged. Not `populated`, it has neither the cores nor the host bridges of the start.
    """

    def __init__(
        self,
        settings: MachineSettings | None = None,
        *,
        memory: GuestMemory | None = None,
        clock: Callable[[], float] = lambda: 0.0,
        populated: bool = True,
        **named: Any,
    ) -> None:
        self.settings = settings or MachineSettings(**named)
        self.choices = self.settings.choices
        self.memory: GuestMemory = memory or ByteMemory(0)
        self.clock = clock
        self.clock_offset = 0
        """What a guest added to it, in seconds."""
        self.on_event: Callable[[str, dict[str, Any]], None] = _ignore
        """A management event: QEMU's name and data."""
        self.on_interrupt: Callable[[int], None] = _ignore
        """An event source's interrupt number: 0x1000 (EPOW) or 0x1001 (hot-plug)."""
        self.on_start_processor: Callable[[int, int, int], None] = _ignore
        """start-cpu: number, where to begin, what r3 holds."""
        self.on_stop_processor: Callable[[int], None] = _ignore
        """stop-self."""
        self.on_character: Callable[[int], None] | None = None
        """display-character; None: there is no console."""
        self.log: CallLog | None = None
        """What is asked of the machine is written there."""
        self.faults = FaultPlan((*TOKENS, *HYPERCALLS))
        self.rtas = Rtas(self)
        self.events = EventQueue(
            clock=self.time_of_day,
            interrupt=self._interrupt,
            native_log_id=Choice.NATIVE_LOG_ID in self.choices,
        )
        self.connectors: dict[int, Connector] = {}
        """By index, in that order."""
        self.names: dict[str, Device] = {}
        """Devices that have a name, by it."""
        self.running: set[int] = {0}
        """Numbers of the processors (threads) that are not stopped."""
        self.memory_at_reset = self.settings.ram
        """How much the hashed page table is made for; more after CAS with a guest that cannot resize it."""
        self.processor = Processor()
        """As the guest sees it since CAS."""
        self.held: dict[int, int] = {}
        """How many blocks the guest still has of the DIMM at an address."""
        self.buses: dict[tuple[int, int], int] = {}
        """Numbers of the buses behind bridges, by host bridge and chassis."""
        self.new_cards: set[int] = set()
        """Connectors of cards that were plugged in since the last reset."""
        self.tpm_proxy: TpmProxy | None = None
        self.on_tpm_execute: Callable[[bytes], bytes] = no_tpm
        """A command to the TPM, and its response. Raises `TpmError`."""
        self.on_tpm_close: Callable[[], None] = _ignore
        """The TPM's session, if there is one, ends."""
        self.vector5: bytes | None = None
        """Option vector 5 as negotiated; None before CAS."""
        self._make_connectors()
        if not populated:
            return
        for number in range(self.settings.cores):
            cores.plug_core(self, "", number * self.settings.threads, cold=True)
        for index in self.settings.phbs:
            bridges.plug_phb(self, "", index, cold=True)

    def _make_connectors(self) -> None:
        settings = self.settings
        for number in range(settings.possible_cores):
            self.add_connector(CPU, number * settings.threads, "/cpus")
        for index in range(MAX_PHBS):
            self.add_connector(PHB, index, "/")
        for address in settings.device_memory[::LMB_SIZE]:
            self.add_connector(LMB, address // LMB_SIZE, "/")
        for slot in range(settings.slots):
            self.add_connector(PMEM, slot, "/")

    # What is there.

    def add_connector(self, kind: DrcKind, identifier: int, parent: str) -> Connector:
        """`parent` is the path of the node whose arrays it stands in."""
        connector = make_connector(kind, identifier, self, parent)
        self.connectors[connector.index] = connector
        return connector

    def sort_connectors(self) -> None:
        """So that a machine that was saved and restored tells of devices in the same order."""
        self.connectors = dict(sorted(self.connectors.items()))

    def connector(self, kind: DrcKind, identifier: int) -> Connector | None:
        return self.connectors.get(kind.drc_index(identifier))

    def devices(self) -> Iterator[Device]:
        """Each once, in the order of connectors' indexes."""
        seen: Device | None = None
        for connector in self.connectors.values():
            device = connector.device
            if device is not None and device is not seen:
                seen = device
                yield device
        if self.tpm_proxy is not None:
            yield self.tpm_proxy

    def has_processor(self, number: int) -> bool:
        connector = self.connector(CPU, number - number % self.settings.threads)
        return connector is not None and number >= 0 and connector.device is not None

    @property
    def hotplug_events(self) -> bool:
        """Whether the guest takes hot-plug events of their own (vector 5, byte 6, bit 5)."""
        return self.events.modern

    def time_of_day(self) -> float:
        """The guest's clock, in seconds since 1970."""
        return self.clock() + self.clock_offset

    # What an administrator does, and CAS.

    plug_core = cores.plug_core
    plug_dimm = memory.plug_dimm
    plug_nvdimm = memory.plug_nvdimm
    plug_pci = cards.plug_pci
    plug_phb = bridges.plug_phb
    plug_tpm_proxy = tpm.plug_tpm_proxy
    unplug = unplugging.unplug

    @logged
    def power_down(self) -> None:
        """The guest is asked to shut down."""
        self.tell("POWERDOWN", {})
        self.events.power_down()

    @logged
    def plan_fault(self, fault: Mapping[str, Any]) -> None:
        """A row of the fault plan.  Raises `ConfigError`."""
        self.faults.add(fault)

    @logged
    def clear_faults(self) -> None:
        self.faults.clear()

    @logged
    def reset(self) -> None:
        """As if the power had been cut: requested unplugs are complete, what is there is ready."""
        self.events.clear()
        # As QEMU 7.2: what goes with this reset still counts for the page table.
        self.memory_at_reset = self.settings.ram + memory.plugged(self)
        self._settle()
        self._number_buses()
        self.new_cards.clear()
        self.vector5 = None
        self.processor = Processor()
        self.running = {0}
        self.on_tpm_close()

    @logged
    def negotiated(self, vector5: bytes, *, hotplug_events: bool) -> None:
        """Client architecture support: connectors settle, hot-plug events that nobody took are dropped."""
        self._settle()
        self._number_buses()
        self.vector5 = vector5
        self.events.negotiated(hotplug_events=hotplug_events)

    def _number_buses(self) -> None:
        """Of the host bridges that have bridges behind them, for a guest that gets a new tree."""
        for phb in sorted({phb for phb, _ in self.buses}):
            cards.number_buses(self, phb)

    def _settle(self) -> None:
        for connector in list(self.connectors.values()):
            if connector.index in self.connectors:  # a host bridge takes its connectors along
                connector.settle()

    # What management tells the guest, and the other way round.

    def _interrupt(self, number: int) -> None:
        self.on_interrupt(number)

    def announce_addition(self, connector: Connector) -> None:
        self.events.hotplug(connector.kind.event, ADD, index=connector.index)

    def announce_removal(self, connector: Connector) -> None:
        self.events.hotplug(connector.kind.event, REMOVE, index=connector.index)

    def announce_memory(self, first: Connector, count: int) -> None:
        """A guest without hot-plug events is told how many blocks, not which."""
        index = first.index if self.hotplug_events else None
        self.events.hotplug(LMB.event, ADD, count=count, index=index)

    def announce_memory_removal(self, first: Connector, count: int) -> None:
        self.events.hotplug(LMB.event, REMOVE, count=count, index=first.index)

    def tell(self, name: str, data: dict[str, Any]) -> None:
        self.on_event(name, data)

    def named(self, device: Device) -> dict[str, Any]:
        """How QEMU's events name a device."""
        if not device.id:
            return {"path": f"/machine/unattached/{type(device).__name__.lower()}"}
        return {"device": device.id, "path": f"/machine/peripheral/{device.id}"}

    def forget(self, device: Device) -> None:
        """It is gone, and management is told."""
        self.names.pop(device.id, None)
        self.tell("DEVICE_DELETED", self.named(device))

    # What a connector asks (`drc.Owner`).

    def may_isolate(self, connector: Connector) -> int:
        """With the choice, a host bridge waits for the cards behind it.  [LoPAR 13.7.4.1.3]"""
        if connector.kind is PHB and Choice.MULTI_LEVEL_ISOLATION in self.choices:
            for other in cards.behind(self, connector.identifier):
                if other.state != other.EMPTY:
                    return MULTI_LEVEL
        return SUCCESS

    def released(self, connector: Connector, device: Device) -> None:
        match device:
            case Core():
                cores.gone(self, device)
            case Dimm():
                if not memory.released(self, device):
                    return
            case Phb():
                bridges.gone(self, device)
        self.forget(device)

    def refused(self, connector: Connector) -> None:
        """As QEMU 7.2: of memory, twice the same event."""
        device = connector.device
        if device is None or Choice.NO_REFUSAL in self.choices:
            return
        if isinstance(device, Dimm):
            memory.roll_back(self, device)
        connector.unplug_requested = False
        self.tell("DEVICE_UNPLUG_GUEST_ERROR", self.named(device))

    def configuring(self, connector: Connector) -> None:
        """A guest that fetches memory which it was to release does not release it."""
        device = connector.device
        if connector.unplug_requested and isinstance(device, Dimm) and Choice.NO_REFUSAL not in self.choices:
            memory.roll_back(self, device)

    def describe(self, connector: Connector, vector: bytes | None = None) -> Node:
        """`vector` is option vector 5 as it will have been agreed on; none: as it has been."""
        return describe(self, connector, vector or self.vector5 or BEFORE_CAS)
