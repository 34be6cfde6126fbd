"""Command discovery over our own tables, and the firewall that the core obeys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc.commands import TABLES
from baseboard.bmc.core import CommandTable
from baseboard.bmc.handlers import chassis, device, firewall, messaging, watchdog
from baseboard.ipmi import Channel, Privilege

CHASSIS = "00 00"
"""Net function and LUN, as requests carry them."""


def mask(*numbers: int) -> str:
    """Sixteen bytes with these bits set."""
    return sum(1 << n for n in numbers).to_bytes(16, "little").hex(" ")


def without(text: str, *numbers: int) -> str:
    """The same mask with these bits clear."""
    value = int.from_bytes(bytes.fromhex(text), "little")
    return (value & ~sum(1 << number for number in numbers)).to_bytes(16, "little").hex(" ")


ALL_CHASSIS = mask(*range(0x0C), 0x0F)


@pytest.fixture
def talk() -> Conversation:
    return Conversation(chassis.TABLE, device.TABLE, firewall.TABLE, messaging.TABLE, watchdog.TABLE)


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param(
            "18 09 0e", f"1c 09 00 01 09 00 00 00 {bytes(12).hex(' ')}", id="LUN 0: chassis and application"
        ),
        pytest.param("18 09 07", "1c 09 cc", id="no channel 7"),
        pytest.param("18 09", "1c 09 c7", id="which channel?"),
        # One bit for each command; 1: it is not there.
        pytest.param(f"18 0a 0e {CHASSIS}", f"1c 0a 00 00 70 {'ff ' * 14}".strip(), id="chassis commands"),
        pytest.param("18 0a 0e 01 00", f"1c 0a 00 00 70 {'ff ' * 14}".strip(), id="bit 0 does not matter"),
        pytest.param("18 0a 0e 40 00", f"1c 0a 00 {'ff ' * 16}".strip(), id="nothing from 80h on"),
        pytest.param("18 0a 0e 00 01", f"1c 0a 00 {'ff ' * 16}".strip(), id="nothing at LUN 1"),
        pytest.param("18 0a 0e 80 00", "1c 0a cc", id="operation 10b"),
        pytest.param("18 0a 0e 30 00", "1c 0a cc", id="no such net function"),
        pytest.param("18 0a 0e 2c 00 dc", f"1c 0a 00 {'ff ' * 16}".strip(), id="no group in these tables"),
        pytest.param("18 0a 0e 2c 00 dc 00", "1c 0a c7", id="a defining body is one byte"),
        pytest.param("18 0a 0e 00 00 dc", "1c 0a c7", id="the chassis has no other owners"),
        # Chassis Control does six things.  [IPMI Table 28-4]
        pytest.param("18 0b 0e 00 00 02", "1c 0b 00 00 20 11 c0 ff ff ff", id="sub-functions"),
        pytest.param("18 0b 0e 00 00 01", "1c 0b 00 00 20 11 ff ff ff ff", id="Get Chassis Status has none"),
        pytest.param("18 0b 0e 00 00 0e", "1c 0b cb", id="sub-functions of no command"),
        pytest.param("18 0d 0e 00 00 02", "1c 0d 00 3f 00 00 00", id="all of them can be disabled"),
        pytest.param("18 63 0e 00 00 02", "1c 63 00 3f 00 00 00", id="all of them are enabled"),
        pytest.param(f"18 0c 0e {CHASSIS}", f"1c 0c 00 {ALL_CHASSIS}", id="configurable"),
        pytest.param(f"18 61 0e {CHASSIS}", f"1c 61 00 {ALL_CHASSIS}", id="enabled"),
        pytest.param(
            f"18 60 0e {CHASSIS} {mask(*range(0x0D), 0x0F)}", "1c 60 80", id="enable what is not there"
        ),
        pytest.param(f"18 60 0e 06 00 {mask()}", "1c 60 80", id="disable Get Device ID"),
        pytest.param(f"18 60 0e 2c 00 {mask()}", "1c 60 c7", id="which body's?"),
        pytest.param("18 62 0e 00 00 02 ff 00 00 00", "1c 62 80", id="enable a seventh action"),
        pytest.param("18 62 0e 00 00 02 3f 00 00", "1c 62 c7", id="a mask has four bytes"),
        pytest.param("18 62 0e 00 00 02 3f 00 00 00 00 00 00 00", "1c 62 00", id="or twice as many"),
        pytest.param("18 64 0e 2e 00", "1c 64 cb", id="nobody's OEM commands"),
    ],
)
def test_conversation(talk: Conversation, request_: str, response: str) -> None:
    assert talk.ask(request_) == response


def supported(talk: Conversation, channel: int, netfn_lun: str) -> set[int]:
    answer = bytes.fromhex(talk.ask(f"18 0a {channel:02x} {netfn_lun}"))[3:]
    missing = int.from_bytes(answer, "little")
    return {number for number in range(128) if not missing >> number & 1}


def test_a_session_may_not_send_everything(talk: Conversation) -> None:
    # Get Message is for system software alone.  [IPMI 22.6]
    assert 0x33 in supported(talk, Channel.SYSTEM_INTERFACE, "06 00")
    assert 0x33 not in supported(talk, Channel.LAN, "06 00")
    assert 0x35 not in supported(talk, Channel.LAN, "06 00")
    assert 0x24 in supported(talk, Channel.LAN, "06 00")


def disable(talk: Conversation, channel: int, *commands: int) -> None:
    assert talk.ask(f"18 60 {channel:02x} {CHASSIS} {without(ALL_CHASSIS, *commands)}") == "1c 60 00"


def test_a_disabled_command_is_refused_on_its_channel(talk: Conversation) -> None:
    disable(talk, Channel.LAN, 0x02, 0x0F)
    # "security-based restriction, e.g. disabled for firmware firewall"  [IPMI Table 5-2, D4h]
    assert talk.over_lan("00 0f") == "04 0f d4"
    assert talk.over_lan("00 02 01") == "04 02 d4"
    assert talk.over_lan("00 01").startswith("04 01 00")
    assert talk.ask("00 0f").startswith("04 0f 00")
    assert talk.ask(f"18 61 01 {CHASSIS}") == f"1c 61 00 {without(ALL_CHASSIS, 0x02, 0x0F)}"
    assert talk.ask(f"18 61 0f {CHASSIS}") == f"1c 61 00 {ALL_CHASSIS}"
    assert talk.ask("18 09 01").startswith("1c 09 00 02 ")  # LUN 0 is restricted
    assert talk.ask("18 09 0f").startswith("1c 09 00 01 ")


def test_it_lasts_until_it_is_enabled_again(talk: Conversation) -> None:
    disable(talk, Channel.LAN, 0x0F)
    talk.ask("18 62 01 00 00 02 3e 00 00 00")
    talk.restart()
    assert talk.over_lan("00 0f") == "04 0f d4"
    assert talk.over_lan("00 02 00") == "04 02 d6"
    disable(talk, Channel.LAN)
    talk.ask("18 62 01 00 00 02 3f 00 00 00")
    assert not talk.bmc.firewall.active
    talk.restart()
    assert talk.over_lan("00 0f").startswith("04 0f 00")
    assert talk.rooms["firewall"] == {}


def test_a_disabled_sub_function(talk: Conversation) -> None:
    talk.bmc.chassis.found(True, 0.0)
    assert talk.ask("18 62 01 00 00 02 3a 00 00 00") == "1c 62 00"  # neither power down nor cycle
    assert talk.ask("18 63 01 00 00 02") == "1c 63 00 3a 00 00 00"
    # "illegal because command sub-function has been disabled"  [IPMI Table 5-2, D6h]
    assert talk.over_lan("00 02 00") == "04 02 d6"
    assert talk.over_lan("00 02 02") == "04 02 d6"
    assert talk.over_lan("00 02 03") == "04 02 00"
    assert talk.ask("00 02 00") == "04 02 00"
    assert talk.over_lan("00 02") == "04 02 c7"


def test_what_is_always_on(talk: Conversation) -> None:
    enabled = bytes.fromhex(talk.ask("18 61 01 06 00"))[3:].hex(" ")
    configurable = bytes.fromhex(talk.ask("18 0c 01 06 00"))[3:]
    fixed = int.from_bytes(bytes.fromhex(enabled), "little") & ~int.from_bytes(configurable, "little")
    # of those in these tables: Get Device ID, this chapter
    assert [number for number in range(128) if fixed >> number & 1] == [
        *(0x01, 0x09, 0x0A, 0x0B, 0x0C, 0x0D),
        *(0x60, 0x61, 0x62, 0x63, 0x64),
    ]
    everything_off = without(enabled, *(n for n in range(128) if configurable[n // 8] >> n % 8 & 1))
    assert talk.ask(f"18 60 01 06 00 {everything_off}") == "1c 60 00"
    assert talk.over_lan("18 04") == "1c 04 d4"
    assert talk.over_lan("18 01").startswith("1c 01 00")
    assert talk.over_lan(f"18 60 01 06 00 {enabled}") == "1c 60 00"
    assert talk.over_lan("18 04") == "1c 04 00 55 00"


def test_group_extensions_are_told_apart() -> None:
    first = CommandTable(chassis.TABLE.netfn.GROUP_EXTENSION, device.TABLE.commands[:1], group=0x10)
    second = CommandTable(chassis.TABLE.netfn.GROUP_EXTENSION, device.TABLE.commands[:2], group=0x11)
    talk = Conversation(first, second, firewall.TABLE)
    assert talk.ask("18 61 0f 2c 00 10") == f"1c 61 00 {mask(1)}"
    assert talk.ask("18 61 0f 2c 00 11") == f"1c 61 00 {mask(1, 2)}"
    assert talk.ask("18 0c 0f 2c 00") == f"1c 0c 00 {mask()}"
    assert talk.ask("18 61 0f 2c 00") == f"1c 61 00 {mask(1, 2)}"  # as ipmitool asks
    assert talk.ask(f"18 60 0f 2c 00 {mask()} 10") == "1c 60 00"
    assert talk.ask("b0 01 10") == "b4 01 d4 10"
    assert talk.ask("b0 01 11").startswith("b4 01 00 11")


def test_privileges(talk: Conversation) -> None:
    assert talk.over_lan(f"18 60 01 {CHASSIS} {ALL_CHASSIS}", Privilege.OPERATOR) == "1c 60 d4"
    assert talk.over_lan("18 62 01 00 00 02 3f 00 00 00", Privilege.OPERATOR) == "1c 62 d4"
    assert talk.over_lan("18 09 01", Privilege.USER).startswith("1c 09 00")


@given(st.sampled_from((0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x60, 0x61, 0x62, 0x63, 0x64)), st.binary(max_size=40))
def test_any_bytes_are_answered(command: int, data: bytes) -> None:
    assert Conversation(*TABLES).ask(f"18 {command:02x} {data.hex()}").startswith("1c")
