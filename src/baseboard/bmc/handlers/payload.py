"""App commands 48h-50h and 55h: payloads, of which there is one, serial over LAN.  [IPMI 24]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.events import SolChanged
from baseboard.bmc.payload_access import SOL
from baseboard.errors import CommandError
from baseboard.ipmi.app_payload import (
    ActivatePayloadRequest,
    ActivatePayloadResponse,
    DeactivatePayloadRequest,
    EncryptionOperation,
    GetChannelOemPayloadInfoRequest,
    GetChannelPayloadSupportRequest,
    GetChannelPayloadSupportResponse,
    GetChannelPayloadVersionRequest,
    GetChannelPayloadVersionResponse,
    GetPayloadActivationStatusRequest,
    GetPayloadActivationStatusResponse,
    GetPayloadInstanceInfoRequest,
    GetPayloadInstanceInfoResponse,
    GetUserPayloadAccessRequest,
    GetUserPayloadAccessResponse,
    PayloadType,
    SetUserPayloadAccessRequest,
    SuspendResumePayloadEncryptionRequest,
)
from baseboard.ipmi.codec import DONE, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege
from baseboard.lan.sol import INBOUND_SIZE, OUTBOUND_SIZE

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc

# Completion codes of these commands.  [IPMI Tables 24-2 to 24-4, 24-10, 24-11]
ACTIVE_ELSEWHERE = 0x80
CANNOT_ACTIVATE_WITHOUT_ENCRYPTION = 0x84
PAYLOAD_DISABLED = 0x81
DEACTIVATED_ALREADY = 0x80
NOT_AVAILABLE_ON_CHANNEL = 0x80
OEM_PAYLOAD_NOT_SUPPORTED = 0x80
OPERATION_NOT_SUPPORTED = 0x80
ENCRYPTION_IS_FORCED = 0x81
NO_ENCRYPTION_IN_SESSION = 0x82
INSTANCE_NOT_ACTIVE = 0x83

INSTANCE = 1
"""The only one."""
SERIAL_PORT = 1
NO_VLAN = 0xFFFF

STANDARD = 1 << PayloadType.IPMI | 1 << PayloadType.SOL
SESSION_SETUP = 0x3F
"""Types 10h-15h: Open Session and RAKP."""
VERSIONS = dict.fromkeys((PayloadType.IPMI, PayloadType.SOL, *range(0x10, 0x16)), (1, 0))


def activate_payload(bmc: Bmc, request: ActivatePayloadRequest, context: Context) -> Response:
    _check_sol(request.payload_type, request.instance)
    session = context.session
    if session is None or not session.rmcp_plus:
        raise CommandError(CompletionCode.NOT_IN_PRESENT_STATE, "payloads are activated in an RMCP+ session")
    _check_right(bmc, context)
    if not bmc.payload_access.get(context.channel, session.user_id) & SOL:
        raise CommandError(PAYLOAD_DISABLED, f"user {session.user_id} has no access to SOL")
    # What the suite does not offer the console does not get, though ipmitool asks for it with any suite.
    encrypted = session.encrypted and (request.encrypt or bmc.sol_configuration.force_encryption)
    authenticated = session.authenticated and (
        encrypted or request.authenticate or bmc.sol_configuration.force_authentication
    )
    if (bmc.sol_configuration.force_encryption and not encrypted) or (
        bmc.sol_configuration.force_authentication and not authenticated
    ):
        raise CommandError(
            CANNOT_ACTIVATE_WITHOUT_ENCRYPTION, "the cipher suite does not offer what SOL needs"
        )
    if bmc.sol.session_id not in (None, session.id):
        raise CommandError(ACTIVE_ELSEWHERE, f"SOL is active in session {bmc.sol.session_id:08X}h")
    if bmc.sol.session_id is None:  # else the console repeats the command
        bmc.sol.activate(
            session.id,
            encrypted=encrypted,
            authenticated=authenticated,
            handshake=request.startup_handshake,
            now=context.now,
        )
        bmc.emit(SolChanged(session.id))
    return ActivatePayloadResponse(
        auxiliary=bytes(4),
        inbound_size=INBOUND_SIZE,
        outbound_size=OUTBOUND_SIZE,
        udp_port=bmc.sol.port,
        vlan=NO_VLAN,
    )


def deactivate_payload(bmc: Bmc, request: DeactivatePayloadRequest, context: Context) -> Response:
    _check_sol(request.payload_type, request.instance)
    _check_right(bmc, context)
    if bmc.sol.session_id is None:
        raise CommandError(DEACTIVATED_ALREADY, "SOL is not active")
    own = context.session is not None and context.session.id == bmc.sol.session_id
    bmc.sol.deactivate(notify=not own)
    bmc.emit(SolChanged(None))
    return DONE


def get_payload_activation_status(
    bmc: Bmc, request: GetPayloadActivationStatusRequest, context: Context
) -> Response:
    _check_sol(request.payload_type, INSTANCE)
    return GetPayloadActivationStatusResponse(capacity=1, active=0 if bmc.sol.session_id is None else 1)


def get_payload_instance_info(bmc: Bmc, request: GetPayloadInstanceInfoRequest, context: Context) -> Response:
    _check_sol(request.payload_type, request.instance)
    session_id = bmc.sol.session_id or 0
    return GetPayloadInstanceInfoResponse(
        session_id=session_id.to_bytes(4, "little"),
        port=SERIAL_PORT if session_id else 0,
        information=bytes(7),
    )


def set_user_payload_access(bmc: Bmc, request: SetUserPayloadAccessRequest, context: Context) -> Response:
    channel = bmc.channels.resolve(request.channel, context)
    if not channel.has_sessions or request.operation > 1:
        raise CommandError(CompletionCode.INVALID_FIELD)
    user = bmc.users.user(request.user_id)
    bmc.payload_access.change(channel.number, user.user_id, request.standard_1, enable=request.operation == 0)
    session = bmc.sessions.find(bmc.sol.session_id or 0)
    if session is not None and not bmc.payload_access.get(session.channel, session.user_id) & SOL:
        bmc.sol.deactivate(notify=True)
        bmc.emit(SolChanged(None))
    return DONE


def get_user_payload_access(bmc: Bmc, request: GetUserPayloadAccessRequest, context: Context) -> Response:
    channel = bmc.channels.resolve(request.channel, context)
    user = bmc.users.user(request.user_id)
    enables = bmc.payload_access.get(channel.number, user.user_id) if channel.has_sessions else 0
    return GetUserPayloadAccessResponse(standard_1=enables, standard_2=0, oem_1=0, oem_2=0)


def get_channel_payload_support(
    bmc: Bmc, request: GetChannelPayloadSupportRequest, context: Context
) -> Response:
    has_sessions = bmc.channels.resolve(request.channel, context).has_sessions
    return GetChannelPayloadSupportResponse(
        standard=STANDARD if has_sessions else 1 << PayloadType.IPMI,
        session_setup=SESSION_SETUP if has_sessions else 0,
        oem=0,
        reserved=0,
    )


def get_channel_payload_version(
    bmc: Bmc, request: GetChannelPayloadVersionRequest, context: Context
) -> Response:
    channel = bmc.channels.resolve(request.channel, context)
    version = VERSIONS.get(request.payload_type)
    if version is None or not (channel.has_sessions or request.payload_type == PayloadType.IPMI):
        raise CommandError(NOT_AVAILABLE_ON_CHANNEL, f"payload type {request.payload_type:02X}h")
    return GetChannelPayloadVersionResponse(major=version[0], minor=version[1])


def get_channel_oem_payload_info(
    bmc: Bmc, request: GetChannelOemPayloadInfoRequest, context: Context
) -> Response:
    bmc.channels.resolve(request.channel, context)
    raise CommandError(OEM_PAYLOAD_NOT_SUPPORTED, "there are no OEM payloads")


def suspend_resume_payload_encryption(
    bmc: Bmc, request: SuspendResumePayloadEncryptionRequest, context: Context
) -> Response:
    if request.payload_type != PayloadType.SOL:
        raise CommandError(OPERATION_NOT_SUPPORTED, f"payload type {request.payload_type:02X}h")
    session = context.session
    if session is None or bmc.sol.session_id != session.id or request.instance != INSTANCE:
        raise CommandError(INSTANCE_NOT_ACTIVE, "SOL is not active in this session")
    if not session.encrypted:
        raise CommandError(NO_ENCRYPTION_IN_SESSION, "the cipher suite has no encryption")
    match request.operation:
        case EncryptionOperation.SUSPEND if bmc.sol_configuration.force_encryption:
            raise CommandError(ENCRYPTION_IS_FORCED, "SOL has to be encrypted")
        case EncryptionOperation.SUSPEND:
            bmc.sol.set_encrypted(False)
        case EncryptionOperation.RESUME:
            bmc.sol.set_encrypted(True)
        case _:  # a new initialization vector is a matter of xRC4, which is not offered
            raise CommandError(OPERATION_NOT_SUPPORTED, f"operation {request.operation}")
    return DONE


def _check_sol(payload_type: int, instance: int) -> None:
    if payload_type != PayloadType.SOL:
        raise CommandError(CompletionCode.INVALID_FIELD, f"payload type {payload_type:02X}h is not activated")
    if instance != INSTANCE:
        raise CommandError(CompletionCode.INVALID_FIELD, f"SOL has no instance {instance}")


def _check_right(bmc: Bmc, context: Context) -> None:
    """What SOL parameters 1 and 2 say.  [IPMI 26.3, Table 26-5]"""
    if not bmc.sol_configuration.enabled:
        raise CommandError(PAYLOAD_DISABLED, "SOL is disabled")
    if context.privilege < bmc.sol_configuration.privilege:
        raise CommandError(CompletionCode.INSUFFICIENT_PRIVILEGE, "below the level of SOL parameter 2")


# fmt: off
TABLE = CommandTable(NetFn.APP, (
    # SOL parameter 2 has the level of 48h and 49h.
    #       number  privilege                request, handler                                   IPMI
    Command(0x48,   Privilege.USER,          ActivatePayloadRequest,                          # 24.1
            activate_payload),
    Command(0x49,   Privilege.USER,          DeactivatePayloadRequest,                        # 24.2
            deactivate_payload),
    Command(0x4A,   Privilege.USER,          GetPayloadActivationStatusRequest,               # 24.4
            get_payload_activation_status),
    Command(0x4B,   Privilege.USER,          GetPayloadInstanceInfoRequest,                   # 24.5
            get_payload_instance_info),
    Command(0x4C,   Privilege.ADMINISTRATOR, SetUserPayloadAccessRequest,                     # 24.6
            set_user_payload_access),
    Command(0x4D,   Privilege.OPERATOR,      GetUserPayloadAccessRequest,                     # 24.7
            get_user_payload_access),
    Command(0x4E,   Privilege.USER,          GetChannelPayloadSupportRequest,                 # 24.8
            get_channel_payload_support),
    Command(0x4F,   Privilege.USER,          GetChannelPayloadVersionRequest,                 # 24.9
            get_channel_payload_version),
    Command(0x50,   Privilege.USER,          GetChannelOemPayloadInfoRequest,                 # 24.10
            get_channel_oem_payload_info),
    Command(0x55,   Privilege.USER,          SuspendResumePayloadEncryptionRequest,           # 24.3
            suspend_resume_payload_encryption),
))
# fmt: on
