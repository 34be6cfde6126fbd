"""App commands 43h-47h: users.  [IPMI 22.26-22.30]"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.users import MAXIMUM_USERS, NAME_SIZE
from baseboard.errors import CommandError
from baseboard.ipmi.app_users import (
    GetUserAccessRequest,
    GetUserAccessResponse,
    GetUserNameRequest,
    GetUserNameResponse,
    PasswordOperation,
    SetUserAccessRequest,
    SetUserNameRequest,
    SetUserPasswordRequest,
    UserStatus,
)
from baseboard.ipmi.codec import Done, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.privilege import Privilege

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc

FIXED_NAMES = 1
"""The null user's."""


def set_user_access(bmc: Bmc, request: SetUserAccessRequest, context: Context) -> Response:
    channel = bmc.channels.resolve(request.channel, context)
    if not channel.has_sessions:
        raise CommandError(CompletionCode.INVALID_FIELD, f"nobody logs in on channel {channel.number:X}h")
    rights = (request.ipmi_messaging, request.link_authentication, request.callback_only)
    bmc.users.set_access(
        request.user_id,
        channel.number,
        request.limit,
        rights if request.change_bits else None,
        request.session_limit,
        by_session=_session_id(context),
    )
    return Done()


def get_user_access(bmc: Bmc, request: GetUserAccessRequest, context: Context) -> Response:
    # Answered on channels without sessions too: `ipmitool user list` in a guest asks for channel Eh.
    channel = bmc.channels.resolve(request.channel, context)
    user = bmc.users.user(request.user_id)
    access = bmc.users.access(request.user_id, channel.number)
    return GetUserAccessResponse(
        maximum_user_ids=MAXIMUM_USERS,
        user_status=UserStatus.ENABLED if user.enabled else UserStatus.DISABLED,
        enabled_user_ids=bmc.users.enabled_count(),
        fixed_names=FIXED_NAMES,
        callback_only=access.callback_only,
        link_authentication=access.link_authentication,
        ipmi_messaging=access.ipmi_messaging,
        limit=access.limit,
    )


def set_user_name(bmc: Bmc, request: SetUserNameRequest, context: Context) -> Response:
    bmc.users.set_name(request.user_id, request.name, by_session=_session_id(context))
    return Done()


def get_user_name(bmc: Bmc, request: GetUserNameRequest, context: Context) -> Response:
    return GetUserNameResponse(name=bmc.users.user(request.user_id).name.ljust(NAME_SIZE, b"\0"))


def set_user_password(bmc: Bmc, request: SetUserPasswordRequest, context: Context) -> Response:
    users, user_id, session_id = bmc.users, request.user_id, _session_id(context)
    size = 20 if request.twenty_bytes else 16
    if request.operation in (PasswordOperation.DISABLE_USER, PasswordOperation.ENABLE_USER):
        if len(request.password) not in (0, 16, 20):  # clients send it or leave it out
            raise CommandError(CompletionCode.LENGTH_INVALID)
        users.set_enabled(user_id, request.operation == PasswordOperation.ENABLE_USER, session_id)
        return Done()
    if len(request.password) != size:
        raise CommandError(CompletionCode.LENGTH_INVALID, f"{len(request.password)} bytes instead of {size}")
    if request.operation == PasswordOperation.SET_PASSWORD:
        users.set_password(user_id, request.password, session_id)
    else:
        users.test_password(user_id, request.password)
    return Done()


def _session_id(context: Context) -> int | None:
    return None if context.session is None else context.session.id


# fmt: off
TABLE = CommandTable(NetFn.APP, (
    #       number  privilege                request                 handler             IPMI
    Command(0x43,   Privilege.ADMINISTRATOR, SetUserAccessRequest,   set_user_access),    # 22.26
    Command(0x44,   Privilege.OPERATOR,      GetUserAccessRequest,   get_user_access),    # 22.27
    Command(0x45,   Privilege.ADMINISTRATOR, SetUserNameRequest,     set_user_name),      # 22.28
    Command(0x46,   Privilege.OPERATOR,      GetUserNameRequest,     get_user_name),      # 22.29
    Command(0x47,   Privilege.ADMINISTRATOR, SetUserPasswordRequest, set_user_password),  # 22.30
))
# fmt: on
