"""`baseboard spapr exec`: an unmodified hot-plug tool on our platform."""

from __future__ import annotations

import base64
from pathlib import Path

import click

from baseboard.cli.flags import PATH
from baseboard.cli.spapr_commands.files import FILES, guest_files
from baseboard.cli.spapr_commands.flags import STATE, partition


@click.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@STATE
@click.option("--files", metavar="DIR", type=PATH, help="Where the guest's files are kept (DIR/files).")
@click.option(
    "--qemu",
    metavar="PROGRAM",
    default="qemu-ppc64le",
    show_default=True,
    envvar="BASEBOARD_QEMU_PPC64LE",
    help="qemu-user, version 9 or newer; or by BASEBOARD_QEMU_PPC64LE.",
)
@click.option(
    "--sysroot",
    metavar="DIR",
    type=PATH,
    default=Path("/usr/powerpc64le-linux-gnu"),
    show_default=True,
    envvar="BASEBOARD_PPC64LE_SYSROOT",
    help="The ppc64el system with the tools; or by BASEBOARD_PPC64LE_SYSROOT.",
)
@click.argument("command", nargs=-1, required=True)
@click.pass_context
def run_tool(
    context: click.Context,
    state: Path,
    files: Path | None,
    qemu: str,
    sysroot: Path,
    command: tuple[str, ...],
) -> None:
    """Run drmgr, lsslot or another ppc64le COMMAND of powerpc-ibm-utils, without root.

    Its RTAS calls are answered by the partition; what it changes in the guest's device tree is kept for the
    next command, until the partition is reset.
    """
    from baseboard.attach.hotplug_tools import HotplugTools
    from baseboard.attach.linux_files import FileMemory

    with partition(state) as caller:
        guest = guest_files(caller, files or state / FILES)
        memory = FileMemory(guest.root)

        def call(token: int, arguments: tuple[int, ...], results: int) -> list[int]:
            content = memory.read(memory.base, memory.size)
            answer = caller.call(
                "rtas",
                service=token,
                arguments=list(arguments),
                results=results,
                base=memory.base,
                memory=base64.b64encode(content).decode(),
            )
            if answer["memory"] is not None:
                memory.write(memory.base, base64.b64decode(answer["memory"]))
            return list(answer["results"])

        try:
            status = HotplugTools(guest, call, qemu, sysroot).run(command)
        finally:
            memory.close()
    context.exit(status)
