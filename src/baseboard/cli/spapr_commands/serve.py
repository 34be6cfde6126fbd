"""`baseboard spapr serve`: one partition, until Ctrl-C."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from baseboard.cli.flags import PATH
from baseboard.cli.spapr_commands.flags import STATE, absolute
from baseboard.store.directory import CONTROL


@click.command
@click.argument("config", metavar="[CONFIG]", type=PATH, required=False)
@STATE
@click.option(
    "--socket", "path", metavar="PATH", type=PATH, help="Where the control socket is (DIR/control.sock)."
)
@click.option("--cores", metavar="N", type=int, help="Processor cores at the first start (1).")
@click.option("--max-cores", metavar="N", type=int, help="Cores that there can be (8).")
@click.option("--ram", metavar="SIZE", help="Memory at the first start (4G).")
@click.option("--max-ram", metavar="SIZE", help="Memory with everything that can be plugged in (16G).")
@click.option("--slots", metavar="N", type=int, help="Slots for memory (16).")
@click.option(
    "--tpm",
    metavar="TPM",
    help="TPM for H_TPM_COMM: unix:PATH, tcp:HOST:PORT, /dev/tpmrm0 or /dev/tpm0 (that of last time).",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON when everything is ready.")
def serve(
    config: Path | None, state: Path, path: Path | None, tpm: str | None, as_json: bool, **flags: Any
) -> None:
    """Serve a partition's platform on a control socket.

    CONFIG is a TOML file; without it, and without flags, it is the partition that is kept in the state
    directory, or a small one.
    """
    import asyncio
    import signal

    from baseboard.fleet.control import ControlServer
    from baseboard.fleet.partition.methods import methods
    from baseboard.fleet.partition.partition import open_partition
    from baseboard.fleet.partition.plan import plan

    partition, store = open_partition(state, plan(config, flags))
    place = path or state / CONTROL

    def on_fault(name: str, error: Exception) -> None:
        click.echo(f"baseboard: {name}: internal error ({type(error).__name__}: {error})", err=True)

    async def until_stopped() -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stopping.set)
        server = ControlServer(place, methods(partition), on_fault)
        await server.start()
        try:
            settings = partition.machine.settings
            if as_json:
                print(json.dumps({"state": str(state), "control": str(place)}), flush=True)
            else:
                print(
                    f"A partition of {settings.cores} to {settings.possible_cores} cores and "
                    f"{settings.ram >> 20} to {settings.largest_ram >> 20} MiB; its socket is {place}",
                    flush=True,
                )
            await stopping.wait()
        finally:
            await server.stop()

    try:
        if tpm is not None:
            partition.use_tpm(absolute(tpm))
        asyncio.run(until_stopped())
    finally:
        partition.close()
        store.close()
