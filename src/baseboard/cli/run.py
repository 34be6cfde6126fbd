"""`baseboard run`: one controller, until Ctrl-C."""

from __future__ import annotations

import gc
import json as json_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baseboard.cli.flags import Json, State

if TYPE_CHECKING:
    from baseboard.fleet.instance import Instance
    from baseboard.fleet.options import Options
    from baseboard.store.password import Password

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def run(
    state: State,
    lan: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where to answer IPMI over LAN; port 0: the system chooses.",
            show_default="127.0.0.1:6230, or the first free port after it",
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="The first user's name.", show_default="admin")
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="One line of 1 to 20 bytes.",
            show_default="DIR/password, made at the first run",
        ),
    ] = None,
    vm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where a guest's QEMU is: connect:unix:PATH, listen:unix:PATH, connect:tcp:HOST:PORT or "
            "listen:tcp:HOST:PORT. May be given several times.",
            show_default="connect:unix:DIR/vm.sock",
        ),
    ] = None,
    console: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="The machine's serial port: unix:PATH, tcp:HOST:PORT or pty."),
    ] = None,
    power: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="What power commands act on: simulated, vm or qemu.",
            show_default="simulated; vm with --vm; qemu with a QEMU command line",
        ),
    ] = None,
    interface: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="System interface of the QEMU we run: kcs, bt or ssif.", show_default="kcs"
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Configuration file; flags win over it.")
    ] = None,
    json: Json = False,
    qemu: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- QEMU COMMAND LINE]",
            help="Run this QEMU and give it this controller.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run a controller: with no arguments, a complete simulated server.

    The first run makes a password and shows it once. What commands change is kept in the state directory.
    """
    from baseboard.fleet.plan import Flags, plan

    options, password = plan(
        Flags(
            state=state,
            lan=lan,
            user=user,
            password_file=password_file,
            vms=tuple(vm or ()),
            console=console,
            power=power,
            interface=interface,
            config=config,
            qemu=tuple(qemu or ()),
        )
    )
    serve(options, password, json)


def serve(options: Options, password: Password, json: bool) -> None:
    """Run an instance until the process is told to stop."""
    import asyncio
    import signal

    from baseboard.fleet.instance import Instance

    def announce(instance: Instance) -> None:
        ready = instance.ready()
        if json:
            print(json_.dumps(ready), flush=True)
        else:
            from baseboard.cli.welcome import welcome

            print(welcome(ready, options, password), flush=True)

    async def until_stopped() -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stopping.set)
        instance = Instance(options)
        try:
            await instance.start()
            announce(instance)
            gc.freeze()  # what is here now stays: later collections need not look at it
            gc.enable()
            await stopping.wait()
        finally:
            await instance.stop()

    asyncio.run(until_stopped())
