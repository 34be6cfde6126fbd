"""App commands 38h-3Fh and 54h: how to log in, and the sessions there are.  [IPMI 22.13-22.21]

Get Session Challenge and Activate Session open IPMI 1.5 sessions over the LAN and make no sense anywhere
else: `lan/` answers them itself, where they can be meant. RMCP+ sessions are opened without commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.errors import CommandError
from baseboard.ipmi.app_session import (
    ActivateSessionRequest,
    CloseSessionRequest,
    GetChannelAuthenticationCapabilitiesRequest,
    GetChannelAuthenticationCapabilitiesResponse,
    GetChannelCipherSuitesRequest,
    GetChannelCipherSuitesResponse,
    GetSessionChallengeRequest,
    GetSessionInfoRequest,
    GetSessionInfoResponse,
    SetSessionPrivilegeLevelRequest,
    SetSessionPrivilegeLevelResponse,
)
from baseboard.ipmi.codec import Done, Request, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context, Session
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Channel, Privilege
from baseboard.lan.ciphers import suite_algorithms, suite_records
from baseboard.lan.rmcp import PAYLOAD_IPMI, PAYLOAD_SOL
from baseboard.lan.session15 import OFFERED

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc
    from baseboard.lan.authority import ChannelPolicy

# Set Session Privilege Level  [IPMI 22.18]
EXCEEDS_LIMIT = 0x81
# Close Session  [IPMI 22.19]
NO_SUCH_SESSION_ID = 0x87
NO_SUCH_HANDLE = 0x88

# Index of Get Session Info  [IPMI 22.20, Table 22-25]
THIS_SESSION = 0x00
BY_HANDLE = 0xFE
BY_ID = 0xFF

CIPHER_SUITE_BLOCK = 16
PROTOCOL_IPMI15 = 0
PROTOCOL_RMCP_PLUS = 1


def _login_channel(bmc: Bmc, number: int, context: Context) -> tuple[int, ChannelPolicy]:
    """The channel that a request means, where sessions can be opened.  Raises CommandError."""
    channel = context.channel if number == Channel.PRESENT else number
    policy = bmc.authority.policy(channel)
    if policy.limit is Privilege.NO_ACCESS:
        raise CommandError(CompletionCode.INVALID_FIELD, f"channel {channel:X}h has no sessions")
    return channel, policy


def get_channel_authentication_capabilities(
    bmc: Bmc, request: GetChannelAuthenticationCapabilitiesRequest, context: Context
) -> Response:
    channel, policy = _login_channel(bmc, request.channel, context)
    if not Privilege.CALLBACK <= request.privilege <= Privilege.OEM:
        raise CommandError(CompletionCode.INVALID_FIELD, f"no privilege level {request.privilege}")
    types = policy.authentication_types[request.privilege - 1] & OFFERED
    is_serial = channel == Channel.SERIAL
    if not (bmc.sessions.offers_ipmi15 or is_serial):
        types = 0
    users = bmc.authority.login_status(channel)
    return GetChannelAuthenticationCapabilitiesResponse(
        channel=channel,
        extended=request.extended,
        authentication_types=types,
        has_channel_key=request.extended and not is_serial and bool(bmc.authority.channel_key),
        per_message_authentication_disabled=not policy.per_message_authentication,
        user_level_authentication_disabled=not policy.user_level_authentication,
        has_named_users=users.other_names,
        has_null_user=users.null_names,
        has_anonymous_user=users.anonymous,
        supports_rmcp_plus=request.extended and not is_serial and bool(bmc.authority.cipher_suites(channel)),
        supports_ipmi15=request.extended and bool(types),
        oem_id=0,
        oem_data=0,
    )


def set_session_privilege_level(
    bmc: Bmc, request: SetSessionPrivilegeLevelRequest, context: Context
) -> Response:
    session = context.session
    if session is None:
        raise CommandError(CompletionCode.NOT_IN_PRESENT_STATE, "there is no session here")
    if request.level:
        if not Privilege.USER <= request.level <= Privilege.OEM:
            raise CommandError(CompletionCode.INVALID_FIELD, f"level {request.level} is reserved")
        if request.level > session.maximum_privilege:
            raise CommandError(EXCEEDS_LIMIT, f"the session's limit is {session.maximum_privilege}")
        session.privilege = Privilege(request.level)
    return SetSessionPrivilegeLevelResponse(level=session.privilege)


def close_session(bmc: Bmc, request: CloseSessionRequest, context: Context) -> Response:
    own = context.session
    if request.session_id:
        session, refusal = bmc.sessions.find(request.session_id), NO_SUCH_SESSION_ID
    elif request.handle is not None:
        session, refusal = bmc.sessions.by_handle(request.handle), NO_SUCH_HANDLE
    else:
        session, refusal = None, NO_SUCH_SESSION_ID
    if session is None:
        raise CommandError(refusal, "no such session")
    is_own = own is not None and session.id == own.id
    if not is_own and context.privilege < Privilege.ADMINISTRATOR:  # [IPMI 22.19]
        raise CommandError(CompletionCode.INSUFFICIENT_PRIVILEGE, "another session")
    bmc.sessions.close_session(session.id)
    return Done()


def get_session_info(bmc: Bmc, request: GetSessionInfoRequest, context: Context) -> Response:
    active = bmc.sessions.active()
    session: Session | None
    if request.index in (BY_HANDLE, BY_ID):
        if len(request.selector) != (1 if request.index == BY_HANDLE else 4):
            raise CommandError(CompletionCode.LENGTH_INVALID, "handle or session id")
        selector = int.from_bytes(request.selector, "little")
        by_handle = request.index == BY_HANDLE
        session = bmc.sessions.by_handle(selector) if by_handle else bmc.sessions.find(selector)
    elif request.selector:
        raise CommandError(CompletionCode.LENGTH_INVALID, "the index needs nothing more")
    elif request.index == THIS_SESSION:
        session = context.session
    else:
        session = active[request.index - 1] if request.index <= len(active) else None
    if session is None:
        return GetSessionInfoResponse(handle=0, possible=bmc.sessions.capacity, active=len(active))
    return GetSessionInfoResponse(
        handle=session.handle,
        possible=bmc.sessions.capacity,
        active=len(active),
        user_id=session.user_id,
        privilege=session.privilege,
        protocol=PROTOCOL_RMCP_PLUS if session.rmcp_plus else PROTOCOL_IPMI15,
        channel=session.channel,
        console_ip=session.console_ip,
        console_mac=session.console_mac,
        console_port=session.console_port.to_bytes(2, "little"),
    )


def get_channel_cipher_suites(bmc: Bmc, request: GetChannelCipherSuitesRequest, context: Context) -> Response:
    channel, _ = _login_channel(bmc, request.channel, context)
    if request.payload_type not in (PAYLOAD_IPMI, PAYLOAD_SOL):
        raise CommandError(CompletionCode.INVALID_FIELD, f"no payload type {request.payload_type:02X}h")
    suites = bmc.authority.cipher_suites(channel)
    data = suite_records(suites) if request.by_suite else suite_algorithms(suites)
    start = CIPHER_SUITE_BLOCK * request.index
    return GetChannelCipherSuitesResponse(channel=channel, data=data[start : start + CIPHER_SUITE_BLOCK])


_BY_LAN = "answered by LAN and serial port themselves, in the only place where it can be meant"
_NO_CLIENT = "optional, and no client uses it"

# fmt: off
TABLE = CommandTable(NetFn.APP, (
    #       number  privilege           request                                      handler
    Command(0x38,   Privilege.NONE,     GetChannelAuthenticationCapabilitiesRequest,
                                                                     get_channel_authentication_capabilities),
    Command(0x39,   Privilege.NONE,     GetSessionChallengeRequest,      None, reason=_BY_LAN),
    Command(0x3A,   Privilege.NONE,     ActivateSessionRequest,          None, reason=_BY_LAN),
    Command(0x3B,   Privilege.USER,     SetSessionPrivilegeLevelRequest, set_session_privilege_level),
    Command(0x3C,   Privilege.CALLBACK, CloseSessionRequest,             close_session),
    Command(0x3D,   Privilege.USER,     GetSessionInfoRequest,           get_session_info),
    Command(0x3F,   Privilege.OPERATOR, Request,                         None, reason=_NO_CLIENT),
    Command(0x54,   Privilege.NONE,     GetChannelCipherSuitesRequest,   get_channel_cipher_suites),
))
# fmt: on
