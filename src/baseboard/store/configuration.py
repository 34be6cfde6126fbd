"""The configuration file: one TOML file in which everything is optional.

`load` returns a `Configuration` that has been checked whole, with its `Source`; or it raises one
ConfigError that names each mistake with file, line, what was found and what is allowed. What the settings
mean for a controller is `fleet.configured`'s business; what it finds wrong, it says with the same source.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from baseboard.errors import ConfigError
from baseboard.store.mistakes import explain
from baseboard.store.sections import (
    Alert,
    Console,
    Fru,
    Function,
    Identity,
    Ipmb,
    Lan,
    Pef,
    Power,
    Satellite,
    Sel,
    Sensor,
    SerialChannel,
    Simulation,
    Sol,
    User,
    Vm,
)
from baseboard.store.setting import Section
from baseboard.store.source import Source, read


class Configuration(Section):
    """The whole file."""

    lan: Lan = Field(default_factory=Lan)
    user: list[User] = Field([], max_length=15)
    identity: Identity = Field(default_factory=Identity)
    vm: Vm = Field(default_factory=Vm)
    function: list[Function] = Field([])
    console: Console = Field(default_factory=Console)
    power: Power = Field(default_factory=Power)
    sel: Sel = Field(default_factory=Sel)
    pef: Pef = Field(default_factory=Pef)
    alert: list[Alert] = Field([])
    sol: Sol = Field(default_factory=Sol)
    fru: Fru = Field(default_factory=Fru)
    simulation: Simulation = Field(default_factory=Simulation)
    sensor: list[Sensor] = Field([])
    serial_channel: SerialChannel = Field(default_factory=SerialChannel)
    ipmb: Ipmb = Field(default_factory=Ipmb)
    satellite: list[Satellite] = Field([])


def load(path: Path) -> tuple[Configuration, Source]:
    """Read and check a file.  Raises ConfigError."""
    source = read(path, f"`baseboard init {path}` writes a commented one")
    try:
        return Configuration.model_validate(source.data), source
    except ValidationError as error:
        raise ConfigError("\n".join(explain(error, Configuration, source))) from error
