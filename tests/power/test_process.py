"""A process that may outlive us, and how it is found again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from pathlib import Path

import pytest

from baseboard.power.process import LOG, RECORD, Process, forget, last_words, recall

NO_MONITOR = Path("/nowhere/qmp.sock")


@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", -9)],
    ids=["clean", "status", "signal"],
)
def test_how_it_ended(tmp_path: Path, script: str, status: int) -> None:
    async def scenario() -> None:
        process = Process.spawn(("sh", "-c", f"echo out; echo err >&2; {script}"), tmp_path / LOG)
        assert await process.wait(10)
        assert process.exited.result() == status
        process.send(signal.SIGTERM)
        process.close()

    asyncio.run(scenario())
    assert last_words(tmp_path) == "out / err"


def test_it_is_found_again_by_its_record(tmp_path: Path) -> None:
    async def scenario() -> None:
        first = Process.spawn(("sleep", "60"), tmp_path / LOG)
        first.remember(tmp_path, [1, False, True])
        assert [(tmp_path / name).stat().st_mode & 0o777 for name in (LOG, RECORD)] == [0o600, 0o600]
        first.close()
        found = recall(tmp_path, NO_MONITOR)
        assert found is not None
        process, notes = found
        assert (process.pid, notes) == (first.pid, [1, False, True])
        assert os.getsid(process.pid) == process.pid, "a session of its own: Ctrl-C does not reach it"
        process.send(signal.SIGKILL)
        assert await process.wait(10)
        assert recall(tmp_path, NO_MONITOR) is None
        forget(tmp_path)
        forget(tmp_path)
        assert not (tmp_path / RECORD).exists()

    asyncio.run(scenario())


def test_another_process_with_the_same_number_is_not_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = Process.spawn(("sleep", "60"), tmp_path / LOG)
        process.remember(tmp_path, None)
        record = json.loads((tmp_path / RECORD).read_text())
        for change in ({"started": record["started"] + 1}, {"boot": "another"}):
            (tmp_path / RECORD).write_text(json.dumps(record | change))
            assert recall(tmp_path, NO_MONITOR) is None
        process.send(signal.SIGKILL)
        assert await process.wait(10)

    asyncio.run(scenario())


@pytest.mark.parametrize("record", ["", "[]", "null", "{}", '{"pid": "x"}', '{"pid": 1, "boot": 0}', "\x00"])
def test_any_record_is_survived(tmp_path: Path, record: str) -> None:
    (tmp_path / RECORD).write_text(record)
    assert recall(tmp_path, NO_MONITOR) is None


def test_the_listener_of_a_socket(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "s"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            found = recall(tmp_path, path)
            assert found is not None
            assert found[0].pid == os.getpid()
            found[0].close()
        assert recall(tmp_path, path) is None, "a socket that nobody listens on"

    asyncio.run(scenario())


def test_a_program_that_cannot_run(tmp_path: Path) -> None:
    async def scenario() -> None:
        with pytest.raises(OSError, match="denied"):
            Process.spawn((str(tmp_path),), tmp_path / LOG)

    asyncio.run(scenario())
