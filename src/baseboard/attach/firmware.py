"""Firmware at an address, for an event loop: `qmp:PATH`, `ibt:PATH` or `vm:ADDRESS`.

qmp:PATH      KCS of a stock QEMU, by its monitor's socket: of an Aspeed chip, or, trapped, of NPCM7xx
ibt:PATH      iBT of an Aspeed chip there, trapped
vm:ADDRESS    anything that speaks the controller's end of the VM wire (ipmi_sim, another baseboard, a QEMU
              with `ipmi-host-extern`): connect:unix:PATH and so on, as `baseboard run --vm` has them
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from baseboard.aio.endpoint import parse_stream
from baseboard.attach.aspeed import PortKind
from baseboard.attach.binding import Binding
from baseboard.errors import ConfigError
from baseboard.host.seam import ResponderEvent
from baseboard.ipmi.message import Message

Deliver = Callable[[ResponderEvent], None]


class Firmware(Protocol):
    """A responder with a life of its own; everything happens in the event loop."""

    tells_orders: bool
    """It says what it wants of the host's hardware; otherwise that is seen by what it accepts."""

    async def start(self, deliver: Deliver) -> None:
        """Attach; `deliver` is given all events from now on, in the event loop.

        Raises ConfigError or another of ours when it is clear at once that there will never be firmware.
        """

    async def close(self) -> None:
        """Let it go, as it was."""

    def submit(self, id_: int, message: Message, now: float) -> None:
        """Ask."""

    def abandon(self, id_: int, now: float) -> None:
        """No answer to this request is wanted any more."""

    def found(self) -> dict[str, Any]:
        """What there is, for people and programs."""

    def counters(self) -> dict[str, int]:
        """What happened since the beginning."""


def firmware_at(
    text: str, what: str, *, channel: int | None = None, kind: PortKind = PortKind.MIXED
) -> Firmware:
    """What is at this address.  Raises ConfigError that names `what`."""
    scheme, _, where = text.partition(":")
    if scheme in ("qmp", "ibt") and where:
        from baseboard.attach.worker import Worker

        path, open_ = Path(where).absolute(), _open_kcs if scheme == "qmp" else _open_ibt
        return Worker(lambda: open_(path, channel, kind))
    if scheme == "vm" and where:
        from baseboard.attach.wire import WireFirmware

        if channel is not None:
            raise ConfigError(f"{what}: the VM wire has no channels to choose from")
        return WireFirmware(parse_stream(where, what))
    raise ConfigError(f"{what}: {text!r} is not qmp:PATH, ibt:PATH or vm:ADDRESS (vm:connect:unix:PATH, ...)")


def _open_kcs(path: Path, channel: int | None, kind: PortKind) -> Binding:
    from baseboard.attach.kcs import AspeedKcs
    from baseboard.attach.qmp import Qmp
    from baseboard.attach.trap import Trap
    from baseboard.attach.trap_chips import is_trapped

    with Qmp(path) as qmp:
        trapped = is_trapped(qmp, "KCS")
    if trapped:
        return Trap(path, "KCS", channel=channel)
    return AspeedKcs(path, channel=channel, kind=kind)


def _open_ibt(path: Path, channel: int | None, kind: PortKind) -> Binding:
    from baseboard.attach.trap import Trap

    return Trap(path, "BT", channel=channel)
