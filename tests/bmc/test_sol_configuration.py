"""SOL parameters in bytes: Set and Get SOL Configuration Parameters.

`GET_*` are what ipmitool 1.8.19 sends for `sol info 1` (recorded); the layouts are those of the table.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc.handlers import sol
from baseboard.bmc.settings import Settings
from baseboard.bmc.sol_configuration import SolSettings
from baseboard.ipmi import Privilege
from baseboard.lan.sol_sender import SolTiming


@pytest.fixture
def talk() -> Conversation:
    return Conversation(sol.TABLE)


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("30 22 01 00 00 00", "34 22 00 11 00", id="set in progress"),
        pytest.param("30 22 01 01 00 00", "34 22 00 11 01", id="enable"),
        pytest.param("30 22 01 02 00 00", "34 22 00 11 03", id="authentication: operator"),
        pytest.param("30 22 01 03 00 00", "34 22 00 11 02 60", id="10 ms, 96 characters"),
        pytest.param("30 22 01 04 00 00", "34 22 00 11 07 32", id="7 retries, 500 ms"),
        pytest.param("30 22 01 05 00 00", "34 22 00 11 0a", id="115200"),
        pytest.param("30 22 01 06 00 00", "34 22 00 11 0a", id="115200 for now"),
        pytest.param("30 22 01 07 00 00", "34 22 00 11 01", id="channel"),
        pytest.param("30 22 01 08 00 00", "34 22 00 11 6f 02", id="port 623"),
        pytest.param("30 22 81 03 00 00", "34 22 00 11", id="revision only"),
        pytest.param("30 22 01 09 00 00", "34 22 80", id="no such parameter"),
        pytest.param("30 22 0e 01 00 00", "34 22 00 11 01", id="this channel"),
        pytest.param("30 22 0f 01 00 00", "34 22 cc", id="system interface has no SOL"),
        pytest.param("30 22 05 01 00 00", "34 22 cc", id="no such channel"),
        pytest.param("30 22 01 01 00", "34 22 c7", id="short"),
        pytest.param("30 20 01 01 01 00", "34 20 c1", id="sol activating is for others"),
    ],
)
def test_reading(talk: Conversation, request_: str, response: str) -> None:
    assert talk.over_lan(request_) == response


@pytest.mark.parametrize(
    ("parameter", "data", "kept"),
    [
        pytest.param("01", "00", "00", id="disable"),
        pytest.param("01", "ff", "01", id="reserved bits are ignored"),
        pytest.param("02", "c4", "c4", id="administrators, encrypted and authenticated"),
        pytest.param("03", "ff 01", "ff 01", id="accumulate"),
        pytest.param("04", "02 00", "02 00", id="retry"),
        pytest.param("05", "06", "06", id="9600"),
        pytest.param("06", "00", "00", id="as the serial channel"),
        pytest.param("00", "01", "01", id="set in progress"),
    ],
)
def test_writing(talk: Conversation, parameter: str, data: str, kept: str) -> None:
    assert talk.over_lan(f"30 21 01 {parameter} {data}") == "34 21 00"
    assert talk.over_lan(f"30 22 01 {parameter} 00 00") == f"34 22 00 11 {kept}"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param("02 01", "cc", id="callback is no level for SOL"),
        pytest.param("02 06", "cc", id="reserved level"),
        pytest.param("03 00 10", "cc", id="interval 0 is reserved"),
        pytest.param("03 10 00", "cc", id="threshold 0 is reserved"),
        pytest.param("05 05", "cc", id="reserved bit rate"),
        pytest.param("00 02", "cc", id="no roll-back"),
        pytest.param("07 01", "82", id="read only"),
        pytest.param("08 6f 02", "82", id="read only, too"),
        pytest.param("09 00", "80", id="no such parameter"),
        pytest.param("c0 00", "80", id="no OEM parameter"),
        pytest.param("01", "c7", id="no data"),
        pytest.param("01 01 01", "c7", id="too much"),
    ],
)
def test_what_cannot_be_written(talk: Conversation, data: str, code: str) -> None:
    assert talk.over_lan(f"30 21 01 {data}") == f"34 21 {code}"


def test_set_complete_ends_set_in_progress(talk: Conversation) -> None:
    # The OpenIPMI simulator answers 81h to the second start.
    for _ in range(2):
        assert talk.over_lan("30 21 01 00 01") == "34 21 00"
        assert talk.over_lan("30 21 01 00 01") == "34 21 81"
        assert talk.over_lan("30 21 01 00 00") == "34 21 00"


def test_what_is_not_volatile_survives(talk: Conversation) -> None:
    for data in ("01 00", "02 84", "03 04 20", "04 03 0a", "05 06", "06 07", "00 01"):
        assert talk.over_lan(f"30 21 01 {data}") == "34 21 00"
    talk.restart()
    read = {n: talk.over_lan(f"30 22 01 {n:02x} 00 00")[len("34 22 00 11 ") :] for n in range(7)}
    assert read == {0: "00", 1: "00", 2: "84", 3: "04 20", 4: "03 0a", 5: "06", 6: "06"}
    assert talk.bmc.sol_configuration.timing() == SolTiming(
        accumulate_interval=0.02, send_threshold=32, retry_count=3, retry_interval=0.1
    )


def test_a_reset_takes_the_volatile_back(talk: Conversation) -> None:
    talk.over_lan("30 21 01 06 07")
    talk.over_lan("30 21 01 00 01")
    talk.bmc.reset(cold=False, now=0.0)
    assert talk.over_lan("30 22 01 06 00 00") == "34 22 00 11 0a"
    assert talk.over_lan("30 22 01 00 00 00") == "34 22 00 11 00"


def test_levels(talk: Conversation) -> None:
    assert talk.over_lan("30 22 01 01 00 00", Privilege.CALLBACK) == "34 22 d4"
    assert talk.over_lan("30 22 01 01 00 00", Privilege.USER) == "34 22 00 11 01"
    assert talk.over_lan("30 21 01 01 01", Privilege.OPERATOR) == "34 21 d4"


def test_settings_in_their_units() -> None:
    settings = SolSettings(
        enabled=False,
        force_encryption=True,
        force_authentication=True,
        privilege=Privilege.ADMINISTRATOR,
        accumulate_interval=0.1,
        send_threshold=1000,
        retry_count=3,
        retry_interval=10,
        bit_rate=9600,
    )
    talk = Conversation(sol.TABLE, settings=Settings(sol=settings))
    read = [talk.over_lan(f"30 22 01 {n:02x} 00 00")[len("34 22 00 11 ") :] for n in range(1, 7)]
    assert read == ["00", "c4", "14 ff", "03 ff", "06", "06"]


@given(st.binary(max_size=8))
def test_any_request_is_answered(data: bytes) -> None:
    talk = Conversation(sol.TABLE)
    for command in ("21", "22"):
        assert talk.over_lan(f"30 {command} {data.hex(' ')}").startswith(f"34 {command} ")
    assert talk.bmc.sol_configuration.timing().send_threshold
