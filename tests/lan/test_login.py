"""RMCP+ log-in, and commands in the session."""

from __future__ import annotations

import pytest
from tests.lan.lan_world import ALL_SUITES, DEVICE_ID, Console, make_server


@pytest.mark.parametrize("suite", ALL_SUITES)
def test_every_suite_opens_a_session_that_works(suite: int) -> None:
    server = make_server()
    console = Console(server, suite=suite).login()
    assert console.request(0x06, 0x01) == DEVICE_ID
    assert console.request(0x06, 0x3B, b"\x04") == b"\0\x04"
    assert console.request(0x06, 0x01) == DEVICE_ID
    assert console.request(0x06, 0x3C, console.id_c) == b"\0"
    assert not server.active()
    assert console.request(0x06, 0x01) is None
