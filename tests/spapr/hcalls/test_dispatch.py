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
    assert {row.number: row.name for row in CALLS} == {
        0x58: "H_PUT_TERM_CHAR",
        0xEF10: "H_TPM_COMM",
        0xF000: "H_RTAS",
        0xF002: "H_CAS",
    }


# [QEMU 7.2] hw/char/spapr_vty.c: the terminal, then the count; unit address 0 is whatever console there is.
@pytest.mark.parametrize(
    ("arguments", "status", "shown"),
    [
        ((0, 5, 0x68656C6C_6F000000, 0), 0, b"hello"),
        ((0, 16, 0x30313233_34353637, 0x38394142_43444546), 0, b"0123456789ABCDEF"),
        ((0, 0, 0, 0), 0, b""),
        ((0, 17, 0, 0), -4, b""),
        ((0x71000000, 1, 0, 0), -4, b""),
    ],
)
def test_characters(hypervisor: Hypervisor, arguments: tuple[int, ...], status: int, shown: bytes) -> None:
    console = bytearray()
    hypervisor.machine.on_character = console.append
    assert hypervisor.call(0x58, *arguments) == (status, arguments[0])
    assert console == shown


def test_no_console(hypervisor: Hypervisor) -> None:
    assert hypervisor.call(0x58, 0, 1, 0x41 << 56) == (-4, 0)


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
