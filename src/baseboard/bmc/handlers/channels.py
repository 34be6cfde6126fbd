"""App commands 40h-42h and 56h: channels.  [IPMI 22.22-22.25]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.channels import ACCESS_MODE_NOT_SUPPORTED, LAN_ACCESS_MODES
from baseboard.bmc.core import Command, CommandTable
from baseboard.errors import CommandError
from baseboard.ipmi.app_channels import (
    IPMI_VENDOR_ID,
    AccessMode,
    GetChannelAccessRequest,
    GetChannelAccessResponse,
    GetChannelInfoRequest,
    GetChannelInfoResponse,
    KeyId,
    KeyOperation,
    SetChannelAccessRequest,
    SetChannelSecurityKeysRequest,
    SetChannelSecurityKeysResponse,
    Setting,
)
from baseboard.ipmi.codec import Done, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc

K_R_NOT_USED = 0x84

_SETTINGS = tuple(Setting)
_CHANNEL_LIMITS = range(Privilege.CALLBACK, Privilege.OEM + 1)


def set_channel_access(bmc: Bmc, request: SetChannelAccessRequest, context: Context) -> Response:
    channel = bmc.channels.resolve_with_sessions(request.channel, context)
    if request.access_setting not in _SETTINGS or request.limit_setting not in _SETTINGS:
        raise CommandError(CompletionCode.INVALID_FIELD, "setting 11b is reserved")
    if request.access_setting and request.access_mode not in LAN_ACCESS_MODES:
        raise CommandError(ACCESS_MODE_NOT_SUPPORTED, f"access mode {request.access_mode}")
    if request.limit_setting and request.limit not in _CHANNEL_LIMITS:
        raise CommandError(CompletionCode.INVALID_FIELD, f"no privilege level {request.limit}")
    for setting in (Setting.NON_VOLATILE, Setting.VOLATILE):
        access = channel.volatile if setting is Setting.VOLATILE else channel.non_volatile
        if request.access_setting == setting:
            access = access.replace(
                mode=AccessMode(request.access_mode),
                pef_alerting=not request.pef_alerting_disabled,
                per_message_authentication=not request.per_message_authentication_disabled,
                user_level_authentication=not request.user_level_authentication_disabled,
            )
        if request.limit_setting == setting:
            access = access.replace(limit=Privilege(request.limit))
        if setting in (request.access_setting, request.limit_setting):
            bmc.channels.set_access(channel, setting, access)
    return Done()


def get_channel_access(bmc: Bmc, request: GetChannelAccessRequest, context: Context) -> Response:
    channel = bmc.channels.resolve_with_sessions(request.channel, context)
    if request.setting not in (Setting.NON_VOLATILE, Setting.VOLATILE):
        raise CommandError(CompletionCode.INVALID_FIELD, f"setting {request.setting:02b}b is reserved")
    access = channel.volatile if request.setting == Setting.VOLATILE else channel.non_volatile
    return GetChannelAccessResponse(
        pef_alerting_disabled=not access.pef_alerting,
        per_message_authentication_disabled=not access.per_message_authentication,
        user_level_authentication_disabled=not access.user_level_authentication,
        access_mode=access.mode,
        limit=access.limit,
    )


def get_channel_info(bmc: Bmc, request: GetChannelInfoRequest, context: Context) -> Response:
    channel = bmc.channels.resolve(request.channel, context)
    return GetChannelInfoResponse(
        channel=channel.number,
        medium=channel.medium,
        protocol=channel.protocol,
        session_support=channel.session_support,
        active_sessions=min(bmc.channels.count_sessions(channel.number), 0x3F) if channel.has_sessions else 0,
        vendor_id=IPMI_VENDOR_ID,
        auxiliary=channel.auxiliary,
    )


def set_security_keys(bmc: Bmc, request: SetChannelSecurityKeysRequest, context: Context) -> Response:
    channel = bmc.channels.resolve(request.channel, context)
    if not channel.has_sessions:
        raise CommandError(CompletionCode.INVALID_FIELD, f"channel {channel.number:X}h has no keys")
    if request.key_id == KeyId.K_R:
        raise CommandError(K_R_NOT_USED, "the user's password stands for K_R")
    if request.key_id != KeyId.K_G or request.operation not in tuple(KeyOperation):
        raise CommandError(CompletionCode.INVALID_FIELD, "no such key or operation")
    key = b""
    if request.operation == KeyOperation.READ:
        key = bmc.channels.read_key(channel)
    elif request.operation == KeyOperation.SET:
        bmc.channels.set_key(channel, request.key)
    else:
        bmc.channels.lock_key(channel)
    return SetChannelSecurityKeysResponse(lock_status=bmc.channels.lock_status(channel), key=key)


# fmt: off
TABLE = CommandTable(NetFn.APP, (
    #       number  privilege                request                        handler              IPMI
    Command(0x40,   Privilege.ADMINISTRATOR, SetChannelAccessRequest,       set_channel_access),  # 22.22
    Command(0x41,   Privilege.USER,          GetChannelAccessRequest,       get_channel_access),  # 22.23
    Command(0x42,   Privilege.USER,          GetChannelInfoRequest,         get_channel_info),    # 22.24
    Command(0x56,   Privilege.ADMINISTRATOR, SetChannelSecurityKeysRequest, set_security_keys),   # 22.25
))
# fmt: on
