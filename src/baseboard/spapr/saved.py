"""A machine as plain values, and back: JSON takes them, whatever the guest was in the middle of.

Only what is not as after a reset is there of a connector. A device's tree that configure-connector is handing
out is made anew from the device; the place in it is kept.

What is added to a machine later is optional here and has a default, that of machines before it, so that
what was saved stays readable. `VERSION` is raised when what is there already gets another meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from baseboard.errors import ConfigError
from baseboard.spapr.choices import Choice
from baseboard.spapr.devices import (
    PEOPLE_CALL_THEM,
    Core,
    Device,
    Dimm,
    Nvdimm,
    PciFunction,
    Phb,
    TpmProxy,
    kind_of,
)
from baseboard.spapr.drc import Connector, State
from baseboard.spapr.guest_memory import GuestMemory
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.management import bridges, cards, cores, memory, tpm
from baseboard.spapr.processor import LOGICAL, POWER9, Processor
from baseboard.spapr.refusal import Refusal
from baseboard.spapr.settings import MachineSettings

VERSION = 1
LARGEST_OFFSET = 1 << 40
"""Of a guest's clock, in seconds: more than all the years that it can be set to."""

_PLUGS: Mapping[type[Device], Callable[..., Device]] = {
    Phb: bridges.plug_phb,
    Core: cores.plug_core,
    Dimm: memory.plug_dimm,
    Nvdimm: memory.plug_nvdimm,
    PciFunction: cards.plug_pci,
}
_ORDER = (*_PLUGS, TpmProxy)
"""A card needs its host bridge."""


def export(machine: PseriesMachine) -> dict[str, Any]:
    """Everything that the machine is; callbacks, memory and clock are its surroundings."""
    released = {
        block.index
        for device in machine.devices()
        if isinstance(device, Dimm)
        for block in memory.blocks(machine, device)
        if block.device is None
    }
    settings = asdict(machine.settings)
    settings["choices"] = [choice.name for choice in machine.choices]
    return {
        "version": VERSION,
        "settings": settings,
        "devices": [{"kind": kind_of(device), **asdict(device)} for device in machine.devices()],
        "connectors": {
            f"{connector.index:#010x}": row
            for connector in machine.connectors.values()
            if (row := _changed(connector, connector.index in released))
        },
        "buses": [[*place, number] for place, number in machine.buses.items()],
        "new_cards": [index for index in sorted(machine.new_cards) if _occupied(machine, index)],
        "memory_at_reset": machine.memory_at_reset,
        "processor": list(machine.processor),
        "running": sorted(machine.running),
        "clock_offset": machine.clock_offset,
        "vector5": None if machine.vector5 is None else machine.vector5.hex(),
        "events": machine.events.export(),
        "faults": machine.faults.to_rows(),
    }


def restore(
    data: Mapping[str, Any], *, guest: GuestMemory | None = None, clock: Callable[[], float] = lambda: 0.0
) -> PseriesMachine:
    """Raises `ConfigError`, which says where."""
    if not isinstance(data, Mapping) or data.get("version") != VERSION:
        raise ConfigError(f"this is no machine of version {VERSION}, which is the one that can be read")
    try:
        machine = PseriesMachine(_settings(data["settings"]), memory=guest, clock=clock, populated=False)
        devices = _nested([_device(number, row) for number, row in enumerate(data["devices"])])
        for kind in _ORDER:
            for device in devices:
                if type(device) is kind:
                    _put(machine, device)
        for index, row in data["connectors"].items():
            _change(machine, index, row)
        _count_blocks(machine)
        for phb, chassis, number in data["buses"]:
            if (phb, chassis) in machine.buses:
                machine.buses[phb, chassis] = int(number) & 0xFF
        machine.new_cards = {index for index in data.get("new_cards", ()) if _occupied(machine, index)}
        machine.memory_at_reset = int(data["memory_at_reset"])
        version, radix = data.get("processor", Processor())
        if version not in (POWER9, *LOGICAL):
            raise ValueError(f"processor version {version!r}")
        machine.processor = Processor(version, bool(radix))
        machine.running = {int(number) for number in data["running"] if machine.has_processor(int(number))}
        machine.clock_offset = int(data["clock_offset"])
        if abs(machine.clock_offset) > LARGEST_OFFSET:
            raise ValueError(f"clock_offset {machine.clock_offset}")
        vector = data["vector5"]
        machine.vector5 = None if vector is None else bytes.fromhex(vector)
        for row in data["faults"]:
            machine.faults.add(row)
        machine.events.restore(data["events"])
    except Refusal as refusal:
        raise ConfigError(f"devices: {refusal}") from refusal
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ConfigError(f"the machine's state: {type(error).__name__}: {error}") from error
    return machine


def _occupied(machine: PseriesMachine, index: int) -> bool:
    connector = machine.connectors.get(index)
    return connector is not None and connector.device is not None


def _changed(connector: Connector, released: bool) -> dict[str, Any]:
    """What is not as after a reset."""
    row: dict[str, Any] = {}
    there = connector.device is not None
    if connector.state != (connector.READY if there else connector.EMPTY):
        row["state"] = int(connector.state)
    if connector.unplug_requested:
        row["unplug_requested"] = True
    if connector.indicator != (1 if there and connector.kind.physical else 0):
        row["indicator"] = connector.indicator
    if connector.position:
        row["position"] = connector.position
    if released:
        row["released"] = True
    return row


def _change(machine: PseriesMachine, index: str, row: Mapping[str, Any]) -> None:
    connector = machine.connectors[int(index, 16)]
    if row.get("released", False):
        connector.device = None
        connector.settle()
    connector.state = State(row.get("state", connector.state))
    if connector.state not in {state for state, _ in connector.STEPS}:
        raise ValueError(f"{connector.name} cannot be in state {connector.state}")
    if connector.device is None and connector.state != connector.EMPTY:
        raise ValueError(f"{connector.name} is in state {connector.state} without a device")
    connector.unplug_requested = bool(row.get("unplug_requested", False)) and connector.device is not None
    connector.indicator = int(row.get("indicator", connector.indicator)) & 3
    connector.position = max(int(row.get("position", 0)), 0)


def _settings(row: Mapping[str, Any]) -> MachineSettings:
    named = dict(row)
    choices = Choice.NONE
    for name in named.pop("choices"):
        choices |= Choice[name]
    for key in ("phbs", "numa"):
        named[key] = tuple(named[key])
    return MachineSettings(**named, choices=choices)


def _device(number: int, row: Mapping[str, Any]) -> Device:
    named = dict(row)
    kind = PEOPLE_CALL_THEM[named.pop("kind")]
    device = kind(**named)
    for name, value in asdict(device).items():
        if not isinstance(value, str if name in ("id", "model", "uuid", "tpm") else int):
            raise ValueError(f"device {number}: {name} = {value!r}")
    return device


def _nested(devices: list[Device]) -> list[Device]:
    """Bridges before what is behind them."""
    cards = [device for device in devices if isinstance(device, PciFunction)]
    ordered: list[Device] = [device for device in devices if not isinstance(device, PciFunction)]
    there = {(card.phb, 0) for card in cards}
    while cards:
        next_ = [card for card in cards if (card.phb, card.chassis) in there]
        if not next_:
            raise ValueError(f"{cards[0].id or 'a card'}: there is no bridge of chassis {cards[0].chassis}")
        ordered += next_
        there |= {(card.phb, card.bridge) for card in next_}
        cards = [card for card in cards if card not in next_]
    return ordered


def _put(machine: PseriesMachine, device: Device) -> None:
    """By the rules of plugging in, which say what cannot be."""
    named = asdict(device)
    name = named.pop("id")
    if isinstance(device, TpmProxy):
        tpm.plug_tpm_proxy(machine, name, device.tpm)
    else:
        _PLUGS[type(device)](machine, name, **named, cold=True)


def _count_blocks(machine: PseriesMachine) -> None:
    for device in machine.devices():
        if isinstance(device, Dimm):
            machine.held[device.address] = sum(
                connector.device is not None for connector in memory.blocks(machine, device)
            )
