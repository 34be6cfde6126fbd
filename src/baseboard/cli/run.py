"""`baseboard run`: one controller, until Ctrl-C."""

from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING, Any

import click

from baseboard.cli.flags import PATH, WithQemu
from baseboard.errors import BaseboardError
from baseboard.store.directory import default_state

if TYPE_CHECKING:
    from baseboard.fleet.instance import Instance
    from baseboard.fleet.options import Options
    from baseboard.store.password import Password


@click.command(
    cls=WithQemu,
    options_metavar="[OPTIONS] [-- QEMU COMMAND LINE]",
    epilog="-- QEMU COMMAND LINE: run this QEMU and give it this controller.",
)
@click.option("--config", metavar="FILE", type=PATH, help="Configuration file; flags win over it.")
@click.option(
    "--state",
    metavar="DIR",
    type=PATH,
    default=default_state,
    help="State directory ($XDG_STATE_HOME/baseboard/default).",
)
@click.option(
    "--lan",
    metavar="HOST:PORT",
    help="Where to answer IPMI over LAN; port 0: the system chooses "
    "(127.0.0.1:6230, or the first free port after it).",
)
@click.option("--user", metavar="NAME", help="The first user's name (admin).")
@click.option(
    "--password-file",
    metavar="FILE",
    type=PATH,
    help="One line of 1 to 20 bytes (DIR/password, made at the first run).",
)
@click.option(
    "--vm",
    "vms",
    metavar="ADDRESS",
    multiple=True,
    help="Where a guest's QEMU is: connect:unix:PATH, listen:unix:PATH, connect:tcp:HOST:PORT or "
    "listen:tcp:HOST:PORT; may be given several times (connect:unix:DIR/vm.sock).",
)
@click.option(
    "--vfio-user",
    metavar="PATH[,...]",
    multiple=True,
    help="A socket for QEMU's vfio-user-pci (10.1 and later): the interface as a PCI function of ours; "
    "interface=kcs, bt, smic or ssif (kcs), interrupt=none or intx (none), bar=memory or io (memory).",
)
@click.option(
    "--pci-proxy",
    metavar="PATH[,...]",
    multiple=True,
    help="The same for QEMU's x-pci-proxy-dev (7.2); interface=kcs, bt or smic (kcs), bar=io or memory (io).",
)
@click.option(
    "--dummy",
    metavar="PATH",
    type=PATH,
    help="A socket for `ipmitool -I dummy`: the system interface without a machine.",
)
@click.option(
    "--console", metavar="ADDRESS", help="The machine's serial port: unix:PATH, tcp:HOST:PORT or pty."
)
@click.option(
    "--serial-channel",
    metavar="ADDRESS",
    help="A serial port on which consoles speak IPMI (Basic and Terminal Mode): pty, listen:unix:PATH, "
    "listen:tcp:HOST:PORT, unix:PATH or tcp:HOST:PORT.",
)
@click.option(
    "--serial-privilege",
    metavar="LEVEL",
    help="What may be done there without a log-in: none, user, operator or administrator (none).",
)
@click.option(
    "--ipmb",
    metavar="ADDRESS",
    multiple=True,
    help="Other controllers on the same bus: listen:unix:PATH or listen:tcp:HOST:PORT where they join, "
    "connect:unix:PATH or connect:tcp:HOST:PORT to join; may be given several times.",
)
@click.option(
    "--bmc-at",
    metavar="FIRMWARE",
    help="Firmware that answers on our LAN in our place: qmp:PATH or ibt:PATH, KCS or BT of a QEMU that is a "
    "BMC, or vm:ADDRESS, whatever speaks the VM wire there.",
)
@click.option("--ipmb-address", metavar="ADDRESS", help="Our own address on that bus (0x20).")
@click.option(
    "--power",
    metavar="KIND",
    help="What power commands act on: simulated, vm or qemu (simulated; qemu with a QEMU command line).",
)
@click.option(
    "--interface",
    metavar="NAME",
    help="System interface of the QEMU that we run: kcs, bt or ssif (kcs).",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON when everything is ready.")
def run(as_json: bool, **flags: Any) -> None:
    """Run a controller, by default a simulated server's.

    Without arguments, the server is complete: it has power, sensors, a log and an inventory. The first run
    makes a password and shows it once. What commands change is kept in the state directory.
    """
    from baseboard.fleet.plan import Flags, plan  # here and not above: help needs no controller

    options, password = plan(Flags(**flags))
    serve(options, password, as_json)


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
