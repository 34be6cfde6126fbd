"""Numbers, registers and what comes back."""

from __future__ import annotations

import pytest

from baseboard.spapr.guest_memory import ByteMemory, read_cells, write_cells
from baseboard.spapr.hcalls import CALLS, Hypervisor
from baseboard.spapr.machine import PseriesMachine

H_RTAS = 0xF000
BLOCK = 0x1000


@pytest.fixture
def hypervisor() -> Hypervisor:
    return Hypervisor(PseriesMachine(memory=ByteMemory(0x4000)))


def test_numbers() -> None:
    assert {number: row.name for number, row in CALLS.items()} == {
        0xEF10: "H_TPM_COMM",
        0xF000: "H_RTAS",
        0xF002: "H_CAS",
    }


@pytest.mark.parametrize("number", [0, 4, 0xEF11, 0xF001, 1 << 63, -1])
def test_other_numbers_are_no_function(hypervisor: Hypervisor, number: int) -> None:
    assert hypervisor.call(number, 7) == (-2, 7)
    assert hypervisor.call(number) == (-2, 0)


def test_rtas_reads_its_block(hypervisor: Hypervisor) -> None:
    write_cells(hypervisor.machine.memory, BLOCK, 0x201C, 1, 2, -1)  # get-power-level of "live insertion"
    assert hypervisor.call(H_RTAS, BLOCK) == (0, BLOCK)
    assert read_cells(hypervisor.machine.memory, BLOCK + 16, 2) == (0, 100)


def test_an_unknown_token_and_a_bad_address_are_parameter_errors(hypervisor: Hypervisor) -> None:
    write_cells(hypervisor.machine.memory, BLOCK, 0x2999, 0, 1)
    assert hypervisor.call(H_RTAS, BLOCK) == (-4, BLOCK)
    assert read_cells(hypervisor.machine.memory, BLOCK + 12, 1) == (0xFFFF_FFFD,)
    assert hypervisor.call(H_RTAS, 0x4000 - 4) == (-4, 0x4000 - 4)


def test_registers_have_64_bits(hypervisor: Hypervisor) -> None:
    assert hypervisor.call(0, -1) == (-2, (1 << 64) - 1)
    assert hypervisor.call(0, 1, 2, 3, 4, 5, 6, 7) == (-2, 1)
