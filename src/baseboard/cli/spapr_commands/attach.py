"""`baseboard spapr attach`: a Linux guest that runs in QEMU, on our platform."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from baseboard.cli.flags import PATH
from baseboard.cli.spapr_commands.flags import STATE
from baseboard.errors import ConfigError
from baseboard.store.directory import CONTROL

if TYPE_CHECKING:
    from baseboard.attach.partition import LivePartition, Seen


@click.command
@STATE
@click.option(
    "--gdb",
    "stub",
    metavar="ADDRESS",
    required=True,
    help="The guest's gdb stub, as QEMU's -gdb has it: unix:PATH or tcp:HOST:PORT.",
)
@click.option(
    "--qmp", metavar="PATH", type=PATH, required=True, help="QEMU's monitor: a QMP socket; also unix:PATH."
)
@click.option(
    "--mode",
    type=click.Choice(("record", "compare", "override")),
    default="override",
    show_default=True,
    help="Look on; answer beside QEMU and tell the differences; answer in its place.",
)
@click.option("--ours", metavar="SERVICE", multiple=True, help="An RTAS service that we answer.")
@click.option("--theirs", metavar="SERVICE", multiple=True, help="One that is left to QEMU.")
@click.option(
    "--socket", "path", metavar="PATH", type=PATH, help="Where the control socket is (DIR/control.sock)."
)
@click.option(
    "--json", "as_json", is_flag=True, help="A line of JSON for what is found, and one for each call."
)
def attach(
    state: Path,
    stub: str,
    qmp: Path,
    mode: str,
    ours: tuple[str, ...],
    theirs: tuple[str, ...],
    path: Path | None,
    as_json: bool,
) -> None:
    """Put a running Linux guest of qemu-system-ppc64 on our platform, until Ctrl-C.

    Its RTAS calls are shown, one a line. `baseboard spapr plug`, `unplug`, `ls`, `fault` and `power-down`
    with the same --state work on it. It runs on when we leave.
    """
    import asyncio
    import signal

    from baseboard.attach.partition import LivePartition
    from baseboard.attach.partition_calls import Mode
    from baseboard.fleet.control import ControlServer
    from baseboard.fleet.partition.attached import AttachedPartition, attached_methods
    from baseboard.store.database import Store

    show = _show_json if as_json else _show
    store = Store(state)  # which nobody else has then
    place = path or state / CONTROL

    def on_fault(name: str, error: Exception) -> None:
        click.echo(f"baseboard: {name}: internal error ({type(error).__name__}: {error})", err=True)

    async def until_stopped(live: LivePartition) -> None:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def end(error: Exception | None = None) -> None:
            if not ended.done():
                ended.set_result(None) if error is None else ended.set_exception(error)

        def watch(source: Any, handle: Any) -> None:
            def ready() -> None:
                try:
                    handle()
                except Exception as error:  # the guest stands still: leave it running, then say what it was
                    loop.remove_reader(source.fileno())
                    end(error)

            loop.add_reader(source.fileno(), ready)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, end)
        server = ControlServer(place, attached_methods(AttachedPartition(live.machine)), on_fault)
        await server.start()
        try:
            watch(live.gdb, live.handle)
            watch(live.qmp, live.handle_events)
            print(_found_json(live, place) if as_json else _found(live, place), flush=True)
            await ended
        finally:
            for source in (live.gdb, live.qmp):
                loop.remove_reader(source.fileno())
            await server.stop()

    try:
        monitor = Path(str(qmp).removeprefix("unix:"))  # as --gdb and QEMU have it
        with LivePartition(stub, monitor, Mode(mode), _answerers(ours, theirs), show) as live:
            asyncio.run(until_stopped(live))
    finally:
        store.close()


def _answerers(ours: tuple[str, ...], theirs: tuple[str, ...]) -> dict[str, Any]:
    from baseboard.attach.partition_calls import ANSWERERS, Answerer

    for name in (*ours, *theirs):
        if name not in ANSWERERS:
            raise ConfigError(f"{name!r} is no service that can be chosen: use one of {', '.join(ANSWERERS)}")
    return dict.fromkeys(ours, Answerer.OURS) | dict.fromkeys(theirs, Answerer.QEMU)


def _found(live: LivePartition, place: Path) -> str:
    guest, settings = live.guest, live.guest.settings
    return (
        f"{guest.machine}: RTAS at {guest.rtas:#x}, {settings.cores} of {settings.possible_cores} cores, "
        f"{settings.ram >> 20} of {settings.largest_ram >> 20} MiB; {live.mode.value}; the socket is {place}"
    )


def _found_json(live: LivePartition, place: Path) -> str:
    guest, settings = live.guest, live.guest.settings
    return json.dumps(
        {
            "machine": guest.machine,
            "rtas": guest.rtas,
            "cores": settings.cores,
            "max_cores": settings.possible_cores,
            "ram": settings.ram,
            "max_ram": settings.largest_ram,
            "mode": live.mode.value,
            "control": str(place),
        }
    )


def _show(seen: Seen) -> None:
    def cells(numbers: tuple[int, ...]) -> str:
        return ", ".join(str(number) if number < 0x10000 else f"{number:#x}" for number in numbers)

    line = f"{seen.service}({cells(seen.arguments)}) = {cells(seen.results)}  {seen.who.value}"
    print("\n    ".join((line, *seen.differences)), flush=True)


def _show_json(seen: Seen) -> None:
    print(json.dumps(seen._asdict() | {"who": seen.who.value}), flush=True)
