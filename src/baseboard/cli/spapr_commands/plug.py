"""`baseboard spapr plug`: put something in, and tell the guest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from baseboard.cli.flags import JSON
from baseboard.cli.output import print_json
from baseboard.cli.spapr_commands.flags import STATE, absolute, partition


@click.group(no_args_is_help=True)
def plug() -> None:
    """Plug in a core, memory, a PCI card, a host bridge or a TPM."""


def _plug(state: Path, kind: str, as_json: bool, **given: Any) -> None:
    with partition(state) as caller:
        device = caller.call(
            f"plug.{kind}", **{name: value for name, value in given.items() if value is not None}
        )
    if as_json:
        print_json(device)
    else:
        print(", ".join(f"{name} {value}" for name, value in device.items()))


@plug.command
@STATE
@click.argument("name")
@click.argument("core", type=int)
@click.option("--node", metavar="N", type=int, help="NUMA node (each in turn).")
@JSON
def core(state: Path, name: str, core: int, node: int | None, as_json: bool) -> None:
    """Plug in core number CORE (its first thread) as NAME."""
    _plug(state, "core", as_json, name=name, core=core, node=node)


@plug.command
@STATE
@click.argument("name")
@click.argument("size")
@click.option("--slot", metavar="N", type=int, help="Memory slot (the first that is free).")
@click.option("--node", metavar="N", type=int, help="NUMA node (0).")
@JSON
def dimm(state: Path, name: str, size: str, slot: int | None, node: int | None, as_json: bool) -> None:
    """Plug in memory of SIZE (1G) as NAME."""
    _plug(state, "dimm", as_json, name=name, size=size, slot=slot, node=node)


@plug.command
@STATE
@click.argument("name")
@click.argument("size")
@click.option("--label-size", metavar="SIZE", default="128K", show_default=True, help="Of the label area.")
@click.option("--uuid", metavar="UUID", help="Its UUID (a new one).")
@click.option("--slot", metavar="N", type=int, help="Memory slot (the first that is free).")
@click.option("--node", metavar="N", type=int, help="NUMA node (0).")
@JSON
def nvdimm(
    state: Path,
    name: str,
    size: str,
    label_size: str,
    uuid: str | None,
    slot: int | None,
    node: int | None,
    as_json: bool,
) -> None:
    """Plug in persistent memory of SIZE (1G), labels not counted, as NAME."""
    from uuid import uuid4

    _plug(
        state,
        "nvdimm",
        as_json,
        name=name,
        size=size,
        label_size=label_size,
        uuid=uuid or str(uuid4()),
        slot=slot,
        node=node,
    )


@plug.command
@STATE
@click.argument("name")
@click.argument("model")
@click.argument("slot", type=int)
@click.option("--function", metavar="N", type=int, help="Function, 0 last (0).")
@click.option("--phb", metavar="N", type=int, help="Host bridge (0).")
@click.option("--chassis", metavar="N", type=int, help="Behind the bridge of this number (behind none).")
@click.option("--bridge", metavar="N", type=int, help="The number of a pci-bridge, 1 to 255.")
@JSON
def pci(state: Path, name: str, model: str, slot: int, as_json: bool, **place: int | None) -> None:
    """Put a PCI card, by QEMU's name MODEL, into SLOT as NAME."""
    _plug(state, "pci", as_json, name=name, model=model, slot=slot, **place)


@plug.command
@STATE
@click.argument("name")
@click.argument("index", type=int)
@JSON
def phb(state: Path, name: str, index: int, as_json: bool) -> None:
    """Plug in PCI host bridge number INDEX as NAME."""
    _plug(state, "phb", as_json, name=name, index=index)


@plug.command
@STATE
@click.argument("name")
@click.argument("where", metavar="TPM")
@JSON
def tpm(state: Path, name: str, where: str, as_json: bool) -> None:
    """Plug in the proxy for H_TPM_COMM as NAME, with TPM behind it.

    TPM is unix:PATH, tcp:HOST:PORT, /dev/tpmrm0 or /dev/tpm0.
    """
    _plug(state, "tpm", as_json, name=name, tpm=absolute(where))
