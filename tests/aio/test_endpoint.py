"""Where a socket is, as it is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from baseboard.aio.endpoint import Address, parse_console, parse_ipmb, parse_serial_channel, parse_vm
from baseboard.errors import ConfigError

LONG = "/run/" + "d" * 103


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_vm, f"connect:unix:{LONG}"),
        (parse_ipmb, f"listen:unix:{LONG}"),
        (parse_console, f"unix:{LONG}"),
        (parse_serial_channel, f"unix:{LONG}"),
        (parse_serial_channel, f"listen:unix:{LONG}"),
    ],
)
def test_a_path_that_no_socket_can_have(parse: Callable[[str], Address], text: str) -> None:
    """108 bytes; Linux has room for 107 and a zero [unix(7)]."""
    assert parse(text[:-1]).path == LONG[:-1]
    with pytest.raises(ConfigError, match=f": {LONG}: 108 bytes, a socket's path may have 107$"):
        parse(text)


@pytest.mark.parametrize("text", ["", "tty", "unix:", "tcp:", "listen:pty", "listen:unix", "listen:tcp:"])
def test_what_is_no_serial_port(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^--serial-channel: '.*' is not "):
        parse_serial_channel(text)


def test_a_port_is_a_number() -> None:
    with pytest.raises(ConfigError, match=r"^--serial-channel: 'host:ssh' is not HOST:PORT"):
        parse_serial_channel("tcp:host:ssh")
