"""What an instance does behind an answer: changes that cannot be written, channels that are closed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from baseboard.aio.endpoint import Address
from baseboard.bmc.controller import Bmc
from baseboard.fleet.instance import Instance
from baseboard.fleet.options import Options
from baseboard.ipmi import Channel, Context, Message
from baseboard.store.database import Store, StoreError


def change(bmc: Bmc, value: int) -> None:
    bmc.changes.put("clock", "shift", value)


def test_a_full_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def conversation() -> None:
        instance = Instance(Options(state=tmp_path / "state", lan=Address("udp", host="127.0.0.1")))
        await instance.start()
        try:
            loop = asyncio.get_running_loop()

            def refuse(*changes: object) -> None:
                raise StoreError("database or disk is full; the change is not kept")

            with monkeypatch.context() as full:
                full.setattr(instance.store, "commit", refuse)
                for value in (1, 2):
                    change(instance.bmc, value)
                    loop.call_soon(instance.handled, instance.now())
                    await asyncio.sleep(0)
            change(instance.bmc, 3)
            instance.bmc.changes.put("clock", "utc_offset", 60)
            instance.handled(instance.now())
        finally:
            await instance.stop()

    asyncio.run(conversation())
    assert capsys.readouterr().err == "baseboard: database or disk is full; the change is not kept\n"
    store = Store(tmp_path / "state")
    assert store.load()["clock"] == {"shift": 3, "utc_offset": 60}
    store.close()


def test_a_disabled_channel_ends_its_sessions(tmp_path: Path) -> None:
    class Session:
        id, channel = 7, Channel.LAN

    class Sessions:
        closed: list[int] = []

        def active(self) -> list[Session]:
            return [Session()]

        def close_session(self, session_id: int) -> bool:
            self.closed.append(session_id)
            return True

    async def conversation() -> None:
        instance = Instance(Options(state=tmp_path / "state", lan=Address("udp", host="127.0.0.1")))
        await instance.start()
        try:
            instance.bmc.sessions = sessions = Sessions()  # type: ignore[assignment]  # all that is asked of it
            answer = instance.core.handle(Message(0x06, 0, 0x40, bytes.fromhex("01 a0 84")), Context())
            assert answer == b"\0"
            instance.handled(instance.now())
            assert sessions.closed == []  # the answer leaves first
            await asyncio.sleep(0)
            assert sessions.closed == [7]
        finally:
            await instance.stop()

    asyncio.run(conversation())


@pytest.mark.parametrize(
    ("command", "closed"),
    [pytest.param(0x02, 1, id="cold reset"), pytest.param(0x03, 0, id="warm reset")],
)
def test_only_a_cold_reset_ends_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: int, closed: int
) -> None:
    """After a warm reset ipmitool closes its session, and waited 10 s for the answer of one that was gone."""

    async def conversation() -> None:
        instance = Instance(Options(state=tmp_path / "state", lan=Address("udp", host="127.0.0.1")))
        await instance.start()
        try:
            calls: list[None] = []
            monkeypatch.setattr(instance.lan.server, "close_all", lambda: calls.append(None))
            assert instance.core.handle(Message(0x06, 0, command), Context()) == b"\0"
            instance.handled(instance.now())
            assert not calls  # the answer leaves first
            await asyncio.sleep(0)
            assert len(calls) == closed
        finally:
            await instance.stop()

    asyncio.run(conversation())
