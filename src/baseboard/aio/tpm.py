"""Links to a TPM: swtpm's data socket (Unix or TCP), and the kernel's devices. Blocking, each wait with a
deadline.

    unix:PATH                swtpm socket --server type=unixio,path=PATH
    tcp:HOST:PORT            swtpm socket --server type=tcp,port=PORT
    /dev/tpmrm0, /dev/tpm0   the kernel's resource manager; the TPM itself, for one opener at a time
"""

from __future__ import annotations

import os
import select
import socket
from time import monotonic

from baseboard.errors import ConfigError
from baseboard.spapr.tpm import HEADER_SIZE, MAXIMUM, TpmError, TpmLink, announced_size

PATIENCE = 120.0
"""A TPM may take a minute to make an RSA key."""
SHORT_PATIENCE = 30.0
"""For those who wait in the middle of a hypercall, and everybody else with them."""
_RESOURCE_MANAGED = "/dev/tpmrm"


class SocketTpm:
    """A stream that carries commands and responses with nothing around them. Open is connect, close
    disconnect.
    """

    def __init__(self, address: str | tuple[str, int], *, patience: float = PATIENCE) -> None:
        self._address = address
        self._patience = patience
        self._socket: socket.socket | None = None

    def open(self) -> None:
        family = socket.AF_UNIX if isinstance(self._address, str) else socket.AF_INET
        if isinstance(self._address, tuple) and ":" in self._address[0]:
            family = socket.AF_INET6
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.settimeout(self._patience)
        try:
            opened.connect(self._address)
        except OSError as error:
            opened.close()
            raise TpmError(f"no TPM at {self._name()}: {error.strerror or error}") from error
        self._socket = opened

    def exchange(self, command: bytes) -> bytes:
        if self._socket is None:
            raise TpmError(f"the TPM at {self._name()} is not open")
        deadline = monotonic() + self._patience
        try:
            self._socket.settimeout(self._patience)
            self._socket.sendall(command)
            head = self._receive(HEADER_SIZE, deadline)
            size = announced_size(head)
            if not HEADER_SIZE <= size <= MAXIMUM:
                raise TpmError(f"the TPM at {self._name()} announces a response of {size} bytes")
            return head + self._receive(size - HEADER_SIZE, deadline)
        except TimeoutError as error:
            raise TpmError(f"the TPM at {self._name()} did not answer in {self._patience:g} s") from error
        except OSError as error:
            raise TpmError(f"the TPM at {self._name()}: {error.strerror or error}") from error

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _receive(self, length: int, deadline: float) -> bytes:
        assert self._socket is not None
        data = b""
        while len(data) < length:
            self._socket.settimeout(max(deadline - monotonic(), 0.001))
            part = self._socket.recv(length - len(data))
            if not part:
                raise TpmError(f"the TPM at {self._name()} hung up")
            data += part
        return data

    def _name(self) -> str:
        return self._address if isinstance(self._address, str) else "{}:{}".format(*self._address)


class DeviceTpm:
    """A character device: a write is a command, a read its whole response."""

    def __init__(self, path: str, *, patience: float = PATIENCE) -> None:
        self._path = path
        self._patience = patience
        self._file = -1

    def open(self) -> None:
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY)
        except OSError as error:
            raise TpmError(f"cannot open {self._path}: {error.strerror}") from error

    def exchange(self, command: bytes) -> bytes:
        if self._file < 0:
            raise TpmError(f"{self._path} is not open")
        try:
            if os.write(self._file, command) != len(command):
                raise TpmError(f"{self._path} did not take a whole command")
            poll = select.poll()
            poll.register(self._file, select.POLLIN)
            if not poll.poll(self._patience * 1000):
                raise TpmError(f"{self._path} did not answer in {self._patience:g} s")
            response = os.read(self._file, MAXIMUM)
        except OSError as error:
            raise TpmError(f"{self._path}: {error.strerror}") from error
        if len(response) < HEADER_SIZE or announced_size(response) != len(response):
            raise TpmError(
                f"{self._path} gave {len(response)} bytes that announce {announced_size(response)}"
            )
        return response

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def tpm_link(where: str, *, patience: float = PATIENCE) -> TpmLink:
    """The link that a command line names. Raises `ConfigError`."""
    kind, _, rest = where.partition(":")
    if kind == "unix" and rest:
        return SocketTpm(rest, patience=patience)
    if kind == "tcp":
        host, _, port = rest.rpartition(":")
        if host and port.isdecimal() and 0 < int(port) < 0x1_0000:
            return SocketTpm((host.strip("[]"), int(port)), patience=patience)
    elif where.startswith("/"):
        return DeviceTpm(where, patience=patience)
    raise ConfigError(f"{where!r} names no TPM: use unix:PATH, tcp:HOST:PORT, /dev/tpmrm0 or /dev/tpm0")


def is_managed(where: str) -> bool:
    """Whether what is there flushes what a session leaves behind, so that we need not."""
    return where.startswith(_RESOURCE_MANAGED)
