"""Log-ins that fail are told, once each: for the Session Audit sensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.lan.lan_world import ADMIN, Console, Console15, make_server, plus

from baseboard.lan import LanServer


def wrong_password(server: LanServer) -> None:
    console = Console(server, password=b"wrong")
    console.open()
    console.rakp1()
    request = console.rakp3_request()
    for _ in range(2):  # the repetition is no second log-in
        assert console.exchange(0x14, request)[1] == 0x0F


def wrong_password_noticed_by_the_console(server: LanServer) -> None:
    """RAKP Message 3 with status 0Fh; a console that says nothing (ipmitool) cannot be told of."""
    console = Console(server, password=b"wrong")
    console.open()
    console.rakp1()
    assert console.send(plus(0x14, b"\0\x0f\0\0" + console.id_c)) is None


def unknown_name(server: LanServer) -> None:
    console = Console(server, replace(ADMIN, name=b"nobody"))
    console.open()
    assert console.rakp1() == 0x0D


def right_password(server: LanServer) -> None:
    Console(server).login()


def wrong_password_15(server: LanServer) -> None:
    console = Console15(server, password=b"wrong")
    console.challenge()
    assert console.activate() is None
    assert console.activate() is None  # again, as nobody answered


def unknown_name_15(server: LanServer) -> None:
    assert Console15(server, replace(ADMIN, name=b"nobody")).challenge() == 0x81


def right_password_15(server: LanServer) -> None:
    Console15(server).login()


@pytest.mark.parametrize(
    ("log_in", "refused"),
    [
        (wrong_password, [ADMIN.user_id]),
        (wrong_password_noticed_by_the_console, [ADMIN.user_id]),
        (unknown_name, [0]),
        (right_password, []),
        (wrong_password_15, [ADMIN.user_id]),
        (unknown_name_15, [0]),
        (right_password_15, []),
    ],
)
def test_refusals(log_in: Callable[[LanServer], None], refused: list[int]) -> None:
    server = make_server()
    told: list[tuple[int, int]] = []
    server.on_refusal = lambda channel, user_id, now: told.append((channel, user_id))
    log_in(server)
    assert told == [(1, user_id) for user_id in refused]
