"""A simulated host: what it asks while it boots, and scripts that pass and that fail in words."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import ConfigError
from baseboard.host.script import parse_pattern, parse_request, parse_script
from baseboard.host.seam import Answered, AttentionChanged, FirmwareFound, FirmwareLost
from baseboard.host.sim import Asked, HostSim, PowerChanged, SimEvent, StepDone, StepFailed
from baseboard.ipmi.message import Message

SCRIPT = """
name = "acceptance"

[[step]]
name = "Get Device ID"
request = "06 01"
expect = "00 20 ?? *"
repeat = 3

[[step]]
attention = true
within = 2

[[step]]
request = "00 02 03"
expect = "00"

[[step]]
ordered = "reset"
"""


class Firmware:
    """Answers from a table; what is not in it C1h, and None never."""

    def __init__(self, answers: dict[str, str | None]) -> None:
        self.answers = answers
        self.sim: HostSim
        self.waiting: list[tuple[int, bytes]] = []
        self.asked: list[str] = []
        self.abandoned: list[int] = []

    def submit(self, id_: int, message: Message, now: float) -> None:
        text = bytes((message.netfn, message.command)).hex(" ") + (" " + message.data.hex(" ")).rstrip()
        self.asked.append(text)
        answer = self.answers.get(text, "c1")
        if answer is not None:
            self.waiting.append((id_, bytes.fromhex(answer)))

    def abandon(self, id_: int, now: float) -> None:
        self.abandoned.append(id_)

    def work(self, now: float = 0.0) -> None:
        while self.waiting:
            self.sim.receive_event(Answered(*self.waiting.pop(0)), now)


def make(answers: dict[str, str | None], **options: Any) -> tuple[HostSim, Firmware]:
    firmware = Firmware(answers)
    sim = firmware.sim = HostSim(firmware, **options)
    return sim, firmware


def events(sim: HostSim) -> list[SimEvent]:
    found = []
    while (event := sim.next_event()) is not None:
        found.append(event)
    return found


def run(answers: dict[str, str | None], text: str = SCRIPT) -> tuple[HostSim, Firmware]:
    sim, firmware = make(answers, power=True)
    sim.run(parse_script(tomllib.loads(text)), 0.0)
    firmware.work()
    return sim, firmware


def test_a_script_that_passes() -> None:
    sim, firmware = run({"06 01": "00 20 01 02", "00 02 03": "00"})
    assert [type(event) for event in events(sim)] == [StepDone]
    assert sim.next_deadline() == 2.0
    sim.receive_event(AttentionChanged(True), 1.0)
    firmware.work(1.0)
    done = [event for event in events(sim) if isinstance(event, (StepDone, StepFailed))]
    assert [(type(event), event.number) for event in done] == [(StepDone, 2), (StepDone, 3), (StepDone, 4)]
    assert firmware.asked[:4] == ["06 01", "06 01", "06 01", "00 02 03"]
    assert sim.next_deadline() is None


# fmt: off
FAILURES = [
    ({"06 01": "00 21 01 02"},  "00 20 ?? * was expected, and 00 21 01 02 came (time 1 of 3)"),
    ({"06 01": "00 20"},        "00 20 ?? * was expected, and 00 20 came (time 1 of 3)"),
    ({"06 01": "c3"},           "00 20 ?? * was expected, and c3 came (time 1 of 3)"),
    ({"06 01": None},           "00 20 ?? * was expected, and nothing came within 5 s (time 1 of 3)"),
    ({"06 01": "00 20 00"},     "attention was expected to be up, and nothing came within 2 s"),
]
# fmt: on


@pytest.mark.parametrize(("answers", "reason"), FAILURES)
def test_a_script_that_fails_says_what_came(answers: dict[str, str | None], reason: str) -> None:
    sim, firmware = run(answers)
    sim.handle_deadline(5.0)
    sim.handle_deadline(9.0)
    failed = [event for event in events(sim) if isinstance(event, StepFailed)]
    assert [event.reason for event in failed] == [reason]
    assert sim.next_deadline() is None
    firmware.work()  # late answers come to nothing
    assert not [event for event in events(sim) if isinstance(event, StepDone)]


def test_another_order_than_was_expected() -> None:
    text = '[[step]]\nrequest = "00 02 00"\n[[step]]\nordered = "reset"\n'
    sim, _ = run({"00 02 00": "00"}, text)
    failed = [event for event in events(sim) if isinstance(event, StepFailed)]
    assert [event.reason for event in failed] == [
        "reset was expected to be ordered, and power-off was ordered"
    ]
    assert not sim.power


def test_the_boot_flow() -> None:
    sim, firmware = make({"06 01": "00 20", "0a 48": "00 00 00 00 00"})
    sim.power_on(0.0)
    firmware.work()
    assert firmware.asked == ["06 01", "06 04", "06 2f", "0a 48", "00 09 05 00 00", "06 06 80 7f"]
    assert list(sim.post_codes) == [0x01, 0x10, 0x15, 0x30, 0x60, 0x92, 0xA0, 0xAA]
    assert PowerChanged(True) in events(sim)


def test_power_follows_orders() -> None:
    sim, firmware = make({"00 02 03": "00", "00 02 05": "00"}, power=True)
    sim.ask(Message(0, 0, 2, b"\3"), 0.0)
    firmware.work()
    assert sim.post_codes[0] == 0x01
    sim.ask(Message(0, 0, 2, b"\5"), 0.0)
    firmware.work()
    assert PowerChanged(False) in events(sim)


def test_power_up_starts_a_host_that_is_off() -> None:
    sim, firmware = make({"00 02 01": "00", "00 02 00": "00"}, power=True)
    sim.ask(Message(0, 0, 2, b"\1"), 0.0)
    firmware.work()
    assert not sim.post_codes  # it was on
    for action in (b"\0", b"\1"):
        sim.ask(Message(0, 0, 2, action), 0.0)
        firmware.work()
    assert sim.power
    assert sim.post_codes[-1] == 0xAA


@pytest.mark.parametrize("answer", ["d5", "c1"])
def test_power_up_that_is_refused(answer: str) -> None:
    sim, firmware = make({"00 02 01": answer})
    sim.ask(Message(0, 0, 2, b"\1"), 0.0)
    firmware.work()
    assert not sim.power


def test_by_hand() -> None:
    sim, firmware = make({"06 01": "00 20"}, power=True)
    sim.receive_event(FirmwareFound("it"), 0.0)
    assert sim.firmware == "it"
    sim.ask(Message(6, 0, 1), 0.0)
    firmware.work()
    assert events(sim) == [Asked(Message(6, 0, 1), b"\0\x20")]
    sim.receive_event(FirmwareLost("reset"), 0.0)
    assert sim.firmware is None


# fmt: off
MISTAKES = [
    ("",                                                        "there is no [[step]]"),
    ("nmae = 1\n[[step]]\nrequest = '06 01'",                   "nmae is not one of name, step"),
    ("step = 5",                                                "there is no [[step]]"),
    ("step = [5]",                                              "step 1: is not a table"),
    ("[[step]]\nname = 'x'",                                    "step 1: needs one of request"),
    ("[[step]]\nrequest = '06 01'\nattention = true",           "step 1: needs one of request"),
    ("[[step]]\nrequest = '06 01'\nexpct = '00'",               "step 1: expct is not one of"),
    ("[[step]]\nrequest = '06 01'\nexpect = '0'",               "step 1: expect '0' is not bytes"),
    ("[[step]]\nrequest = 6",                                   "step 1: request and expect are strings"),
    ("[[step]]\nrequest = '06'",                                "step 1: request '06' is not NETFN"),
    ("[[step]]\nrequest = '07 01'",                             "step 1: request '07 01': NETFN is even"),
    ("[[step]]\nrequest = '06.4 01'",                           "step 1: request '06.4 01': NETFN is even"),
    ("[[step]]\nrequest = '06 01 100'",                         "step 1: request '06 01 100' is not NETFN"),
    ("[[step]]\nattention = 'yes'",                             "step 1: attention 'yes' is not true"),
    ("[[step]]\nattention = true\nexpect = '00'",               "step 1: expect goes with request"),
    ("[[step]]\nordered = 'fire'",                              "step 1: ordered 'fire' is not one of"),
    ("[[step]]\nrequest = '06 01'\nwithin = 0",                 "step 1: within 0 is not seconds"),
    ("[[step]]\nrequest = '06 01'\nrepeat = true",              "step 1: repeat True is not a number"),
]
# fmt: on


@pytest.mark.parametrize(("text", "reason"), MISTAKES)
def test_mistakes_are_told_with_their_place(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_script(tomllib.loads(text))
    assert reason in str(error.value)


@given(st.text(max_size=30))
def test_any_text(text: str) -> None:
    for parse in (parse_request, parse_pattern):
        try:
            parse(text)
        except ConfigError:
            pass
