"""What a partition is to be at its first start: from the file, with flags over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from baseboard.errors import ConfigError
from baseboard.fleet.partition.partition import PartitionPlan
from baseboard.spapr.machine import PseriesMachine
from baseboard.spapr.refusal import Refusal
from baseboard.store.partition import PartitionFile, load, machine_settings, size_of

_SIZES = frozenset({"ram", "max_ram"})
"""Flags whose values are sizes."""


def plan(path: Path | None, flags: dict[str, Any]) -> PartitionPlan | None:
    """None: nobody said anything, so that what is kept is right.  Raises ConfigError.

    `flags` are settings of `[machine]`; None where a flag was not given.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    if path is None and not given:
        return None
    for name in _SIZES & given.keys():
        try:
            size_of(given[name])
        except ValueError as error:
            flag = name.replace("_", "-")
            raise ConfigError(f"--{flag}: found {given[name]!r:.60}; {error}") from error
    described = load(path)[0] if path is not None else PartitionFile.model_validate({})
    try:
        made = _plan(described, given)
        made.populate(PseriesMachine(made.settings))
    except (ConfigError, Refusal) as error:
        raise ConfigError(f"{path}: {error}" if path is not None else str(error)) from error
    return made


def default_plan() -> PartitionPlan:
    """One core of eight, 4 of 16 GiB, one host bridge."""
    return _plan(PartitionFile.model_validate({}), {})


def _plan(described: PartitionFile, given: dict[str, Any]) -> PartitionPlan:
    return PartitionPlan(
        machine_settings(described.machine.model_copy(update=given)),
        described.dimm,
        described.card,
        described.nvdimm,
    )
