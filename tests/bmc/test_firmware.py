"""PICMG properties and the HPM.1 upgrade."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc.events import FirmwareUploaded
from baseboard.bmc.firmware import LARGEST
from baseboard.bmc.handlers import device, picmg
from baseboard.ipmi import Privilege

IMAGE = b"version: 2.05 01020304\n" + bytes(range(200))


@pytest.fixture
def talk() -> Conversation:
    return Conversation(picmg.TABLE, device.TABLE)


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        # Version 1.0 is neither AdvancedTCA (2) nor AMC (4) nor MicroTCA (5).
        pytest.param("b0 00 00", "b4 00 c1 00", id="no properties: we are no shelf"),
        pytest.param("b0 01 00", "b4 01 c1 00", id="no address in a shelf"),
        pytest.param("b0 3e 00 02", "b4 3e c1 00", id="no HPM.2, as ipmitool asks"),
        pytest.param("b0 00 03", "b4 00 c1 03", id="no VITA, as ipmitool asks"),
        pytest.param("b0 2e 00", "b4 2e 00 00 00 15 02 02 02 02 01", id="one component, manual rollback"),
        pytest.param("b0 2f 00 00 00", "b4 2f 00 00 1e", id="general properties"),
        pytest.param("b0 2f 00 00 01", "b4 2f 00 00 00 01 00 00 00 00", id="version 0.01"),
        pytest.param("b0 2f 00 00 02", f"b4 2f 00 00 42 4d 43 {'00 ' * 9}".strip(), id="its name"),
        pytest.param("b0 2f 00 00 03", "b4 2f 00 00 ff ff ff ff ff ff", id="nothing to roll back to"),
        pytest.param("b0 2f 00 00 04", "b4 2f 00 00 ff ff ff ff ff ff", id="nothing deferred"),
        pytest.param("b0 2f 00 00 05", "b4 2f 83 00", id="no property 5"),
        pytest.param("b0 2f 00 01 00", "b4 2f 82 00", id="no component 1"),
        pytest.param("b0 30 00", "b4 30 00 00", id="abort nothing"),
        pytest.param("b0 31 00 01 00", "b4 31 00 00", id="backup"),
        pytest.param("b0 31 00 01 01", "b4 31 00 00", id="prepare"),
        pytest.param("b0 31 00 02 02", "b4 31 81 00", id="upload for a component that is not there"),
        pytest.param("b0 31 00 00 02", "b4 31 81 00", id="upload for none"),
        pytest.param("b0 31 00 01 04", "b4 31 cc 00", id="no action 4"),
        pytest.param("b0 32 00 00 41", "b4 32 d5 00", id="a block without a beginning"),
        pytest.param("b0 33 00 00 01 00 00 00", "b4 33 d5 00", id="an end without a beginning"),
        pytest.param("b0 34 00", "b4 34 00 00 00 00", id="nothing is under way"),
        pytest.param("b0 35 00", "b4 35 d5 00", id="activate nothing"),
        pytest.param("b0 36 00", "b4 36 00 00 55 00", id="self test"),
        pytest.param("b0 37 00", "b4 37 00 00 00", id="nothing was rolled back"),
        pytest.param("b0 38 00", "b4 38 d5 00", id="roll back to nothing"),
    ],
)
def test_conversation(talk: Conversation, request_: str, response: str) -> None:
    assert talk.ask(request_) == response


def send(talk: Conversation, image: bytes, action: int = 2, block: int = 64) -> str:
    """Upload in blocks and finish; the last answer."""
    assert talk.ask(f"b0 31 00 01 {action:02x}") == "b4 31 00 00"
    for number, start in enumerate(range(0, len(image), block)):
        data = image[start : start + block]
        assert talk.ask(f"b0 32 00 {number & 0xFF:02x} {data.hex()}") == "b4 32 00 00"
    return talk.ask(f"b0 33 00 00 {len(image).to_bytes(4, 'little').hex()}")


def test_an_upgrade(talk: Conversation) -> None:
    assert send(talk, IMAGE) == "b4 33 00 00"
    (event,) = [one for one in talk.events() if isinstance(one, FirmwareUploaded)]
    assert (event.component, event.data) == (0, IMAGE)
    assert talk.ask("b0 34 00") == "b4 34 00 00 33 00"
    assert talk.ask("b0 2f 00 00 04") == "b4 2f 00 00 02 05 01 02 03 04"
    assert talk.ask("b0 2f 00 00 01") == "b4 2f 00 00 00 01 00 00 00 00"
    assert talk.ask("b0 35 00 00") == "b4 35 00 00"
    assert talk.ask("b0 2f 00 00 01") == "b4 2f 00 00 02 05 01 02 03 04"
    assert talk.ask("b0 2f 00 00 03") == "b4 2f 00 00 00 01 00 00 00 00"
    assert talk.ask("b0 2f 00 00 04") == "b4 2f 00 00 ff ff ff ff ff ff"
    # Get Device ID: bytes 4, 5 and 13-16.
    assert talk.ask("18 01") == "1c 01 00 20 01 02 05 02 9f d9 7e 00 01 00 01 02 03 04"


def test_it_is_kept_and_taken_back(talk: Conversation) -> None:
    send(talk, IMAGE)
    talk.restart()
    assert talk.ask("b0 35 00") == "b4 35 00 00"
    talk.restart()
    assert talk.ask("18 01")[:20] == "1c 01 00 20 01 02 05"
    assert talk.ask("b0 38 00") == "b4 38 00 00"
    assert talk.ask("b0 37 00") == "b4 37 00 00 01"
    assert talk.ask("18 01")[:20] == "1c 01 00 20 01 00 01"
    assert talk.ask("b0 2f 00 00 03") == "b4 2f 00 00 02 05 01 02 03 04"
    talk.restart()
    assert talk.ask("18 01")[:20] == "1c 01 00 20 01 00 01"


def test_compare(talk: Conversation) -> None:
    send(talk, IMAGE)
    assert send(talk, IMAGE, action=3) == "b4 33 83 00"  # not active yet
    talk.ask("b0 35 00")
    assert send(talk, IMAGE, action=3) == "b4 33 00 00"
    assert send(talk, IMAGE + b"!", action=3) == "b4 33 83 00"
    assert talk.ask("b0 2f 00 00 04") == "b4 2f 00 00 ff ff ff ff ff ff"


def test_blocks_come_in_order(talk: Conversation) -> None:
    talk.ask("b0 31 00 01 02")
    assert talk.ask("b0 32 00 01 41") == "b4 32 82 00"
    assert talk.ask("b0 32 00 00 41") == "b4 32 00 00"
    assert talk.ask("b0 32 00 00 41") == "b4 32 00 00"  # once more: its answer was lost
    assert talk.ask("b0 32 00 02 42") == "b4 32 82 00"
    assert talk.ask("b0 32 00 01 42") == "b4 32 00 00"
    assert talk.ask("b0 33 00 00 03 00 00 00") == "b4 33 81 00"
    assert talk.ask("b0 33 00 00 02 00 00 00") == "b4 33 00 00"


def test_an_abort_forgets(talk: Conversation) -> None:
    talk.ask("b0 31 00 01 02")
    talk.ask("b0 32 00 00 41")
    assert talk.ask("b0 30 00") == "b4 30 00 00"
    assert talk.ask("b0 32 00 01 42") == "b4 32 d5 00"
    assert send(talk, IMAGE, block=1) == "b4 33 00 00"  # numbers go on from FFh with 0, if need be


def test_memory_is_bounded(talk: Conversation) -> None:
    talk.ask("b0 31 00 01 02")
    talk.bmc.upgrade.upload(0, bytes(LARGEST))
    assert talk.ask("b0 32 00 01 00") == "b4 32 c4 00"


@pytest.mark.parametrize(
    ("image", "version"),
    [
        (b"\x7fFIRM\nversion: 12.3\n", "0c 03 00 00 00 00"),
        (b"version: 1.99\r\n", "01 99 00 00 00 00"),
        (b"no version", "00 02 00 00 00 00"),  # the one after 0.01
        (bytes(300) + b"\nversion: 9.9\n", "00 02 00 00 00 00"),  # too far behind
        (b"", "00 02 00 00 00 00"),
    ],
)
def test_an_image_tells_its_version(talk: Conversation, image: bytes, version: str) -> None:
    assert send(talk, image) == "b4 33 00 00"
    assert talk.ask("b0 2f 00 00 04") == f"b4 2f 00 00 {version}"


@pytest.mark.parametrize(
    "command", ["30 00", "31 00 01 02", "32 00 00", "33 00 00 00 00 00 00", "35 00", "38 00"]
)
def test_changes_take_an_administrator(talk: Conversation, command: str) -> None:
    assert talk.over_lan(f"b0 {command}", Privilege.OPERATOR).split()[2] == "d4"
    assert talk.over_lan(f"b0 {command}", Privilege.ADMINISTRATOR).split()[2] != "d4"


@given(st.lists(st.tuples(st.integers(0x2E, 0x38), st.binary(max_size=20)), max_size=8))
def test_any_bytes_are_answered(requests: list[tuple[int, bytes]]) -> None:
    talk = Conversation(picmg.TABLE)
    for number, data in requests:
        assert talk.ask(f"b0 {number:02x} 00 {data.hex()}").startswith(f"b4 {number:02x}")


@given(st.binary(max_size=400))
def test_any_image_has_a_version(image: bytes) -> None:
    talk = Conversation(picmg.TABLE)
    assert send(talk, b"version: " + image) == "b4 33 00 00"
