"""H_TPM_COMM: every return code, in the order in which they are checked, and when a session is open."""

from __future__ import annotations

import pytest

from baseboard.spapr.guest_memory import ByteMemory
from baseboard.spapr.hcalls import Hypervisor
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.tpm import TpmError

H_TPM_COMM = 0xEF10
EXECUTE, CLOSE = 1, 2
COMMAND, RESPONSE, END = 0x1000, 0x2000, 0x4000
GET_RANDOM = bytes.fromhex("8001 0000000c 0000017b 0004")
RANDOM = bytes.fromhex("8001 00000010 00000000 0004 11223344")


class Tpm:
    """Answers everything alike, and keeps count."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.answer = RANDOM
        self.fails = ""

    def open(self) -> None:
        self._do("open")

    def exchange(self, command: bytes) -> bytes:
        assert command == GET_RANDOM
        self._do("exchange")
        return self.answer

    def close(self) -> None:
        self.done.append("close")

    def _do(self, what: str) -> None:
        self.done.append(what)
        if self.fails == what:
            raise TpmError(f"cannot {what}")

    def took(self) -> list[str]:
        done, self.done[:] = list(self.done), []
        return done


@pytest.fixture
def tpm() -> Tpm:
    return Tpm()


@pytest.fixture
def hypervisor(tpm: Tpm) -> Hypervisor:
    machine = PseriesMachine(memory=ByteMemory(END))
    machine.memory.write(COMMAND, GET_RANDOM)
    machine.plug_tpm_proxy("proxy")
    return Hypervisor(machine, tpm=tpm)


def execute(hypervisor: Hypervisor) -> tuple[int, int]:
    return hypervisor.call(H_TPM_COMM, EXECUTE, COMMAND, len(GET_RANDOM), RESPONSE, 4096)


def test_done(hypervisor: Hypervisor, tpm: Tpm) -> None:
    assert execute(hypervisor) == (0, len(RANDOM))
    assert hypervisor.machine.memory.read(RESPONSE, len(RANDOM) + 1) == RANDOM + b"\0"
    assert execute(hypervisor) == (0, len(RANDOM))
    assert tpm.took() == ["open", "exchange", "exchange"]


def test_both_buffers_may_be_one_and_upper_address_bits_do_not_matter(hypervisor: Hypervisor) -> None:
    place = COMMAND | 0xF << 60
    assert hypervisor.call(H_TPM_COMM, EXECUTE, place, len(GET_RANDOM), place, 4096) == (0, len(RANDOM))
    assert hypervisor.machine.memory.read(COMMAND, len(RANDOM)) == RANDOM


# Each is wrong in what is checked there and in everything behind it.
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        pytest.param((CLOSE, END, 4097, END, 0), 0, id="close never looks"),
        pytest.param((3, END, 4097, END, 0), -4, id="operation"),
        pytest.param((0, END, 4097, END, 0), -4, id="operation 0"),
        pytest.param((1 << 32 | EXECUTE, END, 4097, END, 0), -4, id="operation, all 64 bits"),
        pytest.param((EXECUTE, END, 4097, END, 0), -56, id="H_P3"),
        pytest.param((EXECUTE, END, (1 << 64) - 1, END, 0), -56, id="H_P3, as large as can be"),
        pytest.param((EXECUTE, END, 12, END, 4095), -58, id="H_P5"),
        pytest.param((EXECUTE, END, 12, END, 4096), -55, id="H_P2"),
        pytest.param((EXECUTE, END - 11, 12, RESPONSE, 4096), -55, id="H_P2, the last byte"),
        pytest.param((EXECUTE, COMMAND, 12, END, 4096), -57, id="H_P4"),
        pytest.param((EXECUTE, COMMAND, 12, END - 4095, 1 << 63), -57, id="H_P4, the last byte"),
    ],
)
def test_arguments_are_checked_in_order_and_before_the_tpm(
    hypervisor: Hypervisor, tpm: Tpm, arguments: tuple[int, ...], status: int
) -> None:
    before = hypervisor.machine.memory.read(0, END)
    assert hypervisor.call(H_TPM_COMM, *arguments) == (status, arguments[0])
    assert hypervisor.machine.memory.read(0, END) == before
    assert tpm.took() == []


@pytest.mark.parametrize("size", [0, 1, 11])
def test_a_command_that_is_cut_is_not_waited_for(hypervisor: Hypervisor, tpm: Tpm, size: int) -> None:
    assert hypervisor.call(H_TPM_COMM, EXECUTE, COMMAND, size, RESPONSE, 4096) == (-16, EXECUTE)
    assert "exchange" not in tpm.took()


@pytest.mark.parametrize(("fails", "did"), [("open", ["open"]), ("exchange", ["open", "exchange", "close"])])
def test_a_tpm_that_fails(hypervisor: Hypervisor, tpm: Tpm, fails: str, did: list[str]) -> None:
    tpm.fails = fails
    assert execute(hypervisor) == (-16, EXECUTE)
    assert str(hypervisor.session.failure) == f"cannot {fails}"
    assert tpm.took() == did
    tpm.fails = ""
    assert execute(hypervisor) == (0, len(RANDOM))  # opened anew
    assert tpm.took() == ["open", "exchange"]


def test_a_response_that_is_too_long(hypervisor: Hypervisor, tpm: Tpm) -> None:
    tpm.answer = bytes(4097)
    assert execute(hypervisor) == (-16, EXECUTE)


def test_close_is_always_right_and_closes_once(hypervisor: Hypervisor, tpm: Tpm) -> None:
    assert hypervisor.call(H_TPM_COMM, CLOSE) == (0, CLOSE)
    execute(hypervisor)
    assert hypervisor.call(H_TPM_COMM, CLOSE) == (0, CLOSE)
    assert hypervisor.call(H_TPM_COMM, CLOSE) == (0, CLOSE)
    assert tpm.took() == ["open", "exchange", "close"]


def test_reset_and_unplug_close(hypervisor: Hypervisor, tpm: Tpm) -> None:
    execute(hypervisor)
    hypervisor.machine.reset()
    assert tpm.took() == ["open", "exchange", "close"]
    execute(hypervisor)
    hypervisor.machine.unplug("proxy")
    assert tpm.took() == ["open", "exchange", "close"]
    for operation in (EXECUTE, CLOSE, 9):
        assert hypervisor.call(H_TPM_COMM, operation) == (-2, operation)


def test_a_proxy_without_a_tpm_behind_it() -> None:
    machine = PseriesMachine(memory=ByteMemory(END))
    machine.plug_tpm_proxy("proxy")
    assert execute(Hypervisor(machine)) == (-16, EXECUTE)
