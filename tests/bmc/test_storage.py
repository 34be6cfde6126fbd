"""SDR repository, SEL and FRU devices, asked in bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bmc.conversation import Conversation

from baseboard.bmc import Settings
from baseboard.bmc.commands import TABLES
from baseboard.bmc.events import SensorEventLogged
from baseboard.bmc.fru import FruSettings
from baseboard.bmc.sel import SelSettings
from baseboard.bmc.simulation.simulation import SimulationSettings
from baseboard.ipmi import Channel, Privilege

TODAY = 1_795_000_000
"""2026-11-18, as a timestamp c0 86 fd 6a."""
RECORD = "02 00000000 20 00 04 01 30 01 59 5a 5f"
LOCATOR = "00 00 51 11 14 30 03 80 00 00 10 00 08 02 00 c9 6d 6d 32 66 72 75 64 65 76"


def make(**settings: object) -> Conversation:
    conversation = Conversation(*TABLES, settings=Settings(**settings))  # type: ignore[arg-type]
    conversation.bmc.clock.synchronize(TODAY, 0)
    return conversation


@pytest.fixture
def bmc() -> Conversation:
    return make()


@pytest.fixture
def plain() -> Conversation:
    """No sensors, one small inventory, a log that says nothing of itself."""
    return make(sensors=(), fru=(FruSettings(size=64),), sel=SelSettings(capacity=20, log_clearing=False))


def answer(conversation: Conversation, request: str) -> str:
    """Completion code and data."""
    return conversation.ask(request)[6:]


# SDR repository  [IPMI 33]


def walk(conversation: Conversation, command: str = "28 23") -> list[bytes]:
    records, following = [], "00 00"
    while following != "ff ff":
        data = bytes.fromhex(answer(conversation, f"{command} 00 00 {following} 00 ff"))
        assert data[0] == 0
        following = data[1:3].hex(" ")
        records.append(data[3:])
    return records


def test_a_walk_finds_every_record(bmc: Conversation) -> None:
    records = walk(bmc)
    assert answer(bmc, "28 20")[:8] == f"00 51 {len(records):02x}"
    assert [int.from_bytes(record[:2], "little") for record in records] == list(range(1, len(records) + 1))
    assert all(record[2] == 0x51 and len(record) == 5 + record[4] for record in records)
    assert walk(bmc, "10 21") == records
    assert answer(bmc, "10 20 01") == f"00 {len(records):02x} 01"


def test_the_same_server_shows_the_same_times(bmc: Conversation) -> None:
    before = answer(bmc, "28 20")
    bmc.restart()
    assert answer(bmc, "28 20") == before
    assert answer(make(sensors=()), "28 20")[18:] != before[18:]


def test_two_walkers_do_not_cancel_each_other(bmc: Conversation) -> None:
    one, other = answer(bmc, "28 22"), answer(bmc, "28 22")
    assert (one, other) == ("00 01 00", "00 02 00")
    for reservation in (one[3:], other[3:]) * 3:
        assert answer(bmc, f"28 23 {reservation} 01 00 05 04")[:2] == "00"
    assert answer(bmc, f"28 24 {LOCATOR}")[:2] == "00"  # a change cancels both
    assert answer(bmc, "28 23 01 00 01 00 05 04") == "c5"
    assert answer(bmc, "28 23 02 00 01 00 05 04") == "c5"


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("00 00 01 00 00 05", "00 ff ff 01 00 51 12 18", id="header without reservation"),
        pytest.param("00 00 ff ff 00 05", "00 ff ff 01 00 51 12 18", id="the last"),
        pytest.param("00 00 01 00 05 02", "c5", id="a part without reservation"),
        pytest.param("01 00 01 00 05 02", "00 ff ff 20 00", id="a part"),
        pytest.param("01 00 01 00 1b ff", "00 ff ff 4d 43", id="the rest"),
        pytest.param("01 00 01 00 1b 03", "c9", id="over the end"),
        pytest.param("01 00 01 00 40 01", "c9", id="beyond the end"),
        pytest.param("00 00 02 00 00 ff", "cb", id="absent"),
        pytest.param("00 00 01 00 00", "c7", id="too short"),
    ],
)
def test_get_sdr(request_: str, response: str) -> None:
    plain = make(sensors=(), fru=())
    answer(plain, "28 22")
    assert answer(plain, f"28 23 {request_}") == response


def test_an_ipmb_frame_carries_little(bmc: Conversation) -> None:
    asked = "28 23 00 00 04 00 00 ff"
    assert bmc.ask(asked, channel=Channel.PRIMARY_IPMB)[6:] == "ca"
    assert len(bytes.fromhex(bmc.over_lan(asked))) == 2 + 3 + 30


def test_added_records_last(bmc: Conversation) -> None:
    count = len(walk(bmc))
    added = answer(bmc, f"28 24 {LOCATOR}")
    assert added == f"00 {count + 1:02x} 00"
    info = answer(bmc, "28 20")
    assert info[18:29] == "c0 86 fd 6a"
    bmc.restart()
    assert answer(bmc, "28 20") == info
    assert walk(bmc)[-1] == bytes((count + 1, 0)) + bytes.fromhex(LOCATOR)[2:]
    assert len(walk(bmc, "10 21")) == count


def test_a_record_in_pieces(bmc: Conversation) -> None:
    count = len(walk(bmc))
    data = bytes.fromhex(LOCATOR)
    answer(bmc, "28 22")
    given = answer(bmc, f"28 25 01 00 00 00 00 00 {data[:10].hex()}")
    assert given == f"00 {count + 1:02x} 00"
    record_id = given[3:]
    assert answer(bmc, f"28 25 01 00 {record_id} 09 00 {data[10:].hex()}") == "c9"
    assert answer(bmc, f"28 25 01 00 {record_id} 0a 01 {data[10:].hex()}") == given
    assert walk(bmc)[-1][2:] == data[2:]
    answer(bmc, "28 22")
    assert answer(bmc, f"28 25 02 00 00 00 00 01 {data[:10].hex()}") == "80"
    assert answer(bmc, "28 25 02 00 99 00 00 01 00") == "cb"
    assert answer(bmc, "28 25 07 00 00 00 00 01 00") == "c5"
    assert len(walk(bmc)) == count + 1


def test_deleted_and_cleared_records_stay_away(bmc: Conversation) -> None:
    count = len(walk(bmc))
    answer(bmc, "28 22")
    assert answer(bmc, "28 26 01 00 03 00") == "00 03 00"
    assert answer(bmc, "28 26 01 00 04 00") == "c5"
    assert answer(bmc, "28 23 00 00 03 00 00 ff") == "cb"
    bmc.restart()
    assert len(walk(bmc)) == count - 1
    assert answer(bmc, "28 23 00 00 03 00 00 ff") == "cb"
    answer(bmc, "28 22")
    assert answer(bmc, "28 27 01 00 43 4c 52 aa") == "00 01"
    assert answer(bmc, "28 27 00 00 43 4c 52 00") == "00 01"
    assert answer(bmc, "28 23 00 00 00 00 00 ff") == "cb"
    bmc.restart()
    assert answer(bmc, "28 20")[:8] == "00 51 00"
    assert answer(bmc, f"28 24 {LOCATOR}")[:2] == "00"
    bmc.restart()
    assert len(walk(bmc)) == 1


@pytest.mark.parametrize("request_", ["00 00 43 4c 53 aa", "01 00 43 4c 52 55"])
def test_clearing_wants_the_magic_word(bmc: Conversation, request_: str) -> None:
    answer(bmc, "28 22")
    assert answer(bmc, f"28 27 {request_}") == "cc"


def test_records_that_lie_about_their_length(bmc: Conversation) -> None:
    assert answer(bmc, "28 24 00 00 51 c0 05 01 02 03") == "c7"
    assert answer(bmc, "28 24") == "c7"


def test_the_repository_gets_full() -> None:
    plain = make(sensors=(), fru=())
    record = f"00 00 51 c0 ff {'00' * 255}"
    while (code := answer(plain, f"28 24 {record}"))[:2] == "00":
        pass
    assert code == "c4"
    assert bytes.fromhex(answer(plain, "28 20"))[14] & 0x80
    assert bytes.fromhex(answer(plain, "28 20"))[4:6] < b"\xff\x01"


def test_update_mode(bmc: Conversation) -> None:
    assert answer(bmc, "28 2a") == "00"
    assert answer(bmc, "28 22") == "d0"
    assert answer(bmc, "28 23 00 00 00 00 00 ff") == "d0"
    assert answer(bmc, "28 20")[:5] == "00 51"
    assert answer(bmc, f"28 24 {LOCATOR}")[:2] == "00"
    assert answer(bmc, "28 2b") == "00"
    assert answer(bmc, "28 22")[:2] == "00"


def test_update_mode_ends_by_itself(bmc: Conversation) -> None:
    bmc.bmc.sdr.enter_update_mode(-61.0)
    assert answer(bmc, "28 22")[:2] == "00"


def test_initialization_agent(bmc: Conversation) -> None:
    assert answer(bmc, "28 2c 00") == "00 01"
    assert answer(bmc, "10 26 10 08 00 00 00 20 00 00") == "00"
    assert answer(bmc, "10 27 10")[15:17] == "20"
    assert answer(bmc, "28 2c 01") == "00 01"
    assert answer(bmc, "10 27 10")[15:17] == "26"
    bmc.restart()
    assert answer(bmc, "10 27 10")[15:17] == "26"


def test_one_clock(bmc: Conversation) -> None:
    assert answer(bmc, "28 28") == answer(bmc, "28 48") == "00 c0 86 fd 6a"
    assert answer(bmc, "28 49 00 00 00 60") == "00"
    assert answer(bmc, "28 28") == answer(bmc, "28 48") == "00 00 00 00 60"
    assert answer(bmc, "28 5c") == "00 ff 07"
    assert answer(bmc, "28 5d 3c 00") == "00"
    assert answer(bmc, "28 5c") == "00 3c 00"
    assert answer(bmc, "28 5d a1 05") == "c9"
    assert answer(bmc, "28 5d 60 fa") == "00"


# SEL  [IPMI 31]


def test_an_empty_log(plain: Conversation) -> None:
    assert answer(plain, "28 40") == "00 51 00 00 40 01 ff ff ff ff ff ff ff ff 0f"
    assert answer(plain, "28 41") == "00 14 00 10 00 14 00 14 00 01"
    assert answer(plain, "28 43 00 00 00 00 00 ff") == "cb"
    assert answer(plain, "28 43 00 00 ff ff 00 ff") == "cb"


def test_add_and_get(plain: Conversation) -> None:
    assert answer(plain, f"28 44 ab cd {RECORD}") == "00 01 00"
    assert answer(plain, "28 44 00 00 c5 00 00 00 00 57 5a 00 01 02 03 04 05 06") == "00 02 00"
    assert answer(plain, "28 44 00 00 f0 4b 65 72 6e 65 6c 20 70 61 6e 69 63 21") == "00 03 00"
    first = "00 02 00 01 00 02 c0 86 fd 6a 20 00 04 01 30 01 59 5a 5f"
    assert answer(plain, "28 43 00 00 00 00 00 ff") == first
    assert answer(plain, "28 43 00 00 01 00 00 10") == first
    assert answer(plain, "28 43 00 00 02 00 00 ff") == (
        "00 03 00 02 00 c5 c0 86 fd 6a 57 5a 00 01 02 03 04 05 06"
    )
    last = "00 ff ff 03 00 f0 4b 65 72 6e 65 6c 20 70 61 6e 69 63 21"
    assert answer(plain, "28 43 00 00 ff ff 00 ff") == last
    assert answer(plain, "28 40") == "00 51 03 00 10 01 c0 86 fd 6a ff ff ff ff 0f"
    assert [event.record[:2] for event in plain.events() if isinstance(event, SensorEventLogged)] == [
        b"\1\0",
        b"\2\0",
        b"\3\0",
    ]
    plain.restart()
    assert answer(plain, "28 43 00 00 00 00 00 ff") == first
    assert answer(plain, "28 43 00 00 ff ff 00 ff") == last
    assert answer(plain, "28 40") == "00 51 03 00 10 01 c0 86 fd 6a ff ff ff ff 0f"


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("01 00 01 00 03 04", "00 ff ff c0 86 fd 6a", id="a part"),
        pytest.param("00 00 01 00 03 04", "c5", id="a part without reservation"),
        pytest.param("01 00 01 00 10 01", "c9", id="beyond"),
        pytest.param("01 00 01 00 08 09", "c9", id="over the end"),
        pytest.param("00 00 02 00 00 ff", "cb", id="absent"),
    ],
)
def test_parts_of_an_entry(plain: Conversation, request_: str, response: str) -> None:
    answer(plain, f"28 44 00 00 {RECORD}")
    assert answer(plain, "28 42") == "00 01 00"
    assert answer(plain, f"28 43 {request_}") == response


def test_an_entry_in_pieces(plain: Conversation) -> None:
    data = bytes.fromhex("00 00" + RECORD)
    answer(plain, "28 42")
    assert answer(plain, f"28 45 01 00 00 00 00 00 {data[:9].hex()}") == "00 01 00"
    assert answer(plain, f"28 45 01 00 01 00 09 01 {data[9:].hex()}") == "00 01 00"
    assert answer(plain, "28 40")[6:8] == "01"
    assert answer(plain, f"28 45 01 00 00 00 00 01 {data[:9].hex()}") == "80"
    assert answer(plain, f"28 45 01 00 00 00 00 00 {data.hex()} 00") == "80"
    assert answer(plain, f"28 45 01 00 01 00 05 01 {data[9:].hex()}") == "c9"
    assert answer(plain, f"28 45 09 00 00 00 00 00 {data[:9].hex()}") == "c5"


def test_delete(plain: Conversation) -> None:
    for _ in range(3):
        answer(plain, f"28 44 00 00 {RECORD}")
    assert answer(plain, "28 46 00 00 02 00") == "c5"
    assert answer(plain, "28 42") == "00 01 00"
    assert answer(plain, "28 46 01 00 02 00") == "00 02 00"
    assert answer(plain, "28 46 01 00 01 00") == "c5"
    assert answer(plain, "28 43 00 00 01 00 00 ff")[3:8] == "03 00"
    answer(plain, "28 42")
    assert answer(plain, "28 46 02 00 ff ff") == "00 03 00"
    assert answer(plain, "28 40") == "00 51 01 00 30 01 c0 86 fd 6a c0 86 fd 6a 0f"
    plain.restart()
    assert answer(plain, "28 40") == "00 51 01 00 30 01 c0 86 fd 6a c0 86 fd 6a 0f"
    assert answer(plain, f"28 44 00 00 {RECORD}") == "00 04 00"


def test_clear(plain: Conversation) -> None:
    answer(plain, f"28 44 00 00 {RECORD}")
    assert answer(plain, "28 47 00 00 43 4c 52 aa") == "c5"
    answer(plain, "28 42")
    assert answer(plain, "28 47 01 00 43 4c 52 aa") == "00 01"
    assert answer(plain, "28 47 01 00 43 4c 52 00") == "00 01"
    assert answer(plain, "28 40") == "00 51 00 00 40 01 c0 86 fd 6a c0 86 fd 6a 0f"
    plain.restart()
    assert answer(plain, "28 40") == "00 51 00 00 40 01 c0 86 fd 6a c0 86 fd 6a 0f"
    assert answer(plain, f"28 44 00 00 {RECORD}") == "00 01 00"


def test_a_cleared_log_says_so(bmc: Conversation) -> None:
    answer(bmc, f"28 44 00 00 {RECORD}")
    answer(bmc, "28 42")
    assert answer(bmc, "28 47 01 00 43 4c 52 aa") == "00 01"
    assert (
        answer(bmc, "28 43 00 00 00 00 00 ff") == "00 ff ff 01 00 02 c0 86 fd 6a 20 00 04 10 05 6f 02 ff ff"
    )


def test_a_log_gets_full(plain: Conversation) -> None:
    codes = [answer(plain, f"28 44 00 00 {RECORD}")[:2] for _ in range(20)]
    assert codes == ["00"] * 18 + ["c4"] * 2
    assert answer(plain, "28 40") == "00 51 14 00 00 00 c0 86 fd 6a ff ff ff ff 8f"
    records = [record.hex(" ") for record in plain.bmc.sel]
    assert records[18].endswith("04 10 05 6f 35 ff 5a")  # almost full, 90 %
    assert records[19].endswith("04 10 05 6f 04 ff ff")  # full
    plain.restart()
    assert answer(plain, "28 40") == "00 51 14 00 00 00 c0 86 fd 6a ff ff ff ff 8f"


def test_ids_wrap_and_the_order_stays() -> None:
    plain = make(sel=SelSettings(capacity=3, log_clearing=False))
    answer(plain, f"28 44 00 00 {RECORD}")
    plain.bmc.sel._last_serial = 0xFFFD
    assert answer(plain, f"28 44 00 00 {RECORD}") == "00 fe ff"
    assert answer(plain, f"28 44 00 00 {RECORD}") == "00 02 00"  # 0001h is taken
    plain.restart()
    assert [record[:2].hex() for record in plain.bmc.sel] == ["0100", "feff", "0200"]
    assert answer(plain, "28 43 00 00 fe ff 00 02") == "00 02 00 fe ff"


def test_auxiliary_logs_do_not_exist(bmc: Conversation) -> None:
    assert answer(bmc, "28 5a 00") == "c1"
    assert answer(bmc, "28 5b 00 00") == "c1"


@pytest.mark.parametrize(
    "request_", [f"28 44 00 00 {RECORD}", "28 47 01 00 43 4c 52 aa", "28 24 00", "28 12 00 00 00 01"]
)
def test_users_only_read(bmc: Conversation, request_: str) -> None:
    assert bmc.over_lan(request_, Privilege.USER)[6:] == "d4"


# FRU devices  [IPMI 34]


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("28 10 00", "00 40 00 00", id="size"),
        pytest.param("28 10 01", "cb", id="no such device"),
        pytest.param("28 11 00 00 00 08", "00 08 01 00 00 00 00 00 00 ff", id="header"),
        pytest.param("28 11 00 3f 00 01", "00 01 00", id="the last byte"),
        pytest.param("28 11 00 3c 00 20", "00 04 00 00 00 00", id="over the end"),
        pytest.param("28 11 00 40 00 01", "c9", id="at the end"),
        pytest.param("28 11 00 00 00", "c7", id="too short"),
        pytest.param("28 11 02 00 00 08", "cb", id="reading no such device"),
        pytest.param("28 12 00 3e 00 01 02", "00 02", id="write"),
        pytest.param("28 12 00 3f 00 01 02", "c9", id="writing over the end"),
        pytest.param("28 12 00 40 00 01", "c9", id="writing at the end"),
    ],
)
def test_fru(plain: Conversation, request_: str, response: str) -> None:
    assert answer(plain, request_) == response


def test_long_reads_are_answered_as_clients_want(bmc: Conversation) -> None:
    assert answer(bmc, "28 11 00 00 00 e0")[:5] == "00 e0"  # pyghmi's 224
    assert answer(bmc, "28 11 00 00 00 ff") == "ca"
    assert bmc.ask("28 11 00 00 00 20", channel=Channel.PRIMARY_IPMB)[6:] == "ca"


def test_written_inventories_last(bmc: Conversation) -> None:
    original = answer(bmc, "28 11 00 00 00 20")
    assert answer(bmc, "28 12 00 10 00 aa bb cc") == "00 03"
    bmc.restart()
    changed = answer(bmc, "28 11 00 00 00 20")
    assert changed == original[: 6 + 48] + "aa bb cc" + original[6 + 56 :]


def test_write_protection() -> None:
    protected = make(fru=(FruSettings(writable=False),))
    assert answer(protected, "28 12 00 00 00 01") == "80"


@given(
    st.sampled_from([0x10, 0x11, 0x12, *range(0x20, 0x2D), *range(0x40, 0x4A), 0x5A, 0x5B, 0x5C, 0x5D]),
    st.binary(max_size=40),
)
def test_any_request_gets_an_answer(command: int, data: bytes) -> None:
    assert answer(SHARED, f"28 {command:02x} {data.hex()}")


SHARED = make(simulation=SimulationSettings(load=0.5))
