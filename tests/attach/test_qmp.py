"""The blocking monitor against a QEMU that answers, that refuses, and that is none."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from baseboard.attach.errors import AttachError, NotAttachable
from baseboard.attach.kcs import AspeedKcs
from baseboard.attach.qmp import Qmp
from baseboard.attach.trap import Trap
from baseboard.errors import BaseboardError
from baseboard.power.qmp import Happened, MonitorError
from tests.attach.peer import Play, played

# As QEMU 7.2.22 sends them.
GREETING = (
    b'{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, '
    b'"capabilities": ["oob"]}}\r\n'
)
RESET = (
    b'{"timestamp": {"seconds": 1700000000, "microseconds": 1}, "event": "RESET", '
    b'"data": {"guest": true, "reason": "guest-reset"}}\r\n'
)
REFUSED = {"class": "CommandNotFound", "desc": "The command no-such has not been found"}


def monitor(serve: Callable[[dict[str, Any]], bytes], before: bytes = GREETING) -> Play:
    def play(connection: socket.socket) -> None:
        connection.sendall(before)
        with connection.makefile("rb") as received:
            for line in received:
                request = json.loads(line)
                if request["execute"] == "qmp_capabilities":
                    connection.sendall(json.dumps({"return": {}, "id": request["id"]}).encode() + b"\r\n")
                else:
                    connection.sendall(serve(request))

    return play


def test_answers_and_events(tmp_path: Path) -> None:
    def serve(request: dict[str, Any]) -> bytes:
        if request["execute"] == "no-such":
            return json.dumps({"error": REFUSED, "id": request["id"]}).encode() + b"\r\n"
        return RESET + json.dumps({"return": request.get("arguments"), "id": request["id"]}).encode() + b"\n"

    with played(tmp_path / "qmp", monitor(serve)) as path, Qmp(path) as qmp:
        assert qmp.get("/machine/soc/lpc", "odr3") == {"path": "/machine/soc/lpc", "property": "odr3"}
        assert qmp.next_event() == Happened("RESET", {"guest": True, "reason": "guest-reset"})
        assert qmp.next_event() is None
        assert qmp.wait_event(0.01) is None
        with pytest.raises(MonitorError, match="no-such: The command no-such has not been found"):
            qmp.execute("no-such")
        assert qmp.human("info version") == "{'command-line': 'info version'}"


@pytest.mark.parametrize(
    "answer", [None, 5, "text", [5], ["text"], [{}], {}, {"running": 5}, {"status": None}], ids=repr
)
def test_answers_that_make_no_sense(answer: object, tmp_path: Path) -> None:
    def serve(request: dict[str, Any]) -> bytes:
        return json.dumps({"return": answer, "id": request["id"]}).encode() + b"\n"

    with played(tmp_path / "qmp", monitor(serve)) as path, Qmp(path) as qmp:
        with pytest.raises(AttachError, match="query-status answered with"):
            qmp.member("query-status", "running", bool)
        if answer != {}:  # nothing is in it
            with pytest.raises(AttachError, match="query-chardev answered with"):
                qmp.rows("query-chardev", "label")
        if answer != 5:
            with pytest.raises(AttachError, match="odr3 answered with"):
                qmp.number("/machine/soc/lpc", "odr3")


@pytest.mark.parametrize("open_", [AspeedKcs, lambda path: Trap(path, "BT"), lambda path: Trap(path, "KCS")])
@pytest.mark.parametrize("answer", [None, 5, "ast2600-a3", "npcm750", [{"name": "lpc"}], {}], ids=repr)
def test_what_only_looks_like_a_bmc(answer: object, open_: Callable[[Path], object], tmp_path: Path) -> None:
    def serve(request: dict[str, Any]) -> bytes:
        return json.dumps({"return": answer, "id": request["id"]}).encode() + b"\n"

    with played(tmp_path / "qmp", monitor(serve)) as path, pytest.raises(BaseboardError):
        open_(path)


def test_events_are_bounded(tmp_path: Path) -> None:
    def serve(request: dict[str, Any]) -> bytes:
        return RESET * 1000 + json.dumps({"return": {}, "id": request["id"]}).encode() + b"\n"

    with played(tmp_path / "qmp", monitor(serve)) as path, Qmp(path) as qmp:
        qmp.execute("stop")
        seen = 0
        while qmp.next_event() is not None:
            seen += 1
        assert seen == 256


def test_a_late_answer_is_not_taken_for_the_next(tmp_path: Path) -> None:
    def serve(request: dict[str, Any]) -> bytes:
        if request["execute"] == "stop":
            return b""
        late = json.dumps({"return": "late", "id": request["id"] - 1}).encode() + b"\n"
        return late + json.dumps({"return": "mine", "id": request["id"]}).encode() + b"\n"

    with played(tmp_path / "qmp", monitor(serve)) as path, Qmp(path, timeout=0.2) as qmp:
        with pytest.raises(AttachError, match="does not answer"):
            qmp.execute("stop")
        assert qmp.execute("cont") == "mine"


def test_an_open_file_is_passed(tmp_path: Path) -> None:
    got: list[bytes] = []

    def play(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        for number in (1, 2):
            data, descriptors, _, _ = socket.recv_fds(connection, 4096, 1)
            for descriptor in descriptors:
                os.write(descriptor, b"here")
                os.close(descriptor)
            got.append(data)
            connection.sendall(json.dumps({"return": {}, "id": number}).encode() + b"\n")

    read_end, write_end = os.pipe()
    with played(tmp_path / "qmp", play) as path, Qmp(path) as qmp:
        qmp.pass_file("wire", write_end)
        os.close(write_end)
        assert os.read(read_end, 10) == b"here"
        os.close(read_end)
    assert json.loads(got[1])["arguments"] == {"fdname": "wire"}


@pytest.mark.parametrize(
    ("play", "reason"),
    [
        pytest.param(lambda connection: connection.recv(100), "no greeting.*does not answer", id="silent"),
        pytest.param(lambda connection: None, "no greeting.*hung up", id="gone"),
        pytest.param(lambda connection: connection.sendall(b"SSH-2.0-x\r\n"), "no greeting", id="another"),
        pytest.param(lambda connection: connection.sendall(b"x" * (2 << 20)), "a line of more", id="no line"),
    ],
)
def test_what_is_no_monitor(play: Play, reason: str, tmp_path: Path) -> None:
    with played(tmp_path / "qmp", play) as path, pytest.raises(NotAttachable, match=reason):
        Qmp(path, timeout=0.2)


def test_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(
        AttachError,
        match=r"cannot connect: No such file.*; is QEMU running, with -qmp unix:.*/nothing,server=on",
    ):
        Qmp(tmp_path / "nothing")
