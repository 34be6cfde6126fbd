"""`baseboard pci-proxy`: a QEMU with our PCI functions in it."""

from __future__ import annotations

import os
import re
import signal
import socket
from pathlib import Path

import click

from baseboard.cli.flags import PATH, WithQemu
from baseboard.errors import BaseboardError, ConfigError


@click.command(
    cls=WithQemu,
    options_metavar="",
    epilog="The machine is to be one of QEMU 7.2 on x86 (pc or q35).",
)
@click.argument("paths", metavar="PATH... -- QEMU COMMAND LINE", type=PATH, nargs=-1, required=True)
def pci_proxy(paths: tuple[Path, ...], qemu: tuple[str, ...]) -> None:
    """Become QEMU with the functions of `baseboard run --pci-proxy PATH` in it.

    QEMU's x-pci-proxy-dev takes a connection that is open already: this command connects to each PATH, adds
    the devices to QEMU's command line, and is replaced by QEMU. The guest's memory becomes shareable, without
    which QEMU complains at each change of its memory.
    """
    if not qemu:
        raise ConfigError("name the QEMU to run: baseboard pci-proxy PATH -- qemu-system-x86_64 ...")
    added = _shareable_memory(qemu)
    for number, path in enumerate(paths):
        descriptor = _connected(path)
        added += ("-device", f"x-pci-proxy-dev,id=ipmi{number},fd={descriptor}")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and QEMU would inherit that
    try:
        os.execvp(qemu[0], (*qemu, *added))  # the user's own command line
    except OSError as error:
        raise ConfigError(f"{qemu[0]}: cannot be run: {error.strerror}") from None


def _shareable_memory(qemu: tuple[str, ...]) -> list[str]:
    """Options for memory as large as `-m` says; none when that is not plain or memory is given otherwise."""
    if any("memory-backend" in word for word in qemu):
        return []
    size = qemu[qemu.index("-m") + 1 :][:1] if "-m" in qemu else ("128",)
    found = re.fullmatch(r"(?:size=)?(\d+)([kMGT]?)", size[0]) if size else None
    if found is None:
        return []
    size_option = f"size={found[1]}{found[2] or 'M'}"
    return [
        *("-object", f"memory-backend-memfd,id=shareable,{size_option},share=on"),
        *("-machine", "memory-backend=shareable"),
    ]


def _connected(path: Path) -> int:
    """A connection that QEMU inherits.  Raises BaseboardError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        raise BaseboardError(
            f"{path}: cannot connect: {error.strerror or error}; is `baseboard run --pci-proxy {path}` there?"
        ) from None
    connection.set_inheritable(True)
    return connection.detach()
