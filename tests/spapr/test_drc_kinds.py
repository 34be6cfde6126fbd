"""Indexes and names, as QEMU 7.2's connectors have them."""

from __future__ import annotations

import pytest

from baseboard.spapr.drc import CPU, KINDS, LMB, PCI, PHB, PMEM, POWER_DOMAIN, VIO, DrcKind, pci_identifier


@pytest.mark.parametrize(
    ("kind", "identifier", "index", "name", "type_"),
    [
        pytest.param(CPU, 8, 0x1000_0008, "CPU 8", "CPU", id="core"),
        pytest.param(PHB, 30, 0x2000_001E, "PHB 30", "PHB", id="host bridge"),
        pytest.param(VIO, 3, 0x3000_0003, "C3", "SLOT", id="virtual slot"),
        pytest.param(PCI, 0x1_008B, 0x4001_008B, "C65675", "28", id="function"),
        pytest.param(LMB, 4, 0x8000_0004, "LMB 4", "MEM", id="memory block"),
        pytest.param(PMEM, 0, 0x9000_0000, "PMEM 0", "PMEM", id="persistent memory"),
    ],
)
def test_index_name_and_type(kind: DrcKind, identifier: int, index: int, name: str, type_: str) -> None:
    assert kind.drc_index(identifier) == index
    assert kind.connector_name(identifier) == name
    assert kind.type == type_


def test_pci_identifier_has_host_bridge_chassis_slot_and_function() -> None:
    """The connectors of a card in slot 3, function 1, behind the bridge with chassis number 3."""
    assert PCI.drc_index(pci_identifier(0, 3, 3, 1)) == 0x4000_0319
    assert PCI.drc_index(pci_identifier(30, 0, 2, 0)) == 0x401E_0010


def test_only_slots_are_physical() -> None:
    assert {kind.name for kind in KINDS.values() if kind.physical} == {"PCI", "VIO"}


def test_power_domain_is_live_insertion() -> None:
    assert POWER_DOMAIN == 0xFFFF_FFFF
