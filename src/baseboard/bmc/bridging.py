"""Send Message: from one channel to another.  [IPMI 6.13, 22.7]

Theory of operation
-------------------
A message goes to a channel by the table ROUTES. One for the bus goes out as it stands, unless it is tracked:
then the controller puts its own address and sequence number into the copy on the bus, and gives the answer,
in the words of the one who asked, to

* a console, as a message of its own (`BridgedResponse`), after Send Message was answered;
* a controller on the bus, inside the answer to its Send Message, which waits for it: so a console reaches
  a controller behind another one (double bridging).

Who does not answer in time answers C3h, who is not there is not acknowledged (83h). An answer to what was
not tracked comes to rqSA and rqLUN of the message; our own address with LUN 10b is system software, which
gets it by Get Message. System software believes that 20h is our address and puts it into rqSA; to whom it
writes, it knows: on the bus of a chassis 20h is the manager.

What is sent to our own address is executed with the privilege of the sender, as a bus has no privileges; for
the same reason a console needs Operator for anything but a message to system software (LUN 10b of our
address, or the system interface's channel). A Send Message in a message to ourselves is refused: it could
hold the next, and so on for a whole datagram.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from baseboard.bmc.events import BridgedResponse
from baseboard.bmc.messaging import QueuedMessage
from baseboard.errors import CommandError, DecodeError
from baseboard.ipmb.port import LATER, Outcome
from baseboard.ipmi.app_messaging import SendMessageRequest, Tracking
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.ipmb import BMC_ADDRESS, BROADCAST, SHORTEST, SYSTEM_SOFTWARE_LUN, BusMessage
from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.privilege import Channel, Privilege

if TYPE_CHECKING:
    from baseboard.bmc.base import Controller

NAK_ON_WRITE = 0x83

Route = Callable[["Controller", SendMessageRequest, Context], bytes]


def send(bmc: Controller, request: SendMessageRequest, context: Context) -> bytes:
    """Send it on; what Send Message answers, or LATER.  Raises CommandError."""
    if request.tracking not in (Tracking.NONE, Tracking.TRACK, Tracking.RAW):
        raise CommandError(CompletionCode.INVALID_FIELD, "reserved kind of tracking")
    if context.channel == Channel.PRIMARY_IPMB and context.peer is None:
        raise CommandError(CompletionCode.NOT_IN_PRESENT_STATE, "we sent this to ourselves: once is enough")
    has_asker = context.session is not None or context.channel in (Channel.PRIMARY_IPMB, Channel.SERIAL)
    if request.tracking == Tracking.TRACK and (not has_asker or context.peer is None):
        raise CommandError(CompletionCode.INVALID_FIELD, "there is nobody to give the answer to")
    route = ROUTES.get(request.channel)
    if route is None:
        raise CommandError(CompletionCode.INVALID_FIELD, f"no channel {request.channel} to send to")
    return route(bmc, request, context)


def _to_bus(bmc: Controller, request: SendMessageRequest, context: Context) -> bytes:
    if len(request.message) < SHORTEST:
        raise CommandError(CompletionCode.LENGTH_INVALID, "a bus message has at least 7 bytes")
    address = bmc.port.address
    to_software = request.message[0] == address and request.message[1] & 3 == SYSTEM_SOFTWARE_LUN
    if not to_software:
        _require_operator(context)
    message, broadcast = _decode_for_bus(request.message)
    if to_software:
        bmc.messaging.queue(QueuedMessage(Channel.PRIMARY_IPMB, 0, request.message[1:]))
        return DONE
    if request.tracking == Tracking.TRACK:
        return _track(bmc, message, broadcast, context)
    if message.from_address == BMC_ADDRESS and context.channel == Channel.SYSTEM_INTERFACE:
        message = replace(message, from_address=address)
    if message.from_address == address and message.from_lun == SYSTEM_SOFTWARE_LUN:
        bmc.messaging.check_queue(Channel.PRIMARY_IPMB)
    if message.to_address == address and not message.netfn & 1:
        _answer_ourselves(bmc, message, context)
    elif not bmc.port.bus.send(message, context.now, context.privilege, broadcast):
        raise _nobody_at(message.to_address)
    return DONE


def _answer_ourselves(bmc: Controller, message: BusMessage, context: Context) -> None:
    """We are no listener of our own on a bus, so this need not go there."""
    response = message.response(_execute(bmc, message, context))
    if response.to_address == bmc.port.address and response.to_lun == SYSTEM_SOFTWARE_LUN:
        bmc.messaging.queue(QueuedMessage(Channel.PRIMARY_IPMB, 0, response.encode()[1:]))


def _execute(bmc: Controller, message: BusMessage, context: Context) -> bytes:
    if bmc.port.handler is None:
        return bytes((CompletionCode.NO_RESPONSE,))
    inner = Context(channel=Channel.PRIMARY_IPMB, privilege=context.privilege, now=context.now)
    return bmc.port.handler(Message(message.netfn, message.to_lun, message.command, message.data), inner)


def _track(bmc: Controller, message: BusMessage, broadcast: bool, context: Context) -> bytes:
    deliver = _delivery(bmc, message, context)
    asker = _asker(context)
    if message.to_address == bmc.port.address:
        deliver(_execute(bmc, message, context), context.now)
    else:
        outcome = bmc.port.request(
            message.to_address,
            Message(message.netfn, message.to_lun, message.command, message.data),
            lambda response, now: deliver(NO_ANSWER if response is None else response.data, now),
            context.now,
            privilege=context.privilege,
            broadcast=broadcast,
        )
        if outcome is Outcome.BUSY:
            raise CommandError(CompletionCode.NODE_BUSY, "too many requests wait for that controller")
        if outcome is Outcome.NOT_ACKNOWLEDGED:
            raise _nobody_at(message.to_address)
    return DONE if asker is None else LATER


def _delivery(bmc: Controller, message: BusMessage, context: Context) -> Callable[[bytes, float], None]:
    """What is done with the answer, completion code first."""
    asker = _asker(context)
    peer, session, port = context.peer, context.session, bmc.port

    def to_console(answer: bytes, now: float) -> None:
        bmc.emit(BridgedResponse(peer, session, message.response(answer)))

    def to_bus(answer: bytes, now: float) -> None:
        assert asker is not None
        # the completion code is that of Send Message: no answer is its own failure  [IPMI 22.7]
        embedded = message.response(answer).encode()
        port.respond(asker, answer if answer == NO_ANSWER else DONE + embedded, now)

    return to_console if asker is None else to_bus


def _asker(context: Context) -> BusMessage | None:
    """The message on the bus by which Send Message came, if it came so."""
    peer = context.peer
    return peer if context.channel == Channel.PRIMARY_IPMB and isinstance(peer, BusMessage) else None


def _to_system_software(bmc: Controller, request: SendMessageRequest, context: Context) -> bytes:
    """Session handle, then the message with the addresses of both softwares.  [IPMI Table 22-8]"""
    if len(request.message) < SHORTEST:
        raise CommandError(CompletionCode.LENGTH_INVALID, "a message has at least 7 bytes")
    _decode(request.message)
    session = context.session
    handle = session.handle if session is not None else 0
    privilege = int(session.privilege) if session is not None else 0
    bmc.messaging.queue(QueuedMessage(context.channel, privilege, bytes((handle,)) + request.message))
    return DONE


def _to_console(bmc: Controller, request: SendMessageRequest, context: Context) -> bytes:
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


def _decode_for_bus(data: bytes) -> tuple[BusMessage, bool]:
    """A message, and whether it is a broadcast: 00h in front of a whole one."""
    if data[:1] == BROADCAST:
        try:
            return BusMessage.decode(data[1:]), True
        except DecodeError:
            raise _nobody_at(data[0]) from None
    return _decode(data), False


def _nobody_at(address: int) -> CommandError:
    return CommandError(NAK_ON_WRITE, f"nobody at {address:02X}h")


DONE = bytes((CompletionCode.OK,))
NO_ANSWER = bytes((CompletionCode.TIMEOUT,))

# fmt: off
ROUTES: Mapping[int, Route] = {
    Channel.PRIMARY_IPMB:     _to_bus,
    Channel.LAN:              _to_console,
    Channel.SYSTEM_INTERFACE: _to_system_software,
}
# fmt: on
