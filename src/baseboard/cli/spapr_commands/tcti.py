"""`baseboard spapr tcti`: any tpm2-tool through the TPM hypercall, by `-T "cmd:baseboard spapr tcti ..."`."""

from __future__ import annotations

import sys
from typing import IO

import click

from baseboard.errors import BaseboardError, ConfigError

_COMMAND_AT, _RESPONSE_AT = 0x1000, 0x3000
_MEMORY = 0x4000


@click.command
@click.option(
    "--tpm", "where", metavar="TPM", required=True, help="unix:PATH, tcp:HOST:PORT, /dev/tpmrm0 or /dev/tpm0."
)
@click.option(
    "--resource-manager/--no-resource-manager",
    default=None,
    help="Flush what the session leaves in the TPM, or not. Without it: yes, but for /dev/tpmrm0.",
)
def tcti(where: str, resource_manager: bool | None) -> None:
    """Carry TPM commands from standard input through H_TPM_COMM to a TPM, and the responses to standard
    output.

    For tpm2-tools: -T "cmd:baseboard spapr tcti --tpm unix:PATH".
    """
    from baseboard.aio.tpm import is_managed, tpm_link
    from baseboard.spapr.guest_memory import ByteMemory
    from baseboard.spapr.hcalls import Hypervisor
    from baseboard.spapr.hcalls.codes import H_RESOURCE, NAMES
    from baseboard.spapr.machine import PseriesMachine
    from baseboard.spapr.tpm import ResourceManager

    link = tpm_link(where)
    if resource_manager is None:
        resource_manager = not is_managed(where)
    machine = PseriesMachine(memory=ByteMemory(_MEMORY))
    machine.plug_tpm_proxy("tpm")
    hypervisor = Hypervisor(machine, tpm=ResourceManager(link) if resource_manager else link)
    try:
        while command := _read_command(sys.stdin.buffer):
            machine.memory.write(_COMMAND_AT, command)
            status, length = hypervisor.call(0xEF10, 1, _COMMAND_AT, len(command), _RESPONSE_AT, 4096)
            if status:
                reason = f": {hypervisor.session.failure}" if status == H_RESOURCE else ""
                raise BaseboardError(f"H_TPM_COMM answers {NAMES[status]}{reason}")
            sys.stdout.buffer.write(machine.memory.read(_RESPONSE_AT, length))
            sys.stdout.buffer.flush()
    finally:
        hypervisor.call(0xEF10, 2)


def _read_command(stream: IO[bytes]) -> bytes:
    """A whole one, by its own length; empty at the end."""
    from baseboard.spapr.tpm import HEADER_SIZE, MAXIMUM, announced_size

    head = stream.read(HEADER_SIZE)
    if not head:
        return b""
    size = announced_size(head)
    if len(head) < HEADER_SIZE or not HEADER_SIZE <= size <= MAXIMUM:
        raise ConfigError(
            f"standard input: no TPM command (it announces {size} bytes, {MAXIMUM} are allowed)"
        )
    body = stream.read(size - HEADER_SIZE)
    if len(body) < size - HEADER_SIZE:
        raise ConfigError(f"standard input: a command of {size} bytes ends after {len(head) + len(body)}")
    return head + body
