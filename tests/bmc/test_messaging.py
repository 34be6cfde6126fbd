"""Enables, flags, queue, event buffer and bridging, as conversations in bytes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.bmc.commands import TABLES
from baseboard.bmc.controller import Bmc
from baseboard.bmc.core import Core
from baseboard.bmc.events import (
    AttentionChanged,
    BridgedResponse,
    Event,
    InterruptEnableChanged,
    RestartCause,
)
from baseboard.bmc.messaging import QUEUE_LENGTH, QueuedMessage
from baseboard.bmc.settings import Settings
from baseboard.ipmi.ipmb import BusMessage
from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.privilege import Privilege

EVENT = bytes.fromhex("0100 02 78563412 2000 04 01 30 01 52 5a 5f")
OTHER = bytes.fromhex("0200 02 78563412 2000 04 01 31 01 52 5a 5f")

ASK_OWN_ADDRESS = "18 34 00 20 18 c8 20 16 2f 9b"
"""Send Message on channel 0: to 20h, from 20h LUN 2, sequence 5, Get BMC Global Enables."""
ANSWER = "1c 33 00 00 1e c2 20 14 2f 00 08 95"
"""What Get Message then gives: netFn 7, LUN 2; chk1 covers the 20h that is left out."""


@dataclass
class Console:
    """A session as handlers see it."""

    id: int = 0x1234
    handle: int = 0x11
    user_id: int = 2
    privilege: Privilege = Privilege.ADMINISTRATOR
    maximum_privilege: Privilege = Privilege.ADMINISTRATOR
    rmcp_plus: bool = True
    encrypted: bool = True
    authenticated: bool = True
    channel: int = 1
    console_ip: bytes = b"\x7f\0\0\1"
    console_mac: bytes = bytes(6)
    console_port: int = 40000


class Bench:
    """A controller, its dispatch, and who asks."""

    def __init__(self) -> None:
        self.bmc = Bmc(Settings())
        self.core = Core(self.bmc, TABLES)
        self.system = Context(now=1.0)

    def ask(self, text: str, context: Context | None = None) -> str:
        netfn_lun, command, *data = bytes.fromhex(text)
        message = Message(netfn_lun >> 2, netfn_lun & 3, command, bytes(data))
        answer = self.core.handle(message, context or self.system)
        return (bytes((netfn_lun | 4, command)) + answer).hex(" ")

    def console(self, privilege: Privilege = Privilege.ADMINISTRATOR) -> Context:
        session = Console(privilege=privilege)
        return Context(channel=1, privilege=privilege, now=1.0, session=session, peer="console")

    def events(self) -> list[Event]:
        events = []
        while (event := self.bmc.next_event()) is not None:
            events.append(event)
        return events


@pytest.fixture
def bench() -> Bench:
    return Bench()


# fmt: off
PLAIN = [
    pytest.param("18 2f",       "1c 2f 00 08",             id="power-on default: SEL logging"),
    pytest.param("18 2e 0f",    "1c 2e 00",                id="everything that there is"),
    pytest.param("18 2e 10",    "1c 2e cc",                id="reserved bit"),
    pytest.param("18 2e 28",    "1c 2e cc",                id="OEM bit"),
    pytest.param("18 2e",       "1c 2e c7",                id="short"),
    pytest.param("18 31",       "1c 31 00 00",             id="no flags"),
    pytest.param("18 30 ff",    "1c 30 00",                id="clear all flags"),
    pytest.param("18 30 08",    "1c 30 00",                id="as Linux starts"),
    pytest.param("18 33",       "1c 33 80",                id="queue empty"),
    pytest.param("18 35",       "1c 35 80",                id="event buffer empty"),
    pytest.param("18 32 00 02", "1c 32 00 00 01",          id="channel reception is on"),
    pytest.param("18 32 00 03", "1c 32 cc",                id="reserved channel state"),
    pytest.param("18 36",       "1c 36 00 01 ff ff 0a 00", id="BT capabilities, as QEMU"),
    pytest.param("18 57 00",    "1c 57 00 00 80 ff ff",    id="SSIF capabilities, as QEMU"),
    pytest.param("18 57 01",    "1c 57 00 00 00 ff",       id="KCS capabilities"),
    pytest.param("18 57 03",    "1c 57 cc",                id="no such interface"),
    pytest.param("18 57",       "1c 57 c7",                id="which interface?"),
    pytest.param("1a 2f",       "1e 2f c2",                id="another LUN"),
    pytest.param("18 34",       "1c 34 c7",                id="send nothing"),
    pytest.param("18 34 00 20 18", "1c 34 c7",             id="send too little"),
    pytest.param("18 34 00 30 18 b8 20 1a 01 c5", "1c 34 83", id="nobody at 30h"),
    pytest.param("18 34 00 00 18 e8 20 1a 01 c5", "1c 34 83", id="nobody hears a broadcast"),
    pytest.param("18 34 00 20 18 c9 20 1a 01 c5", "1c 34 cc", id="wrong checksum"),
    pytest.param("18 34 40 20 18 c8 20 1a 01 c5", "1c 34 cc", id="tracking without a session"),
    pytest.param("18 34 c0 20 18 c8 20 1a 01 c5", "1c 34 cc", id="reserved tracking"),
    pytest.param("18 34 03 20 18 c8 20 1a 01 c5", "1c 34 cc", id="no such channel"),
    pytest.param("18 34 0e 20 18 c8 20 1a 01 c5", "1c 34 cc", id="the present channel"),
    pytest.param("18 34 01 81 18 67 20 1a 01 c5", "1c 34 d3", id="no console takes it"),
]
# fmt: on


@pytest.mark.parametrize(("request_", "response"), PLAIN)
def test_one_request(bench: Bench, request_: str, response: str) -> None:
    assert bench.ask(request_) == response


@pytest.mark.parametrize("request_", ["18 2e 08", "18 30 01", "18 31", "18 32 00 02", "18 33", "18 35"])
def test_consoles_may_not_what_belongs_to_system_software(bench: Bench, request_: str) -> None:
    assert bench.ask(request_, bench.console()).endswith(" d4")


def test_the_interrupt_enable_follows_the_global_enables(bench: Bench) -> None:
    """Linux: reads, clears bit 0, sets bit 0, then the event buffer."""
    assert bench.ask("18 2e 08") == "1c 2e 00"
    assert bench.events() == []
    bench.ask("18 2e 09")
    assert bench.ask("18 2f") == "1c 2f 00 09"
    assert bench.events() == [InterruptEnableChanged(True)]
    bench.ask("18 2e 0f")
    assert bench.events() == []
    bench.ask("18 2e 0e")
    assert bench.events() == []  # the event buffer's interrupt alone needs the line as well
    bench.ask("18 2e 0c")
    assert bench.events() == [InterruptEnableChanged(False)]


def test_the_event_buffer_keeps_the_oldest_event(bench: Bench) -> None:
    bench.bmc.messaging.event(EVENT)
    assert bench.ask("18 31") == "1c 31 00 00"  # not enabled
    bench.ask("18 2e 0e")
    bench.events()
    bench.bmc.messaging.event(EVENT)
    bench.bmc.messaging.event(OTHER)
    assert bench.events() == [AttentionChanged(True, True)]
    assert bench.ask("18 31") == "1c 31 00 02"
    assert bench.ask("18 35") == "1c 35 00 " + EVENT.hex(" ")
    assert bench.events() == [AttentionChanged(False, False)]
    assert bench.ask("18 35") == "1c 35 80"
    assert bench.ask("18 31") == "1c 31 00 00"


@pytest.mark.parametrize("request_", ["18 30 02", "18 2e 08"])
def test_an_event_goes_with_its_flag_or_its_buffer(bench: Bench, request_: str) -> None:
    bench.ask("18 2e 0c")
    bench.bmc.messaging.event(EVENT)
    assert bench.events() == [AttentionChanged(True, False)]
    assert bench.ask("18 30 09") == "1c 30 00"
    assert bench.events() == []
    bench.ask(request_)
    assert bench.events() == [AttentionChanged(False, False)]
    assert bench.ask("18 35") == "1c 35 80"


@pytest.mark.parametrize(("enables", "interrupt"), [(0x08, False), (0x09, True), (0x0A, False), (0x0B, True)])
def test_which_enable_lets_which_cause_interrupt(bench: Bench, enables: int, interrupt: bool) -> None:
    bench.ask(f"18 2e {enables:02x}")
    bench.events()
    bench.bmc.messaging.set_watchdog_pretimeout(True)
    assert bench.events() == [AttentionChanged(True, interrupt)]
    assert bench.ask("18 31") == "1c 31 00 08"
    bench.ask("18 30 08")
    assert bench.events() == [AttentionChanged(False, False)]
    bench.bmc.messaging.queue(QueuedMessage(0, 0, b""))
    assert bench.events() == [AttentionChanged(True, interrupt)]
    assert bench.ask("18 31") == "1c 31 00 01"
    bench.ask("18 30 01")
    assert bench.ask("18 33") == "1c 33 80"


def test_enabling_makes_a_waiting_attention_interrupt(bench: Bench) -> None:
    bench.bmc.messaging.set_watchdog_pretimeout(True)
    assert bench.events() == [AttentionChanged(True, False)]
    bench.ask("18 2e 09")
    assert bench.events() == [InterruptEnableChanged(True), AttentionChanged(True, True)]


def test_system_software_asks_our_own_address(bench: Bench) -> None:
    assert bench.ask(ASK_OWN_ADDRESS) == "1c 34 00"
    assert bench.events() == [AttentionChanged(True, False)]
    assert bench.ask("18 31") == "1c 31 00 01"
    assert bench.ask("18 33") == ANSWER
    assert bench.ask("18 31") == "1c 31 00 00"
    assert bench.events() == [AttentionChanged(False, False)]


def test_a_full_or_closed_queue_refuses_before_anything_is_done(bench: Bench) -> None:
    for _ in range(QUEUE_LENGTH):
        assert bench.ask(ASK_OWN_ADDRESS) == "1c 34 00"
    assert bench.ask(ASK_OWN_ADDRESS) == "1c 34 d3"
    for _ in range(QUEUE_LENGTH):
        assert bench.ask("18 33") == ANSWER
    assert bench.ask("18 33") == "1c 33 80"
    assert bench.ask("18 32 00 00") == "1c 32 00 00 00"
    assert bench.ask(ASK_OWN_ADDRESS) == "1c 34 d3"
    assert bench.ask("18 32 00 01") == "1c 32 00 00 01"
    assert bench.ask(ASK_OWN_ADDRESS) == "1c 34 00"


def test_an_answer_that_nobody_waits_for_is_dropped(bench: Bench) -> None:
    assert bench.ask("18 34 00 20 18 c8 20 14 2f 9d") == "1c 34 00"  # from LUN 0
    assert bench.ask("18 33") == "1c 33 80"
    assert bench.events() == []


def test_a_console_asks_our_own_address_with_tracking(bench: Bench) -> None:
    console = bench.console()
    assert bench.ask("18 34 40 20 18 c8 81 14 2f 3c", console) == "1c 34 00"
    response = BusMessage(0x81, 0x07, 0, 0x20, 5, 0, 0x2F, b"\x00\x08")
    assert bench.events() == [BridgedResponse("console", console.session, response)]
    assert bench.ask("18 33") == "1c 33 80"


def test_bridging_does_not_raise_a_privilege(bench: Bench) -> None:
    set_enables = "18 34 40 20 18 c8 81 14 2e 00 3d"
    assert bench.ask(set_enables, bench.console(Privilege.USER)) == "1c 34 d4"
    assert bench.ask(set_enables, bench.console(Privilege.OPERATOR)) == "1c 34 00"
    (event,) = bench.events()
    assert isinstance(event, BridgedResponse)
    assert event.response.data == b"\xd4"


@pytest.mark.parametrize("privilege", [Privilege.USER, Privilege.ADMINISTRATOR])
def test_a_console_writes_to_system_software(bench: Bench, privilege: Privilege) -> None:
    console = bench.console(privilege)
    message = "41 18 a7 81 14 01 6a"  # to software id 41h, from 81h
    assert bench.ask(f"18 34 0f {message}", console) == "1c 34 00"
    assert bench.ask("18 33") == f"1c 33 00 {privilege:x}1 11 {message}"
    bench.ask("18 32 01 00")
    assert bench.ask(f"18 34 0f {message}", console) == "1c 34 d3"


def test_a_user_may_write_to_lun_2_of_our_address(bench: Bench) -> None:
    console = bench.console(Privilege.USER)
    assert bench.ask("18 34 00 20 1a c6 81 14 01 6a", console) == "1c 34 00"
    assert bench.ask("18 33") == "1c 33 00 00 1a c6 81 14 01 6a"


def test_messages_within_messages_end(bench: Bench) -> None:
    message = BusMessage(0x20, 6, 0, 0x20, 1, 2, 0x2F)
    for _ in range(20):
        message = BusMessage(0x20, 6, 0, 0x20, 1, 2, 0x34, b"\x00" + message.encode())
    bench.ask("18 34 00 " + message.encode().hex())
    assert bench.ask("18 31") == "1c 31 00 01"


def test_cold_reset_is_as_power_on_and_warm_reset_leaves_things(bench: Bench) -> None:
    bench.ask("18 2e 0f")
    bench.ask(ASK_OWN_ADDRESS)
    bench.bmc.messaging.event(EVENT)
    bench.bmc.messaging.set_watchdog_pretimeout(True)
    assert bench.ask("18 31") == "1c 31 00 0b"
    bench.bmc.messaging.reset(False, 2.0)
    assert bench.ask("18 31") == "1c 31 00 0b"
    bench.events()
    bench.bmc.messaging.reset(True, 2.0)
    assert bench.events() == [InterruptEnableChanged(False), AttentionChanged(False, False)]
    assert bench.ask("18 31") == "1c 31 00 00"
    assert bench.ask("18 2f") == "1c 2f 00 08"
    assert bench.bmc.messaging.event_logging


def test_a_machine_that_starts_anew_finds_the_power_on_enables(bench: Bench) -> None:
    """[IPMI 22.1]; its firmware is not ready for the interrupts that the old system had enabled."""
    bench.bmc.chassis.power_changed(True, 1.0)
    bench.ask("18 2e 0f")
    bench.ask(ASK_OWN_ADDRESS)
    bench.events()
    bench.bmc.chassis.machine_reset(2.0, RestartCause.RESET_BUTTON)
    changed = (InterruptEnableChanged, AttentionChanged)
    assert [event for event in bench.events() if isinstance(event, changed)] == [
        InterruptEnableChanged(False),
        AttentionChanged(True, False),
    ]
    assert bench.ask("18 2f") == "1c 2f 00 08"
    assert bench.ask("18 33") == ANSWER.replace("08 95", "0f 8e")  # asked while all were on


numbers = st.sampled_from([0x2E, 0x2F, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x57])


@given(st.lists(st.tuples(numbers, st.binary(max_size=24), st.booleans()), max_size=30))
def test_any_requests_leave_attention_true_to_the_flags(requests: list[tuple[int, bytes, bool]]) -> None:
    bench = Bench()
    told = False
    for number, data, sound in requests:
        if number == 0x34 and sound:
            data = b"\x00" + BusMessage(0x20, 6, 0, 0x20, 0, 2, 0x35, data[:4]).encode()
        bench.bmc.messaging.event(EVENT)
        answer = bench.core.handle(Message(6, 0, number, data), bench.system)
        assert answer
        for event in bench.events():
            if isinstance(event, AttentionChanged):
                told = event.attention
        assert told == bool(bench.bmc.messaging.flags)


@pytest.mark.parametrize(
    ("event", "channel", "buffered"),
    [
        pytest.param("41 04 09 01 6f 00 ff ff", 0xF, "80", id="from software at the system interface"),
        pytest.param("04 09 01 6f 00 ff ff", 0x1, "00", id="from a console"),
    ],
)
def test_software_is_not_told_of_its_own_event(event: str, channel: int, buffered: str) -> None:
    bmc = Bmc(Settings())
    core = Core(bmc, TABLES)
    core.handle(Message(0x06, 0, 0x2E, b"\x0c"), Context())  # event message buffer on, logging on
    context = Context(channel=channel)
    assert core.handle(Message(0x04, 0, 0x02, bytes.fromhex(event)), context) == b"\0"
    assert core.handle(Message(0x06, 0, 0x35), Context())[:1].hex() == buffered
    assert len(bmc.sel) == 1
