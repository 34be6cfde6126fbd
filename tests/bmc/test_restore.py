"""What was kept comes back, and what nobody can have written is refused in words."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc.commands import TABLES
from baseboard.bmc.controller import Bmc
from baseboard.bmc.settings import Settings
from baseboard.bmc.simulation.server import DEFAULT_SENSORS
from baseboard.errors import DecodeError

WRITTEN = [
    "00 05 10 20 20 20 20 20",  # chassis capabilities
    "00 06 02",  # power restore policy
    "00 08 05 80 04 00 00 00",  # boot flags
    "00 08 07 01 " + "61 " * 16,  # boot initiator mailbox
    "00 0a 01",  # front panel enables
    "00 0b 05",  # power cycle interval
    "10 26 11 08 00 00 00 50 00 00",  # thresholds
    "10 28 11 80",  # event enables
    "18 40 01 42 43",  # channel access
    "18 43 91 03 04 00",  # user access
    "18 45 03 " + "62 " * 16,  # user name
    "18 47 03 02 " + "63 " * 16,  # password
    "18 47 03 01",  # enable
    "18 4c 01 43 02 00 00 00",  # payload access
    "18 56 01 01 01 " + "64 " * 20,  # K_G
    "18 58 02 00 00 04 " + "65 " * 14,  # system name
    "28 12 00 00 00 aa",  # FRU data
    "28 24 00 00 51 c0 03 20 00 04",  # Add SDR
    "28 44 00 00 02 00 00 00 00 20 00 04 02 01 01 ff ff ff",  # Add SEL Entry
    "28 49 00 00 00 60",  # SEL time
    "28 5d 3c 00",  # UTC offset
    "30 01 01 03 c0 00 02 07",  # IP address
    "30 01 01 12 01 00 03 01",  # destination type
    "30 21 01 03 02 40",  # SOL accumulate interval
]
READ = [
    "00 00", "00 01", "00 07", "00 09 05 00 00", "00 09 07 01 00", "00 0f", "10 25 11 ff", "10 27 11",
    "10 29 11", "10 2d 11", "10 2f 11", "18 08", "18 41 01 40", "18 44 01 03", "18 46 03", "18 4d 01 03",
    "18 56 01 00 01", "18 59 00 02 00 00", "28 11 00 00 00 10", "28 20", "28 23 00 00 ff ff 00 ff", "28 40",
    "28 43 00 00 ff ff 00 ff", "28 48", "28 5c", "30 02 01 03 00 00", "30 02 01 12 01 00",
    "30 22 01 03 00 00",
]  # fmt: skip


@pytest.fixture(scope="module")
def kept() -> dict[str, dict[str, Any]]:
    """What is on the disk when each of these was written once."""
    talk = Conversation(*TABLES)
    for request in WRITTEN:
        assert talk.ask(request)[6:8] == "00", request
    talk.restart()
    return talk.rooms


def test_every_change_that_was_acknowledged_comes_back(kept: dict[str, dict[str, Any]]) -> None:
    talk, plain = Conversation(*TABLES), Conversation(*TABLES)
    for request in WRITTEN:
        talk.ask(request)
    before = [talk.ask(request) for request in READ]
    talk.restart()
    after = [talk.ask(request) for request in READ]
    assert [answer[6:8] for answer in after] == ["00"] * len(READ)
    volatile = {"28 48"}  # the clock of a process that has just begun
    for request, one, other in zip(READ, before, after, strict=True):
        assert request in volatile or one == other, request
    unchanged = [request for request, one in zip(READ, after, strict=True) if plain.ask(request) == one]
    assert set(unchanged) <= {"00 01", "00 07", "00 0f", "10 25 11 ff", "10 2d 11", "10 2f 11", "18 08"}


LEAVES = st.none() | st.booleans() | st.integers(-2, 1 << 40) | st.floats() | st.text(max_size=3)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 1 << 40)
    | st.floats()
    | st.text(max_size=3)
    | st.just("00ff"),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=150)
@given(st.data())
def test_damaged_rows_are_refused_or_harmless(kept: dict[str, dict[str, Any]], data: st.DataObject) -> None:
    rooms = copy.deepcopy(kept)
    room = data.draw(st.sampled_from(sorted(rooms)))
    key = data.draw(st.sampled_from(sorted(rooms[room])))
    if data.draw(st.booleans()):
        rooms[room][key] = data.draw(JSON)
    else:
        other = data.draw(st.sampled_from(("", ".", "x", "-1", "1.x", "99999", "suite.")))
        rooms[room][other] = rooms[room][key]
    talk = Conversation(*TABLES)
    talk.rooms = rooms
    try:
        talk.start()
    except DecodeError:
        return
    for request in READ:
        talk.ask(request)  # whatever it answers: no error of ours


def test_what_is_said_of_damage() -> None:
    with pytest.raises(DecodeError, match=r"what is kept of 'channels' is damaged: .*2 bytes, 0 or 20 were"):
        Bmc(Settings()).restore({"channels": {"1.key": "abcd"}})


ADDED = "51 c0 03 20 00 04"  # an OEM record of three bytes


def test_an_added_record_makes_room_for_new_main_records() -> None:
    """It gets another id for good: what is deleted under that id stays away."""
    few = Conversation(*TABLES, settings=Settings(sensors=DEFAULT_SENSORS[:1]))
    few.ask(f"28 24 00 00 {ADDED}")
    few.restart()
    many = Conversation(*TABLES)
    count = len(many.bmc.sdr)
    many.rooms = few.rooms
    many.start()
    assert len(many.bmc.sdr) == count + 1
    last, following = many.bmc.sdr.get(0xFFFF)
    assert (last[2:].hex(" "), following) == (ADDED, 0xFFFF)
    many.restart()
    assert many.bmc.sdr.get(0xFFFF) == (last, 0xFFFF)
    reservation = many.ask("28 22")[9:]
    assert many.ask(f"28 26 {reservation} ff ff")[6:8] == "00"
    many.restart()
    assert len(many.bmc.sdr) == count


def test_pieces_of_a_record_end_with_their_reservation() -> None:
    """Their id is given to the record that was added in between."""
    talk = Conversation(*TABLES)
    count = len(talk.bmc.sdr)
    reservation = talk.ask("28 22")[9:]
    begun = talk.ask(f"28 25 {reservation} 00 00 00 00 {ADDED[:8]}")[9:]
    assert talk.ask(f"28 24 00 00 {ADDED}") == f"2c 24 00 {begun}"
    assert talk.ask(f"28 25 {reservation} {begun} 03 01 {ADDED[9:]}") == "2c 25 c5"
    reservation = talk.ask("28 22")[9:]
    assert talk.ask(f"28 25 {reservation} {begun} 05 01 {ADDED[9:]}") == "2c 25 cb"
    assert len(talk.bmc.sdr) == count + 1
    assert len({record[:2] for record in talk.bmc.sdr}) == count + 1
