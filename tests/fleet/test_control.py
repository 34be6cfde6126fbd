"""The control socket: requests, what is none, and clients that behave badly."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baseboard.errors import CommandError, ConfigError
from baseboard.fleet import control
from baseboard.fleet.control import ControlError, ControlServer, answer
from baseboard.store.database import StoreError


def _fail(error: Exception) -> Any:
    raise error


METHODS = {
    "echo": lambda parameters: parameters,
    "big": lambda parameters: "x" * 60_000,
    "missing": lambda parameters: _fail(ControlError("not-found", "no such sensor")),
    "refuse": lambda parameters: _fail(CommandError(0xD5)),
    "disk": lambda parameters: _fail(StoreError("disk full")),
    "fault": lambda parameters: _fail(ZeroDivisionError("oh")),
}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"id":1,"method":"echo","params":{"a":[1]}}', '{"id":1,"result":{"a":[1]}}'),
        ('{"id":"x","method":"echo"}', '{"id":"x","result":{}}'),
        ('{"method":"echo"}', '{"id":null,"result":{}}'),
        (
            '{"id":1,"method":"missing"}',
            '{"id":1,"error":{"code":"not-found","message":"no such sensor"}}',
        ),
        (
            '{"id":1,"method":"refuse"}',
            '{"id":1,"error":{"code":"refused","message":"completion code D5h (not in present state)"}}',
        ),
        ('{"id":1,"method":"disk"}', '{"id":1,"error":{"code":"failed","message":"disk full"}}'),
        (
            '{"id":1,"method":"echo","params":[]}',
            '{"id":1,"error":{"code":"bad-parameters","message":"echo: params is not a JSON object"}}',
        ),
        ("[]", '{"id":null,"error":{"code":"bad-request","message":"the line is not a JSON object"}}'),
    ],
)
def test_answer(line: str, expected: str) -> None:
    assert answer(line.encode(), METHODS) == expected.encode() + b"\n"


def test_an_unknown_method_is_told_which_there_are() -> None:
    error = json.loads(answer(b'{"id":1,"method":"nothing"}', METHODS))["error"]
    assert error == {
        "code": "unknown-method",
        "message": "no method 'nothing'; there are echo, big, missing, refuse, disk, fault",
    }


def test_an_error_of_our_own_is_reported_and_does_not_end_the_instance() -> None:
    faults: list[tuple[str, Exception]] = []
    line = answer(b'{"id":1,"method":"fault"}', METHODS, lambda *fault: faults.append(fault))
    assert json.loads(line)["error"]["code"] == "failed"
    assert [(name, str(error)) for name, error in faults] == [("fault", "oh")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.binary(max_size=200)
    | st.builds(lambda value: json.dumps(value).encode(), json_values)
    | st.builds(
        lambda *values: json.dumps(dict(zip(("id", "method", "params"), values, strict=True))).encode(),
        json_values,
        st.sampled_from(["echo", "missing"]) | json_values,
        json_values,
    )
    | st.just(b"[" * 60_000)
    | st.just(b"9" * 60_000)
)
def test_any_line_gets_one_line(line: bytes) -> None:
    reply = answer(line, METHODS)
    assert reply.endswith(b"\n")
    assert reply.count(b"\n") == 1
    assert json.loads(reply).keys() in ({"id", "result"}, {"id", "error"})


async def _exchange(path: Path, *pieces: bytes) -> list[Any]:
    reader, writer = await asyncio.open_unix_connection(str(path))
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    writer.write_eof()
    data = await reader.read()
    writer.close()
    return [json.loads(line) for line in data.splitlines()]


def serve(tmp_path: Path, conversation: Any, methods: Mapping[str, Any] = METHODS) -> Any:
    async def whole() -> Any:
        server = ControlServer(tmp_path / "control.sock", methods)
        await server.start()
        try:
            async with asyncio.timeout(20):
                return await conversation(server)
        finally:
            await server.stop()
            assert not server.path.exists()

    return asyncio.run(whole())


def test_a_client_may_send_several_lines_in_any_pieces(tmp_path: Path) -> None:
    async def conversation(server: ControlServer) -> None:
        assert stat.S_IMODE(server.path.stat().st_mode) == 0o600
        lines = b'{"id":1,"method":"echo"}\n\n{"id":2,"method":"echo"}\nnonsense\n'
        whole = await _exchange(server.path, lines)
        bytewise = await _exchange(server.path, *(bytes((byte,)) for byte in lines))
        assert whole == bytewise
        assert [reply["id"] for reply in whole] == [1, 2, None]

    serve(tmp_path, conversation)


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    async def conversation(server: ControlServer) -> None:
        reader, writer = await asyncio.open_unix_connection(str(server.path))
        writer.write(b"x" * (control.MAXIMUM_LINE + 1))
        assert json.loads(await reader.read())["error"]["message"] == "a line has more than 65536 bytes"
        writer.close()

    serve(tmp_path, conversation)


def test_a_client_that_does_not_read_is_not_served_further(tmp_path: Path) -> None:
    served = 0

    def count(parameters: Mapping[str, Any]) -> str:
        nonlocal served
        served += 1
        return "x" * 60_000

    async def conversation(server: ControlServer) -> None:
        reader, writer = await asyncio.open_unix_connection(str(server.path))
        writer.write(b'{"id":1,"method":"count"}\n' * 1000)
        await _exchange(server.path, b'{"id":1,"method":"echo"}\n')
        assert served < 50
        writer.write_eof()
        assert len((await reader.read()).splitlines()) == 1000
        writer.close()

    serve(tmp_path, conversation, {**METHODS, "count": count})


def test_clients_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "MAXIMUM_CLIENTS", 2)

    async def conversation(server: ControlServer) -> None:
        first = await asyncio.open_unix_connection(str(server.path))
        assert (await _exchange(server.path, b'{"id":1,"method":"echo"}\n'))[0]["id"] == 1
        second = await asyncio.open_unix_connection(str(server.path))
        reader, writer = await asyncio.open_unix_connection(str(server.path))
        assert json.loads(await reader.read())["error"]["code"] == "busy"
        for other in (first[1], second[1], writer):
            other.close()

    serve(tmp_path, conversation)


def test_a_socket_left_by_a_killed_instance_is_replaced(tmp_path: Path) -> None:
    async def conversation(server: ControlServer) -> None:
        assert await _exchange(server.path, b'{"id":1,"method":"echo"}\n') == [{"id": 1, "result": {}}]

    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "control.sock"))
    serve(tmp_path, conversation)


def test_a_file_is_no_socket_and_stays(tmp_path: Path) -> None:
    (tmp_path / "partition.toml").write_text("[machine]")
    with pytest.raises(ConfigError, match=r"^control socket: .*/partition.toml exists and is no socket"):
        asyncio.run(ControlServer(tmp_path / "partition.toml", METHODS).start())
    assert (tmp_path / "partition.toml").read_text() == "[machine]"


def test_a_path_that_is_too_long(tmp_path: Path) -> None:
    async def start() -> None:
        await ControlServer(tmp_path / ("x" * 120) / "control.sock", METHODS).start()

    (tmp_path / ("x" * 120)).mkdir()
    with pytest.raises(ConfigError, match=r"^control socket: .*, a socket's path may have 107; --state"):
        asyncio.run(start())
