"""PICMG's group 00h: HPM.1.  [HPM.1, 3]

Get PICMG Properties is left out with the rest of PICMG 3.0: OpenIPMI takes whoever answers it for a shelf,
whatever version it has, and ipmitool needs it for no part of HPM.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baseboard.bmc.core import Command, CommandTable
from baseboard.bmc.firmware import COMPONENT, COMPONENTS, DESCRIPTION, Firmware
from baseboard.errors import CommandError
from baseboard.ipmi.codec import DONE, Empty, Encoded, Response
from baseboard.ipmi.completion import CompletionCode
from baseboard.ipmi.message import Context
from baseboard.ipmi.netfn import NetFn
from baseboard.ipmi.picmg import (
    DESCRIPTION_SIZE,
    GROUP,
    HPM_VERSION,
    ActivateFirmwareRequest,
    FinishFirmwareUploadRequest,
    GetComponentPropertiesRequest,
    GetTargetUpgradeCapabilitiesResponse,
    GetUpgradeStatusResponse,
    InitiateUpgradeActionRequest,
    Property,
    QueryRollbackStatusResponse,
    QuerySelfTestResultsResponse,
    Refusal,
    UploadFirmwareBlockRequest,
)
from baseboard.ipmi.privilege import Privilege

if TYPE_CHECKING:
    from baseboard.bmc.controller import Bmc

GENERAL = 0b0001_1110
"""Rollback without a backup by command, preparation, comparison, deferred activation.  [HPM.1 3.3]"""
NO_VERSION = b"\xff" * 6
TIMEOUT = 2
"""Ten seconds: everything is done at once."""
NO_SHELF = "of shelves, carriers and their modules, none of which we are"
NO_CREDENTIALS = "HPM.2 and HPM.3: the LAN is configured by the Transport commands"


def get_target_capabilities(bmc: Bmc, request: Empty, context: Context) -> Response:
    return GetTargetUpgradeCapabilitiesResponse(
        version=HPM_VERSION,
        undesirable=False,
        rollback_overridden=False,
        degraded=False,
        deferred_activation=True,
        services_affected=False,
        manual_rollback=True,
        automatic_rollback=False,
        self_test=True,
        upgrade_timeout=TIMEOUT,
        self_test_timeout=TIMEOUT,
        rollback_timeout=TIMEOUT,
        inaccessible_timeout=TIMEOUT,
        components=COMPONENTS,
    )


def get_component_properties(bmc: Bmc, request: GetComponentPropertiesRequest, context: Context) -> Response:
    if request.component != COMPONENT:
        raise CommandError(Refusal.UNKNOWN_COMPONENT, f"no component {request.component}")
    if request.selector == Property.GENERAL:
        return Encoded(data=bytes((GENERAL,)))
    if request.selector == Property.DESCRIPTION:
        return Encoded(data=DESCRIPTION.encode().ljust(DESCRIPTION_SIZE, b"\0"))
    upgrade = bmc.upgrade
    versions: dict[int, Firmware | None] = {
        Property.CURRENT_VERSION: upgrade.active,
        Property.ROLLBACK_VERSION: upgrade.rollback,
        Property.DEFERRED_VERSION: upgrade.deferred,
    }
    if request.selector not in versions:
        raise CommandError(Refusal.UNKNOWN_PROPERTY, f"no property {request.selector}")
    firmware = versions[request.selector]
    return Encoded(data=firmware.version.encode() if firmware else NO_VERSION)


def abort_upgrade(bmc: Bmc, request: Empty, context: Context) -> Response:
    bmc.upgrade.abort()
    return DONE


def initiate_action(bmc: Bmc, request: InitiateUpgradeActionRequest, context: Context) -> Response:
    bmc.upgrade.last_command = 0x31
    bmc.upgrade.initiate(request.components, request.action)
    return DONE


def upload_block(bmc: Bmc, request: UploadFirmwareBlockRequest, context: Context) -> Response:
    bmc.upgrade.last_command = 0x32
    bmc.upgrade.upload(request.number, request.data)
    return DONE


def finish_upload(bmc: Bmc, request: FinishFirmwareUploadRequest, context: Context) -> Response:
    bmc.upgrade.last_command = 0x33
    bmc.upgrade.finish(request.component, request.length)
    return DONE


def get_status(bmc: Bmc, request: Empty, context: Context) -> Response:
    return GetUpgradeStatusResponse(command=bmc.upgrade.last_command, completion_code=CompletionCode.OK)


def activate_firmware(bmc: Bmc, request: ActivateFirmwareRequest, context: Context) -> Response:
    bmc.upgrade.last_command = 0x35
    bmc.upgrade.activate()
    return DONE


def query_self_test(bmc: Bmc, request: Empty, context: Context) -> Response:
    result = bmc.device.self_test
    return QuerySelfTestResultsResponse(result=result.result, detail=result.detail)


def query_rollback(bmc: Bmc, request: Empty, context: Context) -> Response:
    return QueryRollbackStatusResponse(components=bmc.upgrade.rolled_back)


def roll_back(bmc: Bmc, request: Empty, context: Context) -> Response:
    bmc.upgrade.last_command = 0x38
    bmc.upgrade.roll_back()
    return DONE


def _absent(first: int, last: int, reason: str) -> tuple[Command[Empty], ...]:
    return tuple(
        Command(number, Privilege.USER, Empty, None, reason=reason) for number in range(first, last + 1)
    )


# fmt: off
TABLE = CommandTable(NetFn.GROUP_EXTENSION, (
    #       number  privilege                request                        handler
    *_absent(0x00, 0x2D, NO_SHELF),
    Command(0x2E,   Privilege.USER,          Empty,                         get_target_capabilities),
    Command(0x2F,   Privilege.USER,          GetComponentPropertiesRequest, get_component_properties),
    Command(0x30,   Privilege.ADMINISTRATOR, Empty,                         abort_upgrade),
    Command(0x31,   Privilege.ADMINISTRATOR, InitiateUpgradeActionRequest,  initiate_action),
    Command(0x32,   Privilege.ADMINISTRATOR, UploadFirmwareBlockRequest,    upload_block),
    Command(0x33,   Privilege.ADMINISTRATOR, FinishFirmwareUploadRequest,   finish_upload),
    Command(0x34,   Privilege.USER,          Empty,                         get_status),
    Command(0x35,   Privilege.ADMINISTRATOR, ActivateFirmwareRequest,       activate_firmware),
    Command(0x36,   Privilege.USER,          Empty,                         query_self_test),
    Command(0x37,   Privilege.USER,          Empty,                         query_rollback),
    Command(0x38,   Privilege.ADMINISTRATOR, Empty,                         roll_back),
    *_absent(0x3E, 0x40, NO_CREDENTIALS),
    *_absent(0x41, 0x46, NO_SHELF),
    *_absent(0x47, 0x48, NO_CREDENTIALS),
), group=GROUP)
# fmt: on
