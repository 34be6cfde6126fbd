"""Flags and ways in that the commands of `baseboard spapr` share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import click

from baseboard.cli.client import PATIENCE, Client, RequestFailed
from baseboard.cli.flags import PATH
from baseboard.store.directory import CONTROL, default_state


def default_partition() -> Path:
    """Beside the default instance's."""
    return default_state().with_name("partition")


STATE = click.option(
    "--state",
    metavar="DIR",
    type=PATH,
    default=default_partition,
    show_default="$XDG_STATE_HOME/baseboard/partition",
    help="State directory of the partition.",
)


def absolute(tpm: str) -> str:
    """A TPM's address, for a process that runs in another directory."""
    kind, _, path = tpm.partition(":")
    return f"unix:{Path(path).absolute()}" if kind == "unix" and path else tpm


class Caller(Protocol):
    """A running partition, or one that is opened for this command."""

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the control socket.  Raises RequestFailed."""


class _Opened:
    """A partition of this process."""

    def __init__(self, methods: Any) -> None:
        self._methods = methods

    def call(self, method: str, **parameters: Any) -> Any:
        from baseboard.fleet.control import ControlError

        try:
            return self._methods[method](parameters)
        except ControlError as error:
            raise RequestFailed(str(error)) from error


@contextmanager
def partition(state: Path, *, patience: float = PATIENCE) -> Iterator[Caller]:
    """The partition of a state directory: the one that runs, or else what is kept, for this command alone."""
    if (state / CONTROL).exists():
        try:
            client = Client(state, patience=patience)
        except RequestFailed:
            pass  # the socket of one that was killed
        else:
            with client:
                yield client
            return
    from baseboard.fleet.partition.methods import methods
    from baseboard.fleet.partition.partition import open_partition

    opened, store = open_partition(state, None)
    try:
        yield _Opened(methods(opened))
    finally:
        opened.close()
        store.close()
