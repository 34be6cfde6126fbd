"""Who answers which call."""

from __future__ import annotations

import pytest

from baseboard.attach.partition_calls import ANSWERERS, Answer, Answerer, Answers, Mode
from baseboard.attach.real_memory import RealMemory
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.rtas import TOKENS
from tests.attach.stopped_guest import StoppedGuest

CORE, ABSENT, CARD = 0x1000_0001, 0x1000_0002, 0x4000_0028
QEMU = Answer(Answerer.QEMU)


@pytest.fixture
def machine() -> PseriesMachine:
    machine = PseriesMachine(cores=1, max_cores=3)
    machine.plug_core("c1", 1)
    return machine


def answers(
    machine: PseriesMachine, mode: Mode = Mode.OVERRIDE, changed: dict[str, Answerer] | None = None
) -> Answers:
    memory = RealMemory(StoppedGuest().gdb, lambda: [range(0x2000)])
    return Answers(machine, memory, mode, changed or {})


def test_each_service_is_in_the_table() -> None:
    assert ANSWERERS.keys() == TOKENS.keys()


def test_ours(machine: PseriesMachine) -> None:
    ours = answers(machine)
    assert ours.to("get-sensor-state", (9003, CORE), 2) == Answer(Answerer.OURS, (0, 2))
    assert ours.to("get-sensor-state", (9003, ABSENT), 2) == QEMU
    assert ours.to("get-sensor-state", (9003, CARD), 2) == QEMU
    assert ours.to("get-sensor-state", (9003, 0x7000_0000), 2) == Answer(Answerer.OURS, (-3, 0))
    assert ours.to("start-cpu", (1, 0x100, 0), 1) == QEMU
    assert ours.to("ibm,read-pci-config", (0, 0, 0), 2) == QEMU
    for arguments in ((), (9003,), (CORE, 9003, 1, 1)):
        for service in ("get-sensor-state", "set-indicator", "ibm,configure-connector"):
            assert ours.to(service, arguments, 1) == Answer(Answerer.OURS, (-3,))


def test_an_event_is_a_draft(machine: PseriesMachine) -> None:
    answer = answers(machine).to("check-exception", (0x500, 0x1001, 0xFFFF_FFFF, 0, 0x1000, 2048), 1)
    assert (answer.who, answer.results) == (Answerer.OURS, (0,))
    ((address, log),) = answer.writes
    assert (address, len(log), log[:4].hex()) == (0x1000, 116, "063460e5")


def test_looking_on_changes_nothing(machine: PseriesMachine) -> None:
    ours = answers(machine, Mode.RECORD)
    assert ours.to("set-indicator", (9003, CORE, 1), 1) == QEMU
    assert machine.connectors[CORE].state == machine.connectors[CORE].EMPTY


def test_beside_qemu_empty_connectors_are_compared(machine: PseriesMachine) -> None:
    ours = answers(machine, Mode.COMPARE)
    assert ours.to("get-sensor-state", (9003, ABSENT), 2) == Answer(Answerer.OURS, (0, 2))
    assert ours.to("get-sensor-state", (9003, CARD), 2) == QEMU


def test_faults_come_before_everything(machine: PseriesMachine) -> None:
    ours = answers(machine)
    machine.plan_fault({"service": "set-indicator", "answers": [9900, "pass"]})
    machine.plan_fault({"service": "start-cpu", "answers": [-2]})
    assert ours.to("set-indicator", (9003, CORE, 1), 1) == Answer(Answerer.FAULT, (9900,))
    assert ours.to("set-indicator", (9003, CORE, 1), 1) == Answer(Answerer.OURS, (0,))
    assert ours.to("start-cpu", (1, 0x100, 0), 1) == Answer(Answerer.FAULT, (-2,))
    assert ours.to("start-cpu", (1, 0x100, 0), 1) == QEMU


def test_who_answers_can_be_chosen(machine: PseriesMachine) -> None:
    ours = answers(machine, changed={"set-indicator": Answerer.QEMU, "get-time-of-day": Answerer.OURS})
    assert ours.to("set-indicator", (9003, CORE, 1), 1) == QEMU
    assert ours.to("get-time-of-day", (), 8) == Answer(Answerer.OURS, (0, 1970, 1, 1, 0, 0, 0, 0))
