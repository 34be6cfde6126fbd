"""Serial/modem parameters and the mux."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc import Settings
from baseboard.bmc.channels import ChannelSettings
from baseboard.bmc.handlers import channels, serial
from baseboard.bmc.serial_parameters import PARAMETERS, Access
from baseboard.ipmi import Privilege
from baseboard.ipmi.transport_serial import SerialParameter

WITH_PORT = Settings(channels=ChannelSettings(serial=True))


@pytest.fixture
def talk() -> Conversation:
    return Conversation(channels.TABLE, serial.TABLE, settings=WITH_PORT)


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        # Medium 5 is serial, protocol 9 Terminal Mode, one session.  [IPMI 22.24]
        pytest.param("18 42 02", "1c 42 00 02 05 09 40 f2 1b 00 00 00", id="the channel"),
        pytest.param("18 41 02 40", "1c 41 00 20 04", id="disabled until somebody enables it"),
        pytest.param("30 11 02 00 00 00", "34 11 00 11 00", id="set in progress"),
        pytest.param("30 11 82 07 00 00", "34 11 00 11", id="revision only"),
        pytest.param("30 11 82 19 00 00", "34 11 80", id="revision of what is not there"),
        pytest.param("30 11 02 01 00 00", "34 11 00 11 14", id="MD5 and passwords"),
        pytest.param("30 11 02 03 00 00", "34 11 00 11 85", id="directly connected, Basic or Terminal Mode"),
        pytest.param("30 11 02 07 00 00", "34 11 00 11 00 0a", id="115,200 bits/s"),
        pytest.param("30 11 02 0b 00 00", "34 11 00 11 2b 2b 2b 00 00", id="escape sequence"),
        pytest.param("30 11 02 10 00 00", "34 11 00 11 00", id="no destinations"),
        pytest.param("30 11 02 11 00 00", "34 11 80", id="so no destination"),
        pytest.param("30 11 02 1d 00 00", "34 11 00 11 22 11", id="terminal mode"),
        pytest.param("30 11 02 60 00 00", "34 11 80", id="no parameter 96"),
        pytest.param("30 11 01 07 00 00", "34 11 cc", id="the LAN is no serial port"),
        pytest.param("30 11 07 07 00 00", "34 11 cc", id="no channel 7"),
        pytest.param("30 11 02 07", "34 11 c7", id="set and block selector are missing"),
        pytest.param("30 10 02 01 15", "34 10 82", id="support is read-only"),
        pytest.param("30 10 02 02 14 14 14 15 00", "34 10 cc", id="enable what is not supported"),
        pytest.param("30 10 02 03 02", "34 10 cc", id="PPP"),
        pytest.param("30 10 02 07 c0 0a", "34 10 cc", id="no flow control 11b"),
        pytest.param("30 10 02 07 00 0b", "34 10 cc", id="no bit rate Bh"),
        pytest.param("30 10 02 07 00", "34 10 c7", id="too short"),
        pytest.param("30 10 02 0a 05 41", "34 10 c9", id="no fifth block"),
        pytest.param("30 10 02 0a 01", "34 10 c7", id="a block of nothing"),
        pytest.param("30 10 02 1d c0 11", "34 10 cc", id="terminal mode, operation 11b"),
        pytest.param("30 12 02 09", "34 12 cc", id="mux operation 9"),
        pytest.param("30 12 01 00", "34 12 cc", id="mux of the LAN"),
    ],
)
def test_conversation(talk: Conversation, request_: str, response: str) -> None:
    assert talk.ask(request_) == response


def test_without_a_port_there_is_no_channel() -> None:
    talk = Conversation(serial.TABLE, channels.TABLE)
    assert talk.ask("30 11 02 07 00 00") == "34 11 cc"
    assert talk.ask("18 42 02") == "1c 42 cc"


def test_what_is_written_is_kept(talk: Conversation) -> None:
    assert talk.ask("30 10 02 07 7f 17") == "34 10 00"
    assert talk.ask("30 10 02 04 15") == "34 10 00"
    assert talk.ask("30 10 02 0a 02 41 54 5a") == "34 10 00"
    talk.restart()
    assert talk.ask("30 11 02 07 00 00") == "34 11 00 11 60 07"  # reserved bits are stored as 0
    assert talk.ask("30 11 02 04 00 00") == "34 11 00 11 05"
    assert talk.ask("30 11 02 0a 00 02") == f"34 11 00 11 02 41 54 5a {bytes(13).hex(' ')}"
    assert talk.ask("30 11 02 0a 00 01") == f"34 11 00 11 01 {bytes(16).hex(' ')}"


def test_a_string_in_blocks(talk: Conversation) -> None:
    talk.ask(f"30 10 02 0a 01 {b'ATE0Q1V1X4&K3&C1'.hex()}")
    talk.ask("30 10 02 0a 02 53")
    string = talk.bmc.serial_configuration.string(SerialParameter.MODEM_INIT_STRING)
    assert string == b"ATE0Q1V1X4&K3&C1S"


def test_terminal_mode_lives_twice(talk: Conversation) -> None:
    talk.ask("30 10 02 1d 62 51")  # keep: line editing, echo, LF out
    talk.ask("30 10 02 1d 20 11")  # for now
    assert talk.ask("30 11 02 1d 00 00") == "34 11 00 11 20 11"
    talk.ask("30 10 02 1d 80 00")  # back to what was kept
    assert talk.ask("30 11 02 1d 00 00") == "34 11 00 11 22 51"
    talk.ask("30 10 02 1d 20 11")
    talk.restart()
    assert talk.ask("30 11 02 1d 00 00") == "34 11 00 11 22 51"


def test_all_that_can_be_read_can_be_written_back(talk: Conversation) -> None:
    for number, row in PARAMETERS.items():
        if row.access is Access.READ_WRITE:
            data = talk.ask(f"30 11 02 {number:02x} 00 01")[12:]
            assert talk.ask(f"30 10 02 {number:02x} {data}") == "34 10 00", number


@pytest.mark.parametrize("level", [Privilege.USER, Privilege.OPERATOR, Privilege.ADMINISTRATOR])
def test_privileges(talk: Conversation, level: Privilege) -> None:
    assert talk.over_lan("30 10 02 04 01", level).endswith("00" if level is Privilege.ADMINISTRATOR else "d4")
    read = talk.over_lan("30 11 02 00 00 00", level)
    assert read == ("34 11 d4" if level is Privilege.USER else "34 11 00 11 00")


def test_the_mux(talk: Conversation) -> None:
    # Bit 7: to system blocked, 6: to BMC blocked, 1: accepted, 0: at the BMC.  [IPMI Table 25-5]
    for operation, state in (
        ("00", "02"),
        ("02", "03"),  # request to BMC
        ("05", "83"),  # block to system
        ("01", "81"),  # a request is refused
        ("03", "82"),  # force is not
        ("07", "c2"),
        ("02", "c0"),
        ("04", "c3"),
        ("06", "43"),
        ("08", "03"),
        ("01", "02"),
    ):
        assert talk.ask(f"30 12 02 {operation}") == f"34 12 00 {state}", operation


def test_a_reset_of_the_controller(talk: Conversation) -> None:
    talk.ask("30 10 02 00 01")
    talk.ask("30 12 02 04")
    talk.ask("30 12 02 07")
    talk.bmc.reset(cold=False, now=0.0)
    assert talk.ask("30 11 02 00 00 00") == "34 11 00 11 00"
    assert talk.ask("30 12 02 00") == "34 12 00 02"


@given(st.sampled_from((0x10, 0x11, 0x12)), st.binary(max_size=24))
def test_any_bytes_are_answered(command: int, data: bytes) -> None:
    talk = Conversation(serial.TABLE, settings=WITH_PORT)
    assert talk.ask(f"30 {command:02x} 02 {data.hex()}").startswith("34")
