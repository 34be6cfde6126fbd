"""A method: its name, its parameters, and the function behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from baseboard.bmc.controller import Bmc
from baseboard.bmc.core import Core
from baseboard.errors import CommandError
from baseboard.fleet.control import ControlError
from baseboard.ipmi.codec import Request
from baseboard.ipmi.message import Context, Message
from baseboard.ipmi.netfn import NetFn

Check = Callable[[Any], Any]
"""Takes a JSON value, returns what the function wants; raises ValueError with what is allowed."""


class Served(Protocol):
    """What every method needs of what it is called on."""

    def now(self) -> float:
        """Monotonic seconds."""

    def handled(self, now: float) -> None:
        """Make durable what changed, then pass events on."""


class Controlled(Served, Protocol):
    """What a method sees of an instance."""

    bmc: Bmc
    core: Core

    def ready(self) -> dict[str, Any]:
        """Where everything is."""


class Parameter(NamedTuple):
    """One parameter; without a default it is needed."""

    name: str
    check: Check
    default: Any = ...


class Method(NamedTuple):
    """One row of the table."""

    name: str
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...] = ()

    def call(self, instance: Served, given: Mapping[str, Any]) -> Any:
        """Check the parameters and call.  Raises ControlError."""
        known = {parameter.name for parameter in self.parameters}
        if unknown := [name for name in given if name not in known]:
            names = ", ".join(parameter.name for parameter in self.parameters) or "none"
            raise ControlError(
                "bad-parameters", f"{self.name}: no parameter {unknown[0]!r:.40}; there are {names}"
            )
        values = {}
        for parameter in self.parameters:
            if parameter.name in given:
                try:
                    values[parameter.name] = parameter.check(given[parameter.name])
                except ValueError as error:
                    found = f"found {given[parameter.name]!r:.60}"
                    text = f"{self.name}: {parameter.name}: {found}; allowed: {error}"
                    raise ControlError("bad-parameters", text) from error
            elif parameter.default is ...:
                raise ControlError("bad-parameters", f"{self.name}: {parameter.name} is missing")
            else:
                values[parameter.name] = parameter.default
        result = self.function(instance, **values)
        instance.handled(instance.now())
        return result


def execute(instance: Controlled, netfn: NetFn, command: int, request: Request) -> bytes:
    """Execute a command as the system interface would; the data after the completion code.

    Raises CommandError when it is refused.
    """
    context = Context(now=instance.now())
    answer = instance.core.handle(Message(netfn, 0, command, request.encode()), context)
    if answer[0]:
        raise CommandError(answer[0])
    return answer[1:]


def text(value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise ValueError("text")
    return value


def flag(value: Any) -> bool:
    """A boolean."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def integer(least: int, most: int) -> Check:
    """A whole number in a range."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"a whole number, {least} to {most}")
        return value

    return check


def number(least: float, most: float) -> Check:
    """A number in a range."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            raise ValueError(f"a number, {least:g} to {most:g}")
        return float(value)

    return check


def octets(count: int) -> Check:
    """So many bytes as hexadecimal digits."""

    def check(value: Any) -> bytes:
        try:
            data = bytes.fromhex(value)
        except (TypeError, ValueError):
            data = b""
        if len(data) != count:
            raise ValueError(f"{count} bytes as {2 * count} hexadecimal digits")
        return data

    return check
