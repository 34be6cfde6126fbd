"""One controller at work: its state, its sockets, its chassis and its store.

Whatever happens (a datagram, a frame, a control request, a deadline, a report of the chassis) ends in
`handled`, before any answer leaves: durable changes are committed, events are passed on, the timer is set.
An answer whose change could not be written is not sent.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from baseboard.aio.alerts import AlertSender
from baseboard.aio.endpoint import Address
from baseboard.aio.ipmb import IpmbPort
from baseboard.aio.lan import LanListener
from baseboard.aio.serial import SerialPort, open_serial
from baseboard.aio.simulated_serial import SimulatedSerial
from baseboard.aio.sol import SolPump
from baseboard.aio.vm import VmPort
from baseboard.bmc import events
from baseboard.bmc.commands import assemble
from baseboard.bmc.controller import Bmc
from baseboard.bmc.core import Core
from baseboard.errors import BaseboardError, DecodeError
from baseboard.fleet.attachment import Seam
from baseboard.fleet.options import Options, PowerKind
from baseboard.fleet.users import logins
from baseboard.ipmi.message import Message
from baseboard.ipmi.privilege import Channel
from baseboard.lan.server import LanServer
from baseboard.power.backend import Backend, Reports
from baseboard.power.simulated import SimulatedMachine
from baseboard.power.wire import WireMachine
from baseboard.store.database import Store, StoreError
from baseboard.store.directory import CONTROL
from baseboard.store.firmware import keep_firmware
from baseboard.vm.protocol import Capability

if TYPE_CHECKING:
    from baseboard.aio.serial_channel import SerialChannelPort
    from baseboard.fleet.bridge import FirmwareBridge
    from baseboard.fleet.control import ControlServer
    from baseboard.fleet.functions import AttachedFunction
    from baseboard.power.line import QemuLine
    from baseboard.power.qemu import QemuMachine

CLOCK_CHECK = 60.0
"""Seconds between two looks at the host's wall clock, which may be set while we run."""


class Instance:
    """One controller, from `start` to `stop`."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._stack = AsyncExitStack()
        self._alerts = AlertSender()
        self._stack.callback(self._alerts.close)
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: float | None = None
        self.bmc: Bmc
        self.core: Core
        self.store: Store
        self.lan: LanListener
        self.backend: Backend
        self._qemu: QemuMachine | None = None
        self.vms: tuple[VmPort, ...] = ()
        self.functions: tuple[AttachedFunction, ...] = ()
        self.ipmb: tuple[IpmbPort, ...] = ()
        self._bridge: FirmwareBridge | None = None
        self._last_complaint = ""
        self.serial_channel: SerialChannelPort | None = None
        self.serial: SerialPort | None = None
        self.sol: SolPump | None = None
        self.control: ControlServer

    # -- from start to stop --------------------------------------------------------------------------

    async def start(self) -> None:
        """Open everything.  Raises ConfigError; `stop` is to be called then as well."""
        options = self.options
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._uncaught)
        self.store = Store(options.state)
        self._stack.callback(self.store.close)
        self._make_controller()
        line = self._equip_qemu()
        addresses = (*options.vms, *([Address("unix", path=str(line.ipmi))] if line else ()))
        self.vms = tuple(VmPort(address, self.core.handle, self) for address in addresses)
        self.backend = self._make_backend(line)
        await self._open_firmware()
        await self._open_lan()
        for vm in self.vms:
            await vm.start()
            self._stack.push_async_callback(vm.close)
        self.ipmb = tuple(IpmbPort(address, self.bmc.bus, self.handled) for address in self.options.ipmb)
        for port in self.ipmb:
            await port.start()
            self._stack.push_async_callback(port.close)
        await self._open_functions()
        await self._open_dummy()
        await self._open_serial_channel()
        await self._open_console(line)
        await self._start_backend()
        await self._open_control()
        self.handled(self.now())

    async def stop(self) -> None:
        """Close everything, in the opposite order."""
        await self._stack.aclose()

    def now(self) -> float:
        """Monotonic seconds, as everything here counts them."""
        return self._loop.time()

    def ready(self) -> dict[str, Any]:
        """Where everything is, for whoever started us."""
        host, port = self.lan.address
        options = self.options
        console = self.serial.name if self.serial is not None else None
        return {
            "lan": {"host": host, "port": port},
            "user": options.user,
            "password_file": str(options.password_file),
            "state": str(options.state),
            "control": str(self.control.path),
            "vms": [vm.address.replace(port=vm.port).stream for vm in self.vms],
            "vfio_user": [str(item.path) for item in options.functions if item.seam is Seam.VFIO_USER],
            "pci_proxy": [str(item.path) for item in options.functions if item.seam is Seam.PCI_PROXY],
            "bmc_at": options.bmc_at,
            "dummy": str(options.dummy) if options.dummy is not None else None,
            "console": console,
            "serial_channel": self.serial_channel.name if self.serial_channel is not None else None,
            "ipmb": [port.address.replace(port=port.port).stream for port in self.ipmb],
            "pid": os.getpid(),
        }

    def _make_controller(self) -> None:
        now = self.now()
        self.bmc = bmc = Bmc(self.options.settings, now)
        self.core = assemble(bmc, self._fault)
        self._check_clock()
        self._stack.callback(lambda: self._clock_timer.cancel())
        try:
            bmc.restore(self.store.load())
        except DecodeError as error:
            raise self.store.damaged(error) from error
        bmc.device.provision_guid(os.urandom(16))
        for login in logins(self.options):
            bmc.users.provision(login.user_id, login.name, login.password.value, login.limit)
        bmc.start(now)
        self._stack.callback(self._stop_timer)

    async def _open_firmware(self) -> None:
        if self.options.bmc_at is None:
            return
        from baseboard.attach.firmware import firmware_at  # only who has firmware pays
        from baseboard.fleet.bridge import FirmwareBridge

        firmware = firmware_at(self.options.bmc_at, "--bmc-at")
        self._bridge = FirmwareBridge(firmware, self.core, _tell)
        self._stack.push_async_callback(firmware.close)
        await firmware.start(self._bridge.deliver)

    async def _open_lan(self) -> None:
        bmc = self.bmc
        bridge = self._bridge
        handler = bridge.handle if bridge is not None else self.core.handle
        server = LanServer(bmc.authority, handler, os.urandom, self.options.lan_server)
        bmc.sessions = server
        server.on_refusal = bmc.session_audit.refused
        self.lan = LanListener(server, self.options.lan, self.handled, ports=self.options.lan_ports)
        self.lan.statistics = bmc.lan_configuration.statistics
        await self.lan.start()
        self._stack.callback(self.lan.close)
        if bridge is not None:
            bridge.attach(server, self.lan.flush)
        host, port = self.lan.address
        bmc.lan_configuration.bound(host, port=port)
        bmc.sol.port = port

    async def _open_functions(self) -> None:
        if not self.options.functions:
            return
        from baseboard.fleet.functions import AttachedFunction  # only who has one pays

        made = (AttachedFunction(item, self.core.handle, self.handled) for item in self.options.functions)
        self.functions = tuple(made)
        for function in self.functions:
            await function.port.start()
            self._stack.push_async_callback(function.port.close)

    async def _open_dummy(self) -> None:
        if self.options.dummy is None:
            return
        from baseboard.aio.dummy import DummyPort  # only who has the socket pays

        dummy = DummyPort(self.options.dummy, self.core.handle, self.handled)
        await dummy.start()
        self._stack.push_async_callback(dummy.close)

    async def _open_serial_channel(self) -> None:
        address, bmc = self.options.serial_channel, self.bmc
        if address is None:
            return
        from baseboard.aio.serial_channel import SerialChannelPort  # only who has the port pays
        from baseboard.bmc.health import health
        from baseboard.bmc.sessions import AllSessions
        from baseboard.serial.server import Port, SerialServer

        for login in logins(self.options):
            bmc.users.provision(login.user_id, login.name, login.password.value, login.limit, Channel.SERIAL)
        port = Port(
            handler=self.core.handle,
            authority=bmc.authority,
            parameter=bmc.serial_configuration.get,
            health=lambda: health(bmc.sensors, bmc.chassis.power_is_on),
            random=os.urandom,
        )
        server = SerialServer(port, self.options.serial_privilege)
        server.login.on_refusal = bmc.session_audit.refused
        bmc.sessions = AllSessions(self.lan.server, server)
        self.serial_channel = SerialChannelPort(server, address, self.handled)
        await self.serial_channel.start()
        self._stack.push_async_callback(self.serial_channel.close)

    async def _open_control(self) -> None:
        from baseboard.fleet.api import methods  # the LAN answers already while these are imported
        from baseboard.fleet.control import ControlServer

        self.control = ControlServer(self.options.state / CONTROL, methods(self), self._control_fault)
        await self.control.start()
        self._stack.push_async_callback(self.control.stop)

    async def _open_console(self, line: QemuLine | None) -> None:
        address = self.options.console
        if address is None and line is not None:
            address = Address("unix", path=str(line.serial))
        if address is not None or self.options.power is PowerKind.SIMULATED:
            self.serial = open_serial(address)
        serial = self.serial  # without one, consoles are told that nobody is there
        if isinstance(serial, SimulatedSerial):
            self.bmc.chassis.listeners.append(lambda on, now: serial.power_changed(on))
        self.sol = SolPump(self.bmc.sol, self.lan, self.serial)
        await self.sol.start()
        self._stack.push_async_callback(self.sol.close)

    def _equip_qemu(self) -> QemuLine | None:
        if not self.options.qemu:
            return None
        from baseboard.power.line import equip  # only who runs a QEMU pays

        return equip(self.options.qemu, self.options.interface, self.options.state)

    def _make_backend(self, line: QemuLine | None) -> Backend:
        reports = Reports(self.bmc.chassis, self.bmc.boot_options, self.now, self._reported)
        if line is not None:
            from baseboard.power.qemu import QemuMachine  # only who runs a QEMU pays

            self._qemu = QemuMachine(line, self.options.state, reports, self._wired)
            return self._qemu
        if self.options.power is PowerKind.VM:
            return WireMachine(reports, self.vms)
        return SimulatedMachine(reports, self.vms)

    async def _start_backend(self) -> None:
        await self.backend.start()
        self._stack.push_async_callback(self.backend.close)
        if self._qemu is not None:
            self.handled(self.now())  # the order to start, if the power restore policy gives one
            await self._qemu.ready()

    def _wired(self) -> bool:
        return self.vms[-1].connected

    # -- what every request ends in ------------------------------------------------------------------

    def handled(self, now: float) -> None:
        """Commit, pass events on, set the timer.  Raises StoreError: what was changed is not on disk."""
        bmc = self.bmc
        if bmc.changes:
            self._commit()
        while (event := bmc.next_event()) is not None:
            deliver = _DELIVERIES.get(type(event))
            if deliver is not None:
                deliver(self, event, now)
            if bmc.changes:
                self._commit()
        deadline = bmc.next_deadline()
        if deadline != self._deadline:
            self._set_timer(deadline)

    def _reported(self, now: float) -> None:
        """The chassis told something; what cannot be written now is written with the next change."""
        try:
            self.handled(now)
        except StoreError as error:
            print(f"baseboard: {error}", file=sys.stderr)

    def _commit(self) -> None:
        changes = self.bmc.changes
        taken = changes.take()
        try:
            self.store.commit(*taken)
        except BaseException:
            changes.put_back(taken)
            raise

    def _set_timer(self, deadline: float | None) -> None:
        self._stop_timer()
        self._deadline = deadline
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._handle_deadline)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _handle_deadline(self) -> None:
        self._deadline = None
        now = self.now()
        self.bmc.handle_deadline(now)
        self._reported(now)

    def _check_clock(self) -> None:
        self.bmc.clock.synchronize(time.time(), self.now())
        self._clock_timer = self._loop.call_later(CLOCK_CHECK, self._check_clock)

    # -- events of the controller --------------------------------------------------------------------

    def _attention(self, event: events.AttentionChanged, now: float) -> None:
        for vm in self.vms:
            vm.attention(event.attention, event.interrupt)
        for function in self.functions:
            function.seam.attention(event.attention, event.interrupt)

    def _interrupt(self, event: events.InterruptEnableChanged, now: float) -> None:
        for vm in self.vms:
            vm.set_interrupt(event.enabled)
        for function in self.functions:
            function.seam.set_interrupt(event.enabled)

    def _power(self, event: events.PowerRequested, now: float) -> None:
        self.backend.perform(event.action, event.cause)

    def _nmi(self, event: events.NmiRequested, now: float) -> None:
        self.backend.perform(events.PowerAction.DIAGNOSTIC_INTERRUPT, events.RestartCause.WATCHDOG)

    def _user(self, event: events.UserChanged, now: float) -> None:
        self.lan.server.close_sessions_of(event.user_id, but=event.by_session)
        if self.serial_channel is not None:
            self.serial_channel.server.close_sessions_of(event.user_id, but=event.by_session)

    def _channel(self, event: events.ChannelChanged, now: float) -> None:
        if not self.bmc.authority.policy(event.channel).enabled:
            self._loop.call_soon(self._close_sessions_on, event.channel)  # after the answer has left

    def _close_sessions_on(self, channel: int) -> None:
        for session in self.bmc.sessions.active():
            if session.channel == channel:
                self.bmc.sessions.close_session(session.id)

    def _sol(self, event: events.SolChanged, now: float) -> None:
        if self.sol is not None:
            self.sol.changed(event.session_id)

    def _trap(self, event: events.TrapRequested, now: float) -> None:
        self._alerts.send(event.address, event.port, event.datagram)

    def _firmware(self, event: events.FirmwareUploaded, now: float) -> None:
        version = event.version
        name = f"component-{event.component}-{version.major}.{version.minor_bcd:02x}.bin"
        keep_firmware(self.options.state, name, event.data)

    def _bridged(self, event: events.BridgedResponse, now: float) -> None:
        serial = self.serial_channel
        if serial is not None and event.peer is serial.server:
            self._loop.call_soon(serial.send_bridged, event.response)  # after the answer to Send Message
        elif event.session is not None and self.lan.server.send_message(
            event.session.id, event.response.encode()
        ):
            self._loop.call_soon(self.lan.flush)  # after the answer to Send Message

    def _reset(self, event: events.ControllerReset, now: float) -> None:
        """A warm reset leaves sessions open: ipmitool closes its own after it.  [IPMI 20.3]"""
        if event.cold:
            if self.serial_channel is not None:
                self._loop.call_soon(self.serial_channel.server.close_all)
            self._loop.call_soon(self.lan.server.close_all)  # after the answer has left

    # -- owner of the VM ports -----------------------------------------------------------------------

    def connected(self, port: VmPort) -> None:
        """A machine's end is there."""
        self._wire_changed()

    def capable(self, port: VmPort, capabilities: Capability) -> None:
        """What it offers is known."""
        self._wire_changed()

    def lost(self, port: VmPort) -> None:
        """A machine's end is gone."""
        self._wire_changed()

    def machine_reset(self, port: VmPort, now: float) -> None:
        """A machine says that it was reset."""
        if isinstance(self.backend, WireMachine):
            self.backend.machine_reset()

    def _wire_changed(self) -> None:
        if isinstance(self.backend, WireMachine):
            self.backend.wire_changed()

    # -- faults of our own ---------------------------------------------------------------------------

    def _fault(self, message: Message, error: Exception) -> None:
        netfn, _, command, data = message
        _report(f"netfn {netfn:02X}h, command {command:02X}h, {len(data)} data bytes", error)

    def _uncaught(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What ended in the loop: a change that could not be written (told once), or a fault of ours."""
        error = context.get("exception")
        if isinstance(error, BaseboardError):
            text = str(error)
            if text != self._last_complaint:
                print(f"baseboard: {text}", file=sys.stderr)
            self._last_complaint = text
        elif isinstance(error, Exception):
            _report(str(context["message"]), error)

    def _control_fault(self, method: str, error: Exception) -> None:
        _report(f"control method {method}", error)


def _tell(text: str) -> None:
    print(f"baseboard: {text}", file=sys.stderr)


def _report(what: str, error: Exception) -> None:
    """An error of our own: one line that tells where, without the data, which may hold a password."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place is not None else "?"
    print(f"baseboard: internal error in {what}: {type(error).__name__} at {where}", file=sys.stderr)


_DELIVERIES: dict[type[events.Event], Callable[[Instance, Any, float], None]] = {
    events.AttentionChanged: Instance._attention,
    events.InterruptEnableChanged: Instance._interrupt,
    events.PowerRequested: Instance._power,
    events.NmiRequested: Instance._nmi,
    events.UserChanged: Instance._user,
    events.ChannelChanged: Instance._channel,
    events.SolChanged: Instance._sol,
    events.TrapRequested: Instance._trap,
    events.FirmwareUploaded: Instance._firmware,
    events.BridgedResponse: Instance._bridged,
    events.ControllerReset: Instance._reset,
}
