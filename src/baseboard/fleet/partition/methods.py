"""The methods of a partition's control socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from itertools import islice
from typing import Any

from baseboard.errors import ConfigError
from baseboard.fleet.control import ControlError, Methods
from baseboard.fleet.methods.method import Method, Parameter, flag, integer, text
from baseboard.fleet.partition.calls import CALLS
from baseboard.fleet.partition.partition import Partition, guest_tree
from baseboard.spapr.call_log import CallLog, Entry, size
from baseboard.spapr.device_tree import device_tree
from baseboard.spapr.devices import Core, kind_of
from baseboard.spapr.drc import Connector
from baseboard.spapr.refusal import Refusal
from baseboard.spapr.replaying import replay
from baseboard.spapr.saved import export, restore
from baseboard.spapr.tree import Node
from baseboard.store.partition import SIZE, size_of

MOST_ROWS = 1000
MOST_CHARACTERS = 1 << 20
"""Of the guest's memory in a page of the log."""


def _status(partition: Partition) -> dict[str, Any]:
    machine = partition.machine
    settings = machine.settings
    return {
        "cores": sum(isinstance(device, Core) for device in machine.devices()),
        "max_cores": settings.possible_cores,
        "ram": settings.ram,
        "max_ram": settings.largest_ram,
        "connectors": len(machine.connectors),
        "events": len(machine.events),
        "hotplug_events": machine.hotplug_events,
        "faults": len(machine.faults.to_rows()),
        "log": None if machine.log is None else len(machine.log.entries),
    }


def connector_row(connector: Connector) -> dict[str, Any]:
    device = connector.device
    return {
        "index": f"{connector.index:#010x}",
        "name": connector.name,
        "kind": connector.kind.name,
        "state": connector.state.name.lower().replace("_", " "),
        "sense": connector.entity_sense().name.lower(),
        "device": None if device is None else device.id or kind_of(device),
        "unplug_requested": connector.unplug_requested,
        "parent": connector.parent,
    }


def _list(partition: Partition, everything: bool, after: int) -> dict[str, Any]:
    rows = (
        connector
        for index, connector in sorted(partition.machine.connectors.items())
        if index > after and (everything or connector.device is not None)
    )
    found = list(islice(rows, MOST_ROWS + 1))
    return {"connectors": [connector_row(row) for row in found[:MOST_ROWS]], "more": len(found) > MOST_ROWS}


def _plug(plug: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    def method(partition: Partition, **given: Any) -> dict[str, Any]:
        try:
            device = plug(partition.machine, **given)
        except Refusal as refusal:
            raise ControlError("refused", str(refusal)) from refusal
        return {"device": kind_of(device), **asdict(device)}

    return method


def _plug_tpm(partition: Partition, name: str, tpm: str) -> dict[str, Any]:
    try:
        proxy = partition.plug_tpm(name, tpm)
    except Refusal as refusal:
        raise ControlError("refused", str(refusal)) from refusal
    except ConfigError as error:
        raise ControlError("bad-parameters", f"plug.tpm: tpm: {error}") from error
    return {"device": kind_of(proxy), **asdict(proxy)}


def _unplug(partition: Partition, id: str) -> dict[str, Any]:
    try:
        partition.machine.unplug(id)
    except Refusal as refusal:
        raise ControlError("refused", str(refusal)) from refusal
    return {"requested": id, "there": id in partition.machine.names}


def _power_down(partition: Partition) -> dict[str, Any]:
    partition.machine.power_down()
    return {"requested": "power-down"}


def _reset(partition: Partition) -> dict[str, Any]:
    partition.reset()
    return {"reset": True}


def _tree(partition: Partition, path: str, guest: bool) -> dict[str, Any]:
    machine = partition.machine
    node = (guest_tree(machine) if guest else device_tree(machine)).find(path)
    if node is None:
        raise ControlError("not-found", f"no node {path}")
    return node_data(node)


def node_data(node: Node) -> dict[str, Any]:
    """A node as JSON has it: values as hexadecimal digits."""
    return {
        "name": node.name,
        "properties": {name: value.hex() for name, value in node.properties.items()},
        "children": [node_data(child) for child in node.children],
    }


def data_node(data: Any) -> Node:
    """The other way round."""
    properties = {name: bytes.fromhex(value) for name, value in data["properties"].items()}
    return Node(data["name"], properties, map(data_node, data["children"]))


def _notices(partition: Partition, after: int) -> dict[str, Any]:
    return {"events": [notice for notice in partition.notices if notice["number"] > after]}


def _cards(partition: Partition) -> dict[str, Any]:
    return {"cards": sorted(partition.cards_present())}


def _add_fault(partition: Partition, fault: dict[str, Any]) -> dict[str, Any]:
    try:
        partition.machine.plan_fault(fault)
    except ConfigError as error:
        raise ControlError("bad-parameters", str(error)) from error
    return _list_faults(partition)


def _list_faults(partition: Partition) -> dict[str, Any]:
    return {"faults": partition.machine.faults.to_rows()}


def _clear_faults(partition: Partition) -> dict[str, Any]:
    partition.machine.clear_faults()
    return _list_faults(partition)


def _start_log(partition: Partition) -> dict[str, Any]:
    partition.machine.log = CallLog(begin=export(partition.machine))
    return {"entries": 0}


def _stop_log(partition: Partition) -> dict[str, Any]:
    partition.machine.log = None
    return {"entries": None}


def _get_log(partition: Partition, after: int) -> dict[str, Any]:
    log = partition.machine.log
    if log is None:
        raise ControlError("not-found", "there is no log: `baseboard spapr log start` (log.start) begins one")
    entries: list[Entry] = []
    room = MOST_CHARACTERS
    for entry in islice(log.entries, after, after + MOST_ROWS):
        room -= size(entry)
        if entries and room < 0:
            break
        entries.append(entry)
    page = {"entries": entries, "dropped": log.dropped, "more": after + len(entries) < len(log.entries)}
    return page if after else page | {"begin": log.begin}


def _replay(partition: Partition, entries: list[Any]) -> dict[str, Any]:
    """The partition itself is not changed."""
    try:
        return {"difference": replay(restore(export(partition.machine)), entries)}
    except ConfigError as error:
        raise ControlError("bad-parameters", str(error)) from error


def _size(value: Any) -> int:
    try:
        return size_of(value)
    except (TypeError, ValueError):
        raise ValueError(SIZE) from None


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a table")
    return value


def _entries(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("a list of a log's entries")
    return value


def _name(value: Any) -> str:
    if not text(value):
        raise ValueError("a name, by which it can be unplugged")
    return str(value)


_ID = Parameter("name", _name)
_AFTER = Parameter("after", integer(0, 1 << 53), 0)
_NODE = Parameter("node", integer(0, 127), 0)

# fmt: off
METHODS = (
    Method("status", _status),
    Method("ls", _list, (Parameter("everything", flag, False), _AFTER)),
    Method("plug.core", _plug(lambda machine, name, core, node: machine.plug_core(name, core, node=node)),
           (_ID, Parameter("core", integer(0, 1 << 20)), Parameter("node", integer(0, 127), None))),
    Method("plug.dimm", _plug(lambda machine, name, size, slot, node:
                              machine.plug_dimm(name, size, slot=slot, node=node)),
           (_ID, Parameter("size", _size), Parameter("slot", integer(0, 255), None), _NODE)),
    Method("plug.nvdimm", _plug(lambda machine, name, size, label_size, uuid, slot, node:
                                machine.plug_nvdimm(name, size, label_size=label_size, uuid=uuid, slot=slot,
                                                    node=node)),
           (_ID, Parameter("size", _size), Parameter("label_size", _size), Parameter("uuid", text),
            Parameter("slot", integer(0, 255), None), _NODE)),
    Method("plug.pci", _plug(lambda machine, name, model, slot, function, phb, chassis, bridge:
                             machine.plug_pci(name, model, slot, function, phb=phb, chassis=chassis,
                                              bridge=bridge)),
           (_ID, Parameter("model", text), Parameter("slot", integer(0, 31)),
            Parameter("function", integer(0, 7), 0), Parameter("phb", integer(0, 30), 0),
            Parameter("chassis", integer(0, 255), 0), Parameter("bridge", integer(0, 255), 0))),
    Method("plug.phb", _plug(lambda machine, name, index: machine.plug_phb(name, index)),
           (_ID, Parameter("index", integer(0, 30)))),
    Method("plug.tpm", _plug_tpm, (_ID, Parameter("tpm", text))),
    Method("unplug", _unplug, (Parameter("id", text),)),
    Method("power-down", _power_down),
    Method("reset", _reset),
    Method("tree", _tree, (Parameter("path", text, "/"), Parameter("guest", flag, False))),
    Method("events", _notices, (_AFTER,)),
    Method("cards", _cards),
    *CALLS,
    Method("fault.add", _add_fault, (Parameter("fault", _table),)),
    Method("fault.list", _list_faults),
    Method("fault.clear", _clear_faults),
    Method("log.start", _start_log),
    Method("log.stop", _stop_log),
    Method("log.get", _get_log, (_AFTER,)),
    Method("replay", _replay, (Parameter("entries", _entries),)),
)
# fmt: on


def methods(partition: Partition) -> Methods:
    """The table for one partition, as `ControlServer` wants it."""
    return {method.name: partial(method.call, partition) for method in METHODS}
