"""A real guest whose platform is ours: its RTAS calls, its events, the hardware behind what is plugged in.

Theory of operation. At the entry of a call our platform acts and its answer is kept; the call then goes to
QEMU, whose connectors so follow ours, and at its return our answer takes the place of QEMU's. Only what the
fault plan answers never gets to QEMU. An event waits with our platform until the guest asks; that it asks,
it is interrupted: by QEMU, which has an event of its own for hardware that was plugged in and is asked for
it in the same call, or by us, with a store to the interrupt's page in XIVE. There must be as many interrupts
as events: Linux 6.1 goes down when it is interrupted and there is nothing.

Everything runs in one thread. While we look the guest stands still, and when we leave it runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TypeVar

from baseboard.attach.backing import Backing
from baseboard.attach.comparison import Comparison
from baseboard.attach.errors import AttachError, NotAttachable
from baseboard.attach.gdb import Gdb, GdbTimeout
from baseboard.attach.gdb_stops import Stop
from baseboard.attach.given_back import remember
from baseboard.attach.partition_calls import ENDS, Answer, Answerer, Answers, Mode
from baseboard.attach.pseries import check_machine, look
from baseboard.attach.qmp import Qmp
from baseboard.attach.real_memory import Draft, RealMemory
from baseboard.attach.rtas_calls import ARCHITECTURE, Call, Returned, RtasCalls
from baseboard.spapr.choices import Choice
from baseboard.spapr.configure_connector import PAGE
from baseboard.spapr.devices import Core, Device, Dimm
from baseboard.spapr.drc import CPU
from baseboard.spapr.guest_memory import BadAddress
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.refusal import Refusal
from baseboard.spapr.status import SUCCESS

_ESB, _ESB_SHIFT = 0x0006_0100_0000_0000, 17
"""Where XIVE's pages begin: a store to the first of an interrupt's two raises it.  [QEMU 7.2]"""
_LAST_EVENTS = 5.0
"""Seconds in which a guest fetches what it was interrupted for."""
_D = TypeVar("_D", bound=Device)


class Seen(NamedTuple):
    """A call, and what became of it."""

    service: str
    arguments: tuple[int, ...]
    who: Answerer
    results: tuple[int, ...]
    """What the guest got."""
    qemu: tuple[int, ...] | None
    """What QEMU said; None: it was not asked, or nobody waited for it."""
    differences: tuple[str, ...] = ()


class LivePartition:
    """One guest. Methods raise AttachError when it is gone; plugging raises Refusal."""

    def __init__(
        self,
        stub: str,
        monitor: Path,
        mode: Mode = Mode.OVERRIDE,
        answerers: Mapping[str, Answerer] | None = None,
        on_call: Callable[[Seen], None] = lambda seen: None,
        on_event: Callable[[str, Mapping[str, object]], None] = lambda name, data: None,
    ) -> None:
        """`answerers` is what differs from the table.  Raises ConfigError, NotAttachable and AttachError."""
        self.mode = mode
        self._on_call = on_call
        self._on_event = on_event
        self.qmp = Qmp(monitor)
        try:
            check_machine(self.qmp)
            self.gdb = Gdb.connect(stub, "big")  # as the guest's processors are when they call RTAS
        except BaseException:
            self.qmp.close()
            raise
        try:
            if self.gdb.architecture != ARCHITECTURE:
                raise NotAttachable(
                    f"{stub}: the processors are {self.gdb.architecture or 'unknown'}, not POWER"
                )
            self.gdb.physical_memory(True)
            self.guest = look(self.qmp, self.gdb.read_memory)
            self.machine = self.guest.partition(Choice.QEMU_ERRORS if mode is Mode.COMPARE else Choice.NONE)
            self._calls = RtasCalls(self.gdb, self.guest.rtas)
            self._memory = RealMemory(self.gdb, self._ranges)
            self._answers = Answers(self.machine, self._memory, mode, dict(answerers or {}))
            self._backing = Backing(
                self.qmp,
                self.guest.core_type,
                {core.number: core.name for core in self.guest.cores},
                [dimm["id"] for dimm in self.guest.dimms if "id" in dimm],
            )
            self._comparison = Comparison()
            self._asked: dict[str, tuple[str, Answer]] = {}
            """Calls that QEMU is answering, by thread."""
            self._interrupts: list[int] = []
            """To be raised before the guest goes on."""
            self._reset = False
            self.machine.on_interrupt = self._interrupts.append
            self.machine.around = self
            self.gdb.resume()
        except BaseException:
            self.gdb.detach()
            self.qmp.close()
            raise

    def __enter__(self) -> LivePartition:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave; the guest runs on, with QEMU's RTAS. May be called again."""
        with suppress(AttachError):
            self._wait_fetched()
            if self.gdb.running and not self.gdb.ended:
                self._stopped(self.gdb.interrupt())
            if self.mode is not Mode.RECORD and not self._reset:
                remember(self.qmp, self.guest.boot, self._free())
        self.gdb.detach()
        self.qmp.close()

    def _wait_fetched(self) -> None:
        """The guest was interrupted for events of ours; from QEMU it would get nothing, and go down."""
        deadline = time.monotonic() + _LAST_EVENTS
        while self.gdb.running and len(self.machine.events) and not self._reset:
            if self.mode is not Mode.OVERRIDE or time.monotonic() > deadline:
                break
            if self.gdb.readable(0.1):
                self.handle()

    # What comes from the guest.

    def handle(self) -> None:
        """All calls that have come."""
        while self.gdb.readable():
            try:
                stop = self.gdb.wait(0)
            except GdbTimeout:
                continue  # the stub's acknowledgement, or half of what it says
            self._stopped(stop)
            self.gdb.resume()

    def handle_events(self) -> None:
        """What QEMU's monitor tells.  Raises AttachError: the guest starts again, and has no RTAS for now."""
        while (event := self.qmp.next_event()) is not None:
            self._on_event(event.name, event.data)
            if event.name == "DEVICE_DELETED":
                self._backing.deleted(event.data.get("device", ""))
            elif event.name == "RESET":
                remember(self.qmp, self.guest.boot, ())  # what is plugged in is the guest's again
                self._reset = True
                raise AttachError("the guest was reset: attach to it again when its kernel is up")

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """The guest does, meanwhile; then it has the interrupts that our platform raised."""
        self._stopped(self.gdb.interrupt())
        try:
            yield
            self._interrupt()
        finally:
            self._interrupts.clear()
            self.gdb.resume()

    def _stopped(self, stop: Stop) -> None:
        match self._calls.stopped(stop):
            case Call() as call:
                self._called(call)
            case Returned() as returned:
                self._returned(returned)
        self._interrupt()

    def _called(self, call: Call) -> None:
        service = self.guest.services.get(call.token, f"{call.token:#x}")
        answer = self._answers.to(service, call.arguments, call.results)
        if answer.who is Answerer.FAULT and self.mode is Mode.OVERRIDE:
            self._calls.answer(call, answer.results, answer.writes)
            return self._on_call(Seen(service, call.arguments, answer.who, answer.results, None))
        if service in ENDS:
            self._calls.pass_on(call, returns=False)
            return self._on_call(Seen(service, call.arguments, Answerer.QEMU, (), None))
        self._asked[call.thread] = service, answer
        return self._calls.pass_on(call)

    def _returned(self, returned: Returned) -> None:
        call, theirs = returned
        service, answer = self._asked.pop(call.thread)
        ours = answer.results
        differences: list[str] = []
        nothing = service == "check-exception" and ours[:1] != (SUCCESS,)
        only_ours = service == "check-exception" and theirs[:1] != (SUCCESS,) and self.mode is Mode.OVERRIDE
        if answer.who is not Answerer.QEMU and not only_ours:
            differences = self._compare(service, call, answer, theirs)
        if answer.who is Answerer.QEMU or self.mode is Mode.COMPARE or nothing:
            # Also an event that is QEMU's alone: somebody has plugged something in there.
            self._calls.leave(returned)
            who, results = Answerer.QEMU, theirs
        else:
            self._calls.answer(call, ours, answer.writes)
            who, results = Answerer.OURS, ours + theirs[len(ours) :]
        self._on_call(Seen(service, call.arguments, who, results, theirs, tuple(differences)))

    def _compare(self, service: str, call: Call, answer: Answer, theirs: tuple[int, ...]) -> list[str]:
        places = [(address, len(data)) for address, data in answer.writes]
        ours = b"".join(data for _, data in answer.writes)
        try:
            if service == "ibm,configure-connector" and call.arguments:
                places = [(call.arguments[0], PAGE)]
                ours = Draft(self._memory, answer.writes).read(*places[0])
            qemu = b"".join(self._memory.read(*place) for place in places)
        except BadAddress:
            ours = qemu = b""
        return self._comparison.differences(service, (answer.results, ours), (theirs, qemu))

    # What an administrator does (`live_machine.Surroundings`).

    def plug(self, name: str, ours: Callable[[], _D], qemu: Callable[[_D], bool]) -> _D:
        """QEMU may refuse what our platform has taken; then that was nothing."""
        self._may_plug()
        if not name:
            raise Refusal("give it a name")
        with self.standing_still():
            events = self.machine.events.export()
            device = ours()
            try:
                if qemu(device):
                    self._interrupts.clear()  # QEMU has raised its own
                elif self.mode is Mode.COMPARE:
                    raise Refusal("QEMU has no event for this, so that there is nothing to compare")
            except BaseException:
                PseriesMachine.unplug(self.machine, name)  # goes at once, as the guest does not hold it
                self.machine.events.restore(events)
                self._interrupts.clear()
                raise
        return device

    def change(self, ours: Callable[[], None], qemu: Callable[[], bool]) -> None:
        self._may_plug()
        with self.standing_still():
            ours()
            if qemu():
                self._interrupts.clear()

    def add_core(self, core: Core) -> bool:
        added = self._backing.plug_core(core.id, core.core_id, core.node)
        if added:
            self._calls.arm()  # a new processor has no breakpoints
        return added

    def add_dimm(self, dimm: Dimm) -> bool:
        return self._backing.plug_dimm(
            dimm.id, dimm.size, slot=dimm.slot, address=dimm.address, node=dimm.node
        )

    def remove(self, device: Device | None) -> bool:
        """What QEMU does not want to give up stays there; the guest is asked by us alone."""
        with suppress(Refusal):
            if isinstance(device, Dimm):
                return self._backing.unplug_dimm(device.id)
            if isinstance(device, Core) and self.mode is Mode.COMPARE:
                return self._backing.unplug_core(device.core_id)
        return False

    def power_down(self) -> bool:
        """QEMU's own way, where its events are the guest's."""
        if self.mode is Mode.COMPARE:
            self.qmp.execute("system_powerdown")
        return self.mode is Mode.COMPARE

    def _may_plug(self) -> None:
        if self.mode is Mode.RECORD:
            raise Refusal("we only look on: attach with --mode override or compare to plug and unplug")
        if not self.guest.xive and self.mode is Mode.OVERRIDE:
            raise Refusal(
                "the guest's interrupt controller is XICS, whose interrupts cannot be raised from outside: "
                "start it with -machine ic-mode=xive"
            )

    def _interrupt(self) -> None:
        """The guest stands still."""
        for number in self._interrupts if self.mode is Mode.OVERRIDE and self.guest.xive else ():
            self.gdb.write_memory(_ESB + (number << _ESB_SHIFT), bytes(8))
        self._interrupts.clear()

    def _free(self) -> list[int]:
        """Connectors of what QEMU has and the guest does not hold."""
        connectors = self.machine.connectors
        cores = [CPU.drc_index(number) for number in self._backing.cores]
        blocks = [index for index, connector in connectors.items() if isinstance(connector.device, Dimm)]
        return [index for index in (*cores, *blocks) if connectors[index].state != connectors[index].READY]

    def _ranges(self) -> list[range]:
        """Where the guest has memory, whether it uses it or not."""
        dimms = {device for device in self.machine.devices() if isinstance(device, Dimm)}
        return [range(self.machine.settings.ram)] + [
            range(dimm.address, dimm.address + dimm.size) for dimm in dimms
        ]
