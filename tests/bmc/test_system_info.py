"""System info parameters: strings in sets of 16 bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc import Settings
from baseboard.bmc.handlers import system_info
from baseboard.bmc.system_info import SystemInfoSettings
from baseboard.ipmi import Privilege

NAME = "node-0.example.org"


@pytest.fixture
def talk() -> Conversation:
    settings = Settings(system_info=SystemInfoSettings(system_firmware_version="1.16.2", system_name=NAME))
    return Conversation(system_info.TABLE, settings=settings)


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param(
            "18 59 00 01 00 00", "1c 59 00 11 00 00 06 31 2e 31 36 2e 32" + " 00" * 8, id="firmware version"
        ),
        pytest.param(
            "18 59 00 02 00 00",
            "1c 59 00 11 00 00 12 6e 6f 64 65 2d 30 2e 65 78 61 6d 70 6c 65",
            id="a name of 18 bytes, set 0",
        ),
        pytest.param("18 59 00 02 01 00", "1c 59 00 11 01 2e 6f 72 67" + " 00" * 12, id="the same, set 1"),
        pytest.param("18 59 00 02 02 00", "1c 59 c9", id="the same, no set 2"),
        pytest.param("18 59 00 04 00 00", "1c 59 00 11 00" + " 00" * 16, id="no operating system"),
        pytest.param("18 59 00 00 00 00", "1c 59 00 11 00", id="set complete"),
        pytest.param("18 59 80 01 00 00", "1c 59 00 11", id="revision only"),
        pytest.param("18 59 00 08 00 00", "1c 59 80", id="no parameter 8"),
        pytest.param("18 59 80 c0 00 00", "1c 59 80", id="no revision of parameter 192"),
        pytest.param("18 59 00 01 00", "1c 59 c7", id="get is too short"),
        pytest.param("18 58 08 00", "1c 58 80", id="set parameter 8"),
        pytest.param("18 58 00 02", "1c 58 cc", id="no commit"),
        pytest.param("18 58 00", "1c 58 c7", id="set-in-progress of nothing"),
        pytest.param("18 58 02", "1c 58 c7", id="set nothing"),
        pytest.param("18 58 02 00 00", "1c 58 c7", id="a set 0 without length"),
        pytest.param("18 58 02 00 03 01 41", "1c 58 cc", id="no encoding 3"),
        pytest.param("18 58 02 00 00 ff 41", "1c 58 cc", id="too long a string"),
        pytest.param("18 58 02 10 41", "1c 58 c9", id="no set 16"),
        pytest.param("18 58 02 01" + " 41" * 17, "1c 58 c7", id="17 bytes"),
    ],
)
def test_system_info(talk: Conversation, request_: str, response: str) -> None:
    assert talk.ask(request_) == response


def test_privilege(talk: Conversation) -> None:
    assert talk.over_lan("18 59 00 01 00 00", Privilege.USER).startswith("1c 59 00")
    assert talk.over_lan("18 58 00 00", Privilege.OPERATOR) == "1c 58 d4"


def test_set_in_progress_is_claimed_once(talk: Conversation) -> None:
    assert talk.ask("18 58 00 01") == "1c 58 00"
    assert talk.ask("18 58 00 01") == "1c 58 81"
    assert talk.ask("18 59 00 00 00 00") == "1c 59 00 11 01"
    talk.bmc.reset(cold=False, now=0.0)
    assert talk.ask("18 58 00 01") == "1c 58 00"


def test_what_software_tells_is_kept(talk: Conversation) -> None:
    # ipmitool mc setsysinfo system_name: whole sets of 16 bytes
    assert talk.ask("18 58 02 00 00 10" + b"debian.example".hex()) == "1c 58 00"
    assert talk.ask("18 58 02 01" + b".c".ljust(16, b"\0").hex()) == "1c 58 00"
    for _ in range(2):
        assert talk.bmc.system_info.text(2) == "debian.example.c"
        assert talk.ask("18 59 00 02 01 00") == "1c 59 00 11 01 2e 63" + " 00" * 14
        talk.restart()


def test_the_running_system_is_forgotten_with_the_machines_reset(talk: Conversation) -> None:
    for parameter in ("03", "04", "05"):
        talk.ask(f"18 58 {parameter} 00 01 02 c3 a9")
    assert [talk.bmc.system_info.text(n) for n in (3, 4, 5)] == ["é", "é", "é"]
    talk.bmc.system_info.power_changed(on=True, now=0.0)
    assert [talk.bmc.system_info.text(n) for n in (3, 4, 5)] == ["é", "", ""]


@pytest.mark.parametrize("text", ["", "x" * 14, "x" * 15, "Übergröße", "日本", "x" * 400])
def test_text_comes_back(text: str) -> None:
    settings = Settings(system_info=SystemInfoSettings(system_name=text))
    assert Conversation(system_info.TABLE, settings=settings).bmc.system_info.text(2) == text[:254]


@given(st.lists(st.tuples(st.integers(0, 8), st.binary(max_size=18)), max_size=12))
def test_whatever_is_written_every_answer_is_whole(writes: list[tuple[int, bytes]]) -> None:
    talk = Conversation(system_info.TABLE)
    for number, data in writes:
        talk.ask(f"18 58 {number:02x} {data.hex()}")
    answers = [talk.ask(f"18 59 00 {n:02x} {s:02x} 00") for n in range(1, 8) for s in range(17)]
    assert {len(answer.split()) for answer in answers if answer.split()[2] == "00"} == {21}
    kept = [answer for n, answer in enumerate(answers) if not 51 <= n < 85]  # not parameters 4 and 5
    talk.restart()
    again = [talk.ask(f"18 59 00 {n:02x} {s:02x} 00") for n in (1, 2, 3, 6, 7) for s in range(17)]
    assert again == kept
    for n in range(1, 8):
        talk.bmc.system_info.text(n)
