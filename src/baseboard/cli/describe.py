"""`baseboard describe`: tell an operating system where a system interface is."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import click

from baseboard.cli.flags import JSON, PATH
from baseboard.errors import ConfigError


def number(text: str) -> int:
    """Decimal or with 0x."""
    try:
        return int(text, 0)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a number, as in 0xca2 or 5") from None


@click.command
@click.option("--interface", metavar="NAME", required=True, help="kcs, bt, smic or ssif.")
@click.option("--port", metavar="PORT", type=number, help="First I/O port (0xca2; bt 0xe4; smic 0xca9).")
@click.option("--memory", metavar="ADDRESS", type=number, help="First address, when it is in memory.")
@click.option(
    "--spacing", metavar="BYTES", type=number, default="1", help="Bytes from register to register (1)."
)
@click.option("--irq", metavar="NUMBER", type=number, help="Interrupt line (none).")
@click.option(
    "--trigger",
    metavar="KIND",
    default="edge-high",
    help="What asserts it: edge-high, as on ISA, or level-low, as on PCI (edge-high).",
)
@click.option("--smbus-address", metavar="ADDRESS", type=number, help="SSIF: 8-bit address (0x20).")
@click.option(
    "--smbus", metavar="PATH", help=r"SSIF: ACPI path of the SMBus controller (\_SB.PCI0.SFB, as on q35)."
)
@click.option(
    "--slave-address",
    metavar="ADDRESS",
    type=number,
    default="0x20",
    help="The controller's own address on the IPMB (0x20).",
)
@click.option("--uid", metavar="NUMBER", type=number, default="0", help="Tells several interfaces apart (0).")
@click.option("--smbios", "smbios_file", metavar="FILE", type=PATH, help="Write SMBIOS type 38 there.")
@click.option("--ssdt", "ssdt_file", metavar="FILE", type=PATH, help="Write the ACPI device there.")
@click.option("--spmi", "spmi_file", metavar="FILE", type=PATH, help="Write the ACPI table SPMI there.")
@JSON
def describe(
    smbios_file: Path | None, ssdt_file: Path | None, spmi_file: Path | None, as_json: bool, **place: Any
) -> None:
    """Write the firmware tables of a system interface.

    Prints the QEMU options that take them.
    """
    from baseboard.interface.describe import smbios, spmi, ssdt

    description = _description(**place)
    # fmt: off
    wanted = (
        #          file         its bytes  QEMU's option
        ("smbios", smbios_file, smbios,    "-smbios"),
        ("ssdt",   ssdt_file,   ssdt,      "-acpitable"),
        ("spmi",   spmi_file,   spmi,      "-acpitable"),
    )
    # fmt: on
    named = [file for _, file, _, _ in wanted if file is not None]
    if not named:
        raise ConfigError("name at least one file to write: --smbios FILE, --ssdt FILE or --spmi FILE")
    if len(set(named)) < len(named):
        raise ConfigError("--smbios, --ssdt and --spmi: each needs a file of its own")
    files: dict[str, str] = {}
    options: list[str] = []
    for what, file, made, option in wanted:
        if file is not None:
            _write(file, made(description))
            files[what] = str(file)
            options += [option, f"file={str(file).replace(',', ',,')}"]
    click.echo(json.dumps({"files": files, "qemu": options}) if as_json else shlex.join(options))


def _description(
    *,
    interface: str,
    port: int | None,
    memory: int | None,
    spacing: int,
    irq: int | None,
    trigger: str,
    smbus_address: int | None,
    smbus: str | None,
    slave_address: int,
    uid: int,
) -> Any:
    from baseboard.interface.describe import Description, Kind, Space, Trigger
    from baseboard.interface.describe.description import DEFAULT_BASE

    kinds = {kind.name.lower(): kind for kind in Kind}
    if interface not in kinds:
        raise ConfigError(f"--interface: {interface!r} is not one of {', '.join(kinds)}")
    if trigger not in set(Trigger):
        raise ConfigError(f"--trigger: {trigger!r} is not one of {', '.join(Trigger)}")
    kind = kinds[interface]
    unfit: dict[str, object]
    if kind is Kind.SSIF:
        unfit = {"--port": port, "--memory": memory}
    else:
        unfit = {"--smbus-address": smbus_address, "--smbus": smbus}
    for flag, value in unfit.items():
        if value is not None:
            raise ConfigError(f"{flag} is not for {interface}")
    if port is not None and memory is not None:
        raise ConfigError("--port and --memory: an interface is at one of them")
    if irq is None and trigger != Trigger.EDGE_HIGH:
        raise ConfigError(f"--trigger {trigger} is for an interrupt: name its line with --irq")
    given = [base for base in (port, memory, smbus_address) if base is not None]
    return Description(
        kind=kind,
        base=given[0] if given else DEFAULT_BASE[kind],
        space=Space.IO if memory is None else Space.MEMORY,
        spacing=spacing,
        irq=irq or None,
        trigger=Trigger(trigger),
        slave_address=slave_address,
        uid=uid,
        **({} if smbus is None else {"smbus": smbus}),
    )


def _write(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
