"""`baseboard pair`: a virtual machine, and the virtual machine that is its BMC."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from baseboard.cli.line_writer import LineWriter
from baseboard.errors import ConfigError

if TYPE_CHECKING:
    from baseboard.aio.host import HostPort
    from baseboard.attach.firmware import Firmware
    from baseboard.host.extern import Exchanged
    from baseboard.host.seam import ResponderEvent

PORTS = ("mixed", "qtest-only")

BMC_HELP = (
    "The BMC: qmp:PATH, the monitor of a QEMU with a chip of Aspeed's or an NPCM7xx, for KCS; ibt:PATH, the "
    "same for Aspeed's BT; or vm:ADDRESS, whatever speaks the VM wire there (vm:connect:tcp:HOST:PORT, ...)."
)
CHANNEL = click.option(
    "--channel", type=int, metavar="N", help="KCS channel, 1 to 4 (the one at CA2h, or the first)."
)
PORT = click.option(
    "--port",
    "port",
    metavar="KIND",
    default="mixed",
    help="How registers that QEMU has are reached: mixed, or qtest-only, which is twice as fast and may lose "
    "an attention.",
)


@click.command
@click.option(
    "--host",
    "host",
    metavar="ADDRESS",
    required=True,
    help="The chardev of the machine's ipmi-bmc-extern: connect:unix:PATH, listen:unix:PATH, "
    "connect:tcp:HOST:PORT or listen:tcp:HOST:PORT.",
)
@click.option("--bmc", metavar="FIRMWARE", required=True, help=BMC_HELP)
@CHANNEL
@PORT
@click.option("--quiet", is_flag=True, help="No line for each request.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for each thing that happens.")
def pair(host: str, bmc: str, channel: int | None, port: str, quiet: bool, as_json: bool) -> None:
    """Tie a virtual machine to the virtual machine that runs its BMC's firmware.

    Shows what it finds on both sides, and each request; at Ctrl-C, how many there were. Either side may be
    restarted. A reader of this that falls behind loses lines and does not hold the machines up.
    """
    import asyncio

    from baseboard.aio.endpoint import parse_stream
    from baseboard.aio.host import HostPort
    from baseboard.attach.firmware import firmware_at
    from baseboard.host.extern import HostExtern

    address = parse_stream(host, "--host")
    firmware = firmware_at(bmc, "--bmc", channel=checked_channel(channel), kind=port_kind(port))
    extern = HostExtern(firmware, infer=not firmware.tells_orders)
    wire = HostPort(address, extern, flag="--host")
    with LineWriter(sys.stdout) as output:
        show = _Json(output, quiet) if as_json else _Lines(output, quiet)
        extern.watch = show.exchanged
        wire.changed = lambda: show.host(wire)
        asyncio.run(_until_stopped(firmware, wire, show))


async def _until_stopped(firmware: Firmware, wire: HostPort, show: _Show) -> None:
    import asyncio
    import signal

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)

    def deliver(event: ResponderEvent) -> None:
        show.firmware(event, firmware)
        wire.receive_event(event)

    await wire.start()
    try:
        await firmware.start(deliver)
        try:
            show.ready(firmware, wire)
            await stopping.wait()
        finally:
            await firmware.close()
    finally:
        await wire.close()
    show.ended(firmware, wire)


class _Show:
    """What happens, as lines; how each is written is the subclasses' business."""

    def __init__(self, output: LineWriter, quiet: bool) -> None:
        self.output = output
        self.quiet = quiet

    def say(self, what: str, text: str, /, **data: Any) -> None:
        raise NotImplementedError

    def ready(self, firmware: Firmware, wire: HostPort) -> None:
        found = firmware.found()
        self.say("bmc", describe_found(found), **found)
        if not wire.extern.connected:
            self.say("host", "nobody is connected yet", connected=False)

    def host(self, wire: HostPort) -> None:
        if not wire.extern.connected:
            self.say("host", "the machine is gone", connected=False)
            return
        offers = [flag.name.lower() for flag in wire.extern.capabilities if flag.name]
        text = f"connected; it offers {', '.join(offers) or 'nothing yet'}"
        self.say("host", text, connected=True, offers=offers)

    def firmware(self, event: ResponderEvent, firmware: Firmware) -> None:
        from baseboard.host import seam

        match event:
            case seam.FirmwareFound(what):
                self.say("bmc", f"the firmware answers on {what}", there=True, what=what)
            case seam.FirmwareLost(reason):
                self.say("bmc", f"nobody answers: {reason}", there=False, reason=reason)
            case seam.AttentionChanged(attention):
                self.say("bmc", f"attention {'up' if attention else 'down'}", attention=attention)
            case seam.HostOrdered(operation):
                self.say("bmc", f"orders {operation.name.lower()}", ordered=operation.name.lower())

    def exchanged(self, exchanged: Exchanged) -> None:
        from baseboard.cli.command_names import command_name, request_text

        if self.quiet:
            return
        message, answer, seconds = exchanged
        request, name = request_text(message), command_name(message)
        text = f"{seconds * 1000:6.1f} ms  {name}: {request} -> {answer.hex(' ')}"
        self.say(
            "request", text, name=name, request=request, answer=answer.hex(" "), ms=round(seconds * 1000, 3)
        )

    def ended(self, firmware: Firmware, wire: HostPort) -> None:
        host, bmc = wire.extern.counters.as_dict(), firmware.counters()
        faults = {fault.value: count for fault, count in wire.extern.faults.items()}
        for side, counters in (("host", host), ("bmc", bmc)):
            text = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in counters.items() if n)
            self.say("counters", f"{side}: {text or 'nothing'}", side=side, **counters)
        if self.output.lost:
            self.say(
                "counters",
                f"lines that nobody read: {self.output.lost}",
                side="output",
                lost=self.output.lost,
            )
        if any(faults.values()):
            self.say("counters", f"malformed frames: {faults}", side="frames", **faults)


class _Lines(_Show):
    def say(self, what: str, text: str, /, **data: Any) -> None:
        self.output.put(f"{what:8} {text}")


class _Json(_Show):
    def say(self, what: str, text: str, /, **data: Any) -> None:
        self.output.put(json.dumps({"event": what, **data}))


def describe_found(found: dict[str, Any]) -> str:
    """What an attachment found, in a line."""
    if "machine" not in found:
        return f"a controller at {found['wire']}"
    channels = [
        f"{channel['channel']}" + (f" at {channel['address']:X}h" if channel["address"] else "")
        for channel in found["channels"]
        if channel["enabled"]
    ]
    if found.get("interface") == "BT":
        state = "enabled" if channels else "not enabled"
        return f"{found['machine']} ({found['chip']}), iBT {state}{_stopped(found)}"
    enabled = f"KCS channels {', '.join(channels)}" if channels else "no KCS channel"
    chosen = f"; using {found['channel']}" if found["channel"] is not None else ""
    return f"{found['machine']} ({found['chip']}), {enabled} enabled{chosen}{_stopped(found)}"


def _stopped(found: dict[str, Any]) -> str:
    return "" if found["running"] else "; the machine is stopped"


def port_kind(text: str) -> Any:
    """`--port`.  Raises ConfigError."""
    from baseboard.attach.aspeed import PortKind

    if text not in PORTS:
        raise ConfigError(f"--port: {text!r} is not one of {', '.join(PORTS)}")
    return PortKind(text)


def checked_channel(channel: int | None) -> int | None:
    """`--channel`.  Raises ConfigError."""
    if channel is not None and not 1 <= channel <= 4:
        raise ConfigError(f"--channel: {channel} is not one of 1 to 4")
    return channel
