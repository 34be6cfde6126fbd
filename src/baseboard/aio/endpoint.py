"""Where a socket is, as the command line and the configuration file write it.

connect:unix:PATH    listen:unix:PATH    connect:tcp:HOST:PORT    listen:tcp:HOST:PORT    (--vm, --ipmb)
unix:PATH            tcp:HOST:PORT       pty                                              (--console)
HOST:PORT            [IPV6]:PORT                                                          (--lan)
"""

from __future__ import annotations

import os

from baseboard.errors import ConfigError
from baseboard.ipmi.value import Value

_LONGEST_PATH = 107
"""Bytes of a Unix socket's path.  [unix(7)]"""


class Address(Value):
    """A Unix socket's path, or a host and port; a pseudo-terminal has none of them."""

    kind: str
    """unix, tcp, udp or pty."""
    path: str = ""
    host: str = ""
    port: int = 0
    listen: bool = False
    """We wait for the peer to connect, instead of connecting (and again connecting) to it."""

    def __str__(self) -> str:
        if self.kind == "pty":
            return "pty"
        where = self.path if self.kind == "unix" else host_port(self.host, self.port)
        if self.kind == "udp":
            return where
        return f"{self.kind}:{where}"

    @property
    def stream(self) -> str:
        """With the end that we are, as `--vm` and `--ipmb` take it."""
        return f"{'listen' if self.listen else 'connect'}:{self}"


def host_port(host: str, port: int) -> str:
    """HOST:PORT, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_host_port(text: str, what: str) -> tuple[str, int]:
    """HOST:PORT or [IPV6]:PORT.  Raises ConfigError that names `what`."""
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not separator or not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"{what}: {text!r} is not HOST:PORT (PORT 0-65535; an IPv6 host in brackets)")
    return host, int(port)


def socket_path(path: str, what: str) -> str:
    """The path, if a Unix socket can have it.  Raises ConfigError that names `what`."""
    if (size := len(os.fsencode(path))) > _LONGEST_PATH:
        raise ConfigError(f"{what}: {path}: {size} bytes, a socket's path may have {_LONGEST_PATH}")
    if "\0" in path:
        raise ConfigError(f"{what}: {path!r}: a path has no NUL")
    return path


def parse_lan(text: str) -> Address:
    """`--lan`: where to answer UDP."""
    host, port = parse_host_port(text, "--lan")
    return Address("udp", host=host, port=port)


def parse_stream(text: str, what: str) -> Address:
    """A stream socket that we connect to or listen on.  Raises ConfigError that names `what`."""
    mode, _, rest = text.partition(":")
    kind, _, where = rest.partition(":")
    if mode not in ("connect", "listen") or kind not in ("unix", "tcp") or not where:
        raise ConfigError(
            f"{what}: {text!r} is not connect:unix:PATH, listen:unix:PATH, "
            "connect:tcp:HOST:PORT or listen:tcp:HOST:PORT"
        )
    if kind == "unix":
        return Address("unix", path=socket_path(where, what), listen=mode == "listen")
    host, port = parse_host_port(where, what)
    return Address("tcp", host=host, port=port, listen=mode == "listen")


def parse_vm(text: str) -> Address:
    """`--vm`: where the VM wire is."""
    return parse_stream(text, "--vm")


def parse_ipmb(text: str) -> Address:
    """`--ipmb`: where other controllers of the bus are."""
    return parse_stream(text, "--ipmb")


def _serial(text: str, what: str) -> Address | None:
    """pty, unix:PATH or tcp:HOST:PORT; None for anything else.  Raises ConfigError that names `what`."""
    kind, _, where = text.partition(":")
    if text == "pty":
        return Address("pty")
    if kind == "unix" and where:
        return Address("unix", path=socket_path(where, what))
    if kind == "tcp" and where:
        host, port = parse_host_port(where, what)
        return Address("tcp", host=host, port=port)
    return None


def parse_console(text: str) -> Address:
    """`--console`: where the machine's serial port is."""
    address = _serial(text, "--console")
    if address is None:
        raise ConfigError(f"--console: {text!r} is not unix:PATH, tcp:HOST:PORT or pty")
    return address


def parse_serial_channel(text: str) -> Address:
    """`--serial-channel`: where consoles speak IPMI over a serial port."""
    what = "--serial-channel"
    if text.startswith(("listen:unix:", "listen:tcp:")):
        return parse_stream(text, what)
    address = _serial(text, what)
    if address is None:
        raise ConfigError(
            f"{what}: {text!r} is not pty, listen:unix:PATH, listen:tcp:HOST:PORT, unix:PATH or tcp:HOST:PORT"
        )
    return address


DEFAULT_LAN = Address("udp", host="127.0.0.1", port=6230)
"""Loopback, and the port that users of virtual BMCs know."""
