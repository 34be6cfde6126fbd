"""A blocking client of the control socket, for commands that run and end."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any

from baseboard.errors import BaseboardError
from baseboard.store.directory import CONTROL, default_state

PATIENCE = 10.0
"""Seconds; methods answer at once, so that a longer silence is an instance that hangs."""


class RequestFailed(BaseboardError):
    """The instance is not there, or says no."""


class Client:
    """A connection to the instance in `state`."""

    def __init__(self, state: Path, *, patience: float = PATIENCE) -> None:
        self._path = state / CONTROL
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(patience)
        try:
            self._socket.connect(str(self._path))
        except OSError as error:
            self._socket.close()
            if isinstance(error, PermissionError):
                raise RequestFailed(f"{self._path}: the instance belongs to another user") from error
            flag = "" if state == default_state() else f" --state {state}"
            raise RequestFailed(
                f"no instance is running in {state}: start one with `baseboard run{flag}`, "
                "or name the right directory with --state"
            ) from error
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._socket.close()

    def call(self, method: str, **parameters: Any) -> Any:
        """Call one method.  Raises RequestFailed with the instance's words."""
        request = {"id": 1, "method": method, "params": parameters}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            line = self._lines.readline()
        except TimeoutError as error:
            raise RequestFailed(f"the instance at {self._path} does not answer") from error
        except OSError as error:
            raise RequestFailed(f"the instance at {self._path} hung up: {error.strerror}") from error
        if not line:
            raise RequestFailed(f"the instance at {self._path} ended")
        answer = json.loads(line)
        if "error" in answer:
            raise RequestFailed(answer["error"]["message"])
        return answer["result"]


def call(state: Path, method: str, **parameters: Any) -> Any:
    """Call one method of the instance in `state`."""
    with Client(state) as client:
        return client.call(method, **parameters)
