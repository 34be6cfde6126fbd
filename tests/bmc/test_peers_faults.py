"""Where the controllers that everybody uses so far are wrong, and what is right.

The faults were seen in ipmi_sim 2.0.33 to 2026 and in QEMU's ipmi-bmc-sim 7.2 to 11.1. Those of wires and
registers have their tests beside these in `lan/`, `vm/` and `interface/`.
"""

from __future__ import annotations

import os

import pytest
from tests.bmc.conversation import Conversation
from tests.lan.lan_world import Console

from baseboard.bmc.commands import TABLES, assemble
from baseboard.bmc.controller import Bmc
from baseboard.bmc.device import DeviceSettings
from baseboard.bmc.sensor import DiscreteSensor
from baseboard.bmc.settings import Settings
from baseboard.ipmi import Context, Message
from baseboard.ipmi.privilege import Privilege
from baseboard.lan.authority import Account
from baseboard.lan.server import LanServer

TEMPERATURE = 0x10
"""Of the default sensors: upper non-critical 38, upper critical 42 degrees."""


@pytest.fixture
def talk() -> Conversation:
    return Conversation(*TABLES)


def at(talk: Conversation, text: str, now: float) -> str:
    """Ask at a time; completion code and data."""
    netfn_lun, command, *data = bytes.fromhex(text)
    context = Context(now=now)
    return talk.core.handle(Message(netfn_lun >> 2, netfn_lun & 3, command, bytes(data)), context).hex(" ")


def erase(talk: Conversation, reserve: str, clear: str, operation: str) -> str:
    reservation = talk.ask(reserve)[9:]
    return talk.ask(f"{clear} {reservation} 43 4c 52 {operation}")


# ---------------------------------------------------------------------------- ipmi_sim, logging in


def server_with(user: Account) -> LanServer:
    bmc = Bmc(Settings(device=DeviceSettings(guid=bytes(range(1, 17)))))
    bmc.users.provision(user.user_id, user.name, user.password, user.limit)
    server = LanServer(bmc.authority, assemble(bmc).handle, os.urandom)
    bmc.sessions = server
    return server


MONITOR = Account(3, b"monitor", b"secret", Privilege.USER)


def test_a_user_does_not_become_an_administrator_by_asking_for_it() -> None:
    """ipmi_sim: only the name was looked up, the level asked for was the level given."""
    console = Console(server_with(MONITOR), MONITOR, suite=17, role=0x14).login()
    assert console.request(0x06, 0x3B, b"\x04") == b"\x81"
    assert console.request(0x06, 0x3B, b"\x03") == b"\x81"
    assert console.request(0x06, 0x3B, b"\x00") == b"\x00\x02"
    assert console.request(0x06, 0x45, b"\x03" + b"root".ljust(16, b"\0")) == b"\xd4"
    assert console.request(0x00, 0x02, b"\x00") == b"\xd4"


@pytest.mark.parametrize("suite", [0, 1, 2, 6, 15, 16])
def test_suites_that_are_not_on_open_nothing(suite: int) -> None:
    """ipmi_sim: suite 0 was always accepted, whatever its level said."""
    console = Console(server_with(MONITOR), MONITOR, suite=suite)
    answer = console.exchange(0x10, console.open_request())
    assert answer[1] == 0x11


# ------------------------------------------------------------------------------- ipmi_sim, answers


def test_the_progress_of_an_erasure_that_nobody_began(talk: Conversation) -> None:
    """ipmi_sim: freed the records and crashed; "initiate erase" erased nothing and said it had."""
    count = len(talk.bmc.sdr)
    assert count
    assert erase(talk, "28 22", "28 27", "00") == "2c 27 00 01"
    assert len(talk.bmc.sdr) == count
    assert erase(talk, "28 22", "28 27", "aa") == "2c 27 00 01"
    assert len(talk.bmc.sdr) == 0
    assert talk.ask("28 20")[9:17] == "51 00 00"  # QEMU: went on to count what had been there


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        pytest.param("18 24 04 00 00 00 64 00", "1c 24 00", id="set watchdog"),
        pytest.param("00 00", "04 00 00 07 20 20 20 20 20", id="chassis capabilities"),
        pytest.param("00 04", "04 04 00", id="identify"),
        pytest.param("10 28 10 c0", "14 28 00", id="set event enable, change nothing"),
    ],
)
def test_answers_end_where_they_should(talk: Conversation, request_: str, response: str) -> None:
    """ipmi_sim: 35 bytes of its stack, or a completion code from there."""
    assert talk.ask(request_) == response


def test_a_watchdog_that_runs_says_so_and_how_long(talk: Conversation) -> None:
    """ipmi_sim: two bytes short, never "running"; QEMU: "don't stop" in place of "running"."""
    at(talk, "18 24 44 00 00 00 64 00", 0.0)
    assert at(talk, "18 25", 0.0) == "00 04 00 00 00 64 00 64 00"
    assert at(talk, "18 22", 1.0) == "00"
    assert at(talk, "18 25", 3.5) == "00 44 00 00 00 64 00 4b 00"


def test_a_watchdog_without_an_action_runs_and_logs_every_time(talk: Conversation) -> None:
    """QEMU: Reset stopped it, and each event was reported once in the machine's life."""
    before = len(talk.bmc.sel)
    for now in (0.0, 100.0):
        at(talk, "18 24 04 00 00 00 64 00", now)
        at(talk, "18 22", now)
        assert talk.bmc.watchdog.running
        talk.bmc.watchdog.handle_deadline(now + 10.0)
    assert [record[13:].hex(" ") for record in talk.bmc.sel][before:] == ["c0 04 ff"] * 2


def test_re_arming_reports_nothing_that_did_not_happen(talk: Conversation) -> None:
    """ipmi_sim: an event for each enabled de-assertion."""
    before = len(talk.bmc.sel)
    assert talk.ask(f"10 2a {TEMPERATURE:02x} 00") == "14 2a 00"
    assert len(talk.bmc.sel) == before
    # QEMU: did not forget what was asserted, so that it was never reported again
    talk.ask(f"10 30 {TEMPERATURE:02x} 01 7f")
    asserted = len(talk.bmc.sel) - before
    assert asserted
    talk.ask(f"10 2a {TEMPERATURE:02x} 00")
    assert len(talk.bmc.sel) - before == 2 * asserted


def test_the_logs_allocation_is_in_records(talk: Conversation) -> None:
    """ipmi_sim: free units in bytes, and fields one over the other."""
    talk.ask("28 44 00 00 02 00 00 00 00 20 00 04 02 01 01 ff ff ff")
    assert talk.ask("28 41") == "2c 41 00 a0 0f 10 00 9f 0f 9f 0f 01"


@pytest.mark.parametrize("parameters", ["30 21 01 00", "30 01 01 00", "18 58 00", "00 08 00"])
def test_set_complete_ends_set_in_progress(talk: Conversation, parameters: str) -> None:
    """ipmi_sim: for SOL it did not, and the next client got 81h."""
    assert talk.ask(f"{parameters} 01")[6:] == "00"
    assert talk.ask(f"{parameters} 01")[6:] == "81"
    assert talk.ask(f"{parameters} 00")[6:] == "00"
    assert talk.ask(f"{parameters} 01")[6:] == "00"


def test_kept_records_are_the_same_byte_for_byte(talk: Conversation) -> None:
    """ipmi_sim: six zeros more, and ids that the index did not know."""
    for number in range(3):
        assert talk.ask(f"28 24 00 00 51 c0 04 20 00 04 {number:02x}")[6:8] == "00"
    before = list(talk.bmc.sdr)
    talk.restart()
    assert list(talk.bmc.sdr) == before
    for record in before:
        assert talk.bmc.sdr.get(int.from_bytes(record[:2], "little"))[0] == record


# ------------------------------------------------------------------------------------------ QEMU


def test_a_restart_cause_is_asked_for_by_its_own_number(talk: Conversation) -> None:
    """QEMU: by that of Get System Boot Options, so that no client understood either."""
    assert talk.ask("00 07") == "04 07 00 00 00"
    assert talk.ask("00 09 05 00 00") == "04 09 00 01 05 00 00 00 00 00"


def test_reading_a_record_ends_with_it(talk: Conversation) -> None:
    """QEMU: read on behind it."""
    record, _ = talk.bmc.sdr.get(1)
    reservation = talk.ask("28 22")[9:]
    assert talk.ask(f"28 23 {reservation} 01 00 {len(record) - 1:02x} 02") == "2c 23 c9"
    assert talk.ask(f"28 23 {reservation} 01 00 {len(record) - 1:02x} 01")[6:8] == "00"


def test_the_clock_of_the_log_goes_forward_from_where_it_was_set(talk: Conversation) -> None:
    """QEMU: the offset had the wrong sign."""
    assert at(talk, "28 49 00 00 00 60", 10.0) == "00"
    assert at(talk, "28 48", 15.0) == "00 05 00 00 60"


def test_erasing_the_log_is_noted_there(talk: Conversation) -> None:
    """QEMU: as the time of erasure of the SDR repository."""
    sdr_before = talk.ask("28 20")
    at(talk, "28 49 00 00 00 60", 0.0)
    assert erase(talk, "28 42", "28 47", "aa") == "2c 47 00 01"
    assert talk.ask("28 40")[36:47] == "00 00 00 60"
    assert talk.ask("28 20") == sdr_before


def test_record_0000h_is_the_first_and_no_record_has_that_id(talk: Conversation) -> None:
    """QEMU: began to count at 0, so that a walk that begins with "first" never ended."""
    added = talk.ask("28 44 00 00 02 00 00 00 00 20 00 04 02 01 01 ff ff ff")[9:]
    assert added == "01 00"
    assert talk.ask("28 43 00 00 00 00 00 ff")[9:20] == "ff ff 01 00"
    assert {record[:2] for record in talk.bmc.sdr}.isdisjoint({b"\0\0", b"\xff\xff"})


def test_the_last_byte_of_an_inventory_can_be_read(talk: Conversation) -> None:
    """QEMU: "invalid data field"; and a request without a count was taken for one."""
    size = len(talk.bmc.fru.get(0).data)
    last = (size - 1).to_bytes(2, "little").hex(" ")
    assert talk.ask(f"28 12 00 {last} 5a") == "2c 12 00 01"
    assert talk.ask(f"28 11 00 {last} 01") == "2c 11 00 01 5a"
    assert talk.ask(f"28 11 00 {last}") == "2c 11 c7"
    talk.restart()
    assert talk.ask(f"28 11 00 {last} 01") == "2c 11 00 01 5a"  # QEMU: writes never reached the file


def test_events_are_logged_though_nobody_reads_the_buffer(talk: Conversation) -> None:
    """QEMU: no event at all unless the event message buffer was enabled."""
    assert talk.ask("18 2e 08") == "1c 2e 00"
    before = len(talk.bmc.sel)
    assert talk.ask(f"10 30 {TEMPERATURE:02x} 01 7f") == "14 30 00"
    assert len(talk.bmc.sel) > before
    assert talk.ask("18 31") == "1c 31 00 00"


def test_either_enable_lets_its_cause_interrupt(talk: Conversation) -> None:
    """QEMU: the event message buffer's interrupt needed the queue's."""
    talk.ask("18 2e 0e")
    assert talk.bmc.messaging.interrupt_enabled
    talk.ask("18 2e 0c")
    assert not talk.bmc.messaging.interrupt_enabled


def test_the_power_state_is_the_machines(talk: Conversation) -> None:
    """QEMU: always on."""
    assert talk.ask("00 01")[9:11] == "20"
    talk.bmc.chassis.power_changed(True, 0.0)
    assert talk.ask("00 01")[9:11] == "21"


def test_states_are_those_that_were_set(talk: Conversation) -> None:
    """QEMU: Set Sensor Reading never wrote them, and thresholds did not exist."""
    number = next(
        one.number for one in talk.bmc.sensors if isinstance(one, DiscreteSensor) and one.supported & 1
    )
    assert talk.ask(f"10 30 {number:02x} 10 00 01 00") == "14 30 00"
    assert talk.ask(f"10 2d {number:02x}")[15:20] == "01 80"
    assert talk.ask(f"10 27 {TEMPERATURE:02x}")[6:8] == "00"


def test_a_guid_goes_out_with_its_node_first() -> None:
    """QEMU: in the order of its text; and it had no System GUID."""
    guid = bytes(range(1, 17))
    talk = Conversation(*TABLES, settings=Settings(device=DeviceSettings(guid=guid)))
    assert talk.ask("18 08") == "1c 08 00 " + guid[::-1].hex(" ")
    assert talk.ask("18 37") == "1c 37 00 " + guid[::-1].hex(" ")


def test_the_device_says_what_it_has(talk: Conversation) -> None:
    """QEMU: an inventory and a chassis that it did not mention."""
    assert int(talk.ask("18 01")[24:26], 16) & 0x88 == 0x88


@pytest.mark.parametrize("request_", ["18 42 07", "18 41 0f 40", "30 02 01 c0 00 00", "18 38 07 04"])
def test_refusals_carry_nothing(talk: Conversation, request_: str) -> None:
    """QEMU: bytes that it had written before it found out."""
    assert len(talk.ask(request_)) == len("1c 42 cc")


def test_the_message_queue_is_bounded(talk: Conversation) -> None:
    """QEMU: as long as its memory."""
    request = "18 34 00 20 1a c6 20 04 01 db"  # to system software: our own address, LUN 10b
    answers = [talk.ask(request)[6:] for _ in range(20)]
    assert answers == ["00"] * 16 + ["d3"] * 4
