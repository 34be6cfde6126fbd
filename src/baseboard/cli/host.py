"""`baseboard host`: the host's end of a system interface, for one command, a script or a conversation."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from baseboard.cli.flags import PATH
from baseboard.cli.pair import CHANNEL, PORT, checked_channel, describe_found, port_kind
from baseboard.errors import BaseboardError, ConfigError

if TYPE_CHECKING:
    from baseboard.attach.firmware import Firmware
    from baseboard.cli.host_commands import Reply
    from baseboard.host.script import Script
    from baseboard.host.seam import ResponderEvent
    from baseboard.host.sim import Asked, StepDone, StepFailed
    from baseboard.ipmi.message import Message

UP = 10.0
"""Seconds in which firmware has its interface enabled, for a command that cannot wait for ever."""
ANSWER = 6.0
"""Seconds for an answer, after which the interface has given one in the firmware's place."""
PROMPT = "host> "


class ScriptFailed(BaseboardError):
    """The firmware did not do what a script expects."""


@click.command(epilog="Without a command: a shell; `help` lists what it knows.")
@click.argument("firmware", metavar="FIRMWARE")
@click.argument("command", metavar="[COMMAND...]", nargs=-1)
@CHANNEL
@PORT
@click.option("--script", metavar="FILE", type=PATH, help="Run an acceptance test; exit code 1: it failed.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for each answer or step.")
def host(
    firmware: str,
    command: tuple[str, ...],
    channel: int | None,
    port: str,
    script: Path | None,
    as_json: bool,
) -> None:
    """Be the host of the firmware at FIRMWARE: qmp:PATH, ibt:PATH or vm:ADDRESS.

    `baseboard host qmp:bmc.qmp raw 06 01` sends one request and shows the answer.
    """
    from baseboard.attach.firmware import firmware_at

    if script is not None and command:
        raise ConfigError("host: --script and a command do not go together")
    plan = _read_script(script) if script is not None else None
    there = firmware_at(firmware, "host", channel=checked_channel(channel), kind=port_kind(port))
    asyncio.run(_attached(there, lambda session: _do(session, plan, command, as_json)))


async def _do(session: Session, script: Script | None, command: tuple[str, ...], as_json: bool) -> None:
    from baseboard.cli.host_commands import run

    if script is not None:
        await session.up()
        await _run_script(session, script, as_json)
    elif command:
        await session.up()
        _show(await run(session, list(command)), as_json)
    else:
        await _converse(session, as_json)


async def _attached(firmware: Firmware, use: Callable[[Session], Awaitable[None]]) -> None:
    session = Session(firmware)
    try:
        try:
            await firmware.start(session.deliver)
        except BaseboardError as error:
            raise ConfigError(str(error)) from error  # exit code 1 is the firmware's
        await use(session)
    finally:
        await firmware.close()


class Session:
    """A simulated host before firmware, in an event loop."""

    def __init__(self, firmware: Firmware) -> None:
        from baseboard.attach.binding import TakesPostCodes
        from baseboard.host.sim import HostSim

        self.firmware = firmware
        self.sim = HostSim(firmware, infer=not firmware.tells_orders, power=True)
        if isinstance(firmware, TakesPostCodes):
            self.sim.posted = firmware.post
        self.reason = ""
        """Why nobody answers."""
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    def deliver(self, event: ResponderEvent) -> None:
        """The firmware says something."""
        from baseboard.host.seam import FirmwareLost

        if isinstance(event, FirmwareLost):
            self.reason = event.reason
        self.sim.receive_event(event, self._loop.time())
        self._changed.set()

    async def up(self) -> None:
        """Wait until somebody answers.  Raises ConfigError when nobody does."""
        try:
            async with asyncio.timeout(UP):
                while self.sim.firmware is None:
                    await self._change()
        except TimeoutError:
            found = describe_found(self.firmware.found())
            raise ConfigError(f"nobody answers within {UP:g} s: {self.reason}; {found}") from None

    async def ask(self, message: Message) -> bytes:
        """Ask: completion code first."""
        from baseboard.host.sim import Asked

        self.sim.ask(message, self._loop.time())
        event = await self._next(Asked)
        return event.answer if event is not None else b"\xc3"

    async def step(self) -> StepDone | StepFailed | None:
        """What happens next in a script; None: it has ended."""
        from baseboard.host.sim import StepDone, StepFailed

        while True:
            while (event := self.sim.next_event()) is not None:
                if isinstance(event, (StepDone, StepFailed)):
                    return event
            deadline = self.sim.next_deadline()
            if deadline is None:
                return None
            try:
                async with asyncio.timeout_at(deadline):
                    await self._change()
            except TimeoutError:
                self.sim.handle_deadline(self._loop.time())

    async def _next(self, kind: type[Asked]) -> Asked | None:
        try:
            async with asyncio.timeout(ANSWER):
                while True:
                    while (event := self.sim.next_event()) is not None:
                        if isinstance(event, kind):
                            return event
                    await self._change()
        except TimeoutError:
            return None

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


def _read_script(path: Path) -> Script:
    import tomllib

    from baseboard.host.script import parse_script

    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"--script {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"--script {path}: {error}") from None
    try:
        return parse_script(data)
    except ConfigError as error:
        raise ConfigError(f"--script {path}: {error}") from None


async def _run_script(session: Session, script: Script, as_json: bool) -> None:
    from baseboard.host.sim import StepDone, StepFailed

    session.sim.run(script, asyncio.get_running_loop().time())
    failed = None
    while (event := await session.step()) is not None:
        if isinstance(event, StepDone):
            _show_step(event.number, event.step.name, True, event.answer.hex(" "), as_json)
        elif isinstance(event, StepFailed):
            failed = event
            _show_step(event.number, event.step.name, False, event.reason, as_json)
    if failed is not None:
        raise ScriptFailed(f"step {failed.number} ({failed.step.name}): {failed.reason}")


def _show_step(number: int, name: str, passed: bool, detail: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"step": number, "name": name, "passed": passed, "detail": detail}), flush=True)
    else:
        print(f"{'ok    ' if passed else 'FAILED'} {number:3}  {name}  {detail}".rstrip(), flush=True)


def _show(reply: Reply, as_json: bool) -> None:
    from baseboard.cli.output import print_json, print_pairs

    if as_json:
        print_json(reply.data)
    elif reply.lines:
        for line in reply.lines:
            print(line)
    else:
        print_pairs((name.replace("_", " "), value) for name, value in reply.data.items())


async def _converse(session: Session, as_json: bool) -> None:
    from baseboard.cli.host_commands import run

    print(describe_found(session.firmware.found()), file=sys.stderr)
    while True:
        try:
            line = await asyncio.to_thread(_read_line)
        except EOFError:
            return
        words = line.split()
        if words[:1] in (["exit"], ["quit"]):
            return
        if not words:
            continue
        try:
            if session.sim.firmware is None:
                print(f"nobody answers: {session.reason}", file=sys.stderr)
                continue
            _show(await run(session, words), as_json)
        except BaseboardError as error:
            print(error, file=sys.stderr)
        sys.stdout.flush()


def _read_line() -> str:
    if sys.stdin.isatty():
        import readline  # noqa: F401  # gives `input` its history

        return input(PROMPT)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
