"""Send Message: from one channel to another.  [IPMI 6.13, 22.7]

Theory of operation
-------------------
A message goes to a channel by the table ROUTES. On the IPMB there is so far nobody but ourselves, at 20h:
any other address is not acknowledged (83h). What is sent to us is executed with the privilege that the
sender has, and its answer goes where the message says:

* tracked, from a session: to the console, as a message of its own (`BridgedResponse`);
* else to rqSA and rqLUN; our own address with LUN 10b is system software, which gets it by Get Message.

A message to LUN 10b of our address, or to the system interface's channel, is queued for system software.
A console needs Operator for anything but that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from baseboard.bmc.events import BridgedResponse
from baseboard.bmc.messaging import QueuedMessage
from baseboard.errors import CommandError, DecodeError
from baseboard.ipmi.app_messaging import SendMessageRequest, Tracking
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.ipmb import BMC_ADDRESS, SHORTEST, SYSTEM_SOFTWARE_LUN, BusMessage
from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.privilege import Channel, Privilege

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc

NAK_ON_WRITE = 0x83

Route = Callable[["Bmc", SendMessageRequest, Context], None]


def send(bmc: Bmc, request: SendMessageRequest, context: Context) -> None:
    """Send it on.  Raises CommandError with the code that Send Message answers."""
    if request.tracking not in (Tracking.NONE, Tracking.TRACK, Tracking.RAW):
        raise CommandError(CompletionCode.INVALID_FIELD, "reserved kind of tracking")
    if request.tracking == Tracking.TRACK and context.session is None:
        raise CommandError(CompletionCode.INVALID_FIELD, "only requests of a session are tracked")
    route = ROUTES.get(request.channel)
    if route is None:
        raise CommandError(CompletionCode.INVALID_FIELD, f"no channel {request.channel} to send to")
    route(bmc, request, context)


def _to_bus(bmc: Bmc, request: SendMessageRequest, context: Context) -> None:
    if len(request.message) < SHORTEST:
        raise CommandError(CompletionCode.LENGTH_INVALID, "a bus message has at least 7 bytes")
    to_software = request.message[0] == BMC_ADDRESS and request.message[1] & 3 == SYSTEM_SOFTWARE_LUN
    if not to_software:
        _require_operator(context)
    if request.message[0] != BMC_ADDRESS:
        raise CommandError(NAK_ON_WRITE, f"nobody at {request.message[0]:02X}h")
    message = _decode(request.message)
    if to_software:
        bmc.messaging.queue(QueuedMessage(Channel.PRIMARY_IPMB, 0, request.message[1:]))
        return
    answers_software = (
        request.tracking != Tracking.TRACK
        and message.from_address == BMC_ADDRESS
        and message.from_lun == SYSTEM_SOFTWARE_LUN
    )
    if answers_software:
        bmc.messaging.check_queue(Channel.PRIMARY_IPMB)
    response = message.response(_execute(bmc, message, context))
    if answers_software:
        bmc.messaging.queue(QueuedMessage(Channel.PRIMARY_IPMB, 0, response.encode()[1:]))
    elif request.tracking == Tracking.TRACK:
        bmc.emit(BridgedResponse(context.peer, context.session, response))


def _execute(bmc: Bmc, message: BusMessage, context: Context) -> bytes:
    if bmc.messaging.handler is None:
        return bytes((CompletionCode.NO_RESPONSE,))
    inner = Context(channel=Channel.PRIMARY_IPMB, privilege=context.privilege, now=context.now)
    return bmc.messaging.handler(Message(message.netfn, message.to_lun, message.command, message.data), inner)


def _to_system_software(bmc: Bmc, request: SendMessageRequest, context: Context) -> None:
    """Session handle, then the message with the addresses of both softwares.  [IPMI Table 22-8]"""
    if len(request.message) < SHORTEST:
        raise CommandError(CompletionCode.LENGTH_INVALID, "a message has at least 7 bytes")
    _decode(request.message)
    session = context.session
    handle = session.handle if session is not None else 0
    privilege = int(session.privilege) if session is not None else 0
    bmc.messaging.queue(QueuedMessage(context.channel, privilege, bytes((handle,)) + request.message))


def _to_console(bmc: Bmc, request: SendMessageRequest, context: Context) -> None:
    """Consoles take no requests from here."""
    _require_operator(context)
    raise CommandError(CompletionCode.DESTINATION_UNAVAILABLE, "no console takes messages")


def _require_operator(context: Context) -> None:
    if context.privilege < Privilege.OPERATOR:
        raise CommandError(CompletionCode.INSUFFICIENT_PRIVILEGE, "a user may address system software only")


def _decode(data: bytes) -> BusMessage:
    try:
        return BusMessage.decode(data)
    except DecodeError as error:
        raise CommandError(CompletionCode.INVALID_FIELD, str(error)) from None


# fmt: off
ROUTES: Mapping[int, Route] = {
    Channel.PRIMARY_IPMB:     _to_bus,
    Channel.LAN:              _to_console,
    Channel.SYSTEM_INTERFACE: _to_system_software,
}
# fmt: on
