"""`baseboard run`: one controller, until Ctrl-C.

Its flags are read with argparse and not with typer: typer 0.29 brings pydantic and needs 100 ms before it
has read a flag, two thirds of the time in which a controller is to answer.
"""

from __future__ import annotations

import argparse
import gc
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from baseboard.errors import BaseboardError
from baseboard.store.directory import default_state

if TYPE_CHECKING:
    from baseboard.fleet.instance import Instance
    from baseboard.fleet.options import Options
    from baseboard.store.password import Password

# fmt: off
FLAGS = (
    # flag              metavar      what it says (and what holds without it)
    ("--config",        "FILE",      "configuration file; flags win over it"),
    ("--state",         "DIR",       "state directory ($XDG_STATE_HOME/baseboard/default)"),
    ("--lan",           "HOST:PORT", "where to answer IPMI over LAN; port 0: the system chooses "
                                     "(127.0.0.1:6230, or the first free port after it)"),
    ("--user",          "NAME",      "the first user's name (admin)"),
    ("--password-file", "FILE",      "one line of 1 to 20 bytes (DIR/password, made at the first run)"),
    ("--vm",            "ADDRESS",   "where a guest's QEMU is: connect:unix:PATH, listen:unix:PATH, "
                                     "connect:tcp:HOST:PORT or listen:tcp:HOST:PORT; may be given several "
                                     "times (connect:unix:DIR/vm.sock)"),
    ("--console",       "ADDRESS",   "the machine's serial port: unix:PATH, tcp:HOST:PORT or pty"),
    ("--power",         "KIND",      "what power commands act on: simulated, vm or qemu (simulated; qemu "
                                     "with a QEMU command line)"),
    ("--interface",     "NAME",      "system interface of the QEMU that we run: kcs, bt or ssif (kcs)"),
)
# fmt: on

ABOUT = """\
Run a controller: with no arguments, a complete simulated server. The first run makes a password and shows
it once. What commands change is kept in the state directory."""


def parser() -> argparse.ArgumentParser:
    """The flags in front of the QEMU command line."""
    made = argparse.ArgumentParser(
        prog="baseboard run",
        usage="baseboard run [OPTIONS] [-- QEMU COMMAND LINE]",
        description=ABOUT,
        epilog="-- QEMU COMMAND LINE: run this QEMU and give it this controller.",
        allow_abbrev=False,
    )
    for flag, metavar, text in FLAGS:
        made.add_argument(flag, metavar=metavar, help=text, action="append" if flag == "--vm" else "store")
    made.add_argument("--json", action="store_true", help="one line of JSON when everything is ready")
    return made


def run(arguments: Sequence[str]) -> None:
    """Run as the arguments say.  Raises BaseboardError, SystemExit."""
    from baseboard.fleet.plan import Flags, plan

    own, qemu = _split(arguments)
    given = parser().parse_args(own)
    options, password = plan(
        Flags(
            state=Path(given.state) if given.state else default_state(),
            lan=given.lan,
            user=given.user,
            password_file=Path(given.password_file) if given.password_file else None,
            vms=tuple(given.vm or ()),
            console=given.console,
            power=given.power,
            interface=given.interface,
            config=Path(given.config) if given.config else None,
            qemu=tuple(qemu),
        )
    )
    serve(options, password, given.json)


def _split(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What is ours, and what stands behind the first `--`."""
    if "--" not in arguments:
        return arguments, ()
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def serve(options: Options, password: Password, as_json: bool) -> None:
    """Run an instance until the process is told to stop."""
    import asyncio
    import signal

    from baseboard.fleet.instance import Instance

    announced = False

    def announce(instance: Instance) -> None:
        nonlocal announced
        ready = instance.ready()
        if as_json:
            print(json.dumps(ready), flush=True)
        else:
            from baseboard.cli.welcome import welcome
            from baseboard.fleet.users import FIRST_USER

            changed = instance.bmc.users.user(FIRST_USER).password != password.value
            print(welcome(ready, options, password, changed), flush=True)
        announced = True

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

    try:
        asyncio.run(until_stopped())
    except BaseboardError:
        if password.fresh and not announced:
            password.path.unlink(missing_ok=True)  # nobody was told: the next start makes and shows another
        raise
