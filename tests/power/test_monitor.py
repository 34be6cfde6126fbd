"""The monitor's client against a QEMU that does not behave."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baseboard.power.monitor import Monitor, MonitorError

# As QEMU 7.2.22 sends it.
GREETING = (
    b'{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, '
    b'"capabilities": ["oob"]}}\r\n'
)
RESET = (
    b'{"timestamp": {"seconds": 1700000000, "microseconds": 1}, "event": "RESET", '
    b'"data": {"guest": true, "reason": "guest-reset"}}\r\n'
)

Serve = Callable[[dict[str, Any], asyncio.StreamWriter], Awaitable[None]]
Scenario = Callable[[Monitor, list[tuple[str, dict[str, Any]]]], Awaitable[None]]


def answer(request: dict[str, Any], result: object) -> bytes:
    return json.dumps({"return": result, "id": request["id"]}).encode() + b"\r\n"


def with_server(serve: Serve, scenario: Scenario, greeting: bytes = GREETING) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        try:
            while line := await reader.readline():
                request = json.loads(line)
                if request["execute"] == "qmp_capabilities":
                    writer.write(answer(request, {}))
                else:
                    await serve(request, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def whole(path: Path) -> None:
        server = await asyncio.start_unix_server(client, str(path))
        events: list[tuple[str, dict[str, Any]]] = []
        monitor = Monitor(path, lambda name, data: events.append((name, data)))
        async with server:
            await scenario(monitor, events)
            await monitor.close()

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(whole(Path(directory) / "qmp.sock"))


def test_answers_and_events() -> None:
    async def serve(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(RESET)
        if request["execute"] == "query-status":
            writer.write(answer(request, {"status": "running"}))
        else:
            error = {"class": "CommandNotFound", "desc": "The command has not been found"}
            writer.write(json.dumps({"error": error, "id": request["id"]}).encode() + b"\n")

    async def scenario(monitor: Monitor, events: list[tuple[str, dict[str, Any]]]) -> None:
        await monitor.connect(5)
        assert await monitor.execute("query-status", 5) == {"status": "running"}
        assert events == [("RESET", {"guest": True, "reason": "guest-reset"})]
        with pytest.raises(MonitorError, match=r"no-such: The command has not been found"):
            await monitor.execute("no-such", 5)
        assert monitor.connected

    with_server(serve, scenario)


def test_silence_and_hanging_up() -> None:
    async def serve(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        if request["execute"] == "quit":
            writer.write(RESET)
            writer.close()

    async def scenario(monitor: Monitor, events: list[tuple[str, dict[str, Any]]]) -> None:
        await monitor.connect(5)
        with pytest.raises(MonitorError, match=r"did not answer within 0\.01 s"):
            await monitor.execute("system_reset", 0.01)
        assert monitor.connected
        with pytest.raises(MonitorError, match="quit: QEMU hung up"):
            await monitor.execute("quit", 5)
        await monitor.drained(5)
        assert [name for name, _ in events] == ["RESET"]
        with pytest.raises(MonitorError, match="not connected"):
            await monitor.execute("quit", 5)
        await monitor.connect(5)
        assert monitor.connected

    with_server(serve, scenario)


def test_nobody_is_there() -> None:
    async def scenario() -> None:
        monitor = Monitor(Path("/nowhere/qmp.sock"), lambda name, data: None)
        with pytest.raises(MonitorError, match="nowhere"):
            await monitor.connect(0.05)
        with pytest.raises(MonitorError):
            await monitor.connect(5, given_up=lambda: True)
        await monitor.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("greeting", [b"", b"\xff\x00\n", b"[1]\nnull\n{}\n", b'{"id": 1, "return": {}}\n'])
def test_no_monitor_at_all(greeting: bytes) -> None:
    async def serve(request: dict[str, Any], writer: asyncio.StreamWriter) -> None: ...

    async def scenario(monitor: Monitor, events: list[tuple[str, dict[str, Any]]]) -> None:
        with pytest.raises(MonitorError):
            await monitor.connect(0.05)
        assert not monitor.connected

    with_server(serve, scenario, greeting)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
messages = st.dictionaries(
    st.sampled_from(["event", "data", "return", "error", "id", "QMP"]), json_values, max_size=4
)


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=40) | messages.map(lambda m: json.dumps(m).encode()), max_size=8))
def test_any_lines(lines: list[bytes]) -> None:
    async def serve(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(b"\n".join(lines) + b"\n" + answer(request, 7))

    async def scenario(monitor: Monitor, events: list[tuple[str, dict[str, Any]]]) -> None:
        await monitor.connect(5)
        try:
            await monitor.execute("query-status", 5)
        except MonitorError:
            pass

    with_server(serve, scenario)
