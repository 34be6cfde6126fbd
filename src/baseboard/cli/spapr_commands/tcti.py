"""`baseboard spapr tcti`: any tpm2-tool through the TPM hypercall, by `-T "cmd:baseboard spapr tcti ..."`."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

import click

from baseboard.cli.client import PATIENCE
from baseboard.cli.spapr_commands.flags import STATE, Caller, partition
from baseboard.errors import BaseboardError, ConfigError
from baseboard.spapr.hcalls.codes import H_FUNCTION, H_RESOURCE, NAMES
from baseboard.spapr.hcalls.tpm_comm import CLOSE_SESSION, EXECUTE
from baseboard.spapr.tpm import HEADER_SIZE, MAXIMUM, announced_size

H_TPM_COMM = 0xEF10
Call = Callable[[int, bytes], tuple[int, bytes, str]]
"""Operation and command; r3, the response, and why there is none where somebody knows."""

_COMMAND_AT, _RESPONSE_AT = 0x1000, 0x3000
_MEMORY = 0x4000
_NO_PROXY = "the partition has no proxy: `baseboard spapr plug tpm` makes one; or name a TPM with --tpm"


@click.command
@STATE
@click.option(
    "--tpm",
    "where",
    metavar="TPM",
    help="unix:PATH, tcp:HOST:PORT, /dev/tpmrm0 or /dev/tpm0 (the one behind the partition's proxy).",
)
@click.option(
    "--resource-manager/--no-resource-manager",
    default=None,
    help="With --tpm: flush what the session leaves in the TPM, or not (yes, but for /dev/tpmrm0).",
)
def tcti(state: Path, where: str | None, resource_manager: bool | None) -> None:
    """Carry TPM commands from standard input through H_TPM_COMM to a TPM, and the responses to standard
    output.

    For tpm2-tools: -T "cmd:baseboard spapr tcti --tpm unix:PATH". Without --tpm the hypercalls are the
    partition's, in whose call log they are then.
    """
    if where is not None:
        return _carry(_own(where, resource_manager))
    from baseboard.aio.tpm import SHORT_PATIENCE

    with partition(state, patience=PATIENCE + 2 * SHORT_PATIENCE) as caller:  # it opens the TPM, then asks
        return _carry(partial(_served, caller))


def _carry(call: Call) -> None:
    try:
        while command := _read_command(sys.stdin.buffer):
            status, response, reason = call(EXECUTE, command)
            if status:
                raise BaseboardError(
                    f"H_TPM_COMM answers {NAMES.get(status, status)}{reason and ': '}{reason}"
                )
            sys.stdout.buffer.write(response)
            sys.stdout.buffer.flush()
    finally:
        call(CLOSE_SESSION, b"")


def _own(where: str, resource_manager: bool | None) -> Call:
    """By a machine of our own."""
    from baseboard.aio.tpm import is_managed, tpm_link
    from baseboard.spapr.guest_memory import ByteMemory
    from baseboard.spapr.hcalls import Hypervisor
    from baseboard.spapr.machine import PseriesMachine
    from baseboard.spapr.tpm import ResourceManager

    link = tpm_link(where)
    if resource_manager is None:
        resource_manager = not is_managed(where)
    machine = PseriesMachine(memory=ByteMemory(_MEMORY))
    machine.plug_tpm_proxy("tpm")
    hypervisor = Hypervisor(machine, tpm=ResourceManager(link) if resource_manager else link)

    def call(operation: int, command: bytes) -> tuple[int, bytes, str]:
        machine.memory.write(_COMMAND_AT, command)
        status, length = hypervisor.call(H_TPM_COMM, *_arguments(operation, command))
        if status:
            return status, b"", str(hypervisor.session.failure) if status == H_RESOURCE else ""
        return status, machine.memory.read(_RESPONSE_AT, length), ""

    return call


def _served(caller: Caller, operation: int, command: bytes) -> tuple[int, bytes, str]:
    """By the partition of a state directory."""
    answer = caller.call(
        "hcall",
        number=H_TPM_COMM,
        arguments=list(_arguments(operation, command)),
        base=_COMMAND_AT,
        memory=base64.b64encode(command).decode(),
        size=_MEMORY - _COMMAND_AT,
    )
    response = b"".join(base64.b64decode(one["data"]) for one in answer["written"])
    reason = _NO_PROXY if answer["r3"] == H_FUNCTION else answer.get("reason", "")
    return answer["r3"], response, reason


def _arguments(operation: int, command: bytes) -> tuple[int, ...]:
    return operation, _COMMAND_AT, len(command), _RESPONSE_AT, MAXIMUM


def _read_command(stream: IO[bytes]) -> bytes:
    """A whole one, by its own length; empty at the end."""
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
