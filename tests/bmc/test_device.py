"""Identity, resets, ACPI power state."""

from __future__ import annotations

import uuid

import pytest
from tests.bmc.conversation import Conversation

from baseboard.bmc import Settings
from baseboard.bmc.device import DeviceSettings
from baseboard.bmc.events import ControllerReset
from baseboard.bmc.handlers import device
from baseboard.ipmi import Privilege
from baseboard.ipmi.app_device import GetDeviceIdResponse

GUID = uuid.UUID("12345678-9abc-4def-8123-456789abcdef")


@pytest.fixture
def talk() -> Conversation:
    return Conversation(device.TABLE, settings=Settings(device=DeviceSettings(guid=GUID.bytes)))


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("18 01", "1c 01 00 20 01 00 01 02 9f d9 7e 00 01 00 00 00 00 00", id="get device id"),
        pytest.param("18 01 00", "1c 01 c7", id="get device id has no data"),
        pytest.param("19 01", "1d 01 c2", id="get device id at LUN 1"),
        pytest.param("18 04", "1c 04 00 55 00", id="self test: no error"),
        pytest.param("18 05", "1c 05 c1", id="manufacturing test"),
        pytest.param("18 07", "1c 07 00 2a 00", id="ACPI power state is not known yet"),
        pytest.param("18 06 85 83", "1c 06 00", id="set ACPI S5, D3"),
        pytest.param("18 06 8b 80", "1c 06 cc", id="no system state 0Bh"),
        pytest.param("18 06 80 84", "1c 06 cc", id="no device state 04h"),
        pytest.param("18 06 80", "1c 06 c7", id="set ACPI is too short"),
        pytest.param(
            "18 08",
            "1c 08 00 ef cd ab 89 67 45 23 81 ef 4d bc 9a 78 56 34 12",
            id="device GUID, last byte first",
        ),
        pytest.param("18 37", "1c 37 00 ef cd ab 89 67 45 23 81 ef 4d bc 9a 78 56 34 12", id="system GUID"),
    ],
)
def test_device(talk: Conversation, request_: str, response: str) -> None:
    assert talk.ask(request_) == response


def test_an_answer_of_ipmi_sim_reads_as_ipmitool_prints_it() -> None:
    # captures.json, sim-chassis-status: ipmi_sim 2.0.33 to ipmitool 1.8.19
    message = GetDeviceIdResponse.decode(bytes.fromhex("00030908029f911200020f00000000"))
    assert (message.firmware_major, message.firmware_minor_bcd, message.ipmi_version_bcd) == (9, 0x08, 0x02)
    assert (message.manufacturer_id, message.product_id, message.auxiliary) == (0x1291, 0x0F02, bytes(4))
    assert message.chassis_device
    assert not message.bridge
    assert message.encode().hex() == "0000030908029f911200020f00000000"


def test_the_firmware_revision_is_decimal() -> None:
    settings = Settings(device=DeviceSettings(firmware_major=2, firmware_minor=47, auxiliary=b"\1\2\3\4"))
    talk = Conversation(device.TABLE, settings=settings)
    assert talk.ask("18 01") == "1c 01 00 20 01 02 47 02 9f d9 7e 00 01 00 01 02 03 04"


def test_the_auxiliary_firmware_revision_may_be_left_out() -> None:
    # [IPMI 20.1, Table 20-2] bytes 13:16 are optional; QEMU's ipmi-bmc-sim leaves them out.
    talk = Conversation(device.TABLE, settings=Settings(device=DeviceSettings(auxiliary=b"")))
    assert talk.ask("18 01") == "1c 01 00 20 01 00 01 02 9f d9 7e 00 01 00"


@pytest.mark.parametrize(
    ("request_", "privilege", "code"),
    [
        pytest.param("18 37", Privilege.NONE, "00", id="system GUID before a session"),
        pytest.param("18 08", Privilege.NONE, "d4", id="device GUID"),
        pytest.param("18 01", Privilege.CALLBACK, "d4", id="device id needs USER"),
        pytest.param("18 02", Privilege.OPERATOR, "d4", id="cold reset needs ADMINISTRATOR"),
        pytest.param("18 06 00 00", Privilege.OPERATOR, "d4", id="set ACPI needs ADMINISTRATOR"),
    ],
)
def test_privilege(talk: Conversation, request_: str, privilege: Privilege, code: str) -> None:
    assert talk.over_lan(request_, privilege).split()[2] == code


def test_acpi_states_are_set_one_by_one(talk: Conversation) -> None:
    for request, state in [
        ("18 06 83 81", "03 01"),  # both
        ("18 06 04 82", "03 02"),  # bit 7 clear: not the system's
        ("18 06 ff ff", "03 02"),  # 7Fh: no change
        ("18 06 a0 00", "20 02"),  # legacy on
        ("18 06 7e 7e", "20 02"),  # what is not set is not looked at
    ]:
        talk.ask(request)
        assert talk.ask("18 07") == f"1c 07 00 {state}"
    talk.bmc.device.power_changed(on=False, now=0.0)
    assert talk.ask("18 07") == "1c 07 00 06 02"
    talk.bmc.device.power_changed(on=True, now=0.0)
    assert talk.ask("18 07") == "1c 07 00 20 02"


@pytest.mark.parametrize(("request_", "cold"), [("18 02", True), ("18 03", False)])
def test_a_reset_is_answered_and_told(talk: Conversation, request_: str, cold: bool) -> None:
    assert talk.ask(request_).endswith(" 00")
    assert talk.events() == [ControllerReset(cold)]


def test_a_guid_is_made_once_and_stays() -> None:
    talk = Conversation(device.TABLE)
    talk.bmc.device.provision_guid(bytes(range(16)))
    made = uuid.UUID(bytes=talk.bmc.device.uuid)
    assert (made.version, made.variant) == (4, uuid.RFC_4122)
    answer = talk.ask("18 37")
    talk.restart()
    assert talk.ask("18 37") == answer
    talk.bmc.device.provision_guid(bytes(16))
    assert talk.ask("18 37") == answer


def test_a_configured_guid_is_above_the_kept_one() -> None:
    talk = Conversation(device.TABLE)
    talk.bmc.device.provision_guid(bytes(range(16)))
    talk.settings = Settings(device=DeviceSettings(guid=GUID.bytes))
    talk.restart()
    assert talk.bmc.device.uuid == GUID.bytes
