"""Our device tree and the one that QEMU would start a guest with."""

from __future__ import annotations

from typing import Any

import pytest

from baseboard.spapr.device_tree import device_tree
from tests.interop.spapr_oracle import Oracle
from tests.spapr.sides import Ours, tree_differences

GIB = 1 << 30

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "no room to grow": {"ram": 6 * GIB},
    "room to grow": {"cores": 2, "max_cores": 4, "ram": 2 * GIB, "max_ram": 6 * GIB, "slots": 4},
    "odd size": {"ram": 0x5000_0000, "max_ram": 0x7000_0000, "slots": 1},
    "numa": {
        "cores": 2,
        "max_cores": 4,
        "ram": 6 * GIB,
        "max_ram": 8 * GIB,
        "slots": 2,
        "numa": (2 * GIB, 4 * GIB),
    },
    "a second bridge": {"phbs": (0, 3)},
    "a card": {"cards": [["rng", "virtio-rng-pci", 2]]},
}


@pytest.mark.parametrize("settings", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_tree_at_the_start(settings: dict[str, Any]) -> None:
    with Oracle(settings) as oracle:
        assert tree_differences(device_tree(Ours(settings).machine), oracle.boot_tree()) == []
