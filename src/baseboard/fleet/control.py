"""The control socket: JSON lines on a Unix socket in the state directory.

    {"id": 1, "method": "sensor.set", "params": {"sensor": "CPU1 Temp", "value": 95}}
    {"id": 1, "result": {...}}
    {"id": 1, "error": {"code": "not-found", "message": "no sensor \\"CPU9 Temp\\""}}

One request a line, one answer a line, in order. A method runs in the event loop between two IPMI requests and
never waits; what it changed is committed before its answer leaves, as with every other interface. A client
is anybody: lines, clients and unread answers are bounded, and what is no request is answered with an error.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from baseboard.aio.unix_listener import unix_listener
from baseboard.errors import BaseboardError, CommandError, ConfigError
from baseboard.ipmi.completion import CompletionCode

MAXIMUM_LINE = 65536
MAXIMUM_CLIENTS = 64
BACKLOG = 16
TURN = 32
"""Lines of one client answered before everybody else has a turn."""
UNREAD_LIMIT = 262144
"""Bytes of answers after which a client's further requests wait until it has read."""

Methods = Mapping[str, Callable[[Mapping[str, Any]], Any]]
"""By name: takes checked-for-object parameters, returns JSON data, raises ControlError or another of ours."""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode


class ControlError(BaseboardError):
    """A request that is answered with this error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def answer(line: bytes, methods: Methods, on_fault: Callable[[str, Exception], None] | None = None) -> bytes:
    """The answer to one line, whatever it holds.

    `on_fault` is told of an error of our own in a method; without it the error goes up, as tests want it.
    """
    request_id: Any = None
    try:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ControlError("bad-request", f"the line is not JSON: {error}") from error
        if not isinstance(request, dict):
            raise ControlError("bad-request", "the line is not a JSON object")
        if isinstance(request.get("id"), (int, str)):
            request_id = request["id"]
        return _line({"id": request_id, "result": _call(request, methods, on_fault)})
    except ControlError as error:
        return _line({"id": request_id, "error": {"code": error.code, "message": str(error)}})


def _call(
    request: dict[str, Any], methods: Methods, on_fault: Callable[[str, Exception], None] | None
) -> Any:
    name, parameters = request.get("method"), request.get("params", {})
    method = methods.get(name) if isinstance(name, str) else None
    if method is None:
        raise ControlError("unknown-method", f"no method {name!r:.80}; there are {', '.join(methods)}")
    if not isinstance(parameters, dict):
        raise ControlError("bad-parameters", f"{name}: params is not a JSON object")
    try:
        return method(parameters)
    except ControlError:
        raise
    except CommandError as error:
        raise ControlError("refused", refusal(error.code, error.reason)) from error
    except BaseboardError as error:
        raise ControlError("failed", str(error)) from error
    except Exception as error:
        if on_fault is None:
            raise
        on_fault(str(name), error)
        raise ControlError("failed", f"{name}: internal error, see the instance's output") from error


def refusal(code: int, reason: str = "") -> str:
    """A completion code in words."""
    with suppress(ValueError):
        reason = reason or CompletionCode(code).name.lower().replace("_", " ")
    return f"completion code {code:02X}h{f' ({reason})' if reason else ''}"


def _line(data: dict[str, Any]) -> bytes:
    return _encode(data).encode("utf-8", "replace") + b"\n"


class _Client(asyncio.Protocol):
    """One connection; its requests wait while it does not read its answers."""

    def __init__(self, server: ControlServer) -> None:
        self._server = server
        self._buffer = bytearray()
        self._writable = True
        self._ended = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=UNREAD_LIMIT)
        if not self._server.admit(self):
            self.refuse("busy", f"there are {MAXIMUM_CLIENTS} clients already")

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.forget(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._serve()

    def eof_received(self) -> bool:
        self._ended = True
        self._serve()
        return not self._transport.is_closing()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._serve()

    def _serve(self) -> None:
        """Answer some lines; read no more while there are others or answers that wait."""
        for _ in range(TURN):
            if not self._writable or self._transport.is_closing():
                break
            end = self._buffer.find(b"\n")
            if max(end, len(self._buffer) if end < 0 else 0) > MAXIMUM_LINE:
                return self.refuse("bad-request", f"a line has more than {MAXIMUM_LINE} bytes")
            if end < 0:
                return self._transport.close() if self._ended else self._transport.resume_reading()
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            if line.strip():
                self._transport.write(self._server.answer(line))
        else:
            asyncio.get_running_loop().call_soon(self._serve)
        return self._transport.pause_reading()

    def refuse(self, code: str, message: str) -> None:
        """Say why and hang up."""
        self._transport.write(_line({"id": None, "error": {"code": code, "message": message}}))
        self._transport.close()

    def abort(self) -> None:
        """Hang up now."""
        self._transport.abort()


class ControlServer:
    """The control socket of one instance."""

    def __init__(
        self, path: Path, methods: Methods, on_fault: Callable[[str, Exception], None] | None = None
    ) -> None:
        self.path = path
        self._methods = methods
        self._on_fault = on_fault
        self._clients: set[_Client] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen.  Raises ConfigError."""
        try:
            listener = unix_listener(os.fspath(self.path), "control socket")
        except ConfigError as error:
            raise ConfigError(f"{error}; --state names the directory that it is in") from None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Client(self), sock=listener, backlog=BACKLOG)

    async def stop(self) -> None:
        """Hang up on everybody and remove the socket."""
        if self._server is None:
            return
        self._server.close()
        for client in list(self._clients):
            client.abort()
        await self._server.wait_closed()
        self._server = None
        self.path.unlink(missing_ok=True)

    def answer(self, line: bytes) -> bytes:
        """The answer to one line."""
        return answer(line, self._methods, self._on_fault)

    def admit(self, client: _Client) -> bool:
        """Count a client in; False: there are too many."""
        if len(self._clients) >= MAXIMUM_CLIENTS:
            return False
        self._clients.add(client)
        return True

    def forget(self, client: _Client) -> None:
        """A client is gone."""
        self._clients.discard(client)
